"""Signal processing shared by all synthesis: levels, contours, spectra, harmonics.

Everything is computed in float64 on whole signals, and finished sounds are float32. Filters act
in the frequency domain and voiced sounds are sums of harmonics, so nothing aliases and nothing
needs recursive filters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from echoic.audio.levels import db_to_gain
from echoic.checks import check_finite, check_number, check_positive, check_sample_rate
from echoic.errors import ParameterError

Wave = NDArray[np.float32]
Floats = NDArray[np.float64]

_CONTROL_STEP = 64  # samples between computed amplitudes of a harmonic
_ALIAS_GUARD = 0.48  # harmonics fade out below this fraction of the sample rate


def check_below_nyquist(sample_rate: float, **frequencies_hz: float) -> None:
    """Raise a ParameterError that names a frequency not within 0 < f < sample_rate / 2."""
    for name, value in frequencies_hz.items():
        check_number(value, name=name)
        if not 0 < value < sample_rate / 2:
            raise ParameterError(
                f"{name}={value} is not above 0 and below sample_rate / 2 = {sample_rate / 2}"
            )


def count_samples(duration_s: float, sample_rate: float) -> int:
    """Return the number of samples in a duration, after both have been checked."""
    check_sample_rate(sample_rate)
    check_positive(duration_s=duration_s)
    return max(1, round(duration_s * sample_rate))


def per_sample(values: ArrayLike, n_samples: int, *, name: str) -> Floats:
    """A constant, or one value per sample, as (n_samples,)."""
    given = np.asarray(values, np.float64)
    if given.shape not in ((), (1,), (n_samples,)):
        raise ParameterError(f"{name} of shape {given.shape} is neither one value nor {n_samples}")
    return np.broadcast_to(given, (n_samples,))


def rms_of(wave: Floats) -> float:
    """Return the RMS, or 1 for silence, so that it is safe to divide by."""
    return float(np.sqrt(np.mean(wave**2))) or 1.0


def to_rms(wave: ArrayLike, level_dbfs: float) -> Wave:
    """Scale to an RMS of level_dbfs (0 dBFS is a mean square of 1); silence stays silence."""
    check_finite(level_dbfs=level_dbfs)
    values = np.asarray(wave, np.float64)
    return (values * (db_to_gain(level_dbfs) / rms_of(values))).astype(np.float32)


def to_peak(wave: ArrayLike, peak_dbfs: float) -> Wave:
    """Scale so that the largest magnitude is peak_dbfs; silence stays silence."""
    check_finite(peak_dbfs=peak_dbfs)
    values = np.asarray(wave, np.float64)
    peak = float(np.abs(values).max())
    return (values * (db_to_gain(peak_dbfs) / peak if peak > 0 else 0.0)).astype(np.float32)


def ramp_gains(n_samples: int, ramp_s: float, sample_rate: float) -> Floats:
    """Return raised-cosine ramps around a steady 1; two ramps must fit into the signal."""
    check_finite(ramp_s=ramp_s)
    n_ramp = round(ramp_s * sample_rate)
    if ramp_s < 0 or 2 * n_ramp > n_samples:
        raise ParameterError(f"ramp_s={ramp_s} does not fit twice into {n_samples} samples")
    gains = np.ones(n_samples)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n_ramp) + 0.5) / max(n_ramp, 1))
    gains[:n_ramp] = rise
    gains[n_samples - n_ramp :] = rise[::-1]
    return gains


def contour(points: Sequence[tuple[float, float]], n_samples: int) -> Floats:
    """Interpolate linearly between (position from 0 to 1, value) points."""
    at, values = zip(*points, strict=True)
    return np.interp(np.linspace(0.0, 1.0, n_samples), at, values)


def wander(
    n_samples: int, rate_hz: float, *, sample_rate: float, rng: np.random.Generator
) -> Floats:
    """Return a smooth random curve of mean about 0 and deviation about 1, with rate_hz knots/s."""
    n_knots = int(np.ceil(n_samples / sample_rate * rate_hz)) + 3
    knots = rng.standard_normal(n_knots)
    at = (np.arange(n_samples) / sample_rate * rate_hz) + rng.random()
    left = at.astype(int)
    # Cosine interpolation: no overshoot and no audible corners.
    part = 0.5 - 0.5 * np.cos(np.pi * (at - left))
    return np.asarray(knots[left] * (1.0 - part) + knots[left + 1] * part)


def spectrally_shaped(
    wave: Floats, gain: Callable[[Floats], Floats], *, sample_rate: float
) -> Floats:
    """Multiply the spectrum by a real gain over frequency (zero phase, circular)."""
    spectrum = np.fft.rfft(wave)
    frequencies: Floats = np.fft.rfftfreq(len(wave), 1.0 / sample_rate).astype(np.float64)
    return np.fft.irfft(spectrum * gain(frequencies), len(wave))


def noise_band(
    n_samples: int,
    low_hz: float,
    high_hz: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    order: int = 2,
    tilt_db_per_octave: float = 0.0,
) -> Floats:
    """Return Gaussian noise between two soft corners (Butterworth magnitudes), RMS 1.

    A single sample has only a component at 0 Hz, and is silent.
    The tilt acts above the lower corner: -3 dB gives equal power per octave within the band.
    """

    def gain(f: Floats) -> Floats:
        up = (f / low_hz) ** order
        tilt = (np.maximum(f, low_hz) / low_hz) ** (tilt_db_per_octave / 6.02)
        return tilt * up / np.sqrt(1 + up**2) / np.sqrt(1 + (f / high_hz) ** (2 * order))

    noise = spectrally_shaped(rng.standard_normal(n_samples), gain, sample_rate=sample_rate)
    return noise / rms_of(noise)


def convolved(wave: Floats, kernel: Floats, n_samples: int | None = None) -> Floats:
    """Convolve by FFT, keeping the first n_samples (by default all of them)."""
    n_full = len(wave) + len(kernel) - 1
    size = 1 << (n_full - 1).bit_length()
    out = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(kernel, size), size)
    return out[: n_full if n_samples is None else n_samples]


def add_at(target: Floats, wave: Floats, start: int) -> None:
    """Add a wave to a longer one in place; samples beyond its end are dropped."""
    if start < len(target):
        part = wave[: len(target) - start]
        target[start : start + len(part)] += part


def formant_response(
    frequencies_hz: Floats, formants_hz: Sequence[float], bandwidths_hz: Sequence[float]
) -> NDArray[np.complex128]:
    """Return the response of resonators in cascade, each with gain 1 at 0 Hz.

    One resonator is 1 / (1 - (f/F)² + i f B/F²), the pair of poles of Klatt (1980), eq. 1,
    in continuous time, which does not change with the sample rate.
    """
    response = np.ones(np.shape(frequencies_hz), np.complex128)
    for formant, bandwidth in zip(formants_hz, bandwidths_hz, strict=True):
        ratio = np.asarray(frequencies_hz) / formant
        response /= 1.0 - ratio**2 + 1j * ratio * bandwidth / formant
    return response


def harmonic_sum(
    f0_hz: Floats,
    amplitude: Callable[[Floats, int], NDArray[np.complex128] | Floats],
    *,
    sample_rate: float,
    high_hz: float = 12000.0,
) -> Floats:
    """Sum the harmonics of a varying fundamental, each with a varying complex amplitude.

    Args:
        f0_hz: Fundamental at every sample, above 0 Hz.
        amplitude: Called with the frequencies of a harmonic at every 64th sample, and its number;
            returns the amplitudes there (real, or complex where the phase matters).
        sample_rate: Hz. Harmonics fade out before they reach half of it.
        high_hz: No harmonic above this.
    Shape:
        f0_hz (time,) -> (time,).
    """
    n_samples = len(f0_hz)
    # Harmonic k is the k-th power of the first: one complex product each instead of a sine.
    first = np.exp(2j * np.pi * np.cumsum(f0_hz) / sample_rate)
    knots = np.append(np.arange(0, n_samples - 1, _CONTROL_STEP), n_samples - 1)
    at = np.arange(n_samples)
    top = min(_ALIAS_GUARD * sample_rate, high_hz)
    out = np.zeros(n_samples)
    harmonic = np.ones_like(first)
    for number in range(1, int(top / f0_hz.min()) + 1):
        harmonic *= first
        frequency = number * f0_hz[knots]
        fade = np.clip((top - frequency) / (0.05 * top), 0.0, 1.0)
        gains = np.asarray(amplitude(frequency, number)) * fade
        out += harmonic.imag * np.interp(at, knots, gains.real)
        if np.iscomplexobj(gains):
            out += harmonic.real * np.interp(at, knots, gains.imag)
    return out


def ringing(
    frequency_hz: float,
    decay_s: float,
    *,
    sample_rate: float,
    phase: float = 0.0,
    n_most: int | None = None,
) -> Floats:
    """Make a sine decaying to -60 dB, of at most n_most samples.

    The result is silent if frequency_hz is 0.48 sample_rate or more.
    """
    n_samples = max(2, int(6.9 * decay_s * sample_rate))
    at = np.arange(n_samples if n_most is None else min(n_samples, n_most)) / sample_rate
    if frequency_hz >= 0.48 * sample_rate:
        return np.zeros(len(at))
    return np.exp(-at / decay_s) * np.sin(2 * np.pi * frequency_hz * at + phase)
