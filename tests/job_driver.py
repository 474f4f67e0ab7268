"""Runs a job of ftprep as a program of its own: one that can be slowed down, watched by its lines, and killed.

Takes one argument, JSON: the function, its arguments, `range_bytes`, what is in `Slow`, and where to put the report.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import ftprep
from ftprep import pipeline
from ftprep.engine import Look
from ftprep.model import Chunk
from ftprep.partial import Partial
from ftprep.readers import ranges


@dataclass(frozen=True)
class Slow(Look):
    """Takes its time for each piece of work; `log` gets a line for each; the one from byte `deadly` on kills it."""

    seconds: float = 0.0
    log: str = ""
    deadly: int = -2

    def __call__(self, piece: Chunk) -> Partial:
        time.sleep(self.seconds)
        if getattr(piece.payload, "start", -1) == self.deadly >= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        seen = super().__call__(piece)
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{piece.number} {self.writing is not None}\n")
        return seen


def main() -> None:
    given = json.loads(sys.argv[1])
    ranges.RANGE_BYTES = given.get("range_bytes", ranges.RANGE_BYTES)
    slow = {key: given[key] for key in ("seconds", "log", "deadly") if key in given}
    if slow:
        vars(pipeline)["Look"] = partial(Slow, **slow)
    pieces = 0

    def progress(done: int, _: int) -> None:
        nonlocal pieces
        pieces += 1
        print(pieces, done, flush=True)

    try:
        made = getattr(ftprep, given["function"])(*given["arguments"], progress=progress, **given["named"])
    except ftprep.FtprepError as error:
        print(f"error: {error}", flush=True)
        sys.exit(2)
    if given.get("report"):
        Path(given["report"]).write_text(made.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
