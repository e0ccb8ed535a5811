"""The channel vocoder: impose the band envelopes of a content on a carrier.

With the envelopes raised to a power from 0 to 1, the depth, it trades content against style
without any learning. It is the control that a method of style transfer has to beat, and the
starting point of our own method.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from echoic.style.cochlea import FRAME_HZ, Cochlea
from echoic.units import hz_to_erb_rate

SMOOTHING_HZ = 30.0  # of the content's envelopes: syllables and onsets, not periods of the voice
GAIN_FLOOR_DB = -40.0


def lengthen(wave: Tensor, n_samples: int, *, sample_rate: float, fade_s: float = 0.1) -> Tensor:
    """Repeat a wave with cross-fades until it is long enough, then truncate it.

    The cross-fade preserves the power of uncorrelated signals.
    """
    fade = min(round(fade_s * sample_rate), wave.shape[-1] // 4)
    if wave.shape[-1] >= n_samples:
        return wave[:n_samples]
    step = wave.shape[-1] - fade
    out = torch.zeros(n_samples + fade + wave.shape[-1])
    ramp = torch.linspace(0, 1, fade)
    window = torch.ones(wave.shape[-1])
    window[:fade], window[-fade:] = ramp.sqrt(), ramp.flip(0).sqrt()
    for start in range(0, n_samples + fade, step):
        out[start : start + wave.shape[-1]] += wave * window
    return out[fade : fade + n_samples]


def randomise_phase(wave: Tensor, generator: torch.Generator) -> Tensor:
    """Noise with the wave's magnitude spectrum and random phases, without its events."""
    spectrum = torch.fft.rfft(wave)
    phase = torch.rand(spectrum.shape, generator=generator) * 2 * torch.pi
    return torch.fft.irfft(torch.polar(spectrum.abs(), phase), n=wave.shape[-1])


def smooth(envelope: Tensor, cutoff_hz: float) -> Tensor:
    """Low-pass envelopes (band, frame) with a Gaussian, which never makes them negative."""
    n_frames = envelope.shape[-1]
    # Reflected at both ends, as the circular filter must not mix the end into the start.
    mirrored = torch.cat([envelope, envelope.flip(-1)], -1)
    frequency_hz = torch.fft.rfftfreq(2 * n_frames, 1 / FRAME_HZ)
    response = 2 ** (-0.5 * (frequency_hz / cutoff_hz).square())  # −3 dB at the cut-off
    return torch.fft.irfft(torch.fft.rfft(mirrored) * response, n=2 * n_frames)[..., :n_frames]


def depth_gains(content_envelope: Tensor, depth: float) -> Tensor:
    """The content's band envelopes to the power `depth`, with a mean square of 1 in each band.

    Args:
        content_envelope: (band, frame), linear.
        depth: 0 leaves the carrier as it is, 1 gives it the content's envelopes.
    """
    envelope = smooth(content_envelope, SMOOTHING_HZ)
    envelope = envelope.clamp(min=0) + envelope.amax(-1, keepdim=True) * 10 ** (GAIN_FLOOR_DB / 20)
    gains = envelope.pow(depth)
    return gains / gains.square().mean(-1, keepdim=True).sqrt()


def shape_bands(carrier: Tensor, gains: Tensor, cochlea: Cochlea) -> Tensor:
    """Multiply the bands of a carrier by gains, and sum them.

    Frequencies below the lowest band or above the highest are treated as part of that band, so
    that gains of 1 reconstruct the carrier.

    Args:
        carrier: (time,).
        gains: (band, frame).
        cochlea: The filterbank that defines bands and frames.
    """
    n_samples, sample_rate = carrier.shape[-1], cochlea.sample_rate
    n_padded = next_fast_len(n_samples, real=True)
    bin_erb = hz_to_erb_rate(np.arange(n_padded // 2 + 1) * sample_rate / n_padded)
    bin_erb = np.clip(bin_erb, cochlea.center_erb[0], cochlea.center_erb[-1])
    spectrum = torch.fft.rfft(carrier, n=n_padded)
    at_frame = np.arange(n_samples) * (FRAME_HZ / sample_rate)
    frames = np.arange(gains.shape[-1])
    out = torch.zeros_like(spectrum)
    for center, row in zip(cochlea.center_erb, gains.numpy(), strict=True):
        nearness = np.clip(np.abs(bin_erb - center) / cochlea.spacing_erb, 0, 1)
        response = torch.from_numpy(np.cos(np.pi / 2 * nearness)).float()
        band = torch.fft.irfft(spectrum * response, n=n_padded)[:n_samples]
        gain = torch.from_numpy(np.interp(at_frame, frames, row)).float()
        out += torch.fft.rfft(band * gain, n=n_padded) * response
    return torch.fft.irfft(out, n=n_padded)[:n_samples]


def vocode(content: Tensor, carrier: Tensor, *, sample_rate: float, depth: float) -> Tensor:
    """Impose the content's band envelopes on the carrier, at a depth.

    Args:
        content: (time,).
        carrier: (time,), as long as the content.
        sample_rate: Hz.
        depth: 0 to 1.
    """
    level = float(content.square().mean().sqrt())
    cochlea = Cochlea(content.shape[-1], sample_rate=sample_rate, level=level)
    return shape_bands(carrier, depth_gains(cochlea(content).linear, depth), cochlea)
