"""What all tests share: property tests without a deadline, since a busy machine says nothing about the code."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("ftprep", deadline=None)
settings.load_profile("ftprep")
