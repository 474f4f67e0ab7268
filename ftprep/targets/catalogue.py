"""Finding a target by name, model and method."""

from __future__ import annotations

from ftprep.errors import UsageError
from ftprep.targets.model import Target


def target_names() -> tuple[str, ...]:
    """The names of all targets."""
    return ()


def find_target(selector: str, method: str | None = None) -> Target:
    """The target that `NAME` or `NAME:MODEL` names; raises UsageError with the nearest name."""
    message = f"no target is called {selector!r} ({method or 'any method'})"
    raise UsageError(message, "`ftprep target` lists them")
