"""Submits through a real proxy (mitmproxy) that loses, delays, cuts and refuses, kills them, and counts the jobs.

python tests/reliability/proxy.py --times 200
python tests/reliability/proxy.py --times 50 --as together

Each case is one file to train on: the program's own commands are given, as a user gives them after each message, until
the job is settled, and the journal of the server must have exactly one job of it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "jobs"), str(HERE.parent.parent)]

from killed import POINTS, Submitter  # noqa: E402
from through_proxy import FAULTS, LIKE, MISSING, Outcome, Road, User, find_mitmdump  # noqa: E402
from watch_proxy import BREAKS, PACE, followed  # noqa: E402

LONGEST = 0.6
"""Seconds: a submit without trouble is over by then."""

TOGETHER = 50
"""Cases that one server has: a list of many jobs takes longer than the client waits."""


def main() -> int:
    """Run, tell the figures, and return 1 where any case had not exactly one job, or an event was told twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--watches", type=int, default=len(BREAKS), help="how many jobs are followed through breaks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--as", dest="profile", choices=LIKE, default="openai")
    parser.add_argument("--mitmdump", metavar="PATH")
    given = parser.parse_args()
    mitmdump = find_mitmdump(given.mitmdump)
    if mitmdump is None:
        print(MISSING)
        return 2
    since = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        wrong = _submits(given, mitmdump, Path(folder))
        told = f"{given.times} cases as {given.profile}, seed {given.seed}, {time.monotonic() - since:.0f} s"
        print(f"{told}: {len(wrong)} without exactly one job")
        if given.profile == "openai":
            wrong += _watches(given.watches, mitmdump, Path(folder))
    print("\n".join(wrong))
    return 1 if wrong else 0


def _submits(given: argparse.Namespace, mitmdump: str, folder: Path) -> list[str]:
    chance, counts, wrong = random.Random(given.seed), Counter[str](), []
    with Submitter() as submitter:
        for first in range(0, given.times, TOGETHER):
            with Road(folder / f"road-{first}", mitmdump, given.profile) as road:
                for number in range(first, min(first + TOGETHER, given.times)):
                    case, plan, kills = f"case-{number}", _plan(chance, road), _kills(chance)
                    road.plan(case, **plan)
                    found = User(road, submitter, folder / case, case).settled(kills)
                    _count(counts, plan, kills, found, road)
                    print(f"\r{number + 1} of {given.times}", end="", file=sys.stderr, flush=True)
                    if found.wrong:
                        wrong.append(f"{case}: {plan}, {kills}: {found.wrong}\n{found.said}")
    print(file=sys.stderr)
    for name, count in sorted(counts.items()):
        print(f"{count:5} {name}")
    return wrong


def _plan(chance: random.Random, road: Road) -> dict[str, Any]:
    """A fault, fresh or repeated, at the job or, in one of five cases, at the upload."""
    path = road.like.files if chance.random() < 0.2 else road.like.jobs
    delay = chance.uniform(0.2, 1.5)
    return {"fault": chance.choice(FAULTS), "path": path, "times": chance.choice((1, 2)), "hold": 0.1, "delay": delay}


def _kills(chance: random.Random) -> list[dict[str, Any]]:
    """How the first tries die: none, the first, or the first two."""
    return [_kill(chance) for _ in range(chance.choice((0, 0, 1, 1, 1, 2)))]


def _kill(chance: random.Random) -> dict[str, Any]:
    way = chance.random()
    if way < 0.4:
        return {"at": chance.choice(POINTS)}
    if way < 0.7:
        return {"happened": chance.choice(("arrived", "answered"))}
    return {"after": chance.uniform(0, LONGEST)}


def _count(counts: Counter[str], plan: dict[str, Any], kills: list[Any], found: Outcome, road: Road) -> None:
    where = "upload" if plan["path"] == road.like.files else "job"
    counts[f"fault at the {where}: {plan['fault']}"] += 1
    counts[f"fault {'fresh' if plan['times'] == 1 else 'repeated'}"] += 1
    counts["fault did not come about: the submit was killed before it"] += not found.struck
    counts[f"to be killed: {len(kills)} times"] += 1
    counts["commands that were killed"] += sum(code == -9 for code in found.codes)
    counts["commands that ended with code 4"] += sum(code == 4 for code in found.codes)
    counts[f"jobs: {found.jobs}"] += 1


def _watches(times: int, mitmdump: str, folder: Path) -> list[str]:
    wrong, events = [], 0
    with Road(folder / "watched", mitmdump, options=PACE) as road:
        for number in range(times):
            way = BREAKS[number % len(BREAKS)]
            found = followed(road, folder / f"watch-{number}", way)
            events += len(found.events)
            if found.wrong:
                wrong.append(f"watch {number}, {way}: {found.wrong}")
    print(f"{times} jobs watched through restarts, {events} events: {len(wrong)} with an event twice or without an end")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
