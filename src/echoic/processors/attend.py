"""Selective attention: only these sounds, all but these, or what sounds like this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind
from echoic.errors import ParameterError
from echoic.processors.example import hear_example
from echoic.processors.masks import RAMP_S
from echoic.processors.model import load_model
from echoic.processors.separate import Separate, SeparateState


class AttendState(NamedTuple):
    """separate: of `Separate`; share: (1,), 1 while what is named is kept, 0 while it is muted."""

    separate: SeparateState
    share: NDArray[np.float32]


class Attend:
    """Keep only some sounds of a wave, or mute some.

    Its state says nothing of what was selected: another selection may go on with it, and
    takes over within 5 ms, without a click.

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
        ModelError: there is no such model, or it can be asked for labels only.
    """

    hop = 1

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
            rate = like_sample_rate or sample_rate
            examples.append(hear_example(load_model(model), like, sample_rate=rate))
        self.separate = Separate(
            labels=keep or mute,
            examples=examples,
            sample_rate=sample_rate,
            model=model,
            together=True,
        )
        self.delay = self.separate.delay
        self._ramp = round(RAMP_S * sample_rate)

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
        if state is not None:
            check_kind(state, AttendState, owner="Attend")
        signals, separate = self.separate(wave, state and state.separate)
        goal = float(self.keeps)
        share = goal if state is None else float(state.share[0])
        if share == goal:
            return self.divide(signals)[0], AttendState(separate, np.array([goal], np.float32))
        # Another selection was in force: from keeping to muting, or back, in a straight line.
        moved = np.arange(1, signals.shape[-1] + 1) / self._ramp
        shares = np.clip(share + (2 * goal - 1) * moved, 0, 1).astype(np.float32)
        named, rest = signals
        last = shares[-1:] if shares.size else np.array([share], np.float32)
        return shares * named + (1 - shares) * rest, AttendState(separate, last)

    def finish(self, state: AttendState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        check_kind(state, AttendState, owner="Attend")
        return self.divide(self.separate.finish(state.separate))[0]
