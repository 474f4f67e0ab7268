"""Counting many texts as one, at half the cost of counting each: what stands between them is taken with neither side.

Of white space before other characters each pattern parts the last character, so that what is before it is cut as at the
end of a text; and digits are parted by threes, so that what is behind them is cut as at the start of one. The older
patterns take any number of digits together: their texts are counted one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ftprep.bulk import Joined, Texts

_BETWEEN: Final = {"cl100k": "\v907", "o200k": "\v907"}
_TO_THE_END: Final = frozenset(["cl100k"])
"""Vocabularies whose pattern knows white space at the end of a text from other: lines and blanks are one there."""


class Together:
    """Counts the tokens of texts that an engine encodes as one; `encode` gives the ids of a text, as an array."""

    def __init__(self, vocabulary: str, encode: Callable[[str], Any]) -> None:
        self._between = _BETWEEN.get(vocabulary, "")
        self._to_the_end = vocabulary in _TO_THE_END
        # Also where nothing is put between: then whatever `encode` imports is there from now on.
        self._first, *rest = encode(self._between or "-").tolist()
        self._tokens = 1 + len(rest)

    def count(
        self, texts: Texts, encode: Callable[[Joined, str], Any], each: Callable[[list[str]], list[int]]
    ) -> list[int]:
        """The tokens of each text. `encode` gives the ids of texts with something between them, None where it must not;
        `each` counts texts one by one."""
        import numpy as np

        counts = np.empty(len(texts), np.int64)
        is_plain = np.frombuffer(texts.plain, np.bool_)
        for part, chosen in zip(texts.parts, (is_plain, ~is_plain), strict=True):
            if part.texts:
                together = self._count(part, encode)
                counts[chosen] = each(part.texts) if together is None else together
        return counts.tolist()

    def _count(self, part: Joined, encode: Callable[[Joined, str], Any]) -> Any:
        import numpy as np

        if not self._between or (self._to_the_end and any(map(_ends_in_lines, part.texts))):
            return None
        ids = encode(part, self._between)
        if ids is None:
            return None
        ends = np.flatnonzero(ids == self._first)
        if len(ends) != len(part.texts) - 1:  # texts hold what stands between them
            return None
        return np.diff(ends, prepend=-self._tokens, append=len(ids)) - self._tokens


def _ends_in_lines(text: str) -> bool:
    """Whether a text ends in white space that holds a line end, and does not end with it."""
    return text[-1:].isspace() and text[-1] not in "\r\n" and not {"\r", "\n"}.isdisjoint(text[len(text.rstrip()) :])
