"""Back from subbands to sound: real bands that add up to the delayed input."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear import kernels
from echoic.ear.design import BankDesign, design_inverse, design_separating
from echoic.ear.filterbank import check_state_shape
from echoic.errors import ParameterError


class InverseState(NamedTuple):
    """tail: (..., band, delay) float32, weighted samples not yet given out."""

    tail: NDArray[np.float32]


class Inverse:
    """Give every subband its weight and delay; their sum is the input again.

    The bands come out real and aligned, so that gains can be multiplied onto
    them before they are added: with gains of 1 the sum is the input, `delay`
    samples late, to about 75 dB at 4 ms. The same gains for a band of the
    input and for its delayed self make this the place where sounds are taken
    apart.

    Args:
        sample_rate: Hz.
        delay_s: Delay of analysis and synthesis together, 1 to 100 ms.
        design: The bank that made the subbands; the separating one by default.

    Shape:
        subbands (..., band, time) complex -> bands (..., band, time) float32;
        their sum over bands is the wave.

    Delay: `delay` samples, round(delay_s · sample_rate). Hop: 1.

    Raises:
        ParameterError: a delay out of range, or subbands of another bank.

    Example:
        >>> from echoic.ear import Filterbank
        >>> bank = Filterbank.separating(sample_rate=16000)
        >>> inverse = Inverse(sample_rate=16000)
        >>> click = np.eye(1, 320, dtype=np.float32)[0]
        >>> bands, state = inverse(bank(click)[0])
        >>> int(np.argmax(bands.sum(axis=0))) == inverse.delay == 64
        True
    """

    hop = 1

    def __init__(
        self, *, sample_rate: float, delay_s: float = 0.004, design: BankDesign | None = None
    ) -> None:
        """Solve for the weights."""
        self.bank = design or design_separating(sample_rate=sample_rate)
        self.design = design_inverse(self.bank, delay_s=delay_s)
        self.delay = self.design.delay_samples
        self._weight_re = self.design.weight.real.astype(np.float32)
        self._weight_im = self.design.weight.imag.astype(np.float32)

    def __call__(
        self, subbands: NDArray[np.complex64], state: InverseState | None = None
    ) -> tuple[NDArray[np.float32], InverseState]:
        """Weight and align the next chunk of subbands."""
        if subbands.ndim < 2 or subbands.shape[-2] != self.bank.n_bands:
            raise ParameterError(
                f"subbands of shape {subbands.shape} do not have the "
                f"{self.bank.n_bands} bands of this Inverse"
            )
        lead = subbands.shape[:-2]
        subbands = np.ascontiguousarray(subbands, dtype=np.complex64)
        tail_shape = (*lead, self.bank.n_bands, self.delay)
        tail = np.zeros(tail_shape, np.float32) if state is None else state.tail
        check_state_shape(tail, tail_shape, owner="Inverse")
        bands = np.empty(subbands.shape, dtype=np.float32)
        new_tail = np.empty_like(tail)
        for index in np.ndindex(lead):
            new_tail[index] = kernels.align(
                subbands[index],
                self._weight_re,
                self._weight_im,
                self.design.band_delay_samples,
                tail[index],
                bands[index],
            )
        return bands, InverseState(new_tail)

    def finish(self, state: InverseState) -> NDArray[np.float32]:
        """The last `delay` samples, as if silence followed in every band.

        Filters ring on after the input ends: to lose nothing, feed `delay`
        zeros through the filterbank instead and drop this.
        """
        lead = state.tail.shape[:-2]
        silence = np.zeros((*lead, self.bank.n_bands, self.delay), dtype=np.complex64)
        return self(silence, state)[0]
