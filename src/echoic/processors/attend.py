"""Selective attention: keep or mute sounds by label, or keep what sounds like an example."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import as_channels, check_kind, check_sample_rate
from echoic.errors import ParameterError
from echoic.labels import as_labels
from echoic.processors.example import hear_example, is_speech
from echoic.processors.model import load_model
from echoic.processors.separate import Separate, SeparateState
from echoic.processors.talker import Talker, TalkerState
from echoic.streaming import Streaming


class AttendState(NamedTuple):
    """separate: state of the separation; keeps: (1,), whether what is selected is kept or muted."""

    separate: SeparateState | TalkerState
    keeps: NDArray[np.bool_]


class Attend:
    """Keep only some sounds of a wave, or mute some.

    The state does not depend on the selection: an instance with another selection may continue
    from it, which takes effect within 15 ms, without a click. The exception is a single talker, who
    cannot be changed during a stream.

    Args:
        keep: Labels to keep; everything else is removed.
        mute: Labels to mute; everything else is kept.
        like: An example, (time,) or (channel, time), to keep what sounds like it; if it is a
            voice, that talker (see `Talker`). Only its first minute counts. Exactly one of the
            three is given.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        like_sample_rate: Hz, of the example; `sample_rate` if None.
        look_ahead_s: Additional delay in s, which improves the separation; 0 to 1.
        model: Name of the model.
        talkers: Name of the model that separates talkers.

    Shape:
        wave (channel, time) -> (channel, time).

    Delay: `delay` samples, 8 ms and the look-ahead; each call returns as many samples as it was
    given.
    Hop: 1.

    Raises:
        ParameterError: not exactly one of keep, mute and like, a silent example, or its sample
            rate without it.
        LabelError: an unknown label.
        ModelError: there is no such model.
    """

    hop = 1
    parts = ("kept", "left out")

    def __init__(
        self,
        *,
        keep: Iterable[str] | None = None,
        mute: Iterable[str] | None = None,
        like: NDArray[np.floating] | None = None,
        sample_rate: float,
        like_sample_rate: float | None = None,
        look_ahead_s: float = 0.0,
        model: str = "hear",
        talkers: str = "voices",
    ) -> None:
        """Load the model."""
        keep, mute = (() if labels is None else as_labels(labels) for labels in (keep, mute))
        if bool(keep) + bool(mute) + (like is not None) != 1:
            raise ParameterError(
                f"give one of keep, mute and like, got keep={keep!r}, mute={mute!r} and "
                f"{'no' if like is None else 'an'} example"
            )
        self.keeps = not mute
        self.separate: Separate | Talker
        examples = []
        rate = sample_rate
        if like_sample_rate is not None:
            rate = check_sample_rate(like_sample_rate, name="like_sample_rate")
            if like is None:
                raise ParameterError(f"like_sample_rate={rate:g} is given without like")
        if like is not None:
            like = as_channels(like)  # here, so that it warns only once
        if like is not None and is_speech(load_model(model), like, sample_rate=rate):
            self.separate = Talker(
                like,
                sample_rate=sample_rate,
                example_sample_rate=rate,
                look_ahead_s=look_ahead_s,
                model=talkers,
            )
        else:
            if like is not None:
                examples.append(hear_example(load_model(model), like, sample_rate=rate))
            self.separate = Separate(
                labels=keep or mute,
                examples=examples,
                sample_rate=sample_rate,
                model=model,
                together=True,
                muted=not self.keeps,
                look_ahead_s=look_ahead_s,
            )
        self.delay = self.separate.delay

    def divide(
        self, signals: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Split the signals of `separate` into what is kept and what is left out."""
        named, rest = signals
        return (named, rest) if self.keeps else (rest, named)

    def __call__(
        self, wave: NDArray[np.floating], state: AttendState | None = None
    ) -> tuple[NDArray[np.float32], AttendState]:
        """Process the next chunk."""
        module: Streaming[Any, NDArray[np.float32]] = self.separate
        signals, separate = module(wave, None if state is None else self._adopted(state))
        return self.divide(signals)[0], AttendState(separate, np.array([self.keeps]))

    def finish(self, state: AttendState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        module: Streaming[Any, NDArray[np.float32]] = self.separate
        return self.divide(module.finish(self._adopted(state)))[0]

    def _adopted(self, state: AttendState) -> SeparateState | TalkerState:
        """Convert the state of any selection to one of this selection."""
        check_kind(state, AttendState, owner="Attend")
        separate = state.separate
        if isinstance(separate, SeparateState) and bool(state.keeps[0]) != self.keeps:
            # The output changes from selected to rest or back: with complementary gains it
            # continues without a click.
            apply = separate.apply
            apply = apply._replace(masks=1 - apply.masks, gains=1 - apply.gains)
            separate = separate._replace(apply=apply)
        return separate
