"""Kills submits at random points and under random faults, submits again, and counts the jobs at the service.

python tests/reliability/jobs.py --times 200
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "jobs"), str(HERE.parent.parent)]

from fake_service import FakeService, Fault  # noqa: E402
from job_samples import training_file  # noqa: E402
from killed import POINTS, Submitter  # noqa: E402

FAULTS = ("", "lost", "late", "502", "truncated", "429", "409", "500", "dropped")
LONGEST = 0.4
"""Seconds: a submit without trouble is over by then."""


def main() -> int:
    """Run, tell the figures, and return 1 where there was any case without exactly one job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance, counts, wrong = random.Random(given.seed), Counter[str](), []
    since = time.monotonic()
    with Submitter() as submitter:
        for number in range(given.times):
            fault, kill = chance.choice(FAULTS), _kill(chance)
            first, jobs, posts = _case(submitter, fault, kill)
            counts[f"first try: {_word(first)}"] += 1
            counts[f"fault: {fault or 'none'}"] += 1
            counts[f"jobs: {jobs}"] += 1
            if (jobs, posts) != (1, 1):
                wrong.append(f"case {number}: {fault or 'no fault'}, {kill}: {jobs} jobs of {posts} requests")
    for name, count in sorted(counts.items()):
        print(f"{count:5} {name}")
    print(f"{given.times} cases, seed {given.seed}, {time.monotonic() - since:.0f} s: {len(wrong)} without exactly one")
    print("\n".join(wrong))
    return 1 if wrong else 0


def _kill(chance: random.Random) -> dict[str, object]:
    """Where the first try dies: at a step, at a moment, or not at all."""
    way = chance.random()
    if way < 0.3:
        return {"at": chance.choice(POINTS)}
    return {"after": chance.uniform(0, LONGEST)} if way < 0.85 else {}


def _case(submitter: Submitter, fault: str, kill: dict[str, object]) -> tuple[int, int, int]:
    faults = [Fault(fault, retry_after="1" if fault == "429" else "")] if fault else []
    with tempfile.TemporaryDirectory() as folder, FakeService(faults) as service:
        place = Path(folder)
        asked = {"file": training_file(place), "url": service.url, "ledger": place / "jobs", "timeout": 1}
        first = submitter.run(**asked, **kill)
        for _ in range(4):
            if submitter.until_settled(**asked) == 0:
                break
        assert submitter.run(**asked) == 0
        return first, service.created, service.made("/fine_tuning/jobs")


def _word(code: int) -> str:
    return {-9: "killed", 0: "done", 4: "not known", 2: "could not"}.get(code, str(code))


if __name__ == "__main__":
    sys.exit(main())
