"""Fuzzes one target (jsonl, csv, recipe, workbook): with atheris where it is installed, else by mutations of our own.

    python tests/fuzz/fuzz.py jsonl --runs 1000000
    python tests/fuzz/fuzz.py jsonl --own --runs 250000 --seed 3     a part of it: each seed gives other inputs

What breaks a law is written to fuzz-TARGET.bin in the current folder, and the exit code is 1 (77 with atheris).
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "corpus"), str(TESTS / "fuzz")]

MOST_BYTES = 4096
SLOW_SECONDS = 5.0


def mutated(chosen: random.Random, pool: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """One seed, changed in a few places: bytes flipped, put in, taken out, doubled; tokens; a part of another seed."""
    data = bytearray(chosen.choice(pool))
    for _ in range(chosen.choice((1, 1, 2, 3, 5, 8, 20))):
        at = chosen.randrange(len(data) + 1)
        length = chosen.choice((1, 1, 2, 4, 16, 64))
        kind = chosen.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chosen.randrange(8)
        elif kind == 1:
            data[at:at] = bytes([chosen.randrange(256)])
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length] * chosen.choice((1, 1, 2, 40))
        elif kind == 4:
            other = chosen.choice(pool)
            begin = chosen.randrange(len(other) + 1)
            data[at:at] = other[begin : begin + 4 * length]
        else:
            data[at : at + (kind - 5) * length] = chosen.choice(tokens)
    return bytes(data[:MOST_BYTES]) if len(data) > 2 * MOST_BYTES else bytes(data)


def run(target: str, runs: int, seed: int, seconds: float = float("inf")) -> tuple[int, bytes | None, str]:
    """How many inputs were tried, and the first that breaks a law with its traceback."""
    from fuzz_seeds import TOKENS, seeds
    from fuzz_targets import TARGETS

    chosen, pool = random.Random(seed), seeds(target)
    began = time.monotonic()
    for number in range(runs):
        if time.monotonic() - began > seconds:
            return number, None, ""
        data = pool[number] if number < len(pool) else mutated(chosen, pool, TOKENS[target])
        start = time.process_time()
        try:
            TARGETS[target](data)
            took = time.process_time() - start
            assert took < SLOW_SECONDS, f"took {took:.1f} seconds"
        except Exception:
            return number + 1, data, traceback.format_exc()
    return runs, None, ""


def run_atheris(target: str, runs: int, seed: int) -> None:
    """As `run`, with coverage; ends the process."""
    import tempfile

    import atheris

    with atheris.instrument_imports(include=["ftprep"]):
        from fuzz_seeds import TOKENS, seeds
        from fuzz_targets import TARGETS
    folder = Path(tempfile.mkdtemp(prefix="ftprep-seeds-"))
    for number, data in enumerate(seeds(target)):
        (folder / f"{number:04}").write_bytes(data)
    words = folder.with_suffix(".dict")
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"' for token in TOKENS[target])
    words.write_text("\n".join(lines) + "\n", encoding="ascii")
    options = [f"-runs={runs}", f"-seed={seed + 1}", f"-max_len={MOST_BYTES}", f"-dict={words}", "-rss_limit_mb=2048"]
    options += [f"-timeout={SLOW_SECONDS:.0f}", f"-exact_artifact_path=fuzz-{target}.bin", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(folder)], TARGETS[target])
    atheris.Fuzz()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=("jsonl", "csv", "recipe", "workbook"))
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--own", action="store_true", help="mutations of our own even where atheris is installed")
    asked = parser.parse_args()
    if not asked.own:
        try:
            import atheris  # noqa: F401
        except ImportError:
            pass
        else:
            run_atheris(asked.target, asked.runs, asked.seed)
    began = time.monotonic()
    tried, data, trouble = run(asked.target, asked.runs, asked.seed)
    print(f"{asked.target}: {tried:,} inputs in {time.monotonic() - began:.0f} s")
    if data is None:
        return 0
    found = Path(f"fuzz-{asked.target}.bin")
    found.write_bytes(data)
    print(f"{trouble}\n{data[:300]!r}\nkept in {found}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
