"""The log-magnitude spectrogram that the published systems optimise, and its inversion.

A spectrogram that was optimised as a picture is inconsistent: it belongs to no sound. Griffin and
Lim's iteration finds a sound whose spectrogram is close to it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

N_GRIFFIN_LIM = 500


class LogSpectrogram:
    """log(1 + |S|) of a short-time Fourier transform.

    Args:
        sample_rate: Hz.
        window_s: Length of the Hann window, rounded to an even number of samples.
        n_hops: Hops per window.

    Shape:
        wave (time,) -> (bin, frame).

    Example:
        >>> LogSpectrogram(sample_rate=22050)(torch.randn(22050)).shape
        torch.Size([1025, 44])
    """

    def __init__(
        self, *, sample_rate: float, window_s: float = 2048 / 22050, n_hops: int = 4
    ) -> None:
        """Set window and hop."""
        self.hop_samples = max(1, round(window_s * sample_rate / n_hops))
        self.n_fft = self.hop_samples * n_hops + (self.hop_samples * n_hops) % 2
        self.window = torch.hann_window(self.n_fft)
        self.n_bins = self.n_fft // 2 + 1

    def stft(self, wave: Tensor) -> Tensor:
        """(bin, frame), complex."""
        return torch.stft(
            wave,
            self.n_fft,
            self.hop_samples,
            window=self.window,
            return_complex=True,
            pad_mode="constant",
        )

    def istft(self, spectrum: Tensor, n_samples: int) -> Tensor:
        """The wave whose STFT is nearest."""
        return torch.istft(
            spectrum, self.n_fft, self.hop_samples, window=self.window, length=n_samples
        )

    def __call__(self, wave: Tensor) -> Tensor:
        """Compute the spectrogram of a whole wave."""
        # The tiny offset gives silence a gradient.
        power = torch.view_as_real(self.stft(wave)).square().sum(-1) + 1e-12
        return self.compand(power.sqrt())

    def compand(self, magnitude: Tensor) -> Tensor:
        """Compress magnitudes."""
        return torch.log1p(magnitude)

    def expand(self, shown: Tensor) -> Tensor:
        """Expand back to magnitudes; negative values are clipped to zero."""
        return torch.expm1(shown.clamp(min=0))

    def invert(self, shown: Tensor, n_samples: int, generator: torch.Generator) -> Tensor:
        """Find a wave by Griffin and Lim's iteration from random phases.

        Args:
            shown: (bin, frame), compressed magnitudes.
            n_samples: Length of the wave.
            generator: Random generator of the initial phases.
        """
        magnitude = self.expand(shown)
        phase = torch.rand(magnitude.shape, generator=generator) * 2 * torch.pi
        return self.retrieve(torch.polar(magnitude, phase), n_samples)

    def retrieve(self, spectrum: Tensor, n_samples: int) -> Tensor:
        """Keep the magnitudes of a spectrum (bin, frame), and iterate from its phases to a wave.

        References: Griffin and Lim (1984), IEEE Transactions on ASSP 32(2), section III.
        """
        magnitude = spectrum.abs()
        for _ in range(N_GRIFFIN_LIM):
            consistent = self.stft(self.istft(spectrum, n_samples))
            spectrum = torch.polar(magnitude, consistent.angle())
        return self.istft(spectrum, n_samples)


class DecibelSpectrogram(LogSpectrogram):
    """Magnitudes from −80 to 0 dB re full scale, mapped to 0 to 1."""

    def compand(self, magnitude: Tensor) -> Tensor:
        """Compress magnitudes."""
        full_scale = self.n_fft / 4  # of a sine of amplitude 1 under a Hann window
        return 1 + 20 * (magnitude / full_scale + 1e-4).log10() / 80

    def expand(self, shown: Tensor) -> Tensor:
        """Expand back to magnitudes."""
        full_scale = self.n_fft / 4
        return full_scale * (10 ** (4 * (shown.clamp(0, 1) - 1)) - 1e-4).clamp(min=0)


def wyse_view(sample_rate: float) -> DecibelSpectrogram:
    """The input of Wyse's networks: decibels, in windows of 1024 samples at 22.05 kHz."""
    return DecibelSpectrogram(sample_rate=sample_rate, window_s=1024 / 22050)


def start_and_inverse(
    spectrogram: LogSpectrogram,
    content: Tensor,
    generator: torch.Generator,
    *,
    share_of_noise: float = 1.0,
) -> dict[str, Any]:
    """Fields of a `Problem` on a spectrogram besides its terms: starts, view and invert.

    Args:
        spectrogram: The view.
        content: (time,).
        generator: Random generator of noise and phases.
        share_of_noise: Start from 0 (the content) to 1 (noise of the content's level). At 1, an
            optimised view starts from noise of the level of the content's view: at a lower level,
            Gram matrices after five layers, and their gradients, vanish in single precision.
    """
    level = content.square().mean().sqrt()
    noise = level * torch.randn(content.shape, generator=generator)
    start = (1 - share_of_noise) * content + share_of_noise * noise
    from_noise = None
    if share_of_noise == 1:
        shown = spectrogram(content)
        level = shown.square().mean().sqrt()
        from_noise = level * torch.randn(shown.shape, generator=generator)
    return {
        "start": start,
        "start_view": from_noise,
        "view": spectrogram,
        "invert": lambda view: spectrogram.invert(view, content.shape[-1], generator),
    }
