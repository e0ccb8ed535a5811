"""Full-rate complex subbands: what the cochlea's places do, sample by sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear import kernels
from echoic.ear.design import BankDesign, design_listening, design_separating
from echoic.errors import ParameterError
from echoic.streaming import as_float32, check_state


class Coefficients(NamedTuple):
    """A design cast once to the kernels' float32 rows, each (band,)."""

    pole_re: NDArray[np.float32]
    pole_im: NDArray[np.float32]
    gain: NDArray[np.float32]

    @classmethod
    def of(cls, design: BankDesign) -> Coefficients:
        """Cast a design."""
        rows = (design.pole.real, design.pole.imag, design.gain)
        return cls(*(np.ascontiguousarray(row, dtype=np.float32) for row in rows))


def fresh_stages(lead: tuple[int, ...], n_bands: int) -> NDArray[np.float32]:
    """The filter stages before any sound, (..., 8, band)."""
    return np.zeros((*lead, kernels.N_STATE_ROWS, n_bands), dtype=np.float32)


def check_state_shape(array: NDArray[np.float32], shape: tuple[int, ...], *, owner: str) -> None:
    """Refuse a state that another configuration or another lead shape made.

    Raises:
        ParameterError: the shapes differ.
    """
    if array.shape != shape:
        raise ParameterError(
            f"state of shape {array.shape} does not belong to this {owner}, which needs {shape}"
        )


def check_rate(design: BankDesign, sample_rate: float) -> None:
    """Refuse a design for another rate.

    Raises:
        ParameterError: the rates differ.
    """
    if design.sample_rate != sample_rate:
        raise ParameterError(
            f"sample_rate={sample_rate!r}, but the design is for {design.sample_rate:g} Hz"
        )


class FilterbankState(NamedTuple):
    """stages: (..., 8, band) float32."""

    stages: NDArray[np.float32]


class Filterbank:
    """Split a waveform into complex cochlear subbands at full rate.

    Fourth-order gammatone filters in complex form (see `echoic.ear.design`).
    The modulus is the envelope, the angle the fine structure; a sine of
    amplitude A at a band's centre gives the modulus A/2, its positive-frequency
    half.

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        design: A bank to use instead, such as that of `Filterbank.separating`.

    Shape:
        wave (..., time) -> subbands (..., band, time), complex64.

    Delay: 0 samples. Hop: 1.

    Raises:
        ParameterError: a value outside of its range.

    References: Patterson et al. (1992); Hohmann (2002).

    Example:
        >>> bank = Filterbank(sample_rate=16000)
        >>> subbands, state = bank(np.zeros(160, np.float32))
        >>> subbands.shape
        (64, 160)
    """

    hop = 1
    delay = 0

    def __init__(
        self,
        *,
        sample_rate: float,
        n_bands: int = 64,
        low_hz: float = 50.0,
        high_hz: float = 7600.0,
        design: BankDesign | None = None,
    ) -> None:
        """Design the bank."""
        if design is not None and (n_bands, low_hz, high_hz) != (64, 50.0, 7600.0):
            raise ParameterError("give either a design or n_bands, low_hz and high_hz, not both")
        self.design = design or design_listening(
            sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
        check_rate(self.design, sample_rate)
        self.coefficients = Coefficients.of(self.design)

    @classmethod
    def separating(cls, *, sample_rate: float) -> Filterbank:
        """The bank that sounds are taken apart in: bandwidths of 100 Hz and more."""
        return cls(sample_rate=sample_rate, design=design_separating(sample_rate=sample_rate))

    @property
    def center_hz(self) -> NDArray[np.float64]:
        """(band,) centre frequencies in Hz."""
        return self.design.center_hz

    def __call__(
        self, wave: NDArray[np.floating], state: FilterbankState | None = None
    ) -> tuple[NDArray[np.complex64], FilterbankState]:
        """Filter the next chunk."""
        wave = as_float32(wave)
        lead, n_samples, n_bands = wave.shape[:-1], wave.shape[-1], self.design.n_bands
        init = FilterbankState(fresh_stages(lead, n_bands))
        state = init if state is None else state
        check_state(state, init, owner="Filterbank")
        stages = state.stages
        subbands = np.empty((*lead, n_bands, n_samples), dtype=np.complex64)
        new_stages = np.empty_like(stages)
        for index in np.ndindex(lead):
            new_stages[index] = kernels.subbands(
                wave[index], *self.coefficients, stages[index], subbands[index]
            )
        return subbands, FilterbankState(new_stages)

    def finish(self, state: FilterbankState) -> NDArray[np.complex64]:
        """No delay, so no tail: (..., band, 0)."""
        lead, n_bands = state.stages.shape[:-2], self.design.n_bands
        return np.empty((*lead, n_bands, 0), dtype=np.complex64)
