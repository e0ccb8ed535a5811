"""Small line charts as inline SVG, with axes and the name of each line at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from echoic.report.markup import as_html, minus

WIDTH, HEIGHT = 640, 320
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 14, 130, 50
_CHARACTER, _LINE = 7.0, 14.0  # approximate character width, and line height
_MAX_POINTS = 400


class Line(NamedTuple):
    """A series of points, joined by a line or not.

    Attributes:
        name: Written beside the last point.
        points: (x, y); those that are not finite, or not above 0 on a logarithmic axis,
            are left out, and the line has a gap there.
        color: In CSS.
        joined: Whether the points are joined by a line.
        hollow: Whether points are drawn as rings.
    """

    name: str
    points: Sequence[tuple[float, float]]
    color: str
    joined: bool = True
    hollow: bool = False


def chart_svg(
    lines: Sequence[Line], *, title: str, x_label: str, y_label: str, log_y: bool = False
) -> str:
    """Draw lines on common axes; returns an empty string if there is no point to draw.

    Args:
        lines: Points that are not finite are left out.
        title: Accessible name of the chart (aria-label).
        x_label: With its unit.
        y_label: With its unit.
        log_y: Whether the y axis is logarithmic.
    """
    kept = [_scaled(line, log_y) for line in lines]
    if not any(points.size for points in kept):
        return ""
    every = np.concatenate([points for points in kept if points.size])
    low, high = np.nanmin(every, axis=0), np.nanmax(every, axis=0)
    # At least 1e-9 of a large value, so that the margin survives rounding.
    margin = np.maximum((high - low) * 0.05, np.maximum(1e-3, 1e-9 * np.abs(high)))
    low, high = low - margin, high + margin
    box = np.array([WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM])
    corner = np.array([_LEFT, HEIGHT - _BOTTOM])
    placed = [corner + (points - low) / (high - low) * box * (1, -1) for points in kept]
    drawn = "".join(
        _line_svg(line, places) for line, places in zip(lines, placed, strict=True) if places.size
    )
    x_ticks = _round_ticks(low[0], high[0])
    y_ticks = _power_ticks(low[1], high[1]) if log_y else _round_ticks(low[1], high[1])
    ticks = [_tick_svg(_LEFT + (x - low[0]) / (high[0] - low[0]) * box[0], w) for x, w in x_ticks]
    ticks += [
        _tick_svg(corner[1] - (y - low[1]) / (high[1] - low[1]) * box[1], words, upwards=True)
        for y, words in y_ticks
    ]
    middle = _TOP + box[1] / 2
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{as_html(title)}">'
        f'<rect x="{_LEFT}" y="{_TOP}" width="{box[0]}" height="{box[1]}"/>{"".join(ticks)}'
        f'<text x="{_LEFT + box[0] / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{as_html(x_label)}</text>"
        f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{as_html(y_label)}</text>{drawn}{_names_svg(lines, placed)}</svg>"
    )


def _scaled(line: Line, log_y: bool) -> np.ndarray:
    """Points as (point, 2), at most 400: NaN for those left out, empty if none is left."""
    points = np.array(line.points, np.float64).reshape(-1, 2)
    if log_y:
        with np.errstate(divide="ignore", invalid="ignore"):
            points[:, 1] = np.log10(points[:, 1])
    is_there = np.isfinite(points).all(axis=1)
    if not is_there.any():
        return points[:0]
    points[~is_there] = np.nan
    if len(points) > _MAX_POINTS:
        points = points[np.unique(np.linspace(0, len(points) - 1, _MAX_POINTS).astype(int))]
    return points


def _line_svg(line: Line, places: np.ndarray) -> str:
    is_there = np.isfinite(places[:, 0])
    starts = is_there & ~np.append(False, is_there[:-1])  # of each segment without a gap
    path = "".join(
        f"{'M' if start else 'L'}{x:.1f} {y:.1f}"
        for (x, y), start in zip(places[is_there], starts[is_there], strict=True)
    )
    words = f'<path d="{path}" style="stroke:{line.color}"/>' if line.joined else ""
    if not line.joined or len(places) < 30:
        fill = "none" if line.hollow else line.color
        words += "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" style="stroke:{line.color};fill:{fill}"/>'
            for x, y in places[is_there]
        )
    return f"<g><title>{as_html(line.name)}</title>{words}</g>"


def _names_svg(lines: Sequence[Line], placed: Sequence[np.ndarray]) -> str:
    """Each name right of its last point, shifted vertically where it would overlap another."""
    ends = [
        (*places[np.isfinite(places[:, 0])][-1], line)
        for line, places in zip(lines, placed, strict=True)
        if places.size
    ]
    taken: list[tuple[float, float, float]] = []
    parts = []
    for x, y_point, line in sorted(ends, key=lambda end: end[1]):
        left, right = x + 9, x + 9 + _CHARACTER * len(line.name)
        # Nearest first; a chart has few names, so that one of these positions is free.
        shifts = sorted(range(-HEIGHT, HEIGHT, 2), key=abs)
        y = next(
            (
                y_point + shift
                for shift in shifts
                if _TOP + 6 <= y_point + shift <= HEIGHT - _BOTTOM - 4
                and not any(
                    abs(y_point + shift - other) < _LINE and left < end and start < right
                    for other, start, end in taken
                )
            ),
            y_point,
        )
        taken.append((y, left, right))
        parts.append(
            f'<text x="{left:.1f}" y="{y + 4:.1f}" style="fill:{line.color}">'
            f"{as_html(line.name)}</text>"
        )
    return "".join(parts)


def _tick_svg(at: float, words: str, *, upwards: bool = False) -> str:
    if upwards:
        return (
            f'<path d="M{_LEFT - 5} {at:.1f}h5"/>'
            f'<text x="{_LEFT - 9}" y="{at + 4:.1f}" text-anchor="end">{words}</text>'
        )
    edge = HEIGHT - _BOTTOM
    return (
        f'<path d="M{at:.1f} {edge}v5"/>'
        f'<text x="{at:.1f}" y="{edge + 18}" text-anchor="middle">{words}</text>'
    )


def _round_ticks(low: float, high: float, *, at_most: int = 6) -> list[tuple[float, str]]:
    """Evenly spaced round numbers in a range."""
    power = 10.0 ** np.floor(np.log10((high - low) / at_most))
    step = next(m * power for m in (1, 2, 5, 10) if (high - low) / (m * power) <= at_most)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    n_digits = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
    return [(k * step, minus(f"{k * step + 0.0:.{n_digits}f}")) for k in range(first, last + 1)]


def _power_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Ticks between 10^low and 10^high: 1, 2 and 5 times powers of ten, or powers only.

    Powers only from two decades on. With fewer than two ticks, evenly spaced round numbers.
    """
    mantissas = (1, 2, 5) if high - low < 2 else (1,)
    step = max(1, int((high - low) / 6))
    exponents = range(int(np.floor(low)), int(np.ceil(high)) + 1, step)
    ticks = [(float(np.log10(m) + e), _number_text(m, e)) for e in exponents for m in mantissas]
    kept = [(at, words) for at, words in ticks if low <= at <= high]
    if len(kept) >= 2:
        return kept
    return [(float(np.log10(number)), words) for number, words in _round_ticks(10**low, 10**high)]


def _number_text(mantissa: int, exponent: int) -> str:
    """Format mantissa · 10^exponent, the mantissa being 1, 2 or 5.

    Example:
        >>> _number_text(5, -2), _number_text(1, 5), _number_text(2, -6)
        ('0.05', '10⁵', '2·10⁻⁶')
    """
    if -3 <= exponent <= 3:
        return f"{mantissa * 10.0**exponent:g}"
    power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if mantissa == 1 else f"{mantissa}·{power}"
