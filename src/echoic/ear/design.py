"""Parameters to coefficients: gammatone banks and their inverse, in float64.

A band is a complex gammatone filter of order 4: four equal one-pole stages

    H(z) = ((1 − |p|) / (1 − p z⁻¹))⁴,  p = exp(−2π·1.019·B/rate)·exp(2πi·f/rate)

with unit gain at its centre f; B is its equivalent rectangular bandwidth
(Patterson et al. 1992; the complex form after Hohmann 2002).

Two banks share this form. The *listening* bank follows the ERB scale, where
harmonics are resolved. The *separating* bank widens the low bands to 100 Hz,
because a narrower band cannot answer within 4 ms and would have to be
cancelled by its neighbours when the bands are put together again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.units import ERB_SLOPE_PER_HZ, erb_hz, erb_rate_to_hz, hz_to_erb_rate

ORDER = 4
# Ratio of a fourth-order gammatone's decay parameter b to its equivalent
# rectangular bandwidth (Patterson et al. 1992).
DECAY_PER_ERB = 1.019

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000.0, 192_000.0
MAX_BANDS = 256


@dataclass(frozen=True, eq=False)
class BankDesign:
    """A gammatone bank: one filter a band, low to high.

    Attributes:
        sample_rate: Hz.
        center_hz: (band,) centre frequencies; those from Nyquist up are silent.
        bandwidth_hz: (band,) equivalent rectangular bandwidths.
        pole: (band,) complex128; 0 for a silent band.
        gain: (band,) float64, product of the four stage gains; 0 if silent.
    """

    sample_rate: float
    center_hz: NDArray[np.float64]
    bandwidth_hz: NDArray[np.float64]
    pole: NDArray[np.complex128]
    gain: NDArray[np.float64]

    @property
    def n_bands(self) -> int:
        """Number of bands, silent ones included."""
        return int(self.center_hz.size)

    def impulse_response(self, n_samples: int) -> NDArray[np.complex128]:
        """The closed form, (band, time): gain · C(n+3, 3) · pⁿ."""
        n = np.arange(n_samples)
        binomial = (n + 3) * (n + 2) * (n + 1) / 6
        return self.gain[:, None] * binomial * self.pole[:, None] ** n

    def frequency_response(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        """The closed form at the given frequencies in Hz, (band, frequency)."""
        delay = np.exp(-2j * np.pi * np.asarray(frequency_hz) / self.sample_rate)
        return self.gain[:, None] / (1 - self.pole[:, None] * delay) ** ORDER


def check_sample_rate(sample_rate: float) -> float:
    """Return the rate as a float.

    Raises:
        ParameterError: not a number from 8 to 192 kHz.
    """
    if not LOWEST_RATE_HZ <= sample_rate <= HIGHEST_RATE_HZ:
        raise ParameterError(
            f"sample_rate={sample_rate!r} is outside {LOWEST_RATE_HZ:.0f} to "
            f"{HIGHEST_RATE_HZ:.0f} Hz"
        )
    return float(sample_rate)


def _gammatone_bank(
    sample_rate: float, center_hz: NDArray[np.float64], bandwidth_hz: NDArray[np.float64]
) -> BankDesign:
    heard = center_hz < sample_rate / 2
    radius = np.exp(-2 * np.pi * DECAY_PER_ERB * bandwidth_hz / sample_rate)
    pole = np.where(heard, radius * np.exp(2j * np.pi * center_hz / sample_rate), 0)
    gain = np.where(heard, (1 - radius) ** ORDER, 0)
    return BankDesign(sample_rate, center_hz, bandwidth_hz, pole, gain)


def design_listening(
    *, sample_rate: float, n_bands: int = 64, low_hz: float = 50.0, high_hz: float = 7600.0
) -> BankDesign:
    """Bands spaced evenly on the ERB-rate scale, the same in Hz at every rate.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band; 0 < low_hz <= high_hz.
        high_hz: Centre of the highest band. Bands from Nyquist up are silent,
            so that a network meets the same 64 places at every rate.

    Raises:
        ParameterError: a value outside of its range.

    Example:
        >>> design_listening(sample_rate=16000).center_hz[[0, -1]].round().tolist()
        [50.0, 7600.0]
    """
    sample_rate = check_sample_rate(sample_rate)
    if not (isinstance(n_bands, int | np.integer) and 1 <= n_bands <= MAX_BANDS):
        raise ParameterError(f"n_bands={n_bands!r} is not a whole number from 1 to {MAX_BANDS}")
    if not 0 < low_hz <= high_hz < np.inf:
        raise ParameterError(f"low_hz={low_hz!r}, high_hz={high_hz!r}: need 0 < low <= high")
    if low_hz >= sample_rate / 2:
        raise ParameterError(
            f"low_hz={low_hz!r} is not below half the sample rate, {sample_rate / 2:g} Hz"
        )
    erb_rates = np.linspace(hz_to_erb_rate(low_hz), hz_to_erb_rate(high_hz), n_bands)
    center_hz = erb_rate_to_hz(erb_rates)
    return _gammatone_bank(sample_rate, center_hz, erb_hz(center_hz))


# The separating bank: fixed up to the highest band that networks give a gain.
BANDWIDTH_FLOOR_HZ = 100.0
SEPARATING_LOW_HZ, SEPARATING_HIGH_HZ = 30.0, 7600.0
N_GAIN_BANDS = 64
# The frequency at which an ERB is as wide as the floor.
_KNEE_HZ = float((BANDWIDTH_FLOOR_HZ / erb_hz(0.0) - 1) / ERB_SLOPE_PER_HZ)


def _hz_to_place(frequency_hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Bandwidths below a frequency, where a bandwidth is max(ERB, 100 Hz)."""
    frequency_hz = np.asarray(frequency_hz, dtype=np.float64)
    above = hz_to_erb_rate(np.maximum(frequency_hz, _KNEE_HZ)) - hz_to_erb_rate(_KNEE_HZ)
    return np.minimum(frequency_hz, _KNEE_HZ) / BANDWIDTH_FLOOR_HZ + above


