"""The program: `ftprep …` and `python -m ftprep …`. The version is told without importing the command line."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (see ftprep.cli.outcomes)."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments == ["--version"]:
        from ftprep.version import __version__

        return _tell(f"ftprep {__version__}")
    from ftprep.cli.outcomes import run

    return run(arguments)


def _tell(line: str) -> int:
    try:
        print(line, flush=True)  # noqa: T201 - the one line that is worth no more than this
    except OSError as error:
        from ftprep.cli.outcomes import refused

        return refused(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
