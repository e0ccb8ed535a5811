"""Style transfer of one sound: the Python interface, which the command line uses too."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from echoic.audio.levels import db_to_gain
from echoic.errors import ParameterError
from echoic.style.methods import LEVEL, METHODS, Task
from echoic.style.methods.listening import texture as texture_problem
from echoic.style.networks import Layers
from echoic.style.optimise import Domain, OnStep, Outcome, Schedule, minimise

MIN_STYLE_S, MIN_CONTENT_S = 0.5, 0.25
SILENCE_DBFS = -80.0
SILENCE = float(db_to_gain(SILENCE_DBFS))
TEXTURE_STEPS, TEXTURE_ROUNDS = 800, 6
STRENGTH = 0.5
MAX_SEED = 2**32 - 1

Wave = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class How:
    """Settings of a transfer.

    Attributes:
        method: A name from `METHODS`.
        strength: 0 (the content's rhythm in full, in the style's sound) to 1 (all style); None:
            0.5, or nothing where the method has no strength.
        seed: Seed of everything random, 0 to 2³² − 1.
        domain: "waveform", or "published" where that was the log magnitude; None: as published.
        n_steps: Evaluations of the losses; None: as published.
        network: A file of learned weights, for methods that can use them in place of random ones;
            or the loaded `Layers`.
    """

    method: str = "hearing"
    strength: float | None = None
    seed: int = 0
    domain: Domain | None = None
    n_steps: int | None = None
    network: str | Layers | None = None

    def check(self) -> None:
        """Validate the settings.

        Raises:
            ParameterError: an unknown method, a value outside of its range, or a setting that the
                method does not have.
        """
        if self.method not in METHODS:
            raise ParameterError(f"method {self.method!r} is not one of: {', '.join(METHODS)}")
        if self.domain not in (None, "waveform", "published"):
            raise ParameterError(f"domain {self.domain!r} is not one of: waveform, published")
        if not 0 <= self.applied_strength <= 1:
            raise ParameterError(f"strength={self.strength!r} is outside 0 to 1")
        check_seed(self.seed)
        if self.n_steps is not None and self.n_steps < 1:
            raise ParameterError(f"n_steps={self.n_steps!r} is below 1")
        for name in self._without_effect():
            words = "network" if name == "network" else f"{name}={getattr(self, name)!r}"
            takers = [m for m in METHODS if name not in replace(self, method=m)._without_effect()]
            raise ParameterError(
                f"method {self.method!r} takes no {words}; these do: {', '.join(takers)}"
            )

    def by(self, method: str) -> How:
        """The same settings for another method, without those that it does not have.

        Raises:
            ParameterError: the method is unknown.
        """
        How(method).check()
        other = replace(self, method=method)
        left_out: dict[str, Any] = dict.fromkeys(other._without_effect())
        return replace(other, **left_out)

    def _without_effect(self) -> list[str]:
        """The names of the settings that are given but mean nothing to the method."""
        method = METHODS[self.method]
        has_domain = method.optimises and self.domain in ("waveform", method.domain)
        has = {
            "strength": method.has_strength,
            "domain": has_domain,
            "n_steps": method.optimises,
            "network": method.layers is not None,
        }
        return [name for name in has if not has[name] and getattr(self, name) is not None]

    @property
    def applied_strength(self) -> float:
        """The strength, by default 0.5."""
        return STRENGTH if self.strength is None else self.strength

    def settings(self) -> dict[str, Any]:
        """All settings by name, for a record; the strength as it is applied, if it is."""
        has_strength = METHODS[self.method].has_strength
        return vars(self) | {"strength": self.applied_strength if has_strength else None}

    def learned(self) -> Layers | None:
        """The learned layers that the method needs, loaded if given as a file.

        Raises:
            ParameterError: the file cannot be read, or holds something else.
        """
        needed = METHODS[self.method].layers
        if self.network is None or needed is None:
            return None
        found = Layers.read(self.network) if isinstance(self.network, str) else self.network
        return found.first(needed)


@dataclass(frozen=True)
class Transfer:
    """A restyled sound, and how it was computed.

    Attributes:
        wave: float32, shaped as the content.
        sample_rate: Hz.
        method: Its name.
        losses: {term: weighted loss} of every evaluation; empty for methods that do not optimise.
        style_before: Style loss of what was optimised.
        style_after: Style loss of the wave.
        loss: Sum of the weighted losses of what was optimised; NaN for methods that do not
            optimise.
        interrupted: Whether Ctrl-C ended it early.
        elapsed_s: CPU-seconds.
    """

    wave: NDArray[np.float32]
    sample_rate: int
    method: str
    losses: list[dict[str, float]] = field(repr=False)
    style_before: float
    style_after: float
    loss: float
    interrupted: bool
    elapsed_s: float


def transfer(
    content: Wave,
    style: Wave,
    *,
    sample_rate: int,
    on_step: OnStep | None = None,
    **how: Any,
) -> Transfer:
    """Make the content sound like the style.

    Args:
        content: The sound whose course in time is kept.
        style: The sound whose texture is imposed.
        sample_rate: Hz, of both.
        on_step: Called with the number of each evaluation and its losses.
        how: method, strength, seed, domain, n_steps and network; see `How`.

    Shape:
        content (time,), style (time,) -> wave (time,).

    Raises:
        ParameterError: an unknown method, a value outside of its range, a
            sound that is silent, too short, or not one-dimensional.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> hum, hiss = np.sin(np.arange(8000) * 0.1), rng.standard_normal(8000)
        >>> transfer(hum, hiss, sample_rate=16000, method="vocoder").wave.shape
        (8000,)
    """
    return transfer_as(How(**how), content, style, sample_rate=sample_rate, on_step=on_step)


def transfer_as(
    how: How, content: Wave, style: Wave, *, sample_rate: int, on_step: OnStep | None = None
) -> Transfer:
    """As `transfer`, with the settings in one object."""
    how.check()
    content_level = check_sound(content, sample_rate, MIN_CONTENT_S, name="content")
    style_level = check_sound(style, sample_rate, MIN_STYLE_S, name="style")
    started = time.process_time()
    task = Task(
        _tensor(content, LEVEL / content_level),
        _tensor(style, LEVEL / style_level),
        sample_rate,
        how.applied_strength,
        how.seed,
        how.learned(),
    )
    outcome = _run(task, how, on_step)
    return _finished(outcome, content_level, sample_rate, how.method, started)


def texture(
    style: Wave,
    *,
    sample_rate: int,
    seconds: float,
    seed: int = 0,
    n_steps: int = TEXTURE_STEPS,
    on_step: OnStep | None = None,
) -> Transfer:
    """Synthesise a sound with the statistics of another, but not its course in time.

    Args:
        style: The sound whose statistics are matched.
        sample_rate: Hz.
        seconds: Length of the texture, from 0.5 s.
        seed: Seed of everything random, 0 to 2³² − 1.
        n_steps: Evaluations of the losses.
        on_step: As for `transfer`.

    Shape:
        style (time,) -> wave (time,).

    Raises:
        ParameterError: a sound that is silent, too short or not one-dimensional, or a value
            outside of its range.

    Example:
        >>> hiss = np.random.default_rng(0).standard_normal(16000)
        >>> texture(hiss, sample_rate=16000, seconds=0.5, n_steps=2).wave.shape
        (8000,)
    """
    if not MIN_STYLE_S <= seconds < np.inf or n_steps < 1:
        raise ParameterError(
            f"seconds={seconds!r}, n_steps={n_steps!r}: need {MIN_STYLE_S:g} s and 1 step or more"
        )
    check_seed(seed)
    level = check_sound(style, sample_rate, MIN_STYLE_S, name="style")
    started = time.process_time()
    with torch.no_grad():
        problem = texture_problem(
            _tensor(style, LEVEL / level),
            round(seconds * sample_rate),
            sample_rate=sample_rate,
            seed=seed,
        )
    outcome = minimise(problem, Schedule(n_steps=n_steps, n_rounds=TEXTURE_ROUNDS), on_step=on_step)
    return _finished(outcome, level, sample_rate, "texture", started)


def _finished(
    outcome: Outcome, level: float, sample_rate: int, method: str, started: float
) -> Transfer:
    wave = outcome.wave * (level / outcome.wave.square().mean().sqrt().clamp(min=1e-9))
    return Transfer(
        wave.numpy(),
        sample_rate,
        method,
        outcome.losses,
        outcome.style_before,
        outcome.style_after,
        outcome.loss,
        outcome.interrupted,
        time.process_time() - started,
    )


def _run(task: Task, how: How, on_step: OnStep | None) -> Outcome:
    method = METHODS[how.method]
    if method.solve is not None:
        return Outcome(method.solve(task))
    assert method.prepare is not None
    schedule = method.schedule
    if how.n_steps is not None:
        schedule = replace(schedule, n_steps=how.n_steps)
    with torch.no_grad():
        problem = method.prepare(task)
    return minimise(problem, schedule, domain=how.domain or method.domain, on_step=on_step)


def check_seed(seed: int) -> None:
    """Validate a seed.

    Raises:
        ParameterError: it is not from 0 to 2³² − 1.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ParameterError(f"seed={seed!r} is outside 0 to {MAX_SEED}")


def check_sound(wave: Wave, sample_rate: float, min_s: float, *, name: str) -> float:
    """Validate a sound and return its RMS.

    Raises:
        ParameterError: it is not (time,) of floats, too short, silent, or not finite.
    """
    if wave.ndim != 1 or not np.issubdtype(wave.dtype, np.floating):
        raise ParameterError(f"{name} is {wave.dtype} {wave.shape}, not (time,) of floats")
    if wave.size < min_s * sample_rate:
        raise ParameterError(
            f"{name} is {wave.size / sample_rate:.3g} s long; at least {min_s:g} s are needed"
        )
    level = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
    if not np.isfinite(level):
        raise ParameterError(f"{name} holds samples that are NaN or infinite")
    if level < SILENCE:
        raise ParameterError(f"{name} is silent: its level is below {SILENCE_DBFS:g} dBFS")
    return level


def _tensor(wave: Wave, gain: float) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(wave * gain, np.float32))
