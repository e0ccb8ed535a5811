"""Separate a wave with a network that estimates one mask per signal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind, check_text
from echoic.ear.frontend import FrontEnd, FrontEndState
from echoic.processors.cards import load_signal_network
from echoic.processors.masks import ApplyMasks, ApplyMasksState
from echoic.runtime.network import NetworkState


class UnmixState(NamedTuple):
    """State of the front end, of the network, and of the application of its masks."""

    front_end: FrontEndState
    network: NetworkState
    apply: ApplyMasksState


class Unmix:
    """Separate a wave into the signals of a network, which add up to it.

    Args:
        model: Name of the model.
        kind: What its masks are of, according to its card: "speech" or "talkers".
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        look_ahead_s: Additional delay, which improves the separation, see `ApplyMasks`.
        floor: Gain to which the background is attenuated in the other signals, 0 to 1.

    Attributes:
        network: Network that estimates the masks.
        n_signals: Number of signals, the background included.

    Shape:
        wave (channel, time) -> signals (signal, channel, time), background last.

    Delay: `delay` samples, 8 ms and the look-ahead; each call returns as many samples as it was
    given.
    Hop: 1.

    Raises:
        ModelError: there is no such model, or it is of another kind.
    """

    hop = 1

    def __init__(
        self,
        *,
        model: str,
        kind: str,
        sample_rate: float,
        look_ahead_s: float = 0.0,
        floor: float = 0.0,
    ) -> None:
        """Load the network and design the banks."""
        self._floor = np.float32(floor)
        check_text(model, name="model")
        self.network = load_signal_network(model, kind)
        self.n_signals = self.network.result_shape("masks")[0]
        self._front_end = FrontEnd(sample_rate=sample_rate)
        self._apply = ApplyMasks(
            n_labels=self.n_signals - 1,
            frames_per_step=self.network.hop,
            sample_rate=sample_rate,
            look_ahead_s=look_ahead_s,
        )
        self.delay = self._apply.delay

    def __call__(
        self,
        wave: NDArray[np.floating],
        state: UnmixState | None = None,
        *,
        heard: NetworkState | None = None,
    ) -> tuple[NDArray[np.float32], UnmixState]:
        """Separate the next chunk; a new stream may start from a state of the network, `heard`."""
        if state is not None:
            check_kind(state, UnmixState, owner="Unmix")
        frames, front_end = self._front_end(wave, state and state.front_end)
        (masks,), network = self.network(frames, state.network if state else heard)
        gains = masks[:-1]
        if self._floor:
            gains = gains + self._floor * masks[-1]
        signals, apply = self._apply(wave, gains, state and state.apply)
        return signals, UnmixState(front_end, network, apply)

    def finish(self, state: UnmixState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        check_kind(state, UnmixState, owner="Unmix")
        return self._apply.finish(state.apply)
