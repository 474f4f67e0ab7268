"""How sets that were held against their manifests show themselves: as text, a line for each file, and as one value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ftprep.verifier import Verified
from ftprep.views.plain import Paint, columns, finish, pad, safe
from ftprep.views.wording import counted


def as_dict(sets: Sequence[Verified]) -> dict[str, Any]:
    """The sets as one JSON value."""
    made = [each.model_dump(mode="json") for each in sets]
    return {"schema_version": 1, "whole": all(each.whole for each in sets), "sets": made}


def text(sets: Sequence[Verified], *, color: bool = False, quiet: bool = False) -> str:
    """The sets as text; `quiet` gives only what is wrong, one line each with the manifest's path before it."""
    paint = Paint(color)
    if quiet:
        return finish(f"{safe(each.manifest)}: {line}" for each in sets for line in _wrong(each))
    return finish(line for each in sets for line in _full(each, paint))


def _wrong(one: Verified) -> Iterator[str]:
    yield from (f"{safe(each.path)}: {safe(each.told)}" for each in one.outputs if each.told)
    yield from map(safe, one.troubles)


def _full(one: Verified, paint: Paint) -> Iterator[str]:
    rows = sum(each.rows or 0 for each in one.outputs)
    head = f"{counted(len(one.outputs), 'file')}, {counted(rows, 'row')}, by ftprep {safe(one.version)}"
    state = paint("whole", "green") if one.whole else paint("not whole", "red")
    yield f"{safe(one.manifest)}: {state}" + (f" ({head})" if one.whole else "")
    size = max((columns(safe(each.path)) for each in one.outputs), default=0)
    for each in one.outputs:
        told = (
            safe(each.told)
            if each.told
            else f"whole, {counted(each.rows, 'row')}"
            if each.rows is not None
            else "whole"
        )
        yield f"  {pad(safe(each.path), size)}  {paint(told, 'red') if each.told else told}"
    yield from (f"  {paint(safe(line), 'red')}" for line in one.troubles)
    yield from (f"  note: {safe(line)}" for line in one.notes)
