"""Runs by itself in a process of its own: parses one sheet of a workbook, within bounds, and prints its rows as JSON.

Some workbooks of two kilobytes abort the process that parses them, so nothing of ours is at stake here: only Python's
own modules and python-calamine are imported. Called as: child.py FOLDER-OF-CALAMINE FILE SHEET look|rows BYTES SECONDS.
First comes one line on the sheet as a whole, then lines of `[sheet row, [cell, ...]]`, then `null`, which says that
nothing is missing. A workbook that cannot be parsed gives one line {"error": ...}.
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

HEAD_ROWS = 200
BATCH = 512


def text(cell: Any) -> str:
    """A cell as text, as meant: 42 not 42.0, TRUE, 2021-06-03, 2021-06-03T14:05:00, 14:05:00, 26:30:00."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return repr(cell + 0.0).removesuffix(".0")  # adding zero makes 0 of -0
    if isinstance(cell, datetime.timedelta):
        return duration(cell)
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell)


def duration(span: datetime.timedelta) -> str:
    """Hours (which may be more than a day's), minutes and seconds."""
    sign = "-" if span < datetime.timedelta() else ""
    span = abs(span)
    minutes, seconds = divmod(span.days * 86400 + span.seconds, 60)
    part = f".{span.microseconds:06d}" if span.microseconds else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{seconds:02d}{part}"


def rows(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """The sheet's rows that are not blank, from column A on, with their row numbers."""
    before = [""] * (sheet.start[1] if sheet.start else 0)
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if cells.count("") < len(cells):
            yield number, before + cells


def look(sheet: Any) -> tuple[dict[str, Any], list[tuple[int, list[Any]]]]:
    """What all rows tell together, and the first of them: columns with anything in them, blank rows in between."""
    head: list[tuple[int, list[Any]]] = []
    empty: set[int] | None = None
    count = last = width = 0
    blank: list[tuple[int, int]] = []
    for number, cells in rows(sheet):
        if empty is None:
            width = len(cells)
            empty = set(range(width))
        if empty:
            empty -= {column for column in empty if cells[column] != ""}
        if number > last + 1:
            blank.append((last + 1, number - 1))
        last = number
        count += 1
        if count <= HEAD_ROWS:
            head.append((number, cells))
    filled = [column for column in range(width) if column not in (empty or ())]
    return {"filled": filled, "rows": count, "blank": blank}, head


def main() -> int:
    """Parses and prints; 0 where all went well."""
    folder, path, name, mode, memory, seconds = sys.argv[1:]
    sys.path += [folder, os.path.dirname(__file__)]  # noqa: PTH120 - pathlib takes longer to import than this to run
    importlib.import_module("child_bounds").bound(int(memory), int(seconds))
    say = sys.stdout.write
    try:
        from python_calamine import CalamineWorkbook

        with open(path, "rb") as file:  # noqa: PTH123 - a path of bytes that are no text is a path, too
            sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_name(name)
        about, head = look(sheet)
        found = head if mode == "look" else rows(sheet)
    except BaseException as error:  # noqa: BLE001 - a panic in the parser is no Exception
        say(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        return 1
    say(json.dumps(about) + "\n")
    batch: list[tuple[int, list[str]]] = []
    for number, cells in found:
        batch.append((number, [cell if type(cell) is str else text(cell) for cell in cells]))
        if len(batch) == BATCH:
            say(json.dumps(batch) + "\n")
            batch.clear()
    say(json.dumps(batch) + "\n")
    say("null\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
