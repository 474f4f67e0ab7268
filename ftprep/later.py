"""Regular expressions that are compiled when they are first used: many are for data that a run may never meet."""

from __future__ import annotations

import re
from typing import Any, cast


def later(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what behaves as `re.compile(pattern, flags)`, and is compiled when something is first asked of it.

    For what a few texts need; what every chunk is searched for is compiled at once. It is no `re.Pattern` to
    `isinstance` and to `re.sub`: call its methods.
    """
    return cast("re.Pattern[str]", Later(pattern, flags))


class Later:
    """A pattern that is not compiled yet; afterwards its methods are those of the compiled one."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        # Asked only for what is not there yet. Names of the language are none of a pattern's.
        if name.startswith("_"):
            raise AttributeError(name)
        made = re.compile(*self._given)
        for each in dir(made):
            if not each.startswith("_"):
                setattr(self, each, getattr(made, each))
        return getattr(made, name)

    def __reduce__(self) -> tuple[type[Later], tuple[str, int]]:
        return Later, self._given
