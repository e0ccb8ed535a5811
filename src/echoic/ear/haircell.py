"""The inner hair cell: compression, membrane low-pass, adaptation.

Compression maps the 100 dB and more of sound onto the small range of a nerve; the
membrane is too slow for fine structure above a few kHz; adaptation emphasises
onsets over steady sound. The auditory nerve is modelled in `nerve`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import (
    as_float32,
    check_count,
    check_kind,
    check_number,
    check_positive,
    check_sample_rate,
    check_state,
)
from echoic.ear import kernels
from echoic.ear.subbands import as_subbands
from echoic.errors import ParameterError
from echoic.jit import compiled

FLOOR_DBFS = -100.0
POWER_EXPONENT = 0.3
MAX_ORDER = 8


def compress_log(envelope: NDArray[np.float32]) -> NDArray[np.float32]:
    """Level above a floor of −100 dBFS: 0 at the floor and below, 1 at 0 dBFS.

    Shape: any.

    Example:
        >>> compress_log(np.array([0.0, 1e-5, 0.1, 1.0], np.float32)).round(3).tolist()
        [0.0, 0.0, 0.8, 1.0]
    """
    flat = np.ascontiguousarray(envelope, np.float32).reshape(-1)
    levels = np.empty_like(flat)
    kernels.log_levels(flat, levels)
    return levels.reshape(np.shape(envelope))


def _check_exponent(exponent: float) -> None:
    check_number(exponent, name="exponent")
    if not 0 < exponent <= 1:
        raise ParameterError(f"exponent={exponent!r} is not above 0 and up to 1")


def compress_power(
    envelope: NDArray[np.float32], *, exponent: float = POWER_EXPONENT
) -> NDArray[np.float32]:
    """The basilar membrane's power law: 0.3 is about its mid-level slope.

    Raises:
        ParameterError: an exponent outside 0 to 1.

    References: Oxenham and Plack (1997), compression of about 0.2 to 0.3 dB/dB.
    """
    _check_exponent(exponent)
    return np.asarray(np.power(envelope, np.float32(exponent)), dtype=np.float32)


class AdaptationState(NamedTuple):
    """adapted: (..., band) float32, the level each band has adapted to."""

    adapted: NDArray[np.float32]


class Adaptation:
    """Onset of each band: how far it rises above the level it has adapted to.

    The adapted level is a one-pole average of the compressed level; the onset is
    the positive part of the difference, taken before the average is updated with
    the new frame. In silence the average is 0, so that the first sound of a stream
    is an onset too.

    Args:
        hop_s: Seconds between frames.
        time_constant_s: Time constant of the average; the short-term adaptation of
            the auditory nerve is about 60 ms (Westerman and Smith 1984).

    Shape:
        level (..., band, frame) -> onset (..., band, frame), float32.

    Delay: 0 frames. Hop: 1.

    Raises:
        ParameterError: a time that is not positive.

    Example:
        >>> level = np.array([[0, 1, 1, 1, 0]], np.float32)
        >>> Adaptation(hop_s=0.01)(level)[0].round(2).tolist()
        [[0.0, 1.0, 0.85, 0.72, 0.0]]
    """

    hop = 1
    delay = 0

    def __init__(self, *, hop_s: float, time_constant_s: float = 0.06) -> None:
        """Compute the coefficient of the average."""
        check_positive(hop_s=hop_s, time_constant_s=time_constant_s)
        self.forget = np.float32(1 - np.exp(-hop_s / time_constant_s))

    def __call__(
        self, level: NDArray[np.float32], state: AdaptationState | None = None
    ) -> tuple[NDArray[np.float32], AdaptationState]:
        """Compute the onsets of the next frames."""
        level = as_float32(level, name="level")
        lead = level.shape[:-1]
        init = AdaptationState(np.zeros(lead, np.float32))
        state = init if state is None else state
        check_state(state, init, owner="Adaptation")
        adapted = state.adapted.copy()
        onset = np.empty_like(level)
        by_row = (adapted.size, level.shape[-1])
        kernels.adapt(
            level.reshape(by_row), self.forget, adapted.reshape(-1), onset.reshape(by_row)
        )
        return onset, AdaptationState(adapted)

    def finish(self, state: AdaptationState) -> NDArray[np.float32]:
        """No delay, so no tail: (..., band, 0)."""
        check_kind(state, AdaptationState, owner="Adaptation")
        return np.empty((*state.adapted.shape, 0), dtype=np.float32)


@compiled
def transduce(subbands, exponent, pole, stages, out):  # type: ignore[no-untyped-def]
    """Rectify, compress and smooth (band, time); return the new stages (order, band).

    Processes blocks as `kernels.subbands` does: time-major during the recursion,
    so that neighbouring bands fill whole vector registers.
    """
    n_bands, n_samples = subbands.shape
    guard = np.float32(1e-20)  # −200 dB: avoids powers of zero and denormal numbers
    half = (exponent - np.float32(1)) / np.float32(2)
    s = stages.copy()
    block = 64
    rows = np.empty((block, n_bands), np.float32)
    for start in range(0, n_samples, block):
        length = min(block, n_samples - start)
        for b in range(n_bands):
            for i in range(length):
                re = np.float32(2) * subbands[b, start + i].real
                im = np.float32(2) * subbands[b, start + i].imag
                rows[i, b] = guard
                if re > 0:
                    rows[i, b] += re * (re * re + im * im + guard) ** half
        for i in range(length):
            row = rows[i]
            for stage in s:
                for b in range(n_bands):
                    stage[b] = row[b] + pole * (stage[b] - row[b])
                    row[b] = stage[b]
        for b in range(n_bands):
            for i in range(length):
                out[b, start + i] = rows[i, b]
    return s


class HairCellState(NamedTuple):
    """stages: (..., order, band) float32, of the membrane's low-pass."""

    stages: NDArray[np.float32]


