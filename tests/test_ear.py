"""The ear against its closed forms."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy import signal

from echoic.checks import SATURATION
from echoic.ear import Adaptation, Ear, Filterbank, FrontEnd, Inverse, cores, kernels
from echoic.ear.design import DECAY_PER_ERB, design_listening, design_separating
from echoic.ear.ear import FEATURES
from echoic.errors import AudioWarning, ParameterError
from echoic.synthesis import band_noise, vowel
from echoic.units import erb_hz, erb_rate_to_hz, hz_to_erb_rate

RATES = (8_000, 16_000, 44_100, 48_000, 192_000)
LISTENING_32 = design_listening(sample_rate=16_000, n_bands=32)


def click(n_samples: int) -> np.ndarray:
    return np.eye(1, n_samples, dtype=np.float32)[0]


def test_erb_of_the_book() -> None:
    assert erb_hz(1000.0) == pytest.approx(132.6, abs=0.05)
    places = np.linspace(0, 40, 50)
    np.testing.assert_allclose(hz_to_erb_rate(erb_rate_to_hz(places)), places, atol=1e-12)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("design", [design_listening, design_separating])
def test_impulse_response_is_the_closed_form(design, rate: int) -> None:  # type: ignore[no-untyped-def]
    bank = design(sample_rate=rate)
    n_samples = rate // 10
    got, _ = Filterbank(sample_rate=rate, design=bank)(click(n_samples))
    wanted = bank.impulse_response(n_samples)
    peak = np.abs(wanted).max(axis=1, keepdims=True) + 1e-30
    # Poles are float32: at 192 kHz and 50 Hz a decay of 1e-3 per sample keeps five digits.
    assert np.abs((got - wanted) / peak).max() < 2e-4


@pytest.mark.parametrize("rate", RATES)
def test_centre_gain_is_one(rate: int) -> None:
    bank = design_listening(sample_rate=rate)
    heard = bank.center_hz < rate / 2
    response = np.abs(np.diag(bank.frequency_response(bank.center_hz)))
    np.testing.assert_allclose(response[heard], 1, rtol=1e-9)
    assert not response[~heard].any()


def test_centre_gain_as_measured() -> None:
    bank = Filterbank(sample_rate=16_000, n_bands=8, low_hz=100, high_hz=6000)
    t = np.arange(16_000) / 16_000
    for band, center_hz in enumerate(bank.center_hz):
        sine = np.sin(2 * np.pi * center_hz * t).astype(np.float32)
        envelope = np.abs(bank(sine)[0][band, 8000:])
        # Half the amplitude, with a ripple from leakage of the negative frequency.
        assert envelope.mean() == pytest.approx(0.5, rel=2e-3)


@pytest.mark.parametrize("design", [design_listening, design_separating])
def test_width_at_minus_3_db(design) -> None:  # type: ignore[no-untyped-def]
    """|1 − r e^{iθ}|² = (1 − r)² √2^(1/2): the closed form of four equal stages at −3 dB."""
    rate = 16_000
    bank = design(sample_rate=rate)
    radius = np.abs(bank.pole)
    # |H|² = ((1−r)² / (1 − 2 r cos θ + r²))⁴ = ½
    cos_theta = (1 + radius**2 - (1 - radius) ** 2 * 2**0.25) / (2 * radius)
    half_width_hz = np.arccos(cos_theta) * rate / (2 * np.pi)
    for sign in (-1, 1):
        response = np.diag(bank.frequency_response(bank.center_hz + sign * half_width_hz))
        np.testing.assert_allclose(20 * np.log10(np.abs(response)), -3.0103, atol=1e-4)
    # Textbook value: the −3 dB width is 0.887 ERB for order 4, with a pole decay of 1.019 ERB.
    narrow = bank.center_hz < 1000
    analogue = 2 * np.sqrt(2**0.25 - 1) * DECAY_PER_ERB * bank.bandwidth_hz
    np.testing.assert_allclose(2 * half_width_hz[narrow], analogue[narrow], rtol=0.01)


def test_filter_equals_scipy() -> None:
    rng = np.random.default_rng(1)
    wave = rng.standard_normal(4000).astype(np.float32)
    bank = Filterbank(sample_rate=16_000, n_bands=5)
    got, _ = bank(wave)
    for band in range(5):
        wanted = wave.astype(np.complex128)
        pole = bank.design.pole[band]
        for _ in range(4):
            wanted = signal.lfilter([1 - abs(pole)], [1, -pole], wanted)
        assert np.abs(got[band] - wanted).max() < 2e-5 * np.abs(wanted).max()


def test_envelope_of_a_sine_is_its_amplitude() -> None:
    ear = Ear(sample_rate=44_100)
    t = np.arange(22_050) / 44_100
    for band in (10, 30, 60):
        sine = 0.25 * np.sin(2 * np.pi * ear.center_hz[band] * t).astype(np.float32)
        assert ear(sine)[0][band, -1] == pytest.approx(0.25, rel=1e-3)


def test_fine_structure_reads_the_frequency() -> None:
    ear = Ear(sample_rate=16_000, features=("fine",))
    band = 30
    width_hz = ear.design.bandwidth_hz[band]
    t = np.arange(8000) / 16_000
    for offset in (-0.3, 0.0, 0.3):
        frequency_hz = ear.center_hz[band] + offset * width_hz
        fine, _ = ear(np.sin(2 * np.pi * frequency_hz * t).astype(np.float32))
        assert fine[0, band, -1] == pytest.approx(offset, abs=2e-3)


def test_bands_hear_the_same_at_every_rate() -> None:
    """A 500 Hz tone gives the same frames at 8 and at 192 kHz."""
    levels = []
    for rate in RATES:
        tone = np.sin(2 * np.pi * 500 * np.arange(rate // 2) / rate).astype(np.float32)
        levels.append(Ear(sample_rate=rate, compression="log")(tone)[0][10:40, 150])
    near = levels[0] > 0.6  # within 40 dB of full scale; at 8 kHz the skirts deviate slightly
    for level in levels[1:]:
        np.testing.assert_allclose(level[near], levels[0][near], atol=0.002)


def test_onset_stands_out_and_recedes() -> None:
    step = np.concatenate([np.zeros((1, 20)), np.ones((1, 80))], axis=1).astype(np.float32)
    onset = Adaptation(hop_s=0.01)(step)[0][0]
    assert onset[20] == 1
    # It decays to 1/e after one time constant.
    assert onset[26] == pytest.approx(np.exp(-1), rel=1e-3)


def test_scene_ear_does_not_mind_the_level() -> None:
    rng = np.random.default_rng(2)
    speech = vowel("aa", 0.5, sample_rate=16_000, f0_hz=120)[np.newaxis]
    speech = speech + 1e-3 * rng.standard_normal(speech.shape).astype(np.float32)
    ear = FrontEnd(sample_rate=16_000)
    loud, soft = (ear(gain * speech)[0][0, :, 20:] for gain in (np.float32(1), np.float32(0.1)))
    np.testing.assert_allclose(loud, soft, atol=1e-3)


def test_two_equal_channels_are_one_3_db_up() -> None:
    wave = np.random.default_rng(3).standard_normal((1, 8000)).astype(np.float32) * 0.01
    ear = FrontEnd(sample_rate=16_000)
    one, _ = ear(wave * np.float32(np.sqrt(2)))
    two, _ = ear(np.concatenate([wave, wave]))
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_no_channel_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"\(0, 1600\) is not \(channel, time\)"):
        FrontEnd(sample_rate=16_000)(np.zeros((0, 1600), np.float32))


def identity_db(rate: int, wave: np.ndarray, delay_s: float = 0.004) -> float:
    bank = Filterbank.separating(sample_rate=rate)
    inverse = Inverse(sample_rate=rate, delay_s=delay_s)
    out = inverse(bank(wave)[0])[0].sum(axis=0, dtype=np.float64)
    error = out[inverse.delay :] - wave[: -inverse.delay]
    return float(10 * np.log10(np.sum(wave[: -inverse.delay] ** 2.0) / np.sum(error**2)))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_bands_add_up_to_noisy_speech(rate: int) -> None:
    rng = np.random.default_rng(4)
    speech = vowel("iy", 1.0, sample_rate=rate, f0_hz=140)
    noise = band_noise(60, 3600, 1.0, sample_rate=rate, rng=rng)
    assert identity_db(rate, speech + 0.3 * noise) > 70


def test_silence_in_silence_out_at_full_speed() -> None:
    bank = Filterbank(sample_rate=16_000)
    _, state = bank(np.ones(1000, np.float32))
    silent, _ = bank(np.zeros(200_000, np.float32), state)
    quiet = np.abs(silent[:, -1000:])
    assert quiet.max() < 1e-15
    # Above the denormal range, in which arithmetic is a hundred times slower.
    assert quiet.max() > np.finfo(np.float32).tiny


@pytest.mark.parametrize("module", [Ear, Filterbank])
def test_nan_does_not_stay_and_is_said_once_a_stream(module) -> None:  # type: ignore[no-untyped-def]
    ear, wave = module(sample_rate=16_000), np.zeros(100, np.float32)
    wave[[3, 7, 50]] = np.nan, np.inf, -np.inf
    for _ in range(2):  # streams
        with pytest.warns(AudioWarning, match="3 samples are NaN or infinite") as said:
            _, state = ear(wave)
        assert (len(said), said[0].filename) == (1, __file__)
        again, state = ear(wave, state)  # a second warning would be an error
        after, _ = ear(np.ones(16_000, np.float32), state)
        assert np.isfinite(again).all()
        assert np.isfinite(after).all()


def test_channels_of_a_long_chunk_share_the_cores(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Several threads hear, to the last bit, what each channel gives alone."""
    monkeypatch.setattr(cores.config, "NUMBA_NUM_THREADS", 3)
    threads = set()
    for kernel in ("hear", "subbands_of_batch"):
        compiled = getattr(kernels, kernel)

        def counted(*arguments, compiled=compiled) -> None:  # type: ignore[no-untyped-def]
            threads.add(threading.current_thread())
            compiled(*arguments)

        monkeypatch.setattr(kernels, kernel, counted)
    waves = np.random.default_rng(6).standard_normal((4, 2, 5_000)).astype(np.float32)
    for module in (Ear(sample_rate=16_000, features=FEATURES), Filterbank(sample_rate=16_000)):
        threads.clear()
        together, state = module(waves)
        together, _ = module(waves, state)
        assert len(threads) > 1
        for index in np.ndindex(4, 2):
            _, state = module(waves[index])
            np.testing.assert_array_equal(together[index], module(waves[index], state)[0])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"sample_rate": 7_999}, "7999"),
        ({"sample_rate": 192_001}, "192001"),
        ({"sample_rate": 16_000, "n_bands": 0}, "n_bands=0"),
        ({"sample_rate": 16_000, "n_bands": -1}, "n_bands=-1"),
        ({"sample_rate": 16_000, "n_bands": 257}, "n_bands=257"),
        ({"sample_rate": 16_000, "n_bands": "64"}, "n_bands='64'"),
        ({"sample_rate": 16_000, "n_bands": 2.5}, "n_bands=2.5"),
        ({"sample_rate": 16_000, "low_hz": 0}, "low_hz=0"),
        ({"sample_rate": 16_000, "low_hz": 8000, "high_hz": 9000}, "8000"),
        ({"sample_rate": 16_000, "low_hz": "50"}, "low_hz='50'"),
        ({"sample_rate": 16_000, "low_hz": 500, "high_hz": 400}, "high_hz=400"),
        ({"sample_rate": 16_000, "high_hz": np.nan}, "high_hz=nan"),
        ({"sample_rate": 16_000, "high_hz": np.inf}, "high_hz=inf"),
        ({"sample_rate": 16_000, "n_bands": 16, "design": LISTENING_32}, "not both"),
        ({"sample_rate": 16_000, "hop_s": 0}, "hop_s=0"),
        ({"sample_rate": 16_000, "compression": "cube"}, "cube"),
        ({"sample_rate": 16_000, "features": ("smell",)}, "smell"),
        ({"sample_rate": 16_000, "features": (name for name in ("fine", "smell"))}, "smell"),
        ({"sample_rate": 16_000, "features": None}, "features=None"),
        ({"sample_rate": 16_000, "features": "fine"}, "features='fine'"),
    ],
)
def test_bad_parameters_are_named(options: dict, named: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ParameterError, match=named):
        Ear(**options)


