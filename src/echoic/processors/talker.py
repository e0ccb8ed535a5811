"""Keep one talker among others, given a few seconds of that voice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind, checksum
from echoic.ear.frontend import FrontEnd
from echoic.errors import ParameterError
from echoic.processors.example import check_example
from echoic.processors.unmix import Unmix, UnmixState
from echoic.runtime.network import NetworkState


class TalkerState(NamedTuple):
    """unmix: state of `Unmix`; example: (1,), checksum of the example the stream began with."""

    unmix: UnmixState
    example: NDArray[np.uint32]


class Talker:
    """Keep one talker of a wave, given an example of that voice.

    The network of `Voices` keeps the order of the talkers throughout a stream. So it processes
    the example before the stream: the signal that carries the talker there carries the same
    talker from then on.

    Args:
        example: A few seconds of the talker alone; anything after the first minute is ignored.
        sample_rate: Hz, 8 to 192 kHz, of the wave; nothing is resampled.
        example_sample_rate: Hz, of the example; `sample_rate` if None.
        look_ahead_s: Additional delay in s, which improves the separation; 0 to 1.
        model: Name of the model, of kind "talkers".

    Shape:
        example (time,) or (channel, time).
        wave (channel, time) -> signals (2, channel, time): the talker, and everything else.

    Delay: `delay` samples, 8 ms and the look-ahead; each call returns as many samples as it was
    given.
    Hop: 1.

    Raises:
        ParameterError: not a wave, a silent example, or a state of a stream that began with
            another example.
        ModelError: there is no such model, or it does not separate talkers.
    """

    hop = 1

    def __init__(
        self,
        example: NDArray[np.floating],
        *,
        sample_rate: float,
        example_sample_rate: float | None = None,
        look_ahead_s: float = 0.0,
        model: str = "voices",
    ) -> None:
        rate = sample_rate if example_sample_rate is None else example_sample_rate
        samples, spans = check_example(example, sample_rate=rate)
        samples = samples[:, round(spans[0][0] * rate) : round(spans[-1][1] * rate)]
        self._unmix = Unmix(
            model=model, kind="talkers", sample_rate=sample_rate, look_ahead_s=look_ahead_s
        )
        self._place, self._heard = self._listen_to(samples, rate)
        self._example = np.array([checksum(samples)], np.uint32)
        self.delay = self._unmix.delay

    def _listen_to(
        self, samples: NDArray[np.float32], sample_rate: float
    ) -> tuple[int, NetworkState]:
        """Return the index of the talker's signal, and the network's state after the example."""
        network = self._unmix.network
        envelope, frames, _ = FrontEnd(sample_rate=sample_rate).listen(samples)
        n_frames = frames.shape[-1] // network.hop * network.hop
        if not n_frames:
            raise ParameterError(f"the example is too short: {samples.shape[1] / sample_rate:g} s")
        (masks,), state = network(frames[..., :n_frames])
        power = (
            np.square(envelope[:, :n_frames]).reshape(len(envelope), -1, network.hop).sum(axis=2)
        )
        # In the second half of the energy: by then the talker is assigned to a signal.
        energy = np.cumsum(power.sum(axis=0))
        n_settled = int(np.searchsorted(energy, energy[-1] / 2))
        share = (masks[:-1] * power)[..., n_settled:].sum(axis=(1, 2))
        return int(np.argmax(share)), state

    def __call__(
        self, wave: NDArray[np.floating], state: TalkerState | None = None
    ) -> tuple[NDArray[np.float32], TalkerState]:
        """Separate the next chunk."""
        if state is not None:
            self._check_state(state)
        signals, unmix = self._unmix(wave, state and state.unmix, heard=self._heard)
        return self._split(signals), TalkerState(unmix, self._example)

    def finish(self, state: TalkerState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        self._check_state(state)
        return self._split(self._unmix.finish(state.unmix))

    def _check_state(self, state: TalkerState) -> None:
        """A `ParameterError` for a state of another class or another example."""
        check_kind(state, TalkerState, owner="Talker")
        if not np.array_equal(state.example, self._example):
            raise ParameterError("a stream that began with one talker keeps to this talker")

    def _split(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        others = np.delete(signals, self._place, axis=0).sum(axis=0)
        return np.stack([signals[self._place], others])
