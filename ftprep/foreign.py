"""What exceptions of others say, fit to be told: on one line, without secrets. All that quotes one goes through here.

Libraries quote what they were given: an address with its password, a header, a line of a file.
"""

from __future__ import annotations


def words_of(error: BaseException | str, most: int = 160) -> str:
    """The words of an exception (or what a child process said), of at most so many characters; its kind where it has
    none. Secrets are masked before anything is cut, since half a key is not known as one."""
    from ftprep.redaction import redacted

    said = getattr(error, "strerror", None)
    if not isinstance(said, str) or not said:
        said = str(error)
    return " ".join(redacted(said).split())[:most] or ("no reason" if isinstance(error, str) else type(error).__name__)


def kind_and_words(error: BaseException, most: int = 160) -> str:
    """The same after the kind of the exception, where that alone says little."""
    kind, said = type(error).__name__, words_of(error, most)
    return kind if said == kind else f"{kind}: {said}"
