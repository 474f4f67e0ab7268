"""Draws the floors of the house: imports only go down, there is no circle, exports are sorted and no module's name."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import ftprep

PACKAGE = Path(ftprep.__file__).parent

# From the ground up; a room may import from its own floor only within its own package, and from all floors below.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("version", "errors", "foreign", "later", "scratch", "characters", "memory"),
    ("addresses", "bulk", "disk", "model", "patterns", "standing"),
    ("lock", "units"),
    ("journal",),
    ("outfile",),
    ("recipe", "targets", "mends", "tokens", "writer", "splitter", "naming"),
    ("costs",),
    ("batch", "keys", "keysurvey", "parquet_writer", "saidsurvey", "setting", "tally", "textsurvey"),
    ("surveys", "wordruns"),
    ("endings", "nearness"),
    ("dataset",),
    ("rule",),
    ("readers", "report", "executors"),
    ("acceptance", "beside", "shapes", "manifest", "prepared", "ray_executor", "rendering"),
    ("rules", "verifier"),
    ("pages", "decisions", "redaction"),
    ("views",),
    ("advice", "plan"),
    ("partial",),
    ("lines",),
    ("engine", "spool"),
    ("finish", "parts", "samples"),
    ("pipeline",),
    ("shards",),
    ("trip",),
    ("preparer",),
    ("converter", "fixer", "sandbox"),
    ("jobs",),
    ("cli",),
    ("__main__",),
)

# Rooms that name a higher one inside a function, each with its reason.
ALLOWED_LATE = {
    ("foreign", "redaction"): "what others say is masked before it is told, which the lowest rooms do, too",
    ("recipe", "readers"): "the bounds of reading that a recipe sets are checked where they are known",
    ("mends", "shapes"): "the mend that makes a conversation calls the shape's own conversion",
    ("report", "views"): "a report shows itself",
    ("prepared", "views"): "what was prepared shows itself",
}


def room_of(name: str) -> str:
    """The top-level room of a module name below ftprep."""
    return name.split(".")[1] if name.count(".") else "__init__"


def floor_of(room: str) -> int:
    """The floor a room stands on."""
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


def modules() -> list[tuple[str, Path]]:
    """Every module of the package with its file."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(p for p in parts if p != "__init__")
        found.append((name, path))
    return found


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """The modules of ours that a file imports, and whether inside a function (or for types only)."""
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, late: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside = late or isinstance(child, (ast.FunctionDef, ast.Lambda)) or _for_types(child)
            if isinstance(child, ast.Import):
                found.extend((a.name, late) for a in child.names if a.name.startswith("ftprep"))
            elif isinstance(child, ast.ImportFrom) and (child.module or "").startswith("ftprep"):
                module = child.module or ""
                found.extend((_imported(module, a.name), late) for a in child.names)
            visit(child, inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


def _imported(module: str, name: str) -> str:
    """The module that `from module import name` brings: a module in the package, or the package that has the name."""
    inner = PACKAGE.parent.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inner.is_dir() or inner.with_suffix(".py").is_file() else module


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


MODULES = [(n, p) for n, p in modules() if n != "ftprep"]


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(n) for n, _ in MODULES} - {"recipes"}
    listed = [r for floor in FLOORS for r in floor]
    assert rooms == set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[n for n, _ in MODULES])
def test_imports_go_down(name: str, path: Path) -> None:
    room = room_of(name)
    for imported, late in imports_of(path):
        other = room_of(imported)
        if imported == "ftprep":
            continue
        if other in (room, "__init__"):
            continue
        allowed = floor_of(other) < floor_of(room) or (late and (room, other) in ALLOWED_LATE)
        assert allowed, f"{name} imports {imported}, which stands on a higher floor or the same"


def test_there_is_no_circle_within_a_room() -> None:
    edges = {
        name: {i for i, late in imports_of(path) if not late and room_of(i) == room_of(name) and i != name}
        for name, path in MODULES
    }
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name in done:
            return
        for other in sorted(edges.get(name, ())):
            walk(other, (*above, name))
        done.add(name)

    for name, _ in MODULES:
        walk(name, ())


def test_exports_are_sorted_and_not_named_like_modules() -> None:
    names = {m.name for m in pkgutil.iter_modules([str(PACKAGE)])}
    assert list(ftprep.__all__) == sorted(ftprep.__all__)
    assert not names & set(ftprep.__all__)
    for name in ftprep.__all__:
        assert getattr(ftprep, name) is not None


@pytest.mark.parametrize("package", ["readers", "rules", "shapes", "tokens", "views", "cli"])
def test_packages_export_no_name_of_their_modules(package: str) -> None:
    module = importlib.import_module(f"ftprep.{package}")
    exported = set(getattr(module, "__all__", ()))
    assert not exported & {m.name for m in pkgutil.iter_modules(module.__path__)}
    assert sorted(exported) == list(getattr(module, "__all__", ())) or package == "tokens"


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[n for n, _ in MODULES])
def test_the_first_line_says_what_the_room_is_for(name: str, path: Path) -> None:
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    assert first.startswith('"""'), name
    assert len(first) > 20, name
