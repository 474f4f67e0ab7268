"""The program: `ftprep …` and `python -m ftprep …`. The version is told without importing the command line."""

from __future__ import annotations

import gc
import os
import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (see ftprep.cli.outcomes)."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments == ["--version"]:
        from ftprep.version import __version__

        return _tell(f"ftprep {__version__}")
    # Reference counts free nearly all that a run makes; looking for circles at the usual pace costs a twentieth of it.
    gc.set_threshold(100_000, 50, 100)
    # pydantic looks through all installed packages for plugins, which costs more than reading a small file.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from ftprep.cli.outcomes import run

    code = run(arguments)
    if argv is None:
        # The process ends: what is left need not be looked through for circles, nor freed piece by piece.
        gc.freeze()
    return code


def _tell(line: str) -> int:
    try:
        print(line, flush=True)  # noqa: T201 - the one line that is worth no more than this
    except OSError as error:
        from ftprep.cli.outcomes import refused

        return refused(error)
    return 0


def _leave_folder() -> None:
    """Import nothing more from the current folder, which `python -m` searches first, unless ftprep itself is there."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is slower
    here = sys.path[0] in ("", os.path.abspath("")) and sys.path[0] != home  # noqa: PTH100
    if here and not sys.flags.safe_path:
        del sys.path[0]


if __name__ == "__main__":
    _leave_folder()
    sys.exit(main())
