"""The statistics by which listeners represent a sound texture.

Eight classes over the compressed envelopes of cochlear bands (McDermott and
Simoncelli 2011, "Sound texture perception via statistics of the auditory
periphery", Neuron 71, Experimental Procedures): four moments of each band, the
correlations between bands, the power in modulation bands, and the two kinds of
correlation between modulation bands. Powers and correlations of modulation
bands are computed from spectra, by Parseval's theorem, without filtering in time.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from echoic.errors import ParameterError
from echoic.style.cochlea import FRAME_HZ, Envelopes, squared

CORRELATION_OFFSETS = (1, 2, 3, 5, 8, 11, 16, 21)
N_MODULATION_BANDS, LOWEST_MODULATION_HZ, HIGHEST_MODULATION_HZ, MODULATION_Q = 20, 0.5, 200.0, 2
OCTAVES_HZ = tuple(3.125 * 2**k for k in range(6))
C1_OFFSETS = (1, 2)
MODULATION_FLOOR = 1e-3  # re the variance; modulation powers span decades, and are used as logs
# Bands of the style this far below the loudest carry no information about the style.
SILENT_DB = -30.0

# Typical spread of each class over sounds: RMS, over its statistics, of their standard deviation
# over a pool of recordings (bench/style.py --scales). Differences are divided by these scales, so
# that all classes weigh alike.
CLASS_SPREADS = {
    "mean": 0.483,
    "variation": 0.281,
    "skewness": 2.28,
    "kurtosis": 0.805,
    "correlation": 0.256,
    "modulation": 1.04,
    "c1": 0.253,
    "c2": 0.19,
}


class TextureStatistics:
    """Statistics of the envelopes, class by class.

    Args:
        n_frames: Length of the envelopes.
        n_bands: Number of bands.

    Shape:
        Envelopes of (band, frame) -> {class: (band, ...)}; the first axis is
        always the band, so that silent bands can be left out.

    Example:
        >>> from echoic.style.cochlea import Cochlea
        >>> heard = Cochlea(22050, sample_rate=22050)(torch.randn(22050))
        >>> statistics = TextureStatistics(400, 30)(heard)
        >>> statistics["modulation"].shape
        torch.Size([30, 20])
    """

    def __init__(self, n_frames: int, n_bands: int) -> None:
        """Design the modulation filters.

        Raises:
            ParameterError: less than 0.2 s of envelopes.
        """
        if n_frames < 0.2 * FRAME_HZ:
            raise ParameterError(
                f"{n_frames / FRAME_HZ:.3f} s are too short for statistics; at least 0.2 s"
            )
        self.n_frames = n_frames
        # Zero-padded, so that every modulation band contains bins, however short the sound.
        self._n_padded = next_fast_len(max(2 * n_frames, round(8 * FRAME_HZ)), real=True)
        padded_hz = np.fft.rfftfreq(self._n_padded, 1 / FRAME_HZ)
        centers = np.geomspace(LOWEST_MODULATION_HZ, HIGHEST_MODULATION_HZ, N_MODULATION_BANDS)
        width_octaves = 2 * math.asinh(1 / (2 * MODULATION_Q)) / math.log(2)
        self._constant_q = _log_half_cosines(padded_hz, centers, width_octaves).square().T
        frequency_hz = np.fft.rfftfreq(n_frames, 1 / FRAME_HZ)
        self._octaves = _log_half_cosines(frequency_hz, np.array(OCTAVES_HZ), 1.0)
        self._n_bands = n_bands

    def __call__(self, heard: Envelopes) -> dict[str, Tensor]:
        """Compute the statistics."""
        envelope = heard.compressed
        mean = envelope.mean(-1, keepdim=True)
        centred = envelope - mean
        variance = centred.square().mean(-1, keepdim=True).clamp(min=1e-12)
        standard = centred / variance.sqrt()
        found = {
            "mean": mean[:, 0].log(),
            "variation": variance[:, 0].sqrt() / mean[:, 0],
            "skewness": (standard * standard.square()).mean(-1),
            "kurtosis": standard.square().square().mean(-1).clamp(min=1).log(),
            "correlation": self._correlations(standard),
        }
        power = squared(torch.fft.rfft(standard, n=self._n_padded))
        power = power * (2 / (self.n_frames * self._n_padded))  # sums to 1, the variance
        found["modulation"] = (power @ self._constant_q + MODULATION_FLOOR).log()
        spectrum = torch.fft.rfft(standard) * math.sqrt(2) / self.n_frames
        octaves = spectrum[:, None] * self._octaves  # (band, octave, frequency)
        found["c1"] = self._across_bands(octaves)
        found["c2"] = self._across_octaves(octaves)
        return found

    def _correlations(self, standard: Tensor) -> Tensor:
        matrix = standard @ standard.T / self.n_frames
        rows = [
            torch.nn.functional.pad(matrix.diagonal(offset), (0, offset))
            for offset in CORRELATION_OFFSETS
            if offset < self._n_bands
        ]
        return torch.stack(rows, -1)

    def _across_bands(self, octaves: Tensor) -> Tensor:
        """C1: correlation of one modulation band between neighbouring cochlear bands."""
        norm = squared(octaves).sum(-1).clamp(min=1e-9).sqrt()
        unit = torch.view_as_real(octaves) / norm[..., None, None]
        rows = [
            torch.nn.functional.pad(
                (unit[:-offset] * unit[offset:]).sum((-1, -2)), (0, 0, 0, offset)
            )
            for offset in C1_OFFSETS
        ]
        return torch.stack(rows, -1)

    def _across_octaves(self, octaves: Tensor) -> Tensor:
        """C2: correlation of modulation bands an octave apart, the phase of the lower doubled."""
        analytic = torch.fft.ifft(octaves, n=self.n_frames) * self.n_frames / math.sqrt(2)
        lower, upper = analytic[:, :-1], analytic[:, 1:]
        magnitude = (squared(lower) + 1e-6).sqrt()
        doubled = lower.square() / magnitude
        norm = (
            (doubled.real.square().mean(-1) * upper.real.square().mean(-1)).clamp(min=1e-9).sqrt()
        )
        real = (doubled.real * upper.real).mean(-1) / norm
        imaginary = (doubled.real * upper.imag).mean(-1) / norm
        return torch.stack([real, imaginary], -1)


def audible_bands(heard: Envelopes) -> Tensor:
    """(band,) bool: those within 30 dB of the loudest band."""
    level = heard.linear.square().mean(-1)
    return level > level.max() * 10 ** (SILENT_DB / 10)


def class_distances(
    found: dict[str, Tensor], wanted: dict[str, Tensor], bands: Tensor
) -> dict[str, Tensor]:
    """Mean squared difference of each class, in units of its scale.

    Args:
        found: Statistics of the sound.
        wanted: Statistics of the style.
        bands: (band,) bool, those that count.
    """
    return {
        name: ((found[name][bands] - wanted[name][bands]) / CLASS_SPREADS[name]).square().mean()
        for name in CLASS_SPREADS
    }


def texture_distance(found: dict[str, Tensor], wanted: dict[str, Tensor], bands: Tensor) -> Tensor:
    """D: the mean over the classes of the RMS difference, in units of the class's scale."""
    distances = class_distances(found, wanted, bands)
    return torch.stack([d.clamp(min=1e-12).sqrt() for d in distances.values()]).mean()


def class_snr_db(
    found: dict[str, Tensor], wanted: dict[str, Tensor], bands: Tensor
) -> dict[str, float]:
    """Energy of each class over that of its error, in dB.

    References: McDermott and Simoncelli (2011): a synthesis has converged at 30 dB, and is flawed
        below 20 dB.
    """
    return {
        name: 10
        * math.log10(
            float(wanted[name][bands].square().sum())
            / max(float((found[name] - wanted[name])[bands].square().sum()), 1e-12)
        )
        for name in CLASS_SPREADS
    }


def _log_half_cosines(
    frequency_hz: np.ndarray, center_hz: np.ndarray, width_octaves: float
) -> Tensor:
    """Responses (filter, frequency), half-cosine in log frequency, −3 dB width as given."""
    octave = np.log2(np.maximum(frequency_hz, 1e-3))
    distance = np.abs(octave - np.log2(center_hz)[:, None]) / width_octaves
    return torch.from_numpy(np.cos(np.pi / 2 * np.clip(distance, 0, 1))).float()
