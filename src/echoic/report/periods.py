"""Plots of correlograms and pitch, and of the responses of a filterbank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.ear.design import BankDesign
from echoic.ear.filterbank import check_design
from echoic.errors import ParameterError
from echoic.report.axes import erb_ticks, printable
from echoic.report.canvas import COLORS, Canvas
from echoic.report.plots import (
    HEIGHT_PX,
    PANEL,
    RANGE_DB,
    WIDTH_PX,
    clock_ticks,
    frequency_ticks,
)
from echoic.units import erb_rate_to_hz, hz_to_erb_rate

Values = NDArray[np.floating[Any]]

_N_ROWS = 400  # of a summary correlogram on a logarithmic axis
_TRACK = "#00bfff"
_LEAP_OCTAVES = 0.25  # between neighbouring frames: the line is interrupted
_LOWEST_HZ = 20.0  # lower end of the axis of responses
_F0_TICKS_HZ = (20, 30, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1000)


def draw_pitch(
    f0_hz: Values,
    duration_s: float,
    *,
    title: str,
    summary: Values,
    lag_s: Values,
    range_hz: tuple[float, float],
) -> bytes:
    """Draw F0 over time on a logarithmic axis, on the summary correlogram, as a PNG.

    Args:
        f0_hz: F0; 0 where there is no pitch.
        duration_s: The time spanned by the frames and by the columns.
        title: Any text.
        summary: Summary correlogram: the periodicity, up to 1.
        lag_s: Lags of its rows, in even steps from 0.
        range_hz: Range of the axis.

    Shape:
        f0_hz (frame,); summary (lag, column); lag_s (lag,).

    Raises:
        ParameterError: shapes that do not agree, or nothing to draw.
    """
    if f0_hz.ndim != 1 or not f0_hz.size or not duration_s > 0:
        raise ParameterError(f"f0_hz of shape {f0_hz.shape} over {duration_s} s cannot be drawn")
    if summary.ndim != 2 or summary.shape[:1] != lag_s.shape or not summary.size:
        raise ParameterError(f"summary has shape {summary.shape}, not (lag={lag_s.size}, column)")
    canvas = Canvas(WIDTH_PX, HEIGHT_PX)
    low, high = np.log2(range_hz)
    if low == high:  # a single F0, at the centre of an octave
        low, high = low - 0.5, high + 0.5
    rows_hz = 2 ** (low + (np.arange(_N_ROWS) + 0.5) / _N_ROWS * (high - low))
    canvas.text(PANEL.left, PANEL.top - 8, printable(title), anchor="ls")
    canvas.shades(PANEL, np.clip(_at_lags(summary, 1 / rows_hz / lag_s[1]), 0, 1))
    canvas.line(PANEL, _track(f0_hz, low, high), _TRACK, width=4)
    canvas.frame(PANEL)
    ticks = [((np.log2(hz) - low) / (high - low), str(hz)) for hz in _F0_TICKS_HZ]
    canvas.ticks_left(PANEL, [tick for tick in ticks if 0 <= tick[0] <= 1], "F0 (Hz)")
    canvas.ticks_below(PANEL, clock_ticks(duration_s), "time (min:s)")
    canvas.shade_bar(PANEL, [(k / 5, f"{k / 5:g}") for k in range(6)], "periodicity")
    return canvas.png()


def draw_correlogram(correlogram: Values, center_hz: Values, lag_s: Values, *, title: str) -> bytes:
    """Draw one frame of a correlogram, each band relative to its lag 0, with the sum below it.

    Args:
        correlogram: Of one frame.
        center_hz: Centres of the bands, evenly spaced on the ERB-rate scale.
        lag_s: Lags in even steps from 0, two at least.
        title: Any text.

    Shape:
        correlogram (band, lag); center_hz (band,); lag_s (lag,).

    Raises:
        ParameterError: shapes that do not agree, or uneven centres.
    """
    if correlogram.shape != (center_hz.size, lag_s.size) or not correlogram.size:
        raise ParameterError(
            f"correlogram of shape {correlogram.shape} is not (band={center_hz.size}, "
            f"lag={lag_s.size})"
        )
    if lag_s.size < 2:
        raise ParameterError(f"correlogram of shape {correlogram.shape} has a single lag")
    canvas = Canvas(WIDTH_PX, HEIGHT_PX)
    upper, lower = PANEL._replace(bottom=520), PANEL._replace(top=550)
    canvas.text(PANEL.left, PANEL.top - 8, printable(title), anchor="ls")
    canvas.shades(upper, correlogram / np.maximum(correlogram[:, :1], 1e-12) / 2 + 0.5)
    canvas.frame(upper)
    canvas.ticks_left(upper, frequency_ticks(center_hz), "centre frequency (Hz)")
    bar_ticks = [((value + 1) / 2, f"{value:g}") for value in (-1, -0.5, 0, 0.5, 1)]
    canvas.shade_bar(upper, bar_ticks, "autocorrelation")
    total = correlogram.sum(axis=0) / max(float(correlogram[:, 0].sum()), 1e-12)
    across = (np.arange(lag_s.size) + 0.5) / lag_s.size  # aligned with the columns above
    low, high = -0.75, 1.05
    for points, color, width in (
        (np.array([[0, 0], [1, 0]]), "#bbbbbb", 1),
        (np.stack([across, total], axis=1), COLORS[0], 3),
    ):
        canvas.line(lower, (points - [0, low]) / [1, high - low], color, width=width)
    canvas.frame(lower)
    canvas.ticks_left(lower, [((v - low) / (high - low), f"{v:g}") for v in (-0.5, 0, 0.5, 1)])
    canvas.ticks_below(lower, _lag_ticks(lag_s), "lag (ms)")
    return canvas.png()


def draw_responses(design: BankDesign, *, title: str) -> bytes:
    """Draw the gain of every band over frequency, on the ERB-rate axis.

    Args:
        design: Of a filterbank, such as `Ear.design`; bands of gain 0 are left out.
        title: Any text.

    Raises:
        ParameterError: not a design.
    """
    check_design(design)
    canvas = Canvas(WIDTH_PX, HEIGHT_PX)
    nyquist_hz = design.sample_rate / 2
    low, high = float(hz_to_erb_rate(_LOWEST_HZ)), float(hz_to_erb_rate(nyquist_hz))
    across = np.linspace(0, 1, 1000)
    response = design.frequency_response(erb_rate_to_hz(low + across * (high - low)))
    level_db = 20 * np.log10(np.maximum(np.abs(response[design.gain > 0]), 1e-12))
    up = (level_db + RANGE_DB) / (RANGE_DB + 5)
    up[up < 0] = np.nan
    canvas.text(PANEL.left, PANEL.top - 8, printable(title), anchor="ls")
    for number, color in enumerate(COLORS):
        # All bands of one colour as a single line, with NaN between them.
        own = [
            np.stack([[*across, 1], [*row, np.nan]], axis=1) for row in up[number :: len(COLORS)]
        ]
        if own:
            canvas.line(PANEL, np.concatenate(own), color, width=2)
    canvas.frame(PANEL)
    levels = range(0, -int(RANGE_DB) - 1, -10)
    canvas.ticks_left(
        PANEL, [((db + RANGE_DB) / (RANGE_DB + 5), str(db)) for db in levels], "gain (dB)"
    )
    ticks = [
        ((float(hz_to_erb_rate(hz)) - low) / (high - low), words)
        for hz, words in erb_ticks(_LOWEST_HZ, nyquist_hz)
    ]
    canvas.ticks_below(PANEL, ticks, "frequency (Hz)")
    return canvas.png()


def _track(f0_hz: Values, low: float, high: float) -> Values:
    """F0 as points of a line within a panel, with NaN at jumps and where there is no pitch."""
    octaves = np.log2(np.where(f0_hz > 0, f0_hz, np.nan))
    points = np.stack(
        [(np.arange(f0_hz.size) + 0.5) / f0_hz.size, (octaves - low) / (high - low)], 1
    )
    leaps = 1 + np.flatnonzero(np.abs(np.diff(octaves)) > _LEAP_OCTAVES)
    return np.insert(points, leaps, np.nan, axis=0)


def _at_lags(summary: Values, lag: Values) -> Values:
    """Interpolate rows of (lag, column) linearly at fractional lags, clamped to the last row."""
    lag = np.minimum(lag, len(summary) - 1)
    below = np.minimum(lag.astype(int), len(summary) - 2)
    part = (lag - below)[:, np.newaxis]
    return (1 - part) * summary[below] + part * summary[below + 1]


def _lag_ticks(lag_s: Values) -> list[tuple[float, str]]:
    """Ticks at round lags, at the centre of their columns."""
    longest_ms = 1000 * float(lag_s[-1])
    steps_ms = (0.5, 1, 2, 5, 10, 20, 50)
    step_ms = next((step for step in steps_ms if longest_ms / step <= 10), longest_ms / 10)
    count = int(longest_ms / step_ms + 1e-6) + 1
    column_ms = 1000 * float(lag_s[1])
    return [
        ((k * step_ms / column_ms + 0.5) / lag_s.size, f"{k * step_ms:g}") for k in range(count)
    ]
