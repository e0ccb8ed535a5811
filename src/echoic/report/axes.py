"""Axis ranges, tick positions and tick labels of plots."""

from __future__ import annotations

from typing import Any
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.units import hz_to_erb_rate

_SILENT_DB = -120.0
_TICKS_HZ = tuple(m * 10**k for k in range(1, 6) for m in (1, 2, 5))
_TICK_STEPS_S = (*(m * 10**k for k in range(-4, 1) for m in (1, 2, 5)), 10, 15, 30)
_TICK_STEPS_S += (60, 120, 300, 600, 900, 1800)  # from there on, multiples of an hour


def erb_ticks(low_hz: float, high_hz: float, *, min_gap_erb: float = 1.0) -> list[tuple[int, str]]:
    """Return round frequencies in a range as ticks, at least `min_gap_erb` ERBs apart.

    Example:
        >>> [label for _, label in erb_ticks(45.0, 7800.0)]
        ['50', '100', '200', '500', '1k', '2k', '5k']
    """
    ticks: list[tuple[int, str]] = []
    for hz in _TICKS_HZ:
        fits = not ticks or hz_to_erb_rate(hz) - hz_to_erb_rate(ticks[-1][0]) >= min_gap_erb
        if low_hz <= hz <= high_hz and fits:
            ticks.append((hz, f"{hz // 1000}k" if hz >= 1000 else str(hz)))
    return ticks


def band_edges_erb(center_hz: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return the ERB-rates of a cochleagram's lower and upper edge, half a row beyond the centres.

    Raises:
        ParameterError: The centres do not ascend evenly on the ERB-rate scale,
            so that rows of equal height would misplace them.
    """
    erb_rate = hz_to_erb_rate(center_hz)
    steps = np.diff(erb_rate) if erb_rate.size > 1 else np.ones(1)
    if erb_rate.ndim != 1 or not erb_rate.size or not np.all(steps > 0) or np.ptp(steps) > 1e-3:
        raise ParameterError("center_hz does not ascend evenly on the ERB-rate scale")
    half = float(steps.mean()) / 2
    return float(erb_rate[0]) - half, float(erb_rate[-1]) + half


def level_range_db(
    level_db: NDArray[np.floating[Any]], range_db: float, *, highest_db: float | None = None
) -> tuple[float, float]:
    """Return the darkest and brightest level of a picture: its maximum, and `range_db` below it.

    A picture whose maximum is below −120 dB, lower than in any recording, is drawn as silence:
    its brightest level is 0 dB. Pictures that are to be compared share a `highest_db`.

    Example:
        >>> level_range_db(np.array([[-np.inf, -12.5]]), 80.0)
        (-92.5, -12.5)
    """
    highest = float(np.max(level_db, initial=-np.inf)) if highest_db is None else highest_db
    if highest < _SILENT_DB:
        highest = 0.0
    return highest - range_db, highest


def time_ticks(duration_s: float, *, at_most: int = 8) -> list[tuple[float, str]]:
    """Return evenly spaced round times from 0 to a duration as ticks.

    Example:
        >>> [label for _, label in time_ticks(50.0)]
        ['0:00', '0:10', '0:20', '0:30', '0:40', '0:50']
    """
    hours = 3600 * (int(duration_s / at_most / 3600) + 1)
    step_s = next((step for step in _TICK_STEPS_S if duration_s / step <= at_most - 1), hours)
    n_ticks = int(duration_s / step_s) + 1
    n_digits = max(0, int(np.ceil(-np.log10(step_s))))
    return [(k * step_s, clock_text(k * step_s, n_digits)) for k in range(n_ticks)]


def clock_text(time_s: float, n_digits: int = 0) -> str:
    """Format a time as minutes and seconds, with hours if there are any.

    Example:
        >>> clock_text(75.26, 1), clock_text(3675.0)
        ('1:15.3', '1:01:15')
    """
    units = round(time_s * 10**n_digits)  # round before splitting: 59.96 s must not become 0:60.0
    seconds, fraction = divmod(units, 10**n_digits)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{fraction:0{n_digits}}" if n_digits else text


def printable(text: str) -> str:
    """Replace control characters and surrogates by U+FFFD, so that text can be drawn and encoded.

    Example:
        >>> printable("tab" + chr(9) + "stop")
        'tab�stop'
    """
    # Cs: Python represents the bytes of a file name that is not UTF-8 by surrogates.
    bad = {"Cc", "Cs", "Zl", "Zp"}
    return "".join("\N{REPLACEMENT CHARACTER}" if category(c) in bad else c for c in text)
