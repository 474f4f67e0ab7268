"""What can stop a run: each error says what is wrong and what to do. Trouble in the data is never one of these.

FtprepError
├── UsageError      a wrong option, name or combination
├── ReadError       an input that cannot be read at all
├── RecipeError     a recipe or configuration that does not hold
├── WriteError      an output that cannot be written
└── MissingExtra    an optional package that is not installed
"""

from __future__ import annotations


class FtprepError(Exception):
    """A run that could not be done: `message` says what and where, `hint` what to do about it."""

    exit_code = 2
    """Of the command line."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(FtprepError):
    """A wrong option, an unknown name, or options that exclude each other."""


class ReadError(FtprepError):
    """An input that is missing, unreadable, empty, or of no format that can be read."""


class RecipeError(FtprepError):
    """A recipe or configuration file with an unknown key or a value of the wrong type."""


class WriteError(FtprepError):
    """An output that exists already, or that the system refuses to write."""


class MissingExtra(FtprepError):  # noqa: N818 - reads as what it says: an extra is missing
    """An optional package is needed for what was asked."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs a package that is not installed", f"pip install 'ftprep[{extra}]'")
