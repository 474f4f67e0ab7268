"""Every generated bad file has exactly the fate that its twin says: counts, lines, codes, texts; and whole accounts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from outcomes import checked, loaded_records
from twins import Twin, twins

import ftprep as ft
from ftprep.errors import FtprepError

TWINS = twins()


def written(twin: Twin, folder: Path) -> Path:
    path = folder / twin.name
    path.write_bytes(twin.data)
    return path


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_a_twin_has_the_fate_that_it_names(twin: Twin, tmp_path: Path) -> None:
    path = written(twin, tmp_path)
    outcome = checked(path)
    outcome.settled()
    if twin.broken:
        assert outcome.fate == "error"
        assert outcome.report, outcome.error
        assert twin.broken in {f.code for f in outcome.report.findings}
        return
    assert outcome.report, outcome.error
    read = twin.loaded + len(twin.rejected) + twin.skipped
    assert outcome.counts == {
        "read": read, "loaded": twin.loaded, "rejected": len(twin.rejected), "skipped": twin.skipped
    }  # fmt: skip
    errors = outcome.found("error")
    for line, code in twin.rejected.items():
        assert code in errors.get(line, ()), (line, errors)
    codes = {code for found in outcome.found("error", "warning", "info").values() for code in found}
    assert twin.notes <= codes
    if not twin.rejected and not {"IO104", "IO116"} & twin.notes:
        assert not {code for found in errors.values() for code in found if code.startswith("IO")}, errors
    if twin.texts:
        records = loaded_records(path)
        for index, key, value in twin.texts:
            assert (records[index][key], type(records[index][key])) == (value, type(value))


@pytest.mark.parametrize("twin", [t for t in TWINS if t.loaded or t.rejected], ids=lambda twin: twin.name)
def test_the_manifest_accounts_for_every_row(twin: Twin, tmp_path: Path) -> None:
    path = written(twin, tmp_path)
    try:
        ft.prepare(path, {"split": {"valid": "none"}}, out=tmp_path / "out", name="set", workers=1)
    except FtprepError:
        assert not list(tmp_path.glob("out/*"))
        return
    if not twin.loaded:  # no set and no manifest of it; what was set aside is there
        (aside,) = tmp_path.glob("out/*")
        assert aside.read_bytes().count(b"\n") == len(twin.rejected)
        return
    (file,) = tmp_path.glob("out/*.manifest.json")
    manifest = json.loads(file.read_text(encoding="utf-8"))
    rows = manifest["rows"]
    assert rows["read"] == twin.loaded + len(twin.rejected) + twin.skipped
    assert rows["read"] == rows["written"] + rows["rejected"] + rows["skipped"]
    for one in manifest["inputs"]:
        account = one["rows"]
        assert account["read"] == account["loaded"] + account["rejected"] + account["skipped"]
