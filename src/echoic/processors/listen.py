"""Listening: the ear's envelope and the outputs of a model, in one pass."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind
from echoic.ear.design import N_BANDS
from echoic.ear.frontend import FrontEnd, FrontEndState
from echoic.processors.model import Model
from echoic.processors.network import Wanted

Value = TypeVar("Value")


class Listened(NamedTuple, Generic[Value]):
    """Results of one pass over a wave.

    envelope: (band, frame) every 5 ms, of the summed power of the channels.
    probabilities: (label, step).
    places: (64, size, step), from which masks are computed.
    """

    envelope: Value
    probabilities: Value
    places: Value


class ListenState(NamedTuple):
    """State of the front end and of the network."""

    front_end: FrontEndState
    network: Any


class Listen:
    """Run the front end and a model on a wave.

    Args:
        model: From `load_model`.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        want: What to compute, see `Wanted`; the other results have 0 steps.

    Shape:
        wave (channel, time) -> `Listened`.

    Delay: 0, except for the probabilities, which are `model.look_ahead_steps` late.
    Hop: 5 ms for the envelope, a step of the model for places and probabilities.
    """

    def __init__(self, model: Model, *, sample_rate: float, want: Wanted = "all") -> None:
        model.prepare(want)
        self.model = model
        self.front_end = FrontEnd(sample_rate=sample_rate)
        self.want = want
        step = self.front_end.hop * model.frames_per_step
        self.hop = Listened(self.front_end.hop, step, step)
        n_owed = model.look_ahead_steps if want in {"all", "probabilities"} else 0
        self.delay = Listened(0, n_owed, 0)

    def __call__(
        self, wave: NDArray[np.floating], state: ListenState | None = None
    ) -> tuple[Listened[NDArray[np.float32]], ListenState]:
        """Process the next chunk."""
        if state is not None:
            check_kind(state, ListenState, owner="Listen")
        envelope, frames, front_end = self.front_end.listen(wave, state and state.front_end)
        heard, network = self.model(frames, state and state.network, want=self.want)
        return Listened(envelope, *heard), ListenState(front_end, network)

    def finish(self, state: ListenState) -> Listened[NDArray[np.float32]]:
        """The remaining probabilities, as if silence followed; nothing else is delayed."""
        check_kind(state, ListenState, owner="Listen")
        no_envelope = np.empty((N_BANDS, 0), np.float32)
        return Listened(no_envelope, *self.model.finish(state.network, want=self.want))
