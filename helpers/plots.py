"""Small plots for a page, as HTML: legible on light and dark ground, as wide as there is room."""

import html
from math import isfinite

WIDE, TALL = 200, 28        # units of a curve
COLORS = ("#3f8fd6", "#d9742b", "#3a9d5d", "#b45fc0", "#c7950c", "#d1495b", "#2a9d9d", "#8a8a8a")
SMALL = "font-size:11px;opacity:0.75;line-height:1.6"
ROW = ("display:grid;grid-template-columns:minmax(5em,9em) minmax(4em,1fr) 5em;gap:0 0.7em;"
       "align-items:center;font-size:12px;line-height:1.3")


def curves(series: dict) -> str:
    """A row for each name -> ((step, value), …): its name, its curve, its last value. Steps have one scale,
    values one for each row. A term that is 0 throughout is left out: nothing asks for it."""
    seen = {name: points for name, points in series.items() if any(value for _, value in points)}
    steps = [step for points in seen.values() for step, _ in points] or [0]
    rows = [_row(html.escape(name), points, COLORS[number % len(COLORS)], min(steps), max(steps))
            for number, (name, points) in enumerate(seen.items())]
    return f'<div style="{SMALL}">losses, each in a scale of its own</div>' \
           f'<div style="{ROW}">{"".join(rows)}</div>' if rows else ""


def _row(name, points, color, first, last) -> str:
    values = [value + 0.0 for _, value in points]       # -0.0 is 0
    told = f"{name}, from {values[0]:.3g} to {values[-1]:.3g}"
    return (f'<span style="overflow-wrap:anywhere">{name}</span>'
            f'<svg viewBox="0 -2 {WIDE} {TALL + 4}" preserveAspectRatio="none" role="img" '
            f'aria-label="{told}" style="width:100%;height:{TALL + 4}px;display:block"><title>{told}</title>'
            f'<line x1="0" y1="{TALL}" x2="{WIDE}" y2="{TALL}" stroke="currentColor" opacity="0.25" '
            f'vector-effect="non-scaling-stroke"/>'
            f'<polyline points="{_places(points, first, last)}" fill="none" stroke="{color}" '
            f'stroke-width="1.8" stroke-linejoin="round" stroke-linecap="round" '
            f'vector-effect="non-scaling-stroke"/></svg>'
            f'<span style="text-align:right;font-variant-numeric:tabular-nums">{values[-1]:.3g}</span>')


def _places(points, first, last) -> str:
    """Of each point within WIDE x TALL, the largest value on top; what is no number is passed over."""
    points = [(step, value) for step, value in points if isfinite(value)]
    points = points * 2 if len(points) == 1 else points         # a dot is a short line
    low, high = (end((value for _, value in points), default=0) for end in (min, max))
    across, up = (last - first) or 1, (high - low) or 1
    return " ".join(f"{(step - first) / across * WIDE:.1f},{TALL - (value - low) / up * TALL:.1f}"
                    for step, value in points)
