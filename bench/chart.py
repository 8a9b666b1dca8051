"""A drawn chart for the documents: cost of one offer over the size of the catalogue."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 28, 44


def cost_by_size(costs: Sequence[tuple[int, float]]) -> str:
    """SVG of (products, milliseconds); sizes on a logarithmic scale."""
    sizes = [math.log10(size) for size, _ in costs]
    low, high = math.floor(min(sizes)), max(math.ceil(max(sizes)), math.floor(min(sizes)) + 1)
    most = max(1.0, *(cost for _, cost in costs)) * 1.25

    def at(size: float, cost: float) -> tuple[float, float]:
        x = _LEFT + (size - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)
        return round(x, 1), round(HEIGHT - _BOTTOM - cost / most * (HEIGHT - _TOP - _BOTTOM), 1)

    points = [at(size, cost) for size, (_, cost) in zip(sizes, costs, strict=True)]
    marks = "".join(
        f'<circle cx="{x}" cy="{y}" r="4"/><text x="{x}" y="{y - 10}" text-anchor="middle">'
        f"{cost:.1f} ms</text>"
        for (x, y), (_, cost) in zip(points, costs, strict=True)
    )
    ticks = "".join(
        f'<text x="{at(power, 0)[0]}" y="{HEIGHT - 22}" text-anchor="middle">{10**power:,}</text>'
        for power in range(low, high + 1)
    )
    line = " ".join(f"{x},{y}" for x, y in points)
    floor = HEIGHT - _BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Processor time of one offer by products in the catalogue" '
        'font-family="sans-serif" font-size="12" fill="#333">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="16">Processor time of one pushed offer, milliseconds</text>'
        f'<path d="M{_LEFT} {_TOP}V{floor}H{WIDTH - _RIGHT}" fill="none" stroke="#999"/>'
        f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="2"/>'
        f'<g fill="#06c">{marks}</g>{ticks}'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">products in the catalogue'
        "</text></svg>\n"
    )
