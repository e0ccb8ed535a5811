"""Filter design: coefficients of gammatone banks and of their inverse, in float64.

A band is a complex gammatone filter of order 4: four equal one-pole stages

    H(z) = ((1 − |p|) / (1 − p z⁻¹))⁴,  p = exp(−2π·1.019·B/rate)·exp(2πi·f/rate)

with unit gain at its centre f; B is its equivalent rectangular bandwidth
(Patterson et al. 1992; the complex form after Hohmann 2002).

Two banks share this form. The *listening* bank follows the ERB scale, where
harmonics are resolved. The *separating* bank widens the low bands to 100 Hz,
because a narrower band cannot respond within 4 ms, and its neighbours would have
to cancel it at resynthesis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_count, check_number, check_sample_rate
from echoic.errors import ParameterError
from echoic.units import ERB_SLOPE_PER_HZ, erb_hz, erb_rate_to_hz, hz_to_erb_rate

ORDER = 4
# Ratio of a fourth-order gammatone's decay parameter b to its equivalent
# rectangular bandwidth (Patterson et al. 1992).
DECAY_PER_ERB = 1.019

MAX_BANDS = 256
# Defaults of the listening bank: half an ERB apart.
N_BANDS, LOW_HZ, HIGH_HZ = 64, 50.0, 7600.0


@dataclass(frozen=True, eq=False)
class BankDesign:
    """A gammatone bank: one filter per band, low to high.

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

    @property
    def ring_samples(self) -> int:
        """Samples after which every band's ringing is below −200 dB."""
        # exp(−2π·1.019·6) is −334 dB; t³, relative to the peak of the response, adds 93 dB.
        return int(6 / self.bandwidth_hz.min() * self.sample_rate)

    def impulse_response(self, n_samples: int) -> NDArray[np.complex128]:
        """Impulse responses in closed form, (band, time): gain · C(n+3, 3) · pⁿ."""
        n = np.arange(n_samples)
        binomial = (n + 3) * (n + 2) * (n + 1) / 6
        return self.gain[:, None] * binomial * self.pole[:, None] ** n

    def frequency_response(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Frequency responses in closed form at frequencies in Hz, (band, frequency)."""
        delay = np.exp(-2j * np.pi * np.asarray(frequency_hz) / self.sample_rate)
        return self.gain[:, None] / (1 - self.pole[:, None] * delay) ** ORDER


def gammatone_bank(
    sample_rate: float, center_hz: NDArray[np.float64], bandwidth_hz: NDArray[np.float64]
) -> BankDesign:
    """Bank with these centres and bandwidths (band,) in Hz; bands from Nyquist up are silent."""
    heard = center_hz < sample_rate / 2
    radius = np.exp(-2 * np.pi * DECAY_PER_ERB * bandwidth_hz / sample_rate)
    pole = np.where(heard, radius * np.exp(2j * np.pi * center_hz / sample_rate), 0)
    gain = np.where(heard, (1 - radius) ** ORDER, 0)
    return BankDesign(sample_rate, center_hz, bandwidth_hz, pole, gain)


def design_listening(
    *, sample_rate: float, n_bands: int = N_BANDS, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ
) -> BankDesign:
    """Design the listening bank: evenly spaced in ERB rate, the same in Hz at every rate.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band; 0 < low_hz < high_hz, or equal for a single band.
        high_hz: Centre of the highest band. Bands from Nyquist up are silent,
            so that a network gets the same 64 bands at every rate.

    Raises:
        ParameterError: a value outside of its range.

    Example:
        >>> design_listening(sample_rate=16000).center_hz[[0, -1]].round().tolist()
        [50.0, 7600.0]
    """
    sample_rate = check_sample_rate(sample_rate)
    n_bands = check_count(n_bands, name="n_bands", highest=MAX_BANDS)
    check_number(low_hz, name="low_hz")
    check_number(high_hz, name="high_hz")
    if not 0 < low_hz <= high_hz < np.inf:
        raise ParameterError(f"low_hz={low_hz!r}, high_hz={high_hz!r}: need 0 < low <= high")
    if low_hz == high_hz and n_bands > 1:
        raise ParameterError(
            f"low_hz={low_hz!r}, high_hz={high_hz!r}: {n_bands} bands need low < high"
        )
    if low_hz >= sample_rate / 2:
        raise ParameterError(
            f"low_hz={low_hz!r} is not below half the sample rate, {sample_rate / 2:g} Hz"
        )
    erb_rates = np.linspace(hz_to_erb_rate(low_hz), hz_to_erb_rate(high_hz), n_bands)
    center_hz = erb_rate_to_hz(erb_rates)
    return gammatone_bank(sample_rate, center_hz, erb_hz(center_hz))


# The separating bank: fixed up to the highest band for which networks estimate a gain.
BANDWIDTH_FLOOR_HZ = 100.0
SEPARATING_LOW_HZ, SEPARATING_HIGH_HZ = 30.0, HIGH_HZ
N_GAIN_BANDS = 64


class _Places:
    """Frequency scale in bandwidths, max(ERB, floor), counted from 0 Hz; and its inverse."""

    def __init__(self, floor_hz: float) -> None:
        # The ERB is narrowest at 0 Hz; the knee is where the ERB equals the floor.
        self.floor_hz = max(floor_hz, float(erb_hz(0.0)))
        self.knee_hz = float((self.floor_hz / erb_hz(0.0) - 1) / ERB_SLOPE_PER_HZ)

    def of_hz(self, frequency_hz: float) -> float:
        above = hz_to_erb_rate(max(frequency_hz, self.knee_hz)) - hz_to_erb_rate(self.knee_hz)
        return float(min(frequency_hz, self.knee_hz) / self.floor_hz + above)

    def to_hz(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        knee = self.knee_hz / self.floor_hz
        above = erb_rate_to_hz(hz_to_erb_rate(self.knee_hz) + np.maximum(place - knee, 0))
        return np.minimum(place, knee) * self.floor_hz + above - self.knee_hz


def design_separating(
    *,
    sample_rate: float,
    n_bands: int | None = None,
    bandwidth_floor_hz: float = BANDWIDTH_FLOOR_HZ,
) -> BankDesign:
    """Design the separating bank, to which masks are applied.

    Bandwidths are max(ERB, floor), and the spacing is proportional to them. By
    default the bank is the one that the networks' masks refer to: 64 bands from
    30 Hz to 7.6 kHz at every rate, and above them as many more at the same spacing
    as fit below Nyquist; at rates below 15.2 kHz the bands from Nyquist up are silent.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        n_bands: Total number of bands, 2 to 256, from 30 Hz to just below Nyquist.
        bandwidth_floor_hz: Lowest bandwidth, up to 1000 Hz; 0 keeps the ERBs. A band
            responds after about 0.47 / bandwidth seconds, 100 Hz after 4.7 ms.
            With narrower bands, more of them are needed.

    Raises:
        ParameterError: a value outside of its range.

    Example:
        >>> design_separating(sample_rate=16000).n_bands
        64
    """
    if n_bands is not None:
        n_bands = check_count(n_bands, name="n_bands", lowest=2, highest=MAX_BANDS)
    check_number(bandwidth_floor_hz, name="bandwidth_floor_hz")
    if not 0 <= bandwidth_floor_hz <= 1000:
        raise ParameterError(f"bandwidth_floor_hz={bandwidth_floor_hz!r} is outside 0 to 1000 Hz")
    return _design_separating(check_sample_rate(sample_rate), n_bands, float(bandwidth_floor_hz))


@lru_cache(maxsize=32)
def _design_separating(sample_rate: float, n_bands: int | None, floor_hz: float) -> BankDesign:
    places = _Places(floor_hz)
    low, nyquist = places.of_hz(SEPARATING_LOW_HZ), places.of_hz(sample_rate / 2)
    if n_bands is None:
        high = places.of_hz(SEPARATING_HIGH_HZ)
        step = (high - low) / (N_GAIN_BANDS - 1)
        n_bands = N_GAIN_BANDS + max(0, int((nyquist - high) / step - 0.25))
    else:
        step = (nyquist - low) / (n_bands - 0.25)
    center_hz = places.to_hz(low + step * np.arange(n_bands, dtype=np.float64))
    return gammatone_bank(sample_rate, center_hz, np.maximum(erb_hz(center_hz), floor_hz))


# Spacing of a band's taps, relative to its rise time.
_TAP_SPACING = 0.1
MAX_TAPS = 4


@dataclass(frozen=True, eq=False)
class InverseDesign:
    """Weights and delays that resynthesise the signal from the bands.

    Attributes:
        weight: (tap, band) complex128.
        band_delay_samples: (tap, band) int64, none longer than `delay_samples`.
        delay_samples: Overall delay D of analysis and synthesis.
    """

    weight: NDArray[np.complex128]
    band_delay_samples: NDArray[np.int64]
    delay_samples: int

    def frequency_response(
        self, bank: BankDesign, frequency_hz: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Response of analysis and synthesis, (frequency,): nearly exp(−2πi·f·D/rate)."""
        f = np.asarray(frequency_hz, dtype=np.float64)
        advance = -2j * np.pi * f / bank.sample_rate
        # Re(w·y) is half the sum of w·y and its conjugate, whose spectrum is mirrored.
        positive, negative = bank.frequency_response(f), bank.frequency_response(-f).conj()
        total = np.zeros(f.shape, np.complex128)
        for weight, delay in zip(self.weight, self.band_delay_samples, strict=True):
            turn = np.exp(advance * delay[:, None])
            total += (weight / 2) @ (positive * turn) + (weight.conj() / 2) @ (negative * turn)
        return total


@lru_cache(maxsize=32)
def _design_inverse(
    bank: BankDesign, delay_samples: int, ridge: float, n_taps: int
) -> InverseDesign:
    heard = bank.gain > 0
    # A gammatone's envelope t³·exp(−2πbt) peaks at 3/(2πb): delay each band so
    # that all peaks align at D; a band slower than D is not delayed.
    peak = 3 / (2 * np.pi * DECAY_PER_ERB * bank.bandwidth_hz) * bank.sample_rate
    first = np.maximum(delay_samples - np.rint(peak).astype(np.int64), 0)
    spacing = np.maximum(np.rint(_TAP_SPACING * peak).astype(np.int64), 1)
    band_delay = np.minimum(first + np.arange(n_taps)[:, None] * spacing, delay_samples)
    band_delay = np.where(heard, band_delay, 0)

    n_samples = delay_samples + bank.ring_samples
    undelayed = bank.impulse_response(n_samples)[heard]
    response = np.zeros((n_taps, *undelayed.shape), dtype=np.complex128)
    for tap, delays in enumerate(band_delay[:, heard]):
        for b, d in enumerate(delays):
            response[tap, b, d:] = undelayed[b, : n_samples - d]
    response = response.reshape(-1, n_samples)
    # Re(w·h) = Re(w)·Re(h) − Im(w)·Im(h): linear in the real unknowns (Re w, Im w).
    # The fit weights the whole spectrum equally, by Parseval the same as a fit over time.
    basis = np.concatenate([response.real, -response.imag])
    gram = basis @ basis.T
    gram += ridge * np.diag(np.diag(gram))
    solution = np.linalg.solve(gram, basis[:, delay_samples])
    real, imag = solution.reshape(2, n_taps, -1)
    weight = np.zeros(band_delay.shape, dtype=np.complex128)
    weight[:, heard] = real + 1j * imag
    return InverseDesign(weight, band_delay, delay_samples)


def design_inverse(
    bank: BankDesign, *, delay_s: float = 0.004, n_taps: int = 1, ridge: float = 1e-9
) -> InverseDesign:
    """Least-squares weights that make Σ Re(w·H·z⁻ᵈ) as close as possible to z⁻ᴰ.

    One complex weight and one integer delay per band and tap. A small ridge keeps
    neighbouring bands from cancelling each other, since masks would undo the
    cancellation.

    Args:
        bank: The analysis bank.
        delay_s: Overall delay in seconds, 1 to 100 ms.
        n_taps: Taps per band, 1 to 4, spaced a tenth of the band's rise time apart.
            Two reduce the error by 10 to 30 dB.
        ridge: Regularisation, relative to each band's energy.

    Raises:
        ParameterError: a value outside of its range.
    """
    check_number(delay_s, name="delay_s")
    if not 0.001 <= delay_s <= 0.1:
        raise ParameterError(f"delay_s={delay_s!r} is outside 0.001 to 0.1 s")
    n_taps = check_count(n_taps, name="n_taps", highest=MAX_TAPS)
    check_number(ridge, name="ridge")
    if not 0 < ridge < 1:
        raise ParameterError(f"ridge={ridge!r} is not between 0 and 1")
    return _design_inverse(bank, round(delay_s * bank.sample_rate), ridge, n_taps)
