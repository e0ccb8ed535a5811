"""The inverse filterbank: reconstruction error, delay, and masks without clicks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from echoic.ear import Filterbank, Inverse, invert_exactly
from echoic.ear.design import design_inverse, design_listening, design_separating
from echoic.errors import ParameterError
from echoic.processors.masks import DELAY_S, ApplyMasks
from echoic.synthesis import band_noise, vowel

RATES = (8_000, 16_000, 44_100, 48_000, 96_000, 192_000)


def noisy_speech(rate: int, duration_s: float = 1.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(4)
    speech = vowel("iy", duration_s, sample_rate=rate, f0_hz=140)
    return speech + 0.3 * band_noise(60, 3600, duration_s, sample_rate=rate, rng=rng)


def ratio_db(wanted: np.ndarray, got: np.ndarray) -> float:
    error = np.asarray(got, np.float64) - wanted
    return float(10 * np.log10(np.sum(np.square(wanted, dtype=np.float64)) / np.sum(error**2)))


def through(wave: NDArray[np.float32], inverse: Inverse) -> NDArray[np.float64]:
    bank = Filterbank(sample_rate=inverse.bank.sample_rate, design=inverse.bank)
    return inverse(bank(wave)[0])[0].sum(axis=0, dtype=np.float64)


def exactly(wave: NDArray[np.float32], design, gains=1) -> NDArray[np.float32]:  # type: ignore[no-untyped-def]
    bank = Filterbank(sample_rate=design.sample_rate, design=design)
    ring = [(0, 0)] * (wave.ndim - 1) + [(0, design.ring_samples)]
    subbands, _ = bank(np.pad(wave, ring))
    return invert_exactly(gains * subbands, design=design)[..., : wave.shape[-1]]


@pytest.mark.parametrize(
    ("rate", "delay_s", "n_taps", "n_bands", "wanted_db"),
    [
        (16_000, 0.002, 2, None, 80),
        (16_000, 0.004, 1, 64, 75),
        (16_000, 0.004, 2, None, 80),
        (16_000, 0.008, 2, None, 80),
        (16_000, 0.016, 2, None, 80),
        (48_000, 0.004, 1, 96, 80),
        (8_000, 0.004, 2, None, 80),
        (44_100, 0.004, 2, None, 80),
        (96_000, 0.004, 2, None, 80),
    ],
)
def test_bands_add_up_to_noisy_speech(
    rate: int, delay_s: float, n_taps: int, n_bands: int | None, wanted_db: float
) -> None:
    design = design_separating(sample_rate=rate, n_bands=n_bands)
    inverse = Inverse(sample_rate=rate, delay_s=delay_s, n_taps=n_taps, design=design)
    assert inverse.delay == round(delay_s * rate)
    wave = noisy_speech(rate)
    given = through(wave, inverse)[inverse.delay :]
    assert ratio_db(wave[: given.size], given) > wanted_db


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("delay_s", [0.002, 0.004, 0.016])
@pytest.mark.parametrize("n_taps", [1, 2])
def test_no_ripple_from_60_hz_to_nine_tenths_of_nyquist(
    rate: int, delay_s: float, n_taps: int
) -> None:
    bank = design_separating(sample_rate=rate)
    inverse = design_inverse(bank, delay_s=delay_s, n_taps=n_taps)
    frequency_hz = np.linspace(60, 0.9 * rate / 2, 2000)
    back = np.exp(2j * np.pi * frequency_hz * inverse.delay_samples / rate)
    ripple = np.abs(inverse.frequency_response(bank, frequency_hz) * back - 1)
    assert 20 * np.log10(ripple.max()) < -55


@pytest.mark.parametrize("n_taps", [1, 3])
def test_response_to_a_click_is_the_closed_form(n_taps: int) -> None:
    inverse = Inverse(sample_rate=16_000, n_taps=n_taps)
    n_samples = 2048
    got = np.fft.rfft(through(np.eye(1, n_samples, dtype=np.float32)[0], inverse))
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / 16_000)
    wanted = inverse.design.frequency_response(inverse.bank, frequency_hz)
    np.testing.assert_allclose(got, wanted, atol=2e-5)


def test_a_lower_floor_with_a_longer_delay() -> None:
    design = design_separating(sample_rate=16_000, n_bands=96, bandwidth_floor_hz=50)
    assert design.n_bands == 96
    assert design.bandwidth_hz.min() == 50
    inverse = Inverse(sample_rate=16_000, delay_s=0.008, n_taps=2, design=design)
    wave = noisy_speech(16_000)
    assert ratio_db(wave[:-128], through(wave, inverse)[128:]) > 80


@pytest.mark.parametrize("n_taps", [1, 2])
def test_the_future_is_not_heard(n_taps: int) -> None:
    """Whatever comes from a sample on, nothing before it changes by a single bit."""
    inverse = Inverse(sample_rate=16_000, delay_s=0.002, n_taps=n_taps)
    wave = noisy_speech(16_000, 0.2)
    for cut in (1, 777, 3199):
        other = wave.copy()
        other[cut:] = -1
        np.testing.assert_array_equal(through(other, inverse)[:cut], through(wave, inverse)[:cut])


def above_db(wave: np.ndarray, frequency_hz: float, rate: int) -> float:
    """Energy above a frequency, of all of it."""
    power = np.abs(np.fft.rfft(wave * np.hanning(wave.size))) ** 2
    first = int(frequency_hz * wave.size / rate)
    return float(10 * np.log10(power[first:].sum() / power.sum()))


def test_gains_that_switch_do_not_click() -> None:
    rate, hop = 16_000, 80
    inverse = Inverse(sample_rate=rate, delay_s=DELAY_S)
    tone = np.sin(2 * np.pi * 500 * np.arange(rate // 2) / rate).astype(np.float32)
    bands = inverse(Filterbank(sample_rate=rate, design=inverse.bank)(tone)[0])[0]
    n_frames = tone.size // hop
    gains = np.repeat(np.tile(np.float32([1, 0]), n_frames // 10), 5)
    masks = np.ascontiguousarray(np.broadcast_to(gains, (1, inverse.bank.n_bands, n_frames)))
    apply = ApplyMasks(n_labels=1, frames_per_step=1, sample_rate=rate)
    out = apply(tone[np.newaxis], masks)[0][0]
    # A mask takes effect where its step ends.
    hard = np.pad(bands.sum(axis=0)[hop:] * np.repeat(gains, hop)[:-hop], (hop, 0))
    assert above_db(out[0, 800:-800], 4000, rate) < above_db(hard[800:-800], 4000, rate) - 15
    assert above_db(out[0, 800:-800], 4000, rate) < -55


@pytest.mark.parametrize("rate", RATES[:-1])
def test_exact_for_files(rate: int) -> None:
    wave = noisy_speech(rate, 0.5)
    assert ratio_db(wave, exactly(wave, design_separating(sample_rate=rate))) > 105


def test_exact_through_the_listening_bank_too() -> None:
    wave = noisy_speech(16_000, 0.5)
    assert ratio_db(wave, exactly(wave, design_listening(sample_rate=16_000))) > 105


def test_exact_inverse_has_no_delay_and_free_leading_axes() -> None:
    clicks = np.zeros((2, 2, 400), np.float32)
    clicks[0, 0, 0] = clicks[0, 1, 150] = clicks[1, 0, 399] = 1
    again = exactly(clicks, design_separating(sample_rate=16_000))
    np.testing.assert_allclose(again, clicks, atol=1e-5)


def test_constant_gains_are_a_zero_phase_filter() -> None:
    """Σ g·|H|² / Σ |H|², with the negative frequencies folded in."""
    design = design_separating(sample_rate=16_000)
    gains = np.random.default_rng(5).random((design.n_bands, 1)).astype(np.float32)
    click = np.zeros(4096, np.float32)
    click[2048] = 1
    got = np.fft.rfft(exactly(click, design, gains)) * (-1.0) ** np.arange(2049)
    frequency_hz = np.fft.rfftfreq(click.size, 1 / 16_000)
    power = np.zeros((design.n_bands, frequency_hz.size))
    for side in (1, -1):
        power += np.abs(design.frequency_response(side * frequency_hz)) ** 2
    wanted = (gains * power).sum(axis=0) / power.sum(axis=0)
    np.testing.assert_allclose(got.real, wanted, atol=1e-5)
    np.testing.assert_allclose(got.imag, 0, atol=1e-5)


def test_gains_may_jump_before_the_exact_inverse() -> None:
    rate = 16_000
    design = design_separating(sample_rate=rate)
    tone = np.sin(2 * np.pi * 500 * np.arange(rate // 2) / rate).astype(np.float32)
    switch = (np.arange(tone.size + design.ring_samples) // 400 % 2).astype(np.float32)
    soft = exactly(tone, design, switch)
    hard = tone * switch[: tone.size]
    assert above_db(soft[800:-800], 4000, rate) < above_db(hard[800:-800], 4000, rate) - 20


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"delay_s": 0.0005}, "delay_s=0.0005 is outside 0.001 to 0.1 s"),
        ({"delay_s": 1}, "delay_s=1 "),
        ({"delay_s": float("nan")}, "delay_s=nan"),
        ({"n_taps": 0}, "n_taps=0 is not an integer from 1 to 4"),
        ({"n_taps": 1.5}, "n_taps=1.5"),
        ({"sample_rate": 7_000}, "sample_rate=7000"),
        ({"design": design_separating(sample_rate=8_000)}, "the design is for 8000 Hz"),
    ],
)
def test_bad_parameters_are_named(options: dict, named: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ParameterError, match=named):
        Inverse(**{"sample_rate": 16_000, **options})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n_bands": 0}, "n_bands=0 is not an integer from 2 to 256"),
        ({"n_bands": -3}, "n_bands=-3"),
        ({"n_bands": 257}, "n_bands=257"),
        ({"n_bands": 64.0}, "n_bands=64.0"),
        ({"bandwidth_floor_hz": -1}, "bandwidth_floor_hz=-1 is outside 0 to 1000 Hz"),
        ({"bandwidth_floor_hz": 2000}, "bandwidth_floor_hz=2000"),
    ],
)
def test_a_bank_that_cannot_be_is_named(options: dict, named: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ParameterError, match=named):
        design_separating(sample_rate=16_000, **options)


@pytest.mark.parametrize(
    ("subbands", "named"),
    [
        (np.zeros((64, 10), np.float32), "complex numpy array, not float32"),
        ([[1j]], "complex numpy array, not list"),
        (np.zeros((63, 10), np.complex64), "64 bands"),
        (np.zeros(64, np.complex64), "64 bands"),
    ],
)
def test_what_are_no_subbands_is_refused(subbands: object, named: str) -> None:
    design = design_separating(sample_rate=16_000)
    with pytest.raises(ParameterError, match=named):
        Inverse(sample_rate=16_000)(subbands)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=named):
        invert_exactly(subbands, design=design)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"delay_s": 0.008}, {"n_taps": 2}])
def test_a_state_of_another_inverse_is_refused(options: dict) -> None:  # type: ignore[type-arg]
    subbands = np.zeros((64, 10), np.complex64)
    _, state = Inverse(sample_rate=16_000)(subbands)
    with pytest.raises(ParameterError, match="does not belong to this Inverse"):
        Inverse(sample_rate=16_000, **options)(subbands, state)
