"""Selective attention: only these sounds, all but these, or what sounds like this."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.processors.example import hear_example
from echoic.processors.model import load_model
from echoic.processors.separate import Separate, SeparateState


class Attend:
    """Keep only some sounds of a wave, or mute some.

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
        if like is None:
            self.separate = Separate(labels=keep or mute, sample_rate=sample_rate, model=model)
        else:
            asked = load_model(model)
            example = hear_example(asked, like, sample_rate=like_sample_rate or sample_rate)
            others = [label for label in asked.labels if label != example.label]
            self.separate = Separate(
                labels=(),
                among=others,
                examples=[example.query],
                sample_rate=sample_rate,
                model=model,
            )
        self.delay = self.separate.delay

    def divide(
        self, signals: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What is attended to, and what is not, of the signals of `separate`."""
        named = signals[:-1].sum(axis=0, dtype=np.float32)
        return (named, signals[-1]) if self.keeps else (signals[-1], named)

    def __call__(
        self, wave: NDArray[np.floating], state: SeparateState | None = None
    ) -> tuple[NDArray[np.float32], SeparateState]:
        """Attend to the next chunk."""
        signals, state = self.separate(wave, state)
        return self.divide(signals)[0], state

    def finish(self, state: SeparateState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        return self.divide(self.separate.finish(state))[0]
