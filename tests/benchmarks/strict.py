"""What strict reading costs: `ftprep check` as it is, and with a reader that takes whatever msgspec takes, in turn.

    python tests/benchmarks/bench.py make chat 100000 chat.jsonl
    python tests/benchmarks/strict.py chat.jsonl -n 5

The lenient reader is the same but for what it does not look at: keys that stand twice, integers and floats that would
change, nesting, sizes of records, byte-order marks and carriage returns inside; a line that is no JSON is refused in
the parser's words, without a look at what is wrong with it. All rules are the same. Both run in processes of their
own, one worker each; processor seconds count. Exit code 1 where the strict one takes more than 1.10 times as much.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import measure

ROOT = Path(__file__).parents[2]
MOST = 1.10
READERS = ("strict", "lenient")


def be_lenient() -> None:
    """From here on this process reads JSON Lines without the strict checks."""
    import msgspec

    from ftprep.model import Chat, Row, plain_speech
    from ftprep.readers import jsonl
    from ftprep.readers.strict_json import BadJson
    from ftprep.shapes import lanes

    def enter(rows: list[Row], said: list[Any]) -> int:
        for row, talk in zip(rows, said, strict=True):
            if talk is not None:
                row.example = Chat(talk.messages)
                row.speech = plain_speech(talk.messages)
        return 0

    def loads(data: bytes, **_: Any) -> Any:
        try:
            return msgspec.json.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadJson("IO104", str(error)) from None

    def decode_fast(_reader: Any, table: Any, chunk: Any, lane: Any) -> Iterator[Row]:
        lines = jsonl._split(chunk.payload)
        try:
            said = list(map(lane.decode, lines))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            said = [jsonl._said(lane, line) for line in lines]
        rows = [Row(offset, chunk.first_line + offset, None, line) for offset, line in enumerate(lines)]
        lane.enter(rows, said)
        for row, what in zip(rows, said, strict=True):
            if what is None:
                line, row.raw = row.raw or b"", None
                jsonl._row(table, row, line, True)
        return iter(rows)

    mock.patch.object(lanes, "_enter_chats", enter).start()
    mock.patch.object(jsonl, "loads", loads).start()
    mock.patch.object(jsonl.JsonlReader, "decode_fast", decode_fast).start()


def child(reader: str, what: str, path: str) -> int:
    """One run: the whole check, or nothing but reading."""
    sys.path.insert(0, str(ROOT))
    if reader == "lenient":
        be_lenient()
    if what == "check":
        from ftprep.__main__ import main as command

        return command(["check", path, "--workers", "1", "--output-format", "json"])
    from ftprep.plan import make_plan
    from ftprep.recipe import Recipe

    plan = make_plan(path, Recipe())
    rows = taken = 0
    for chunk in plan.chunks():
        for row in plan.decode(chunk):
            rows += 1
            taken += row.example is not None
    print(json.dumps({"rows": rows, "by the fast lane": taken}))
    return 0


def told(out: Path) -> dict[str, Any]:
    """What a run found, but for the words."""
    found = json.loads(out.read_bytes())
    return {key: found[key] for key in ("summary", "tokens", "inputs")} if "summary" in found else found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("-n", "--repeats", type=int, default=5)
    parser.add_argument("--as", dest="reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--what", choices=("check", "read"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.reader:
        return child(asked.reader, asked.what, str(asked.path))
    whole = 0.0
    with tempfile.TemporaryDirectory(prefix="ftprep-bench-") as folder:
        for what in ("check", "read"):
            cpu: dict[str, list[float]] = {reader: [] for reader in READERS}
            for _ in range(asked.repeats):
                for reader in READERS:
                    command = [sys.executable, __file__, str(asked.path), "--as", reader, "--what", what]
                    cpu[reader].append(measure.once(command, Path(folder) / f"{reader}.json", ok=(0, 1)).cpu)
            ratios = [strict / lenient for strict, lenient in zip(*cpu.values(), strict=True)]
            same = told(Path(folder) / "strict.json") == told(Path(folder) / "lenient.json")
            ratio, least = statistics.median(ratios), min(cpu["strict"]) / min(cpu["lenient"])
            whole = whole or ratio
            figures = ", ".join(f"{name} {statistics.median(times):.2f} s" for name, times in cpu.items())
            print(f"{what:5}  {figures}; ratio {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}), "
                  f"of the least times {least:.3f}, "
                  f"{'same' if same else 'OTHER'} result", flush=True)  # fmt: skip
    return int(whole > MOST)


if __name__ == "__main__":
    sys.exit(main())
