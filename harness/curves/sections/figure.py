"""Figures of curves: lines on two logarithmic axes, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from harness.console.numbers import digits

WIDTH, HEIGHT = 720, 400

LEFT, RIGHT, TOP, BOTTOM = 56, 190, 30, 44
"""Margins; the names of the lines are at the right."""

COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#57606a", "#0a7ea4", "#6e7781")

STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2328}"
    ".grid{stroke:#d0d7de}polyline{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}}"
)

Points = Sequence[tuple[float, float]]


def svg(title: str, across: str, up: str, lines: Mapping[str, Points]) -> str:
    """The lines by name, of points greater than 0; `across` and `up` name the axes with units."""
    points = [point for line in lines.values() for point in line]
    x = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    y = _Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text x="{LEFT}" y="16">{escape(up)}</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{escape(across)}</text>',
    ]
    for value in x.ticks:
        at = x(value)
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{digits(value)}</text>'
        )
    for value in y.ticks:
        at = y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{digits(value)}</text>')
    ends = _apart([y(line[-1][1]) for line in lines.values()])
    for (name, line), colour, end in zip(lines.items(), COLOURS, ends, strict=False):
        path = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in line)
        parts.append(f'<polyline points="{path}" stroke="{colour}"/>')
        parts += [
            f'<circle cx="{x(across):.1f}" cy="{y(up):.1f}" r="3" fill="{colour}"/>' for across, up in line
        ]
        parts.append(
            f'<text x="{WIDTH - RIGHT + 8}" y="{end + 4:.1f}" style="fill:{colour}">{escape(name)}</text>'
        )
    return "".join(f"{part}\n" for part in (*parts, "</svg>"))


class _Axis:
    """Positions of values on a logarithmic axis, from one pixel to another."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        self._low, self._high = log10(min(values)), log10(max(values))
        self._first, self._last = first, last

    def __call__(self, value: float) -> float:
        part = (log10(value) - self._low) / (self._high - self._low or 1.0)
        return self._first + part * (self._last - self._first)

    @property
    def ticks(self) -> list[float]:
        """The powers of ten, and where there are fewer than three also 2 and 5 times each."""
        powers = range(floor(self._low), ceil(self._high) + 1)
        steps = (1,) if self._high - self._low > 2.5 else (1, 2, 5)
        values = [step * 10.0**power for power in powers for step in steps]
        return [value for value in values if self._low - 1e-9 <= log10(value) <= self._high + 1e-9]


def _apart(places: Sequence[float], least: float = 14.0) -> list[float]:
    """The places, moved down until each is `least` pixels below the one above it."""
    moved, above = dict[int, float](), float("-inf")
    for number in sorted(range(len(places)), key=lambda number: places[number]):
        above = moved[number] = max(places[number], above + least)
    return [moved[number] for number in range(len(places))]
