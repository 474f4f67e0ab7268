"""What is shipped, what it needs, and what its code never does (S10, S21)."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from security_runs import ROOT

PROJECT = (
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")) if (ROOT / "pyproject.toml").exists() else {}
)
SOURCES = sorted((ROOT / "ftprep").rglob("*.py"))
BANNED_CALLS = {"eval", "exec", "compile", "__import__", "execfile", "breakpoint", "input"}
BANNED_MODULES = {
    "shelve",
    "marshal",
    "joblib",
    "yaml",
    "torch",
    "dill",
    "cloudpickle",
    "imp",
    "pty",
    "code",
    "telnetlib",
}
NETWORK = {"socket", "http", "urllib3", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "asyncio"}

# file: what it may import, each with its reason
PICKLE = {
    "parts.py": "what this program wrote into a folder of this user alone",
    "executors.py": "whether an exception can travel, of what was made a moment ago",
}
PROCESSES = {"readers/child.py": "its own interpreter, its own script, no shell"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "ftprep").as_posix()


def imports(tree: ast.AST) -> set[str]:
    found = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return found | {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_code_runs_no_code_from_data(path: Path) -> None:
    tree, name = ast.parse(path.read_text(encoding="utf-8")), name_of(path)
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not called & BANNED_CALLS
    assert not imports(tree) & BANNED_MODULES
    if name not in PICKLE:
        assert "pickle" not in imports(tree)
    if name not in PROCESSES and not name.startswith(("jobs/", "sandbox/")):
        assert "subprocess" not in imports(tree)
    attributes = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    assert "extractall" not in {n.attr for n in attributes}
    of_os = {n.attr for n in attributes if isinstance(n.value, ast.Name) and n.value.id == "os"}
    assert not of_os & {"system", "popen", "execv", "execve", "execvp", "spawnv", "posix_spawn", "startfile"}
    assert not {k.arg for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords} & {"trust_remote_code"}
    if not name.startswith(("readers/remote", "jobs/", "sandbox/", "ray_executor")):
        assert not imports(tree) & NETWORK


@pytest.mark.skipif(not PROJECT, reason="not run from a checkout")
def test_every_dependency_has_a_lower_bound_and_none_comes_from_an_address() -> None:
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *(n for each in project["optional-dependencies"].values() for n in each)]
    wanted += PROJECT["build-system"]["requires"]
    unbound = {n.split(";")[0].strip() for n in wanted if ">=" not in n}
    assert unbound <= {"ftprep[http,openai,png,ray,s3,sandbox,test]", "pandas-stubs", "pre-commit", "types-jsonschema"}
    assert not [n for n in wanted if "@" in n or "://" in n]


@pytest.mark.skipif(not PROJECT, reason="not run from a checkout")
def test_no_code_is_run_at_installation() -> None:
    assert PROJECT["build-system"]["build-backend"] == "hatchling.build"
    assert not [n for n in ("setup.py", "hatch_build.py", "build.py", "conftest.py") if (ROOT / n).exists()]
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "hooks" not in text.replace(".pre-commit-hooks.yaml", "")
    assert "entry-points" not in PROJECT["project"]


def test_the_wheel_has_the_files_of_the_package_and_no_others(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the wheel is built with hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = {n for n in names if ".dist-info/" in n}
    package = {p for p in (ROOT / "ftprep").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    recipes = {p for p in (ROOT / "recipes").rglob("*") if p.is_file()}
    wanted = {p.relative_to(ROOT).as_posix() for p in package}
    assert names - info == wanted | {f"ftprep/{p.relative_to(ROOT).as_posix()}" for p in recipes}
    assert {n.split("/", 1)[1] for n in info} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"),
        "licenses/ftprep/tokens/data/LICENSE-tiktoken",
    }
    kinds = {Path(n).suffix for n in names - info}
    assert kinds <= {".py", ".toml", ".typed", ".bin", ".md", "", ".csv", ".tsv", ".jsonl", ".json", ".xlsx"}


@pytest.mark.skipif(not (ROOT / "SECURITY.md").exists(), reason="not run from a checkout")
def test_the_page_on_security_names_what_there_is() -> None:
    import re

    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", page)
    assert not [each for each in links if not (ROOT / each).exists()]
    assert [f"| S{n} " in page for n in range(1, 22)] == [True] * 21
    tests = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py"))
    names = set(re.findall(r"`(test_\w+)`", page))
    stems = {p.stem for p in (ROOT / "tests").rglob("test_*.py")}
    assert not [n for n in names if n not in stems and f"def {n}(" not in tests]