class HairCell:
    """The receptor potential at full rate: phase-locked up to a few kHz.

    A band's motion v = 2·Re(y), of amplitude A = 2·|y|, becomes

        max(v, 0) · A^(exponent − 1),

    with its envelope compressed but the waveform within a cycle undistorted, and
    half-wave rectified: motion in one direction excites the cell. The membrane then
    smooths it with `order` equal one-pole low-passes. The potential of a tone of
    amplitude A therefore has the mean A^exponent / π and a component at the tone's
    frequency that the membrane attenuates: the synchronization index is π/4 · |H(f)|.
    It is 0.6 at 1 kHz and 0.06 at 4 kHz; above, the potential follows the envelope.

    Args:
        sample_rate: Hz, of the subbands.
        exponent: Of the envelope, above 0 and up to 1.
        corner_hz: Corner of each one-pole, below half the rate. At any rate the response
            equals the analogue one at half the corner, and is close to it elsewhere.
        order: Number of one-poles, 1 to 8.

    Shape:
        subbands (..., band, time) complex -> potential (..., band, time), float32.

    Delay: 0 samples. Hop: 1.

    Raises:
        ParameterError: a value outside of its range, or subbands that are not complex.

    References: Zhang et al. (2001), order 7 and 3.8 kHz, after the decline of
        phase-locking in the cat (Johnson 1980; in the guinea pig it begins lower,
        Palmer and Russell 1986; in humans it is not known); Bernstein et al. (1999),
        compression of the envelope ahead of rectification.

    Example:
        >>> from echoic.ear import Filterbank
        >>> wave = np.sin(np.arange(1600, dtype=np.float32))
        >>> subbands, _ = Filterbank(sample_rate=16000)(wave)
        >>> potential, state = HairCell(sample_rate=16000)(subbands)
        >>> potential.shape, bool(potential.min() > 0)
        ((64, 1600), True)
    """

    hop = 1
    delay = 0

    def __init__(
        self,
        *,
        sample_rate: float,
        exponent: float = 0.3,
        corner_hz: float = 3800.0,
        order: int = 7,
    ) -> None:
        """Compute the membrane's pole."""
        self.sample_rate = check_sample_rate(sample_rate)
        _check_exponent(exponent)
        check_number(corner_hz, name="corner_hz")
        if not 0 < corner_hz < self.sample_rate / 2:
            raise ParameterError(
                f"corner_hz={corner_hz!r} is outside 0 to {self.sample_rate / 2:g} Hz"
            )
        self.exponent = exponent
        self.order = check_count(order, name="order", highest=MAX_ORDER)
        # At half the corner an analogue one-pole passes 1 / (1 + ½²) = 4/5 of the power:
        # solve (1 − p)² / (1 − 2p·cos θ + p²) = 4/5 for p.
        c = 5 - 4 * np.cos(np.pi * corner_hz / self.sample_rate)
        self.pole = float(c - np.sqrt(c * c - 1))

    def synchronization_index(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """For a tone, π/4 · |H|; 1 would be spikes at a single phase, 0 at all phases alike."""
        turn = np.exp(-2j * np.pi * np.asarray(frequency_hz) / self.sample_rate)
        response: NDArray[np.float64] = np.abs((1 - self.pole) / (1 - self.pole * turn))
        return np.pi / 4 * response**self.order

    def __call__(
        self, subbands: NDArray[np.complex64], state: HairCellState | None = None
    ) -> tuple[NDArray[np.float32], HairCellState]:
        """Transduce the next chunk."""
        subbands = as_subbands(subbands)
        lead, n_bands = subbands.shape[:-2], subbands.shape[-2]
        shape = (*lead, self.order, n_bands)
        init = HairCellState(np.zeros(shape, np.float32))
        state = init if state is None else state
        check_state(state, init, owner="HairCell")
        stages = state.stages
        potential, new_stages = np.empty(subbands.shape, np.float32), np.empty_like(stages)
        for index in np.ndindex(lead):
            new_stages[index] = transduce(
                subbands[index],
                np.float32(self.exponent),
                np.float32(self.pole),
                stages[index],
                potential[index],
            )
        return potential, HairCellState(new_stages)

    def finish(self, state: HairCellState) -> NDArray[np.float32]:
        """No delay, so no tail: (..., band, 0)."""
        check_kind(state, HairCellState, owner="HairCell")
        *lead, _, n_bands = state.stages.shape
        return np.empty((*lead, n_bands, 0), dtype=np.float32)
