"""The folder that ftprep is run in may be anybody's: no code in it is run, whatever it is called (S10)."""

from __future__ import annotations

import pickle
import pkgutil
import sys
from pathlib import Path

import pytest
from security_runs import LOCAL, Ran, furnish, run, script

BY_PYTHON = frozenset(sys.stdlib_module_names) | {"ftprep"}
"""What `python -m ftprep` itself looks for in the current folder, before any code of ftprep is run."""


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    return tmp_path / "marks.txt"


@pytest.fixture
def planted(tmp_path: Path, marks: Path) -> Path:
    """A folder with inputs, and with a module of every name that could be imported, each of which leaves a mark."""
    folder = tmp_path / "downloaded"
    folder.mkdir()
    furnish(folder)
    names = {m.name for m in pkgutil.iter_modules()} | BY_PYTHON | {"sitecustomize", "usercustomize", "conftest"}
    for name in names - {"__main__"}:
        plant(folder / f"{name}.py", marks)
    for name in ("tiktoken_ext", "multiprocessing", "ftprep_plugins"):
        (folder / name).mkdir()
        plant(folder / name / "__init__.py", marks)
        plant(folder / name / "openai_public.py", marks)
    return folder


def plant(path: Path, marks: Path) -> None:
    code = f"open({str(marks)!r}, 'a').write({path.name!r} + '\\n')\nraise SystemExit('planted')\n"
    path.write_text(code, encoding="utf-8")


def told(marks: Path) -> str:
    return marks.read_text(encoding="utf-8") if marks.exists() else ""


@pytest.mark.slow
def test_the_installed_command_imports_nothing_from_the_folder(planted: Path, marks: Path, tmp_path: Path) -> None:
    command = script(tmp_path)
    for arguments in LOCAL:
        ran = run(command, *arguments, cwd=planted)
        assert ran.code in (0, 1), (arguments, ran)
        assert told(marks) == "", arguments


def test_nor_does_python_dash_m_with_a_safe_path(planted: Path, marks: Path) -> None:
    for arguments in LOCAL[:4]:
        ran = run([sys.executable, "-P", "-m", "ftprep"], *arguments, cwd=planted)
        assert ran.code in (0, 1), (arguments, ran)
    assert told(marks) == ""


@pytest.mark.slow
def test_python_dash_m_imports_no_package_from_the_folder(planted: Path, marks: Path) -> None:
    for name in BY_PYTHON:
        (planted / f"{name}.py").unlink(missing_ok=True)
    (planted / "multiprocessing" / "__init__.py").unlink()
    (planted / "multiprocessing" / "openai_public.py").unlink()
    (planted / "multiprocessing").rmdir()
    assert (planted / "pandas.py").exists()
    for arguments in LOCAL:
        ran = run([sys.executable, "-m", "ftprep"], *arguments, cwd=planted)
        assert ran.code in (0, 1), (arguments, ran)
        assert told(marks) == "", arguments


def test_a_checkout_still_runs_by_python_dash_m(tmp_path: Path) -> None:
    from security_runs import ROOT

    (tmp_path / "ftprep").symlink_to(ROOT / "ftprep", target_is_directory=True)
    furnish(tmp_path)
    ran = run([sys.executable, "-m", "ftprep"], "check", "a.jsonl", cwd=tmp_path, PYTHONPATH="")
    assert ran.code == 0, ran


def test_workers_that_are_spawned_import_nothing_from_the_folder(planted: Path, marks: Path, tmp_path: Path) -> None:
    path = tmp_path / "spawning.py"
    path.write_text(
        "import sys\n"
        "import ftprep.executors as executors\n"
        "executors.may_fork = lambda: False\n"
        "from ftprep.__main__ import main\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(main())\n",
        encoding="utf-8",
    )
    ran: Ran = run([sys.executable, str(path)], "check", "a.jsonl", "b.csv", "--workers", "2", cwd=planted)
    assert ran.code in (0, 1), ran
    assert told(marks) == ""


class Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (f"open({self.path!r}, 'a').write('pickle')",)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["a.pkl", "a.jsonl", "a.csv", "a.parquet", "a.xlsx", "a.toml", "tokenizer.json"])
def test_a_pickle_is_never_opened(tmp_path: Path, marks: Path, protocol: int, name: str) -> None:
    from ftprep.__main__ import main

    (tmp_path / name).write_bytes(pickle.dumps(Bomb(str(marks)), protocol))
    assert main(["check", str(tmp_path / name), "-q"]) in (1, 2)
    if name.endswith((".toml", ".json")):
        assert main(["check", str(tmp_path / name), "--recipe", str(tmp_path / name)]) == 2
        assert main(["check", str(tmp_path / name), "--target", str(tmp_path / name)]) == 2
    assert told(marks) == ""


def test_pickled_metadata_of_parquet_is_never_opened(tmp_path: Path, marks: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    bomb = pickle.dumps(Bomb(str(marks)))
    kinds = {"ARROW:extension:name": b"arrow.py_extension_type", "ARROW:extension:metadata": bomb}
    field = pa.field("prompt", pa.string(), metadata=kinds)
    schema = pa.schema([field, pa.field("completion", pa.string())], metadata={"pandas": bomb, "pickle": bomb})
    table = pa.table({"prompt": [f"x{n} ->" for n in range(20)], "completion": [" yes", " no"] * 10}).cast(schema)
    pq.write_table(table, tmp_path / "a.parquet")
    from ftprep.__main__ import main

    assert main(["check", str(tmp_path / "a.parquet"), "-q"]) in (0, 1, 2)
    assert told(marks) == ""


def test_formulas_links_and_macros_of_a_workbook_are_text(
    tmp_path: Path, marks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zipfile

    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["prompt", "completion"])
    for n in range(12):
        book.active.append([f"x{n} ->", f" {('yes', 'no')[n % 2]}"])
    book.active["A20"] = f"=cmd|'/c echo x > {marks}'!A0"
    book.active["A21"] = '=WEBSERVICE("http://127.0.0.1:9/x")'
    path = tmp_path / "a.xlsx"
    book.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", pickle.dumps(Bomb(str(marks))))
        archive.writestr("xl/externalLinks/externalLink1.xml", "<externalLink/>")
        archive.writestr("../../escaped.txt", "x")
    from ftprep.__main__ import main

    assert main(["check", str(path), "-q"]) in (0, 1, 2)
    capsys.readouterr()
    assert told(marks) == ""
    assert not (tmp_path.parent.parent / "escaped.txt").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize(
    "recipe",
    [
        '[columns]\nprompt-template = "{prompt.__class__}"\n',
        '[columns]\nprompt-template = "{prompt[0].__init__.__globals__}"\n',
        '[columns]\nprompt-template = "{prompt!r:>9999999999}"\n',
        "[columns]\nprompt-template = \"{__import__('os').system('x')}\"\n",
        'executor = "ray"\n',
        'plugins = ["evil"]\n',
        "!!python/object/apply:os.system ['x']\n",
    ],
)
def test_a_recipe_is_data(tmp_path: Path, recipe: str, capsys: pytest.CaptureFixture[str]) -> None:
    from ftprep.__main__ import main

    furnish(tmp_path)
    (tmp_path / "r.toml").write_text(recipe, encoding="utf-8")
    code = main(["check", str(tmp_path / "a.jsonl"), "--recipe", str(tmp_path / "r.toml")])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "<class" not in err
    assert "bug" not in err
