"""All dialects that are read and written, in the order in which a record is asked whether it is one of them."""

from __future__ import annotations

from ftprep.shapes.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = ()
