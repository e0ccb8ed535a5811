"""Selective attention: only these sounds, all but these, or what sounds like this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind
from echoic.errors import ParameterError
from echoic.processors.example import hear_example
from echoic.processors.model import load_model
from echoic.processors.separate import Separate, SeparateState


class AttendState(NamedTuple):
    """separate: of `Separate`; keeps: (1,), whether what is named is kept or muted."""

    separate: SeparateState
    keeps: NDArray[np.bool_]


class Attend:
    """Keep only some sounds of a wave, or mute some.

    Its state says nothing of what was selected: another selection may go on with it, and
    takes over within 15 ms, without a click.

    Args:
        keep: Labels to keep; all else goes.
        mute: Labels to mute; all else stays.
        like: An example to keep what is like it, (time,) or (channel, time). Exactly one of
            the three is given.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        like_sample_rate: Hz, of the example; `sample_rate` if None.
        model: Name of the model.

    Shape:
        wave (channel, time) -> (channel, time).

    Delay: `delay` samples, 8 ms; as many samples come out of each call as went in.
    Hop: 1.

    Raises:
        ParameterError: not one of keep, mute and like, or nothing sounds in the example.
        LabelError: an unknown label.
        ModelError: there is no such model.
    """

    hop = 1
    parts = ("kept", "left out")

    def __init__(
        self,
        *,
        keep: Sequence[str] = (),
        mute: Sequence[str] = (),
        like: NDArray[np.floating] | None = None,
        sample_rate: float,
        like_sample_rate: float | None = None,
        model: str = "hear",
    ) -> None:
        """Load the model."""
        if bool(keep) + bool(mute) + (like is not None) != 1:
            raise ParameterError(
                f"give one of keep, mute and like, got keep={keep!r}, mute={mute!r} and "
                f"{'no' if like is None else 'an'} example"
            )
        self.keeps = not mute
        examples = []
        if like is not None:
            rate = sample_rate if like_sample_rate is None else like_sample_rate
            examples.append(hear_example(load_model(model), like, sample_rate=rate))
        self.separate = Separate(
            labels=keep or mute,
            examples=examples,
            sample_rate=sample_rate,
            model=model,
            together=True,
        )
        self.delay = self.separate.delay

    def divide(
        self, signals: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What is attended to, and what is not, of the signals of `separate`."""
        named, rest = signals
        return (named, rest) if self.keeps else (rest, named)

    def __call__(
        self, wave: NDArray[np.floating], state: AttendState | None = None
    ) -> tuple[NDArray[np.float32], AttendState]:
        """Attend to the next chunk."""
        signals, separate = self.separate(wave, None if state is None else self._adopted(state))
        return self.divide(signals)[0], AttendState(separate, np.array([self.keeps]))

    def finish(self, state: AttendState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        return self.divide(self.separate.finish(self._adopted(state)))[0]

    def _adopted(self, state: AttendState) -> SeparateState:
        """What the state of any selection means for this one."""
        check_kind(state, AttendState, owner="Attend")
        separate = state.separate
        if bool(state.keeps[0]) != self.keeps:
            # What was named is the rest now: it is given what the gains so far leave of 1.
            gains = 1 - separate.apply.gains
            separate = separate._replace(apply=separate.apply._replace(gains=gains))
        return separate
