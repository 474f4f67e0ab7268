"""Finds the cells of a sheet that hold no value to read: formulas that were never calculated, and errors."""

from __future__ import annotations

import re
import zipfile
from xml.parsers import expat

from ftprep.foreign import words_of
from ftprep.model import Fault
from ftprep.readers.workbook_guard import BROKEN, PIECE, Refused, letters, number_of


def bad_cells(path: str, part: str) -> dict[int, list[Fault]]:
    """Cells without a value to read, as faults by sheet row: formulas never calculated, and errors such as #N/A."""
    scan = _CellScan()
    try:
        with zipfile.ZipFile(path) as package, package.open(part) as stream:
            while piece := stream.read(PIECE):
                scan.parser.Parse(piece, False)
            scan.parser.Parse(b"", True)
    except (*BROKEN, RuntimeError, expat.ExpatError) as error:
        message = f"the workbook is damaged ({words_of(error, 120)}); save or fetch it again"
        raise Refused("IO116", message) from None
    return scan.found


class _CellScan:
    """Follows the cells of a sheet and keeps those that say nothing: no value for a formula, or an error."""

    def __init__(self) -> None:
        self.found: dict[int, list[Fault]] = {}
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._row = self._column = 0
        self._kind = ""
        self._formula = False
        self._value: list[str] | None = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rsplit(":", 1)[-1]
        if tag == "row":
            self._row = int(attributes.get("r") or self._row + 1)
            self._column = 0
        elif tag == "c":
            ref = re.fullmatch(r"([A-Z]{1,3})\d+", attributes.get("r", ""))
            self._column = number_of(ref[1].encode()) if ref else self._column + 1
            self._kind, self._formula, self._value = attributes.get("t", "n"), False, None
        elif tag == "f":
            self._formula = True
        elif tag == "v":
            self._value = []
            self.parser.CharacterDataHandler = self._value.append

    def _end(self, tag: str) -> None:
        tag = tag.rsplit(":", 1)[-1]
        if tag == "v":
            self.parser.CharacterDataHandler = None
        elif tag == "c":
            value = None if self._value is None else "".join(self._value).strip()
            cell = f"{letters(self._column)}{self._row}"
            if self._kind == "e":
                self._keep(f"cell {cell} is the error {value or '#?'}; mend the formula")
            elif self._formula and not value and (self._kind != "str" or value is None):
                self._keep(f"cell {cell} has a formula without a value; open the workbook in Excel and save it")

    def _keep(self, message: str) -> None:
        self.found.setdefault(self._row, []).append(Fault("IO122", message))