@pytest.mark.parametrize("wave", [[0.0, 1.0], np.zeros(10, np.int16), np.float32(1)])
def test_what_is_no_wave_is_refused(wave: object) -> None:
    with pytest.raises(ParameterError, match="wave"):
        Ear(sample_rate=16_000)(wave)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("n_bands", [1, 2, 7, 256])
def test_every_corner_is_stable(rate: int, n_bands: int) -> None:
    """Saturated noise stays as loud as it is, and dies away as the closed form says."""
    high_hz = min(20_000.0, 0.49 * rate)
    ear = Ear(sample_rate=rate, n_bands=n_bands, low_hz=50, high_hz=high_hz)
    noise = np.random.default_rng(7).standard_normal(rate // 5).astype(np.float32)
    loud, state = ear(np.float32(SATURATION) * np.sign(noise))
    assert np.isfinite(loud).all()
    assert loud.max() < 4 * SATURATION  # a square wave's fundamental is 4/π of its peak
    for _ in range(int(np.ceil(5 * ear.design.ring_samples / rate))):
        quiet, state = ear(np.zeros(rate // 5, np.float32), state)
    assert quiet[:, -1].max() < 1e-7 * SATURATION


def test_50_hz_at_192_khz_is_the_closed_form() -> None:
    """The pole is within 1e-3 of the unit circle, where float32 has the fewest digits to spare."""
    rate, seconds = 192_000, 1.0
    bank = Filterbank(sample_rate=rate, n_bands=1, low_hz=50, high_hz=50)
    got, _ = bank(click(int(rate * seconds)))
    wanted = bank.design.impulse_response(int(rate * seconds))
    assert np.abs(got - wanted).max() < 2e-4 * np.abs(wanted).max()
    t = np.arange(int(rate * seconds)) / rate
    tone, _ = bank(np.sin(2 * np.pi * 50 * t).astype(np.float32))
    assert np.abs(tone[0, -1]) == pytest.approx(0.5, rel=2e-2)


def test_a_state_of_another_ear_is_refused() -> None:
    wave = np.zeros(100, np.float32)
    _, state = Ear(sample_rate=16_000, n_bands=32)(wave)
    with pytest.raises(ParameterError, match="does not belong"):
        Ear(sample_rate=16_000)(wave, state)
    _, state = Ear(sample_rate=16_000)(wave)
    with pytest.raises(ParameterError, match=r"float64 \(9, 64\) does not .*: float32 \(9, 64\)"):
        Ear(sample_rate=16_000)(wave, state._replace(rows=state.rows.astype(np.float64)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_begin_with_a_cache_line(dtype):
    for n_bands in (1, 2, 31, 64):
        rows = kernels.aligned(11, np.zeros((3, n_bands), dtype))
        assert (rows.shape, rows.dtype) == ((11, n_bands), dtype)
        assert rows.ctypes.data % 64 == 0
        rows[:] = 1  # nothing beyond what was allocated
