"""Prints the table of docs/performance.md: ftprep as whole processes, in turn with yardsticks; run by hand, never part
of the suite.

    python tests/benchmarks/bench.py table                       what can be measured without yardsticks
    python tests/benchmarks/bench.py table --rows 20000          a quick look
    python tests/benchmarks/bench.py table --only startup,chat --yardsticks DIR --vocab DIR
    python tests/benchmarks/bench.py table --ancestor 'openai tools fine_tunes.prepare_data -q -f {copy}'
    python tests/benchmarks/bench.py make chinese 40000 /tmp/chinese.jsonl

Exit code 1 where totals differ from a yardstick's.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from pathlib import Path

import corpora
import measure
from lines import GROUPS, Line
from runs import Bench

FULL = 1_000_000
PLACE = re.compile(r"(<!-- table -->\n).*?(<!-- /table -->)", re.DOTALL)


def main() -> None:
    """Parse and run."""
    given = _parser().parse_args()
    if given.command == "make":
        corpora.MAKERS[given.kind](given.rows, given.path)
        return
    if given.write and not PLACE.search(given.write.read_text(encoding="utf-8")):
        sys.exit(f"{given.write} has no <!-- table --> … <!-- /table --> to write to")
    with tempfile.TemporaryDirectory(prefix="ftprep-bench-") as scratch:
        bench = _bench(given, given.work or Path(scratch))
        try:
            about = measure.machine(bench.python)
            if measure.is_busy():
                print("warning: the machine is busy; figures will be worse than they are", file=sys.stderr)
            lines: list[Line] = []
            for name in given.only or GROUPS:
                print(f"{name} …", file=sys.stderr)
                lines += GROUPS[name](bench)
        except measure.FailedError as error:
            sys.exit(str(error))
    page = "\n".join(_page(bench, about, lines))
    print(page)
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        given.write.write_text(PLACE.sub(lambda place: f"{place[1]}{page}\n{place[2]}", text), encoding="utf-8")
    sys.exit(any(line.aim == "equal" and not line.reached for line in lines))


def _page(bench: Bench, about: list[str], lines: list[Line]) -> list[str]:
    """The tables in Markdown."""
    told = [f"- {fact}" for fact in about]
    few = f"of at most 3 with {3 * bench.rows:,} rows"
    told.append(f"- {bench.rows:,} rows, {bench.workers} workers; median of {bench.repeats} runs in turn, {few}")
    if bench.rows != FULL:
        told.append(f"- **a quick look: what is to be reached holds at {FULL:,} rows**")
    told += ["", "| what | figure | range | to reach | reached |", "|---|---|---|---|---|"]
    words = {True: "yes", False: "**no**", None: ""}
    told += [f"| {x.what} | {x.figure} | {x.spread} | {x.aim} | {words[x.reached]} |" for x in lines]
    told += [
        "",
        "The runs behind it, medians; memory of the largest process, of all together where watched:",
        "",
        "| run | times | CPU s | wall s | peak MB |",
        "|---|---|---|---|---|",
    ]
    for name, runs in bench.runs.items():
        cpu, wall, peak = (statistics.median(values) for values in zip(*runs, strict=True))
        told.append(f"| {name} | {len(runs)} | {cpu:.2f} | {wall:.2f} | {peak:.0f} |")
    return told


def _bench(given: argparse.Namespace, folder: Path) -> Bench:
    folder.mkdir(parents=True, exist_ok=True)
    program = Path(given.python).parent / "ftprep"
    if not program.exists():
        sys.exit(f"there is no {program}: install ftprep into an environment and name its interpreter with --python")
    if given.yardsticks and not given.vocab:
        sys.exit("the yardsticks need --vocab DIR, as their setup_vocab.sh made it")
    return Bench(
        python=given.python,
        ftprep=[str(program)],
        yardsticks=given.yardsticks,
        vocab=given.vocab,
        ancestor=given.ancestor,
        folder=folder,
        rows=given.rows,
        repeats=given.repeats,
        workers=given.workers,
    )


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in GROUPS]:
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("a whole number from 1")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make a file of made-up text")
    make.add_argument("kind", choices=sorted(corpora.MAKERS))
    make.add_argument("rows", type=_count)
    make.add_argument("path", type=Path)
    table = commands.add_parser("table", help="measure and print the table")
    table.add_argument("--only", type=_names, metavar="NAME,…", help=f"of {', '.join(GROUPS)}")
    table.add_argument("--rows", type=_count, default=FULL, help="scales everything (default: %(default)s)")
    table.add_argument("-n", "--repeats", type=_count, default=5, help="runs of each (default: %(default)s)")
    table.add_argument("--workers", type=_count, default=2, help="processes of ftprep (default: %(default)s)")
    table.add_argument("--python", default=sys.executable, help="interpreter that ftprep is installed for")
    table.add_argument("--yardsticks", type=Path, metavar="DIR", help="where naive_chat.py and the others are")
    table.add_argument("--vocab", type=Path, metavar="DIR", help="as setup_vocab.sh made it")
    table.add_argument("--ancestor", default="", metavar="COMMAND", help="{copy} becomes a fresh copy of the file")
    table.add_argument("--work", type=Path, metavar="DIR", help="keep the files made here and use them again")
    table.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page as well")
    return parser


if __name__ == "__main__":
    main()
