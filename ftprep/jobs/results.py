"""The figures of a training: files in all the forms that are known, read by their headers, as rows and as a plot."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ALIASES = {
    "training_loss": "train_loss",
    "training_token_accuracy": "train_mean_token_accuracy",
    "training_sequence_accuracy": "train_sequence_accuracy",
    "train_token_accuracy": "train_mean_token_accuracy",
    "validation_loss": "valid_loss",
    "validation_token_accuracy": "valid_mean_token_accuracy",
    "validation_sequence_accuracy": "valid_sequence_accuracy",
    "train/loss": "train_loss",
    "train/global_step": "step",
    "eval/loss": "valid_loss",
    "eval_loss": "valid_loss",
    "loss": "train_loss",
    "global_step": "step",
}
"""Columns of older and other services by the names that OpenAI has for them now; all others keep their own."""

_FIRST = ("step", "elapsed_tokens", "elapsed_examples")
_NOTHING = ("", "n/a", "na", "nan", "none", "null", "-")


@dataclass(frozen=True)
class Results:
    """Rows of figures by step; a figure that is not there is not in its row. `columns` are in order."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    encoded: bool = False

    def last(self) -> dict[str, Any]:
        """The last value of each column."""
        found: dict[str, Any] = {}
        for row in self.rows:
            found |= row
        return found

    def to_csv(self) -> str:
        """The rows as CSV, empty where there is no figure."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([row.get(column, "") for column in self.columns] for row in self.rows)
        return out.getvalue()

    def to_jsonl(self) -> str:
        """The rows as JSON lines."""
        return "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in self.rows)


def parse(data: bytes) -> Results | None:
    """The figures of a result file: CSV with or without base64 around it, or JSON; None for what is none of these."""
    text = _text(data)
    if (table := _table(text)) is not None:
        return table
    try:
        decoded = base64.b64decode(b"".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    inner = _table(_text(decoded)) if decoded else None
    if inner is not None:
        return Results(inner.columns, inner.rows, encoded=True)
    return _json(text)


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _table(text: str) -> Results | None:
    head = text.split("\n", 1)[0]
    if "\x00" in text or ALIASES.get(head.split(",")[0].strip(' "').lower(), head.split(",")[0].strip(' "')) != "step":
        return None
    try:
        lines = [line for line in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in line)]
    except csv.Error:
        return None
    return _made([dict(zip(lines[0], line, strict=False)) for line in lines[1:]], lines[0])


def _json(text: str) -> Results | None:
    """Rows of JSON: a list, a list under a key, or JSON lines."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = []
        for line in text.splitlines():
            try:
                said.append(json.loads(line))
            except (ValueError, RecursionError):
                return None
    if isinstance(said, dict):
        said = next((v for v in said.values() if isinstance(v, list)), [])
    rows = [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
    return _made(rows, dict.fromkeys(str(k) for row in rows for k in row)) if rows else None


def _made(rows: Sequence[Mapping[Any, Any]], header: Iterable[str]) -> Results:
    names = {column: column.strip().strip("\ufeff") for column in header}
    taken = set(names.values())
    for column, name in names.items():
        alias = ALIASES.get(name.lower())
        if alias and alias not in taken:
            names[column] = alias
            taken.add(alias)
    made = [{names[str(k)]: v for k, raw in row.items() if (v := _figure(raw)) is not None} for row in rows]
    used = dict.fromkeys(name for name in names.values() if name)
    columns = (*(c for c in _FIRST if c in used), *(c for c in used if c not in _FIRST))
    return Results(columns, tuple(row for row in made if row))


def _figure(raw: Any) -> Any:
    """A cell as a number where it is one; None where there is nothing."""
    if isinstance(raw, bool) or raw is None:
        return raw
    if isinstance(raw, int | float):
        return raw if math.isfinite(raw) else None
    if not isinstance(raw, str):
        return json.dumps(raw)
    text = raw.strip()
    if text.lower() in _NOTHING:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else None


def together(found: Sequence[Results]) -> Results:
    """Several files as one: rows in their order, all columns."""
    columns = dict.fromkeys(c for each in found for c in each.columns)
    return Results(tuple(columns), tuple(row for each in found for row in each.rows), any(r.encoded for r in found))
