"""Pictures of what repeats itself: correlogram and pitch; and of the filters of a bank.

In the style of `plots`, and by it: what draws is there.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.ear.design import BankDesign
from echoic.errors import ParameterError
from echoic.report.axes import band_edges_erb, printable
from echoic.report.plots import PICTURE, Picture, drawn_to, label_erb_axis
from echoic.units import erb_rate_to_hz, hz_to_erb_rate

Values = NDArray[np.floating[Any]]

_N_ROWS = 400  # of a summary drawn on a logarithmic axis


def draw_pitch(
    f0_hz: Values,
    duration_s: float,
    *,
    title: str,
    path: str | Path | BytesIO,
    summary: Values | None = None,
    lag_s: Values | None = None,
    range_hz: tuple[float, float] = (50.0, 600.0),
    picture: Picture = PICTURE,
) -> None:
    """Draw F0 over time on a logarithmic axis, on the summary correlogram it was found in.

    Args:
        f0_hz: F0; 0 where there is no pitch.
        duration_s: The time that the frames span, and the columns.
        title: Any text.
        path: Where the PNG goes.
        summary: How far the sound repeats itself; nothing if not given.
        lag_s: Of its rows, in even steps from 0.
        range_hz: What the axis shows.
        picture: Size and colours.

    Shape:
        f0_hz (frame,); summary (lag, column); lag_s (lag,).

    Raises:
        ParameterError: shapes that do not agree, or nothing to draw.
    """
    if f0_hz.ndim != 1 or not f0_hz.size or not duration_s > 0:
        raise ParameterError(f"f0_hz of shape {f0_hz.shape} over {duration_s} s cannot be drawn")
    if summary is not None and (lag_s is None or summary.shape[:1] != lag_s.shape):
        raise ParameterError(f"summary has shape {summary.shape}: it needs as many lags in lag_s")
    with drawn_to(path, picture) as figure:
        axes = figure.subplots()
        if summary is not None and lag_s is not None:
            low, high = np.log2(range_hz)
            edges = np.linspace(low, high, _N_ROWS + 1)
            rows_hz = 2 ** ((edges[1:] + edges[:-1]) / 2)
            image = axes.imshow(
                _at_lags(summary, 1 / rows_hz / lag_s[1]),
                origin="lower",
                aspect="auto",
                extent=(0, duration_s, low, high),
                vmin=0,
                vmax=1,
                cmap=picture.colormap,
            )
            figure.colorbar(image, ax=axes, pad=0.01, label="periodicity (summary correlogram)")
        time_s = (np.arange(f0_hz.size) + 0.5) * duration_s / f0_hz.size
        log_hz = np.log2(np.where(f0_hz > 0, f0_hz, np.nan))
        # Points, since a line would run through the octaves that a pitch leaps.
        axes.plot(time_s, log_hz, color="deepskyblue", linestyle="", marker=".", markersize=4)
        _label_octaves(axes.yaxis, range_hz)
        axes.set(xlim=(0, duration_s), ylim=np.log2(range_hz), xlabel="time (s)", ylabel="F0 (Hz)")
        axes.set_title(printable(title), parse_math=False, loc="left")


def draw_correlogram(
    correlogram: Values,
    center_hz: Values,
    lag_s: Values,
    *,
    title: str,
    path: str | Path | BytesIO,
    picture: Picture = PICTURE,
) -> None:
    """Draw one frame of a correlogram, every band against its own lag 0, and their sum below.

    Args:
        correlogram: Of one frame.
        center_hz: Centres of the bands, even on the ERB-rate scale.
        lag_s: Lags in even steps from 0.
        title: Any text.
        path: Where the PNG goes.
        picture: Size and colours.

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
    low_erb, high_erb = band_edges_erb(center_hz)
    half_ms = 500 * lag_s[1]
    total = correlogram.sum(axis=0)
    with drawn_to(path, picture) as figure:
        upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        image = upper.imshow(
            correlogram / np.maximum(correlogram[:, :1], 1e-12),
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=(-half_ms, 1000 * lag_s[-1] + half_ms, low_erb, high_erb),
            vmin=-1,
            vmax=1,
            cmap=picture.colormap,
        )
        label_erb_axis(upper.yaxis, float(center_hz[0]), float(center_hz[-1]))
        upper.set_ylabel("centre frequency (Hz)")
        upper.set_title(printable(title), parse_math=False, loc="left")
        figure.colorbar(image, ax=(upper, lower), pad=0.01, label="autocorrelation re lag 0")
        lower.plot(1000 * lag_s, total / max(float(total[0]), 1e-12), color="C0")
        lower.axhline(0, color="0.7", linewidth=0.8)
        lower.set(xlabel="lag (ms)", ylabel="all bands", xlim=(0, 1000 * lag_s[-1]))


def draw_responses(
    design: BankDesign,
    *,
    title: str,
    path: str | Path | BytesIO,
    picture: Picture = PICTURE,
) -> None:
    """Draw the gain of every band over frequency, on the ERB-rate axis.

    Args:
        design: Of a bank, such as `Ear.design`; silent bands are left out.
        title: Any text.
        path: Where the PNG goes.
        picture: Size and range in dB.
    """
    from matplotlib import colormaps

    nyquist_hz = design.sample_rate / 2
    erb_rate = np.linspace(hz_to_erb_rate(20.0), hz_to_erb_rate(nyquist_hz), 2000)
    gain = np.abs(design.frequency_response(erb_rate_to_hz(erb_rate))[design.gain > 0])
    with drawn_to(path, picture) as figure:
        axes = figure.subplots()
        colors = colormaps[picture.colormap](np.linspace(0.1, 0.85, len(gain)))
        for level_db, color in zip(20 * np.log10(gain), colors, strict=True):
            axes.plot(erb_rate, level_db, color=color, linewidth=0.8)
        label_erb_axis(axes.xaxis, 20.0, nyquist_hz)
        axes.set(xlim=erb_rate[[0, -1]], ylim=(-picture.range_db, 3))
        axes.set(xlabel="frequency (Hz)", ylabel="gain (dB)")
        axes.set_title(printable(title), parse_math=False, loc="left")


def _at_lags(summary: Values, lag: Values) -> Values:
    """Rows between the whole lags of (lag, column), linearly; the last one beyond the end."""
    lag = np.minimum(lag, len(summary) - 1)
    below = np.minimum(lag.astype(int), len(summary) - 2)
    part = (lag - below)[:, np.newaxis]
    return (1 - part) * summary[below] + part * summary[below + 1]


def _label_octaves(axis: Any, range_hz: tuple[float, float]) -> None:
    ticks = (20, 30, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1000)
    inside = [hz for hz in ticks if range_hz[0] <= hz <= range_hz[1]]
    axis.set_ticks(np.log2(inside), [str(hz) for hz in inside])
