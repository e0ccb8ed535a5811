"""Cochleagram plots with calibrated axes.

Frequency is drawn on the ERB-rate scale, on which the bands of the ear are evenly spaced, and
labelled in Hz. Levels are in dB re a full-scale sine at the band's centre, which has an
envelope of amplitude 1. Equal data give byte-identical images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.events import Event
from echoic.report.axes import band_edges_erb, erb_ticks, level_range_db, printable, time_ticks
from echoic.report.canvas import COLORS, Box, Canvas, as_png, paint, text_width_px
from echoic.report.meter import ColumnMeter
from echoic.units import hz_to_erb_rate

Levels = NDArray[np.floating[Any]]

WIDTH_PX, HEIGHT_PX = 1600, 800
LANE_PX = 40  # height of each lane of events
RANGE_DB = 80.0  # levels this far below the maximum are drawn like silence
PANEL = Box(130, 50, WIDTH_PX - 150, HEIGHT_PX - 85)
_LEVEL_STEP_DB = 10


def paint_levels(level_db: Levels, *, highest_db: float | None = None) -> bytes:
    """Encode levels as a PNG without axes, one pixel per value, low bands at the bottom.

    Pictures that are to be compared share a `highest_db`; by default the maximum is brightest.

    Shape:
        level_db (band, column) -> an image of `column` by `band` pixels.
    """
    return as_png(paint(_shade(level_db, highest_db)))


def _shade(level_db: Levels, highest_db: float | None = None) -> Levels:
    """Map levels to values from 0 (dark) to 1."""
    low_db, high_db = level_range_db(level_db, RANGE_DB, highest_db=highest_db)
    return (np.maximum(level_db, low_db) - low_db) / (high_db - low_db)


def draw_cochleagram(
    level_db: Levels,
    center_hz: NDArray[np.floating[Any]],
    duration_s: float,
    *,
    title: str,
    events: Sequence[Event] = (),
) -> bytes:
    """Draw levels over time and frequency as a PNG, with its axes and a colour bar.

    Args:
        level_db: Levels; −inf is silence.
        center_hz: Centres of the bands, evenly spaced on the ERB-rate scale.
        duration_s: The time spanned by the columns.
        title: Any text; characters that the font lacks lose their diacritics or become "?".
        events: Drawn below, one lane per label.

    Shape:
        level_db (band, column); center_hz (band,).

    Raises:
        ParameterError: The shapes do not agree, there is nothing to draw, or
            the centres are uneven.
    """
    if level_db.ndim != 2 or not level_db.size or len(level_db) != len(center_hz):
        raise ParameterError(
            f"level_db has shape {level_db.shape}, not (band={len(center_hz)}, column)"
        )
    if not duration_s > 0:
        raise ParameterError(f"duration_s={duration_s} is not above 0")
    labels = list(dict.fromkeys(event.label for event in events))
    canvas = Canvas(WIDTH_PX, HEIGHT_PX + LANE_PX * len(labels))
    left = max([PANEL.left, *(60 + text_width_px(printable(label)) for label in labels)])
    box = PANEL._replace(left=left)
    canvas.text(box.left, box.top - 8, printable(title), anchor="ls")
    canvas.shades(box, _shade(level_db))
    canvas.frame(box)
    canvas.ticks_left(box, frequency_ticks(center_hz), "centre frequency (Hz)")
    _draw_level_bar(canvas, box, level_range_db(level_db, RANGE_DB))
    lanes = Box(box.left, box.bottom, box.right, box.bottom + LANE_PX * len(labels))
    for number, label in enumerate(labels):
        own = [event for event in events if event.label == label]
        _draw_lane(canvas, lanes, number, own, duration_s)
    canvas.frame(lanes)
    canvas.ticks_below(lanes, clock_ticks(duration_s), "time (min:s)")
    return canvas.png()


def draw_meter(
    meter: ColumnMeter,
    center_hz: NDArray[np.floating[Any]],
    *,
    sample_rate: float,
    duration_s: float,
    title: str = "",
    events: Sequence[Event] = (),
) -> bytes:
    """Draw the levels of a meter, without the bands above Nyquist, as a PNG.

    Args:
        meter: Of a whole sound.
        center_hz: Centres of its bands.
        sample_rate: Hz, of the sound.
        duration_s: As for `draw_cochleagram`.
        title: As for `draw_cochleagram`.
        events: As for `draw_cochleagram`.

    Raises:
        ParameterError: As for `draw_cochleagram`.
    """
    level_db, center_hz = meter.heard(center_hz, sample_rate=sample_rate)
    return draw_cochleagram(level_db, center_hz, duration_s, title=title, events=events)


def clock_ticks(duration_s: float) -> list[tuple[float, str]]:
    """Ticks at round times, positioned from 0 to 1 within a duration."""
    return [(time_s / duration_s, words) for time_s, words in time_ticks(duration_s)]


def frequency_ticks(
    center_hz: NDArray[np.floating[Any]], *, min_gap_erb: float = 1.0
) -> list[tuple[float, str]]:
    """Ticks at round frequencies, positioned from 0 to 1, at least `min_gap_erb` ERBs apart."""
    low_erb, high_erb = band_edges_erb(center_hz)
    return [
        ((float(hz_to_erb_rate(hz)) - low_erb) / (high_erb - low_erb), words)
        for hz, words in erb_ticks(
            float(center_hz[0]), float(center_hz[-1]), min_gap_erb=min_gap_erb
        )
    ]


def _draw_level_bar(canvas: Canvas, beside: Box, range_db: tuple[float, float]) -> None:
    low_db, high_db = range_db
    first = int(np.ceil(low_db / _LEVEL_STEP_DB)) * _LEVEL_STEP_DB
    ticks = [
        ((db - low_db) / (high_db - low_db), f"{db}")
        for db in range(first, int(np.floor(high_db)) + 1, _LEVEL_STEP_DB)
    ]
    canvas.shade_bar(beside, ticks, "level (dB re full-scale sine)")


def _draw_lane(
    canvas: Canvas, lanes: Box, number: int, events: Sequence[Event], duration_s: float
) -> None:
    """Draw the events of one label as bars whose strength shows their confidence."""
    top = lanes.top + number * LANE_PX
    box = Box(lanes.left, top + LANE_PX // 8, lanes.right, top + LANE_PX * 7 // 8)
    for event in events:
        start, stop = (min(max(t / duration_s, 0), 1) for t in (event.onset_s, event.offset_s))
        strength = 0.25 + 0.75 * event.confidence
        canvas.bar(box, start, stop, COLORS[number % len(COLORS)], strength=strength)
    canvas.ticks_left(box, [(0.5, printable(events[0].label))])
