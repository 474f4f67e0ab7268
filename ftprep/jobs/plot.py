"""Figures as pictures: a curve of block characters for the terminal, and an SVG without any other package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from ftprep.errors import MissingExtra, UsageError

Series = Sequence[tuple[float, float]]
_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN = "_.-=*#"
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")
WIDTH, HEIGHT, PANEL = 760, 300, 60


def series_of(rows: Sequence[Mapping[str, Any]], part: str) -> dict[str, list[tuple[float, float]]]:
    """The columns whose name has `part` ("loss", "accuracy"), each as points of step and value."""
    found: dict[str, list[tuple[float, float]]] = {}
    for number, row in enumerate(rows):
        step = row.get("step", number)
        if not isinstance(step, int | float):
            continue
        for name, value in row.items():
            if part in name and isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault(name, []).append((float(step), float(value)))
    return found


def spark(values: Sequence[float], width: int = 40, blocks: bool = True) -> str:
    """The values as one line of characters, the mean of neighbours where there are more than `width`."""
    if not values:
        return ""
    if len(values) > width:
        cuts = [round(i * len(values) / width) for i in range(width + 1)]
        values = [sum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    marks = _BLOCKS if blocks else _PLAIN
    low, high = min(values), max(values)
    scale = (len(marks) - 1) / (high - low) if high > low else 0
    return "".join(marks[round((value - low) * scale)] for value in values)


def svg(rows: Sequence[Mapping[str, Any]], title: str) -> str:
    """Loss and, where there is one, accuracy over the steps, as an SVG document."""
    panels = [(name, found) for name in ("loss", "accuracy") if (found := series_of(rows, name))]
    height = max(1, len(panels)) * HEIGHT + 40
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/><g font-family="sans-serif">',
        f'<text x="{PANEL}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for number, (name, found) in enumerate(panels):
        out += _panel(name, found, 40 + number * HEIGHT)
    return "\n".join([*out, "</g></svg>", ""])


def _panel(name: str, found: Mapping[str, Series], top: int) -> list[str]:
    steps = [x for points in found.values() for x, _ in points]
    values = [y for points in found.values() for _, y in points]
    left, right, upper, lower = PANEL, WIDTH - 20, top + 10, top + HEIGHT - 40
    x_low, x_wide = min(steps), (max(steps) - min(steps)) or 1
    y_low, y_wide = min(values), (max(values) - min(values)) or 1
    out = [
        f'<rect x="{left}" y="{upper}" width="{right - left}" height="{lower - upper}" fill="none" stroke="#ccc"/>',
        f'<text x="{left}" y="{lower + 16}">{x_low:g}</text>',
        f'<text x="{right}" y="{lower + 16}" text-anchor="end">{x_low + x_wide:g} steps</text>',
        f'<text x="{left - 6}" y="{upper + 10}" text-anchor="end">{y_low + y_wide:.4g}</text>',
        f'<text x="{left - 6}" y="{lower}" text-anchor="end">{y_low:.4g}</text>',
        f'<text x="{left - 6}" y="{(upper + lower) / 2}" text-anchor="end">{escape(name)}</text>',
    ]
    for number, (column, points) in enumerate(sorted(found.items())):
        color = _COLORS[number % len(_COLORS)]
        placed = [
            f"{left + (x - x_low) / x_wide * (right - left):.1f},{lower - (y - y_low) / y_wide * (lower - upper):.1f}"
            for x, y in points
        ]
        if len(placed) > 1:
            line = " ".join(placed)
            out.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        else:
            x, y = placed[0].split(",")
            out.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>')
        out.append(
            f'<text x="{right - 8}" y="{upper + 18 + 16 * number}" text-anchor="end" fill="{color}">'
            f"{escape(column)}</text>"
        )
    return out


def png(document: str) -> bytes:
    """The SVG as a PNG of twice its size. Raises MissingExtra without the package that draws it, UsageError without the
    system's library that this needs."""
    try:
        import cairosvg
    except ImportError:
        raise MissingExtra("a plot as PNG", "png") from None
    except OSError:
        message = "a plot as PNG needs the library cairo, which this system does not have"
        raise UsageError(
            message, "apt install libcairo2, or brew install cairo; the plot as SVG needs nothing"
        ) from None
    return bytes(cairosvg.svg2png(bytestring=document.encode(), scale=2))
