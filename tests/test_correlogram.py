"""The correlogram against the closed form for a rectified tone; the summary against its own."""

from __future__ import annotations

import numpy as np
import pytest

from echoic.ear import Correlogram, SummaryCorrelogram
from echoic.errors import ParameterError
from echoic.synthesis import click_train, harmonic_complex, tone, white_noise

RATE = 16_000


def sine(frequency_hz: float, amplitude: float = 0.1, rate: int = RATE) -> np.ndarray:
    time_s = np.arange(rate) / rate
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def rectified_power(frequency_hz: float, amplitude: float) -> np.ndarray:
    """Powers of the first harmonics of a half-wave rectified tone behind the membrane."""
    k = np.arange(1, 12)
    even = np.where(k % 2 == 0, 2 / (np.pi * (k**2 - 1.0 + (k == 1))), 0)
    fourier = amplitude * np.where(k == 1, 0.5, even)
    membrane = (1 + (k * frequency_hz / 1000) ** 2) ** -2.0  # four one-poles of 1 kHz
    return np.square(fourier * membrane) / 2


def test_a_tone_at_a_centre_is_the_closed_form() -> None:
    f, amplitude = 400.0, 0.1
    correlogram = Correlogram(sample_rate=48_000, n_bands=1, low_hz=f, high_hz=f)
    frames, _ = correlogram(sine(f, amplitude, 48_000))
    powers = rectified_power(f, amplitude)
    turns = 2 * np.pi * f * np.arange(1, 12)[:, None] * correlogram.lag_s
    wanted = powers @ np.cos(turns) / (powers.sum() + (amplitude / np.pi) ** 2) ** 0.2
    np.testing.assert_allclose(frames[0, :, -1], wanted, atol=0.02 * wanted[0])


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 192_000])
def test_lags_are_seconds_at_every_rate(rate: int) -> None:
    """Clicks every 8 ms come back after 8 and 16 ms, and nowhere else."""
    summary = SummaryCorrelogram(sample_rate=rate)
    frames, _ = summary(click_train(125.0, 0.5, sample_rate=rate))
    assert frames.shape == (summary.lag_s.size, 50)
    assert summary.lag_s[-1] == pytest.approx(0.02, abs=1.1 / 8000)
    best = 0.004 + summary.lag_s[np.argmax(frames[summary.lag_s >= 0.004, -1])]
    assert min(abs(best - 0.008), abs(best - 0.016)) < 1 / 8000


def test_compression_takes_decibels_to_eight_tenths() -> None:
    """20 dB more, a product a hundred times as large, count as 16 dB more."""
    correlogram = Correlogram(sample_rate=RATE)
    soft, loud = (correlogram(sine(300, amplitude))[0] for amplitude in (0.01, 0.1))
    band = int(np.argmin(np.abs(correlogram.center_hz - 300)))
    assert loud[band, 0, -1] / soft[band, 0, -1] == pytest.approx(10**1.6, rel=1e-3)


def test_a_mean_is_taken_off() -> None:
    """The lag of no product at all, half a period, is as far below zero as lag 0 is above."""
    frames, _ = SummaryCorrelogram(sample_rate=RATE)(tone(250, 0.5, sample_rate=RATE))
    assert frames[16, -1] < -0.6  # 2 ms; not −1, for the rectified tone has even harmonics


def test_the_summary_is_that_of_the_bands() -> None:
    wave = harmonic_complex(160.0, 1.0, sample_rate=RATE, level_dbfs=-10)  # 50 samples a period
    bands, _ = Correlogram(sample_rate=RATE)(wave)
    summary, _ = SummaryCorrelogram(sample_rate=RATE)(wave)
    total = bands[..., -20].sum(axis=0)
    np.testing.assert_allclose(summary[:, -20], total / total[0], atol=0.04)


def test_noise_does_not_repeat_itself() -> None:
    wave = white_noise(2.0, sample_rate=RATE, rng=np.random.default_rng(0))
    summary = SummaryCorrelogram(sample_rate=RATE)
    frames, _ = summary(wave)
    assert np.median(frames[summary.lag_s > 0.002, 10:].max(axis=0)) < 0.2


def test_silence_is_zero_and_stays_finite() -> None:
    wave = np.zeros(2 * RATE, np.float32)
    wave[:100] = 1
    for module in (Correlogram(sample_rate=RATE), SummaryCorrelogram(sample_rate=RATE)):
        frames, _ = module(wave)
        assert np.isfinite(frames).all()
        assert np.abs(frames[..., -1]).max() < 1e-6


def test_a_click_is_forgotten_after_window_and_lag() -> None:
    """The window has an end: what came before it leaves no trace in a band that rings short."""
    correlogram = Correlogram(sample_rate=RATE, n_bands=1, low_hz=4000, high_hz=4000)
    wave = np.zeros(RATE, np.float32)
    wave[0] = 1
    frames, _ = correlogram(wave)
    level = np.abs(frames[0, :, :]).max(axis=0)
    assert level[2] > 1e-6
    assert level[40] < 1e-6 * level[0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"hop_s": 0.0005}, "hop_s=0.0005 is outside 0.001 to 1"),
        ({"hop_s": float("nan")}, "hop_s=nan"),
        ({"window_s": 0.005}, "window_s=0.005 is outside 0.01 to 1"),
        ({"longest_lag_s": 0.2}, "longest_lag_s=0.2 is outside 0.001 to 0.1"),
        ({"longest_lag_s": "long"}, "longest_lag_s='long' is not a number"),
        ({"n_bands": 0}, "n_bands=0"),
        ({"sample_rate": 4_000}, "sample_rate=4000"),
    ],
)
def test_wrong_values_are_named(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Correlogram(**{"sample_rate": RATE, **wrong})
