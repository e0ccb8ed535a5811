"""Separation: every sound by itself, and what is left over; they add up to the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear import Filterbank, FilterbankState, Inverse, InverseState, kernels
from echoic.ear.design import N_GAIN_BANDS
from echoic.ear.frontend import FrontEnd, FrontEndState
from echoic.errors import LabelError
from echoic.processors.network import NetworkState, load_network
from echoic.streaming import as_float32, check_channels, check_kind, check_state


def check_labels(labels: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the labels as a tuple.

    Raises:
        LabelError: a label that the model does not know, or one given twice.
    """
    if isinstance(labels, str):
        labels = (labels,)
    for label in labels:
        if label not in known:
            raise LabelError(f"unknown label {label!r}; known: {' '.join(known)}")
    if len(set(labels)) < len(labels):
        raise LabelError(f"a label is given twice: {' '.join(labels)}")
    return tuple(labels)


class SeparateState(NamedTuple):
    """What separation carries from chunk to chunk.

    ear, network, bank, inverse: states of the parts.
    bands: (channel, band, time) of the ear frame that is not complete.
    wave: (channel, time), the input that is still owed, delay included.
    gains: (label, band), where the next ramp starts.
    """

    ear: FrontEndState
    network: NetworkState
    bank: FilterbankState
    inverse: InverseState
    bands: NDArray[np.float32]
    wave: NDArray[np.float32]
    gains: NDArray[np.float32]


class Separate:
    """Share a wave out among labels: one signal a label, and the rest.

    The network listens through the ear and gives every label a share of every
    band, every 5 ms; the separating bank and its inverse carry the shares out,
    the same for all channels. The rest is the input minus the others, so that
    the signals add up to the input by construction.

    Args:
        labels: Whose signals are wanted; what the others get stays in the rest.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        model: Name of the network.

    Shape:
        wave (channel, time) -> signals (label + 1, channel, time), rest last.

    Delay: `delay` samples, 4 ms; samples come out with the ear frame of 5 ms
        that they lie in. Hop: 1.

    Raises:
        LabelError: an unknown label.
        ModelError: there is no such model.
    """

    hop = 1

    def __init__(self, *, labels: Sequence[str], sample_rate: float, model: str = "hear") -> None:
        """Load the network and design the banks."""
        self.network = load_network(model)
        self.labels = check_labels(labels, self.network.card.labels)
        self.sample_rate = sample_rate
        self.ear = FrontEnd(sample_rate=sample_rate)
        self.bank = Filterbank.separating(sample_rate=sample_rate)
        self.inverse = Inverse(sample_rate=sample_rate)
        self.delay = self.inverse.delay
        self._rows = [self.network.card.labels.index(label) for label in self.labels]

    def _fresh_buffers(self, n_channels: int) -> tuple[NDArray[np.float32], ...]:
        n_bands = self.bank.design.n_bands
        return (
            np.zeros((n_channels, n_bands, 0), np.float32),
            np.zeros((n_channels, self.delay), np.float32),
            np.zeros((len(self.labels), N_GAIN_BANDS), np.float32),
        )

    def __call__(
        self, wave: NDArray[np.floating], state: SeparateState | None = None
    ) -> tuple[NDArray[np.float32], SeparateState]:
        """Separate the next chunk; give the samples of the ear frames it completes."""
        wave = as_float32(wave)
        check_channels(wave.shape)
        n_channels = wave.shape[0]
        if state is not None:
            self._check_state(state, n_channels)
        frames, ear = self.ear(wave, state and state.ear)
        _, gains, network = self.network(frames, state and state.network, want_gains=True)
        subbands, bank = self.bank(wave, state and state.bank)
        bands, inverse = self.inverse(subbands, state and state.inverse)

        open_bands, owed, before = (
            (state.bands, state.wave, state.gains) if state else self._fresh_buffers(n_channels)
        )
        bands = np.concatenate([open_bands, bands], axis=-1)
        owed = np.concatenate([owed, wave], axis=-1)
        start = int(ear.ear.n_samples[0]) - bands.shape[-1]
        ends = self.ear.clock.ends(start, int(ear.ear.n_samples[0])) - start
        n_out = int(ends[-1]) if ends.size else 0
        gains = np.ascontiguousarray(gains[self._rows])
        signals = np.empty((len(self.labels) + 1, n_channels, n_out), np.float32)
        for c in range(n_channels):
            kernels.apply_gains(bands[c], ends, before, gains, signals[:-1, c])
        signals[-1] = owed[:, :n_out] - signals[:-1].sum(axis=0)
        return signals, SeparateState(
            ear,
            network,
            bank,
            inverse,
            bands[..., n_out:].copy(),
            owed[:, n_out:].copy(),
            gains[..., -1].copy() if n_out else before,
        )

    def _check_state(self, state: SeparateState, n_channels: int) -> None:
        """Refuse a state of other labels, another rate or another number of channels."""
        check_kind(state, SeparateState, owner="Separate")
        check_kind(state.ear, FrontEndState, owner="Separate")
        n_samples = int(state.ear.ear.n_samples[0])
        n_open = n_samples - self.ear.clock.end(self.ear.clock.n_frames(n_samples) - 1)
        bands, wave, gains = self._fresh_buffers(n_channels)
        wanted = (
            np.empty((*bands.shape[:-1], n_open), np.float32),
            np.empty((n_channels, wave.shape[-1] + n_open), np.float32),
            gains,
        )
        check_state((state.bands, state.wave, state.gains), wanted, owner="Separate")

    def finish(self, state: SeparateState) -> NDArray[np.float32]:
        """What is still owed, so that in all `delay` samples more come out than went in."""
        check_kind(state, SeparateState, owner="Separate")
        n_owed = state.wave.shape[-1]
        n_silence = n_owed + int(np.ceil(self.ear.hop))
        tail, _ = self(np.zeros((state.wave.shape[0], n_silence), np.float32), state)
        return tail[..., :n_owed]


def separate_blocks(
    blocks: Iterable[NDArray[np.float32]],
    *,
    labels: Sequence[str],
    sample_rate: float,
    model: str = "hear",
) -> Iterator[NDArray[np.float32]]:
    """Stems (label + 1, channel, time) block by block, aligned with the input, rest last."""
    separate = Separate(labels=labels, sample_rate=sample_rate, model=model)
    state, skip = None, separate.delay

    def aligned(signals: NDArray[np.float32]) -> NDArray[np.float32]:
        nonlocal skip
        dropped = min(skip, signals.shape[-1])
        skip -= dropped
        return signals[..., dropped:]

    for block in blocks:
        signals, state = separate(block, state)
        yield aligned(signals)
    if state is not None:
        yield aligned(separate.finish(state))