def _place_to_hz(place: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE_HZ / BANDWIDTH_FLOOR_HZ
    above = erb_rate_to_hz(hz_to_erb_rate(_KNEE_HZ) + np.maximum(place - knee, 0))
    return np.minimum(place, knee) * BANDWIDTH_FLOOR_HZ + above - _KNEE_HZ


def design_separating(*, sample_rate: float) -> BankDesign:
    """The bank that sounds are taken apart in.

    64 bands from 30 Hz to 7.6 kHz at every rate, bandwidth max(ERB, 100 Hz),
    spaced in proportion to it, then as many more at the same spacing as reach
    up to Nyquist. Below 15.2 kHz the bands from Nyquist up are silent.

    Raises:
        ParameterError: a rate outside 8 to 192 kHz.

    Example:
        >>> design_separating(sample_rate=16000).n_bands
        64
    """
    return _design_separating(check_sample_rate(sample_rate))


@lru_cache(maxsize=32)
def _design_separating(sample_rate: float) -> BankDesign:
    low, high = _hz_to_place(SEPARATING_LOW_HZ), _hz_to_place(SEPARATING_HIGH_HZ)
    step = (high - low) / (N_GAIN_BANDS - 1)
    above = max(0, int((_hz_to_place(sample_rate / 2) - high) / step - 0.25))
    center_hz = _place_to_hz(low + step * np.arange(N_GAIN_BANDS + above))
    return _gammatone_bank(
        sample_rate, center_hz, np.maximum(erb_hz(center_hz), BANDWIDTH_FLOOR_HZ)
    )


@dataclass(frozen=True, eq=False)
class InverseDesign:
    """Weights and delays that put the bands together again.

    Attributes:
        weight: (band,) complex128.
        band_delay_samples: (band,) int64.
        delay_samples: Delay D of the whole, analysis and synthesis.
    """

    weight: NDArray[np.complex128]
    band_delay_samples: NDArray[np.int64]
    delay_samples: int


@lru_cache(maxsize=32)
def _design_inverse(bank: BankDesign, delay_samples: int, ridge: float) -> InverseDesign:
    heard = bank.gain > 0
    # A gammatone's envelope t³·exp(−2πbt) peaks at 3/(2πb): delay each band so
    # that all peaks meet at D; a band slower than D is not delayed at all.
    peak_s = 3 / (2 * np.pi * DECAY_PER_ERB * bank.bandwidth_hz)
    wanted = delay_samples - np.rint(peak_s * bank.sample_rate).astype(np.int64)
    band_delay = np.where(heard, np.maximum(wanted, 0), 0)

    # What remains of an impulse after this long is below −200 dB.
    n_samples = delay_samples + int(0.06 * bank.sample_rate)
    response = bank.impulse_response(n_samples)
    for b, d in enumerate(band_delay):
        response[b, d:] = response[b, : n_samples - d].copy()
        response[b, :d] = 0
    # Re(w·h) = Re(w)·Re(h) − Im(w)·Im(h): linear in the real unknowns (Re w, Im w).
    # Over the whole spectrum, equally weighted, which by Parseval is over time.
    basis = np.concatenate([response.real[heard], -response.imag[heard]])
    gram = basis @ basis.T
    gram += ridge * np.diag(np.diag(gram))
    solution = np.linalg.solve(gram, basis[:, delay_samples])
    n_heard = int(heard.sum())
    weight = np.zeros(bank.n_bands, dtype=np.complex128)
    weight[heard] = solution[:n_heard] + 1j * solution[n_heard:]
    return InverseDesign(weight, band_delay, delay_samples)


def design_inverse(
    bank: BankDesign, *, delay_s: float = 0.004, ridge: float = 1e-9
) -> InverseDesign:
    """Least-squares weights so that Σ Re(w·H·z⁻ᵈ) comes as near as can be to z⁻ᴰ.

    One complex weight and one whole delay a band; a little ridge keeps
    neighbouring bands from fighting each other, since masks would tear apart
    what they cancel.

    Args:
        bank: The analysis bank.
        delay_s: Delay of the whole in seconds, 1 to 100 ms.
        ridge: Regularisation, relative to each band's energy.

    Raises:
        ParameterError: a delay or ridge outside of its range.
    """
    if not 0.001 <= delay_s <= 0.1:
        raise ParameterError(f"delay_s={delay_s!r} is outside 0.001 to 0.1 s")
    if not 0 < ridge < 1:
        raise ParameterError(f"ridge={ridge!r} is not between 0 and 1")
    return _design_inverse(bank, round(delay_s * bank.sample_rate), ridge)
