"""Restyle files of any sample rate, channel count and length with the one-channel `transfer`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from echoic import audio
from echoic.errors import AudioError, ParameterError
from echoic.style.methods import METHODS
from echoic.style.pairs import Pair, mean_of, read_pair, shown_of
from echoic.style.styling import (
    MIN_STYLE_S,
    SILENCE_DBFS,
    TEXTURE_STEPS,
    How,
    Transfer,
    texture,
    transfer_as,
)
from echoic.style.windows import Waves, in_windows, level_of, spread, windows

MIN_SHARE = 0.01  # of the scene's level; a quieter sound counts as absent


@dataclass(frozen=True)
class Restyled:
    """Outcome of a run: evaluations over all windows, the last loss, CPU-seconds.

    `losses` holds {term: weighted loss} for every window and evaluation; it is empty for pictures.
    """

    n_evaluations: int
    loss: float | None
    interrupted: bool
    elapsed_s: float
    losses: list[list[dict[str, float]]] = field(default_factory=list, repr=False)


def restyle_file(
    content: str,
    style: str,
    output: str | os.PathLike[str],
    *,
    how: How,
    only: str | None = None,
    seconds: float | None = None,
    force: bool = False,
    advance: Callable[[float], None] = lambda _share: None,
) -> Restyled:
    """Restyle a file into another, which is written atomically.

    Args:
        content: A file, or "-".
        style: A file, or "-", of any sample rate; the mean of its channels is used, and at most
            its first ten seconds.
        output: The file to write, of the content's rate, channels and length.
        how: Method, strength and other settings; `n_steps` applies to each window.
        only: A label: that sound is separated from the content, restyled alone, and added back.
        seconds: How much of the content to use; None uses all of it.
        force: Whether an existing file may be replaced.
        advance: Called with the share of the work done since the last call.

    Raises:
        ParameterError: a value outside of its range.
        LabelError: the model does not know this label.
        AudioError: a file cannot be read or written, is silent or too short, or holds no such
            sound.
    """
    pair = read_pair(content, style, seconds=seconds)
    waves, done = restyle(pair, how, only=only, advance=advance)
    write_waves(output, waves, pair.sample_rate, force=force)
    return done


def restyle(
    pair: Pair, how: How, *, only: str | None, advance: Callable[[float], None]
) -> tuple[Waves, Restyled]:
    """Restyle a pair window by window; arguments as for `restyle_file`.

    Shape:
        (channel, time), as the content.
    """
    how.check()
    how = replace(how, network=how.learned())  # loaded once, not for every window
    waves, rate = pair.waves, pair.sample_rate
    rest = np.zeros_like(waves)
    if only is not None:
        waves, rest = _taken_out(waves, rate, only, pair.content)
    parts: list[Transfer] = []
    steps = how.n_steps or METHODS[how.method].schedule.n_steps
    n_windows = sum(1 for _ in windows(waves.shape[-1], rate))

    def restyle_window(window: Waves, index: int) -> Waves:
        # After Ctrl-C the remaining windows get one evaluation, and stay as they start.
        stopped = any(part.interrupted for part in parts)
        done = transfer_as(
            replace(how, seed=how.seed + index, n_steps=1 if stopped else how.n_steps),
            mean_of(window),
            pair.shown,
            sample_rate=rate,
            on_step=lambda _number, _losses: advance(1 / (steps * n_windows)),
        )
        parts.append(done)
        return spread(done.wave, window, sample_rate=rate)

    out = in_windows(waves, restyle_window, sample_rate=rate, depth=1 - how.strength) + rest
    return out, _summed_up(parts)


def texture_file(
    style: str,
    output: str | os.PathLike[str],
    *,
    seconds: float,
    n_steps: int | None = None,
    seed: int = 0,
    force: bool = False,
    advance: Callable[[float], None] = lambda _share: None,
) -> Restyled:
    """Synthesise a texture of any length into a mono file.

    Args:
        style: A file, or "-".
        output: The file to write, of the style's rate.
        seconds: Its length.
        n_steps: Evaluations of the losses per window.
        seed: Seed of everything random.
        force: Whether an existing file may be replaced.
        advance: Called with the share of the work done since the last call.

    Raises:
        ParameterError: a value outside of its range.
        AudioError: a file cannot be read or written, is silent or too short.
    """
    if not MIN_STYLE_S <= seconds < np.inf:
        raise ParameterError(f"seconds={seconds:g} is not from {MIN_STYLE_S:g} s")
    waves, rate = audio.read(style)
    shown = shown_of(waves, rate, style)
    steps = TEXTURE_STEPS if n_steps is None else n_steps
    n_samples = round(seconds * rate)
    n_windows = sum(1 for _ in windows(n_samples, rate))
    parts: list[Transfer] = []
    out = np.zeros((1, n_samples), np.float32)
    for index, (start, end, weight) in enumerate(windows(n_samples, rate)):
        stopped = any(part.interrupted for part in parts)
        done = texture(
            shown,
            sample_rate=rate,
            seconds=(end - start) / rate,
            n_steps=1 if stopped else steps,
            seed=seed + index,
            on_step=lambda _number, _losses: advance(1 / (steps * n_windows)),
        )
        parts.append(done)
        out[0, start:end] += weight * done.wave
    write_waves(output, out, rate, force=force)
    return _summed_up(parts)


def write_waves(
    output: str | os.PathLike[str], out: Waves, rate: int, *, force: bool = False
) -> None:
    """Write (channel, time) to a file, atomically."""
    with audio.open_writer(
        output, sample_rate=rate, channels=out.shape[0], frames=out.shape[1], force=force
    ) as writer:
        writer.write(out)


def _summed_up(parts: list[Transfer]) -> Restyled:
    last = parts[-1].losses[-1] if parts and parts[-1].losses else None
    return Restyled(
        sum(len(part.losses) for part in parts),
        None if last is None else sum(last.values()),
        any(part.interrupted for part in parts),
        sum(part.elapsed_s for part in parts),
        [part.losses for part in parts],
    )


def _taken_out(waves: Waves, rate: int, label: str, name: str) -> tuple[Waves, Waves]:
    """One sound of a scene, and the residual; they sum to the scene."""
    from echoic.pipeline import attend

    sound = attend(waves, keep=[label], sample_rate=rate)
    if level_of(sound) < max(10 ** (SILENCE_DBFS / 20), MIN_SHARE * level_of(waves)):
        raise AudioError(f"{name}: no {label} is heard in it")
    return sound, waves - sound
