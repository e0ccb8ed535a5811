"""Processing of long sounds in overlapping windows, and the image of several channels.

Windows are restyled one at a time and cross-faded where they overlap. The channels share one
restyled sound, and differ in each band by the level differences of the content's channels; their
overall level is the content's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from echoic.style.cochlea import Cochlea
from echoic.style.styling import SILENCE
from echoic.style.vocoder import shape_bands, smooth

WINDOW_S, OVERLAP_S = 8.0, 0.5
IMAGE_HZ = 10.0
CANCELLED = 0.1  # level of the channels' mean, re that of the channels, below which they cancel

Waves = NDArray[np.float32]  # (channel, time)


class Window(NamedTuple):
    """A part of a sound, and its weights; the squared weights of all windows sum to 1."""

    start: int
    end: int
    weight: NDArray[np.float32]


def in_windows(
    waves: Waves,
    restyle: Callable[[Waves, int], Waves],
    *,
    sample_rate: int,
    depth: float,
) -> Waves:
    """Restyle a sound window by window, with cross-fades where windows overlap.

    Each window is restyled at its own level; the level differences between windows are then
    scaled by `depth` in dB, as those within a window are. A window below −80 dBFS stays silent at
    any depth, as there is no sound in it to restyle.
    """
    out = np.zeros_like(waves)
    overall = level_of(waves)
    for index, (start, end, weight) in enumerate(windows(waves.shape[-1], sample_rate)):
        window = waves[:, start:end]
        level = level_of(window)
        if level_of(mono_of(window)) < SILENCE:
            continue
        gain = (level / overall) ** (depth - 1)
        out[:, start:end] += np.float32(gain) * weight * restyle(window, index)
    return out


def windows(n_samples: int, sample_rate: int) -> Iterator[Window]:
    """Divide a sound into windows of about `WINDOW_S`, the last as long as the others."""
    n_overlap = round(OVERLAP_S * sample_rate)
    n_windows = max(1, round((n_samples - n_overlap) / ((WINDOW_S - OVERLAP_S) * sample_rate)))
    step = -(-(n_samples - n_overlap) // n_windows) if n_windows > 1 else n_samples
    fade = np.sqrt((np.arange(n_overlap, dtype=np.float32) + 0.5) / n_overlap)
    for index in range(n_windows):
        start = index * step
        end = n_samples if index == n_windows - 1 else start + step + n_overlap
        weight = np.ones(end - start, np.float32)
        if index > 0:
            weight[:n_overlap] = fade
        if index < n_windows - 1:
            weight[-n_overlap:] = fade[::-1]
        yield Window(start, end, weight)


def spread(wave: NDArray[np.float32], content: Waves, *, sample_rate: int) -> Waves:
    """Distribute a wave to channels, with the content's level, and its differences in each band.

    Shape:
        wave (time,), content (channel, time) -> (channel, time).
    """
    if content.shape[0] == 1:
        return wave[None]
    level = max(level_of(content), 1e-9)
    cochlea = Cochlea.wide(wave.size, sample_rate=sample_rate, level=level)
    power = torch.stack(
        [smooth(cochlea(torch.from_numpy(c.copy())).linear.square(), IMAGE_HZ) for c in content]
    ).clamp(min=(1e-4 * level) ** 2)
    gains = (power / power.mean(0, keepdim=True)).sqrt()
    sound = torch.from_numpy(wave)
    out = np.stack([shape_bands(sound, row, cochlea).numpy() for row in gains])
    return out * np.float32(level / max(level_of(out), 1e-9))


def mono_of(waves: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The mean of the channels, or the loudest one where they cancel each other.

    Shape:
        (channel, time) -> (time,).
    """
    mean = waves.mean(axis=0)
    energies = np.square(waves, dtype=np.float64).sum(axis=1)
    energy = np.square(mean, dtype=np.float64).sum()
    cancel = energy < CANCELLED**2 * energies.mean()
    return np.ascontiguousarray(waves[energies.argmax()] if cancel else mean, np.float32)


def level_of(waves: NDArray[np.floating[Any]]) -> float:
    """RMS over all channels."""
    return float(np.sqrt(np.mean(np.square(waves, dtype=np.float64))))
