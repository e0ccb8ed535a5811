"""When and how loudly a clip sounds, measured on its own envelope.

The true events of a soundscape and the training targets use the same measure, so it is one small
function, fast enough to be run on every clip drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_floats, check_number, check_positive
from echoic.errors import ParameterError

FRAME_S = 0.01
"""Length of a level frame, which is the time resolution of a span."""

_LOUD_LIMIT_DB = 15.0  # the background threshold stays at least this far below the loud parts
_FLOOR_MARGIN_DB = 6.0  # a clip's own background must be exceeded by this much
_REACH_DB = 6.0  # spans that never rise this far above the threshold are dropped
_SILENT_DB = 60.0  # frames this far below the loud parts are padding, not background


def frame_levels_dbfs(wave: NDArray[np.float32], *, sample_rate: float) -> NDArray[np.float32]:
    """Level of each 10 ms frame, in dB re full scale (a mean square of 1).

    The mean of each frame is subtracted first, so that a DC offset or a slow rumble does not count
    as sound.

    Args:
        wave: One channel, or several, whose powers are averaged.
        sample_rate: Hz.
    Shape:
        wave (time,) or (channel, time) -> (frame,); the last frame may be shorter.
    Raises:
        ParameterError: the wave is not floats, has another shape, is not finite, or the rate is
            not above 0.
    Example:
        >>> frame_levels_dbfs(np.zeros(1601, np.float32), sample_rate=16000).shape
        (11,)
    """
    check_floats(wave)
    if wave.ndim > 2 or (wave.ndim == 2 and len(wave) == 0):
        raise ParameterError(f"wave has shape {wave.shape}, expected (time,) or (channel, time)")
    check_positive(sample_rate=sample_rate)
    size = max(1, round(FRAME_S * sample_rate))
    channels = wave[np.newaxis] if wave.ndim == 1 else wave
    n_whole = wave.shape[-1] // size
    powers = np.zeros(-(-wave.shape[-1] // size), np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # reported by the check below
        for channel in channels:
            body = channel[: n_whole * size].reshape(n_whole, size)
            powers[:n_whole] += body.var(axis=1)
            if n_whole < len(powers):
                powers[-1] += channel[n_whole * size :].var()
    powers /= len(channels)
    if not np.all(np.isfinite(powers)):
        raise ParameterError("wave holds values that are not finite")
    return (10.0 * np.log10(np.maximum(powers, 1e-14))).astype(np.float32)


def _thresholds_db(
    levels: NDArray[np.float32], range_db: float, silence_dbfs: float
) -> tuple[float, float] | None:
    """Return (reference level, threshold), or None for a silent clip."""
    peak = float(levels.max())
    if peak < silence_dbfs:
        return None
    # Energy-weighted mean level. A percentile over frames fails on one bark in five seconds of
    # padding, and a maximum follows a single click.
    energy = 10.0 ** (0.1 * (levels - peak))
    reference = float(np.dot(energy, levels) / energy.sum())
    threshold = reference - range_db
    # Exclude the background of a recording, but only if it lies well below the loud parts: a clip
    # of steady rain has no background, the rain is the event.
    floor = float(np.percentile(levels[levels > reference - _SILENT_DB], 10.0))
    above_floor = min(floor + _FLOOR_MARGIN_DB, reference - _LOUD_LIMIT_DB)
    return reference, max(threshold, above_floor, silence_dbfs)


def active_spans(
    wave: NDArray[np.float32],
    *,
    sample_rate: float,
    range_db: float = 35.0,
    bridge_s: float = 0.4,
    silence_dbfs: float = -90.0,
) -> list[tuple[float, float]]:
    """Return the active spans of a clip.

    A frame of 10 ms is active when it is within `range_db` of the clip's own loud parts (the
    energy-weighted mean of its frame levels) and, in a recording with a quiet background, also
    6 dB above that background (the 10th percentile of the frames that are not padding); this
    second threshold stays at least 15 dB below the loud parts. Gaps shorter than `bridge_s` are
    bridged; a span that never rises 6 dB above the threshold is dropped.

    Args:
        wave: One channel, or several, whose powers are averaged.
        sample_rate: Hz.
        range_db: How far below the loud parts a frame still counts; above 0 dB.
        bridge_s: Gaps shorter than this are bridged; 0 bridges none.
        silence_dbfs: Frames below this level are never active.
    Shape:
        wave (time,) or (channel, time) -> list of (onset, offset) in seconds, sorted and disjoint.
    Raises:
        ParameterError: a parameter is out of range, or the wave is not floats, has another shape
            or is not finite.
    Example:
        >>> wave = np.zeros(16000, np.float32)
        >>> wave[4000:8000] = 0.1 * np.sin(np.arange(4000))
        >>> active_spans(wave, sample_rate=16000)
        [(0.25, 0.5)]
    """
    check_positive(range_db=range_db)
    check_number(bridge_s, name="bridge_s")
    check_number(silence_dbfs, name="silence_dbfs")
    if not bridge_s >= 0:
        raise ParameterError(f"bridge_s={bridge_s} is below 0 s")
    levels = frame_levels_dbfs(wave, sample_rate=sample_rate)
    found = _thresholds_db(levels, range_db, silence_dbfs) if len(levels) else None
    if found is None:
        return []
    reference, threshold = found
    active = np.flatnonzero(levels >= threshold)
    frame_s = max(1, round(FRAME_S * sample_rate)) / sample_rate
    # A gap of n silent frames is a step of n + 1 between active ones.
    cuts = np.flatnonzero((np.diff(active) - 1) * frame_s >= max(bridge_s, 0.5 * frame_s))
    first = active[np.concatenate(([0], cuts + 1))]
    last = active[np.concatenate((cuts, [len(active) - 1]))]
    reach = min(threshold + _REACH_DB, reference)
    peaks = np.maximum.reduceat(levels, first)  # includes the gap that follows, which is quieter
    kept = peaks >= reach
    duration_s = np.shape(wave)[-1] / sample_rate
    return [
        (float(on * frame_s), min(float((off + 1) * frame_s), duration_s))
        for on, off in zip(first[kept], last[kept], strict=True)
    ]


def within(
    wave: NDArray[np.float32], spans: Sequence[tuple[float, float]], *, sample_rate: float
) -> NDArray[np.float32]:
    """The samples of a wave (…, time) within spans (onset, offset) in seconds, joined.

    Example:
        >>> within(np.arange(8.0, dtype=np.float32), [(0, 0.25), (0.75, 1)], sample_rate=8).tolist()
        [0.0, 1.0, 6.0, 7.0]
    """
    cuts = [slice(round(on * sample_rate), round(off * sample_rate)) for on, off in spans]
    return np.concatenate([wave[..., cut] for cut in cuts], axis=-1)


def active_level_dbfs(wave: NDArray[np.float32], *, sample_rate: float) -> float:
    """Return the RMS level over the active spans of a sound, in dB re full scale.

    Args:
        wave: One channel, or several, whose powers are averaged.
        sample_rate: Hz.
    Shape:
        wave (time,) or (channel, time).
    Raises:
        ParameterError: the wave has no active span, or is not finite.
    Example:
        >>> active_level_dbfs(np.tile([1.0, -1.0], 4000).astype(np.float32), sample_rate=8000)
        0.0
    """
    spans = active_spans(wave, sample_rate=sample_rate)
    if not spans:
        raise ParameterError(f"nothing sounds in a wave of shape {np.shape(wave)}")
    sounding = within(wave, spans, sample_rate=sample_rate).astype(np.float64)
    return float(10 * np.log10(np.mean(sounding**2)))
