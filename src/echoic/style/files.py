"""Any file by any file: rates, channels and length, around `transfer`, which knows one channel.

A long content is restyled in overlapping windows, one at a time, with all of
the style's statistics in each; windows are cross-faded where they overlap.
Channels share one restyled sound and differ by the levels that the content's
channels have in each band.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from echoic import audio
from echoic.errors import AudioError, ParameterError
from echoic.style.cochlea import Cochlea
from echoic.style.methods import METHODS
from echoic.style.optimise import Domain
from echoic.style.styling import (
    MIN_CONTENT_S,
    MIN_STYLE_S,
    SILENCE_DBFS,
    Transfer,
    check_sound,
    transfer,
)
from echoic.style.vocoder import shape_bands, smooth

WINDOW_S, OVERLAP_S = 8.0, 0.5
MAX_STYLE_S = 10.0  # more of a style tells nothing new, and costs
IMAGE_HZ = 10.0
MAX_IMAGE_GAIN = 4.0

Waves = NDArray[np.float32]  # (channel, time)


@dataclass(frozen=True)
class Restyled:
    """What was done: evaluations over all windows, the last loss, CPU-seconds."""

    n_evaluations: int
    loss: float | None
    interrupted: bool
    elapsed_s: float


def restyle_file(
    content: str,
    style: str,
    output: str | os.PathLike[str],
    *,
    method: str = "hearing",
    strength: float = 0.5,
    domain: Domain | None = None,
    n_steps: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    force: bool = False,
    advance: Callable[[float], None] = lambda _share: None,
) -> Restyled:
    """Restyle a file into another, which appears whole or not at all.

    Args:
        content: A file, or "-".
        style: A file, or "-"; of any rate, its channels' mean is taken, and of a long one the
            first ten seconds.
        output: The file to write, of the content's rate, channels and length.
        method: A name from `METHODS`.
        strength: 0 (content) to 1 (all style).
        domain: As for `transfer`.
        n_steps: Evaluations of the losses a window.
        seconds: Of the content, if not all of it.
        seed: Of all that is random.
        force: Whether a file that is there already may be replaced.
        advance: Called with the share of the work that was done since the last call.

    Raises:
        ParameterError: a value outside of its range.
        AudioError: a file cannot be read or written, is silent or too short.
    """
    waves, rate = audio.read(content)
    if seconds is not None:
        waves = waves[:, : round(seconds * rate)]
    shown = style_at(style, rate)
    with _named(content):
        check_sound(_mean(waves), rate, MIN_CONTENT_S, name="the content")
    parts: list[Transfer] = []
    steps = n_steps or (METHODS[method].schedule.n_steps if method in METHODS else 1)
    n_windows = sum(1 for _ in _windows(waves.shape[-1], rate))

    def restyle(window: Waves, index: int) -> Waves:
        done = transfer(
            _mean(window),
            shown,
            sample_rate=rate,
            method=method,
            strength=strength,
            seed=seed + index,
            domain=domain,
            n_steps=n_steps,
            on_step=lambda _number, _losses: advance(1 / (steps * n_windows)),
        )
        parts.append(done)
        return spread(done.wave, window, sample_rate=rate)

    out = in_windows(waves, restyle, sample_rate=rate, depth=1 - strength)
    with audio.open_writer(
        output, sample_rate=rate, channels=out.shape[0], frames=out.shape[1], force=force
    ) as writer:
        writer.write(out)
    last = parts[-1].losses[-1] if parts and parts[-1].losses else None
    return Restyled(
        sum(len(part.losses) for part in parts),
        None if last is None else sum(last.values()),
        any(part.interrupted for part in parts),
        sum(part.elapsed_s for part in parts),
    )


def style_at(path: str, sample_rate: int) -> NDArray[np.float32]:
    """The style as one channel at the content's rate, (time,).

    Raises:
        AudioError: it cannot be read, is silent or too short.
    """
    waves, rate = audio.read(path)
    wave = _mean(waves[:, : round(MAX_STYLE_S * rate)])
    with _named(path):
        check_sound(wave, rate, MIN_STYLE_S, name="the style")
    return audio.resample(wave, sample_rate=rate, to_sample_rate=sample_rate)


class _named:  # noqa: N801 - reads as a statement
    """Errors about a sound name its file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ParameterError):
            raise AudioError(f"{self.path}: {error}") from error


def in_windows(
    waves: Waves,
    restyle: Callable[[Waves, int], Waves],
    *,
    sample_rate: int,
    depth: float,
) -> Waves:
    """Restyle window after window, and cross-fade where they overlap.

    Each window comes back at its own level; between windows levels follow the
    content's to `depth`, as they do within.
    """
    out = np.zeros_like(waves)
    overall = _level(waves)
    for index, (start, end, weight) in enumerate(_windows(waves.shape[-1], sample_rate)):
        window = waves[:, start:end]
        level = _level(window)
        if level < 10 ** (SILENCE_DBFS / 20):
            continue
        gain = (level / overall) ** (depth - 1)
        out[:, start:end] += np.float32(gain) * weight * restyle(window, index)
    return out


def _windows(n_samples: int, sample_rate: int) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Start, end and weights of each window; squared weights add up to 1."""
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
        yield start, end, weight


def spread(wave: NDArray[np.float32], content: Waves, *, sample_rate: int) -> Waves:
    """Give each channel the wave, with the content's differences of level in each band.

    Shape:
        wave (time,), content (channel, time) -> (channel, time).
    """
    if content.shape[0] == 1:
        return wave[None]
    level = max(_level(content), 1e-9)
    cochlea = Cochlea.wide(wave.size, sample_rate=sample_rate, level=level)
    power = torch.stack(
        [smooth(cochlea(torch.from_numpy(c.copy())).linear.square(), IMAGE_HZ) for c in content]
    ).clamp(min=(1e-4 * level) ** 2)
    gains = (power / power.mean(0, keepdim=True)).sqrt().clamp(max=MAX_IMAGE_GAIN)
    sound = torch.from_numpy(wave)
    return np.stack([shape_bands(sound, row, cochlea).numpy() for row in gains])


def _mean(waves: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return np.ascontiguousarray(waves.mean(axis=0), np.float32)


def _level(waves: NDArray[np.floating[Any]]) -> float:
    return float(np.sqrt(np.mean(np.square(waves, dtype=np.float64))))
