"""Full-rate complex subbands: the motion of each place on the cochlea."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import (
    check_kind,
    check_own,
    checksum,
    copy_state,
    mend,
    warn_of_mended,
)
from echoic.ear import kernels
from echoic.ear.cores import over_cores
from echoic.ear.design import (
    HIGH_HZ,
    LOW_HZ,
    N_BANDS,
    BankDesign,
    design_listening,
    design_separating,
)
from echoic.errors import ParameterError


def float32_coefficients(design: BankDesign) -> NDArray[np.float32]:
    """Pack a design's poles and gains for the kernels, (3, band)."""
    return np.stack([design.pole.real, design.pole.imag, design.gain]).astype(np.float32)


def fresh_stages(lead: tuple[int, ...], n_bands: int) -> NDArray[np.float32]:
    """Initial filter stages, (..., 8, band)."""
    return np.zeros((*lead, kernels.N_STAGE_ROWS, n_bands), dtype=np.float32)


def check_design(design: object, *, sample_rate: float | None = None) -> None:
    """Check that something is the design of a bank, and for this sample rate.

    Raises:
        ParameterError: it is something else, such as the bank itself, or the rates differ.
    """
    if not isinstance(design, BankDesign):
        kind = type(design).__name__
        raise ParameterError(f"design is a {kind}, not a BankDesign, as a bank's `design` is")
    if sample_rate is not None and design.sample_rate != sample_rate:
        raise ParameterError(
            f"sample_rate={sample_rate!r}, but the design is for {design.sample_rate:g} Hz"
        )


def choose_design(
    design: BankDesign | None, *, sample_rate: float, n_bands: int, low_hz: float, high_hz: float
) -> BankDesign:
    """Return the given design, or else design a listening bank.

    Raises:
        ParameterError: both are given, or the design is for another rate.
    """
    if design is None:
        return design_listening(
            sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
    if (n_bands, low_hz, high_hz) != (N_BANDS, LOW_HZ, HIGH_HZ):
        raise ParameterError("give either a design or n_bands, low_hz and high_hz, not both")
    check_design(design, sample_rate=sample_rate)
    return design


class FilterbankState(NamedTuple):
    """stages: (..., 8, band) float32. counts: (2,) mended samples, and checksum of the design."""

    stages: NDArray[np.float32]
    counts: NDArray[np.int64]


@lru_cache(maxsize=64)  # called for every chunk
def _init_state(stages: tuple[int, ...], own: int) -> FilterbankState:
    """The initial state; shared, so copied before use."""
    return FilterbankState(np.zeros(stages, np.float32), np.array([0, own], np.int64))


class Filterbank:
    """Split a waveform into complex cochlear subbands at full rate.

    Fourth-order gammatone filters in complex form (see `echoic.ear.design`).
    The modulus is the envelope, the angle the fine structure; a sine of
    amplitude A at a band's centre gives the modulus A/2, its positive-frequency
    half. For resynthesis by `Inverse` use `Filterbank.separating`. The channels of a
    long chunk run on as many cores as numba may use (NUMBA_NUM_THREADS).

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        design: The design to use instead, such as `design_separating(sample_rate=…)` or
            another bank's `design`.

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
        n_bands: int = N_BANDS,
        low_hz: float = LOW_HZ,
        high_hz: float = HIGH_HZ,
        design: BankDesign | None = None,
    ) -> None:
        """Design the bank."""
        self.design = choose_design(
            design, sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
        self._coefficients = float32_coefficients(self.design)
        self._own = checksum(self._coefficients)

    @classmethod
    def separating(cls, *, sample_rate: float) -> Filterbank:
        """The bank to which masks are applied: bandwidths of 100 Hz and more."""
        return cls(sample_rate=sample_rate, design=design_separating(sample_rate=sample_rate))

    @property
    def center_hz(self) -> NDArray[np.float64]:
        """(band,) centre frequencies in Hz."""
        return self.design.center_hz

    def __call__(
        self, wave: NDArray[np.floating], state: FilterbankState | None = None
    ) -> tuple[NDArray[np.complex64], FilterbankState]:
        """Filter the next chunk."""
        wave, n_mended = mend(wave)
        lead, n_samples, n_bands = wave.shape[:-1], wave.shape[-1], self.design.n_bands
        init = _init_state((*lead, kernels.N_STAGE_ROWS, n_bands), self._own)
        new = copy_state(init if state is None else state, init, owner="Filterbank")
        n_mended_before, own = new.counts.tolist()
        check_own(own, self._own, owner="Filterbank")
        if n_mended and not n_mended_before:
            warn_of_mended(n_mended)
        new.counts[0] += n_mended
        subbands = np.empty((*lead, n_bands, n_samples), np.complex64)
        n_items = math.prod(lead)
        over_cores(
            kernels.subbands_of_batch,
            wave.reshape(n_items, n_samples),
            new.stages.reshape(n_items, kernels.N_STAGE_ROWS, n_bands),
            subbands.reshape(n_items, n_bands, n_samples),
            shared=(self._coefficients,),
            values=n_samples * n_bands,
        )
        return subbands, new

    def finish(self, state: FilterbankState) -> NDArray[np.complex64]:
        """No delay, so no tail: (..., band, 0)."""
        check_kind(state, FilterbankState, owner="Filterbank")
        lead, n_bands = state.stages.shape[:-2], self.design.n_bands
        return np.empty((*lead, n_bands, 0), dtype=np.complex64)
