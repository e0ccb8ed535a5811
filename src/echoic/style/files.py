"""Restyle files of any sample rate, channel count and length with the one-channel `transfer`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean

import numpy as np
import torch

from echoic import audio
from echoic.errors import AudioError, ParameterError
from echoic.style.methods import METHODS
from echoic.style.pairs import MAX_STYLE_S, Pair, read_first, read_pair, shown_of
from echoic.style.styling import (
    MAX_SEED,
    MIN_STYLE_S,
    SILENCE,
    TEXTURE_STEPS,
    How,
    Transfer,
    check_seed,
    texture,
    transfer_as,
)
from echoic.style.vocoder import lengthen
from echoic.style.windows import Waves, in_windows, level_of, mono_of, spread, windows

MIN_SHARE = 0.01  # of the scene's level; a quieter sound counts as absent


@dataclass(frozen=True)
class Restyled:
    """Outcome of a run.

    Attributes:
        n_evaluations: Over all windows.
        loss: Of what was written, the mean over the windows that were optimised; None if none was.
        interrupted: Whether Ctrl-C ended it early.
        elapsed_s: CPU-seconds.
        losses: {term: weighted loss} of every window and evaluation; empty for pictures.
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
    rest = None
    if only is not None:
        waves, rest = _taken_out(waves, rate, only, pair.content)
    run = _Run()
    steps = how.n_steps or METHODS[how.method].schedule.n_steps
    n_windows = sum(1 for _ in windows(waves.shape[-1], rate))

    def restyle_window(window: Waves, index: int) -> Waves:
        def by(method: str) -> tuple[Transfer, Waves]:
            done = transfer_as(
                replace(how.by(method), seed=_seed_of(how.seed, index)),
                mono_of(window),
                pair.shown,
                sample_rate=rate,
                on_step=lambda _number, _losses: advance(1 / (steps * n_windows)),
            )
            return done, spread(done.wave, window, sample_rate=rate)

        return run(lambda: by(how.method), instead=lambda: by("vocoder"))

    out = in_windows(waves, restyle_window, sample_rate=rate, depth=1 - how.applied_strength)
    return out if rest is None else out + rest, run.summary()


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
    check_seed(seed)
    waves, rate = read_first(style, MAX_STYLE_S)
    shown = shown_of(waves, rate, style)
    steps = TEXTURE_STEPS if n_steps is None else n_steps
    n_samples = round(seconds * rate)
    n_windows = sum(1 for _ in windows(n_samples, rate))
    run = _Run()
    out = np.zeros((1, n_samples), np.float32)

    def synthesise(size: int, seed: int) -> tuple[Transfer, Waves]:
        done = texture(
            shown,
            sample_rate=rate,
            seconds=size / rate,
            n_steps=steps,
            seed=seed,
            on_step=lambda _number, _losses: advance(1 / (steps * n_windows)),
        )
        return done, done.wave[np.newaxis]

    def vocode(size: int, seed: int) -> tuple[Transfer, Waves]:
        longer = lengthen(torch.from_numpy(shown), size, sample_rate=rate).numpy()
        how = How("vocoder", strength=1.0, seed=seed)
        done = transfer_as(how, longer, shown, sample_rate=rate)
        return done, done.wave[np.newaxis]

    for index, (start, end, weight) in enumerate(windows(n_samples, rate)):
        asked = end - start, _seed_of(seed, index)
        out[:, start:end] += weight * run(
            partial(synthesise, *asked), instead=partial(vocode, *asked)
        )
    write_waves(output, out, rate, force=force)
    return run.summary()


def write_waves(
    output: str | os.PathLike[str], out: Waves, rate: int, *, force: bool = False
) -> None:
    """Write (channel, time) to a file, atomically."""
    with audio.open_writer(
        output, sample_rate=rate, channels=out.shape[0], frames=out.shape[1], force=force
    ) as writer:
        writer.write(out)


class _Run:
    """Makes one window after another; from Ctrl-C on by a quick substitute."""

    def __init__(self) -> None:
        self.parts: list[Transfer] = []
        self.interrupted = False

    def __call__(
        self,
        make: Callable[[], tuple[Transfer, Waves]],
        *,
        instead: Callable[[], tuple[Transfer, Waves]],
    ) -> Waves:
        if not self.interrupted:
            try:
                part, waves = make()
            except KeyboardInterrupt:
                self.interrupted = True
            else:
                self.interrupted = part.interrupted
                self.parts.append(part)
                return waves
        part, waves = instead()
        self.parts.append(part)
        return waves

    def summary(self) -> Restyled:
        losses = [part.loss for part in self.parts if part.losses]
        return Restyled(
            sum(len(part.losses) for part in self.parts),
            fmean(losses) if losses else None,
            self.interrupted,
            sum(part.elapsed_s for part in self.parts),
            [part.losses for part in self.parts],
        )


def _seed_of(seed: int, index: int) -> int:
    """The seed of a window."""
    return (seed + index) % (MAX_SEED + 1)


def _taken_out(waves: Waves, rate: int, label: str, name: str) -> tuple[Waves, Waves]:
    """One sound of a scene, and the residual; they sum to the scene."""
    from echoic.pipeline import attend

    sound = attend(waves, keep=[label], sample_rate=rate)
    if level_of(sound) < max(SILENCE, MIN_SHARE * level_of(waves)):
        raise AudioError(f"{name}: no {label} is heard in it")
    return sound, waves - sound
