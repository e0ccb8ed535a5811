"""Properties of the synthesised sounds: levels, frequencies, spectra, decays, seeds, errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from echoic import synthesis
from echoic.audio import active_spans
from echoic.errors import ParameterError

RATE = 16000
Wave = NDArray[np.float32]

# Every sound, half a second long where the duration is a parameter.
SOUNDS: dict[str, Callable[[float, np.random.Generator], Wave]] = {
    "tone": lambda rate, _: synthesis.tone(440, 0.5, sample_rate=rate),
    "complex": lambda rate, rng: synthesis.harmonic_complex(
        200, 0.5, sample_rate=rate, phases="random", rng=rng
    ),
    "clicks": lambda rate, _: synthesis.click_train(50, 0.5, sample_rate=rate),
    "sweep": lambda rate, _: synthesis.sweep(100, 3000, 0.5, sample_rate=rate),
    "white": lambda rate, rng: synthesis.white_noise(0.5, sample_rate=rate, rng=rng),
    "pink": lambda rate, rng: synthesis.pink_noise(0.5, sample_rate=rate, rng=rng),
    "band": lambda rate, rng: synthesis.band_noise(500, 900, 0.5, sample_rate=rate, rng=rng),
    "modulated": lambda rate, rng: synthesis.modulated_noise(
        0.5, sample_rate=rate, rng=rng, rate_hz=8
    ),
    "vowel": lambda rate, _: synthesis.vowel("iy", 0.5, sample_rate=rate),
    "rain": lambda rate, rng: synthesis.rain(0.5, sample_rate=rate, rng=rng),
    "fire": lambda rate, rng: synthesis.fire(0.5, sample_rate=rate, rng=rng),
    "sea_waves": lambda rate, rng: synthesis.sea_waves(0.5, sample_rate=rate, rng=rng),
    "wind": lambda rate, rng: synthesis.wind(0.5, sample_rate=rate, rng=rng),
    "babble": lambda rate, rng: synthesis.babble(0.5, sample_rate=rate, rng=rng, n_talkers=2),
    "clock": lambda rate, rng: synthesis.clock_tick(0.5, sample_rate=rate, rng=rng),
    "bell": lambda rate, _: synthesis.bell(440, 0.5, sample_rate=rate),
    "siren": lambda rate, _: synthesis.siren(0.5, sample_rate=rate),
    "engine": lambda rate, rng: synthesis.engine(0.5, sample_rate=rate, rng=rng),
    "chainsaw": lambda rate, rng: synthesis.chainsaw(0.5, sample_rate=rate, rng=rng),
    "helicopter": lambda rate, rng: synthesis.helicopter(0.5, sample_rate=rate, rng=rng),
    "dog": lambda rate, rng: synthesis.dog_bark(1, sample_rate=rate, rng=rng),
    "rooster": lambda rate, rng: synthesis.rooster(sample_rate=rate, rng=rng),
    "baby": lambda rate, rng: synthesis.baby_cry(0.5, sample_rate=rate, rng=rng),
    "sneeze": lambda rate, rng: synthesis.sneeze(sample_rate=rate, rng=rng),
    "music": lambda rate, rng: synthesis.music(0.5, sample_rate=rate, rng=rng),
    "pluck": lambda rate, _: synthesis.pluck(220, 0.5, sample_rate=rate),
    "room": lambda rate, rng: synthesis.room_response(sample_rate=rate, rng=rng),
}
AS_LONG_AS_THEY_TAKE = {"dog", "rooster", "sneeze", "room"}


def rms_dbfs(wave: NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.mean(np.square(wave, dtype=np.float64))))


def spectrum(wave: Wave) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies, and amplitudes that are 1 for a sine of amplitude 1 in the middle of a bin."""
    window = np.hanning(len(wave) + 1)[:-1]
    amplitudes = np.abs(np.fft.rfft(wave * window)) * 2 / window.sum()
    return np.fft.rfftfreq(len(wave), 1 / RATE).astype(np.float64), amplitudes


@pytest.mark.parametrize("rate", [8000, 22050, 192000])
@pytest.mark.parametrize("name", SOUNDS)
def test_every_sound_is_float32_finite_and_alive_at_every_rate(name: str, rate: float) -> None:
    wave = SOUNDS[name](rate, np.random.default_rng(3))
    assert wave.dtype == np.float32
    assert wave.ndim == 1
    assert np.all(np.isfinite(wave))
    assert 0.001 < np.abs(wave).max() < 4.0
    if name not in AS_LONG_AS_THEY_TAKE:
        assert len(wave) == round(0.5 * rate)


@pytest.mark.parametrize(
    "make",
    [
        *(synthesis.rain, synthesis.fire, synthesis.sea_waves, synthesis.wind, synthesis.babble),
        *(synthesis.engine, synthesis.chainsaw, synthesis.helicopter),
    ],
)
def test_a_single_sample_is_finite(make) -> None:  # type: ignore[no-untyped-def]
    wave = make(1 / RATE, sample_rate=RATE, rng=np.random.default_rng(0))
    assert wave.shape == (1,)
    assert np.isfinite(wave).all()


@pytest.mark.parametrize("frequency_hz", [9_900, 12_000, 20_000])
def test_high_strings_sound(frequency_hz: float) -> None:
    wave = synthesis.pluck(frequency_hz, 0.2, sample_rate=48_000, peak_dbfs=-6.0)
    assert 20 * np.log10(np.abs(wave).max()) == pytest.approx(-6, abs=0.01)


@pytest.mark.parametrize("name", SOUNDS)
def test_a_seed_gives_the_same_sound_again(name: str) -> None:
    first, again = (SOUNDS[name](RATE, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", ["white", "pink", "rain", "fire", "sea_waves", "babble", "dog"])
def test_another_seed_gives_another_sound(name: str) -> None:
    first, other = (SOUNDS[name](RATE, np.random.default_rng(seed)) for seed in (5, 6))
    n_both = min(len(first), len(other))
    assert np.abs(first[:n_both] - other[:n_both]).max() > 0.01


@pytest.mark.parametrize("name", ["white", "pink", "rain", "sea_waves", "wind", "music"])
def test_textures_and_noises_have_the_declared_rms(name: str) -> None:
    assert rms_dbfs(SOUNDS[name](RATE, np.random.default_rng(0))) == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("name", ["clock", "bell", "engine", "helicopter", "dog", "sneeze"])
def test_sources_and_calls_have_the_declared_peak(name: str) -> None:
    peak = np.abs(SOUNDS[name](RATE, np.random.default_rng(0))).max()
    assert 20 * np.log10(peak) == pytest.approx(-6, abs=0.01)


def test_tone_has_its_level_and_its_frequency() -> None:
    wave = synthesis.tone(1000, 1.0, sample_rate=RATE, level_dbfs=-30, ramp_s=0.0)
    frequencies, amplitudes = spectrum(wave)
    assert rms_dbfs(wave) == pytest.approx(-30, abs=0.001)
    assert frequencies[amplitudes.argmax()] == 1000
    assert amplitudes.max() == pytest.approx(np.sqrt(2) * 10 ** (-30 / 20), rel=1e-4)


def test_ramps_are_raised_cosines_and_leave_the_middle_alone() -> None:
    with_ramps = synthesis.tone(1000, 0.1, sample_rate=RATE, ramp_s=0.02, phase=np.pi / 2)
    without = synthesis.tone(1000, 0.1, sample_rate=RATE, ramp_s=0.0, phase=np.pi / 2)
    np.testing.assert_array_equal(with_ramps[320:-320], without[320:-320])
    crests = with_ramps[:320:16] / without[:320:16]
    expected = np.sin(0.5 * np.pi * (np.arange(0, 320, 16) + 0.5) / 320) ** 2
    np.testing.assert_allclose(crests, expected, atol=1e-5)


def test_harmonics_have_their_amplitudes() -> None:
    given = [1.0, 0.5, 0.25, 0.125]
    wave = synthesis.harmonic_complex(
        200, 1.0, sample_rate=RATE, harmonics=4, amplitudes=given, ramp_s=0.0
    )
    _, amplitudes = spectrum(wave)
    np.testing.assert_allclose(amplitudes[200:801:200] / amplitudes[200], given, rtol=1e-5)
    assert rms_dbfs(wave) == pytest.approx(-20, abs=0.001)


@pytest.mark.parametrize("phases", ["sine", "cosine", "alternating", "random"])
def test_phases_change_no_amplitude(phases: synthesis.tones.Phases) -> None:
    wave = synthesis.harmonic_complex(
        100, 1.0, sample_rate=RATE, phases=phases, ramp_s=0.0, rng=np.random.default_rng(0)
    )
    _, amplitudes = spectrum(wave)
    np.testing.assert_allclose(amplitudes[100:1001:100], amplitudes[100], rtol=1e-4)


def test_only_the_mistuned_partial_moves() -> None:
    wave = synthesis.harmonic_complex(200, 1.0, sample_rate=RATE, mistuned=(4, 0.03), ramp_s=0.0)
    frequencies, amplitudes = spectrum(wave)
    peaks = frequencies[amplitudes > 0.6 * amplitudes.max()]
    assert peaks.tolist() == [200, 400, 600, 824, *range(1000, 2001, 200)]


def test_shift_moves_every_partial_alike() -> None:
    wave = synthesis.harmonic_complex(
        200, 1.0, sample_rate=RATE, harmonics=[2, 3, 4], shift_hz=30, ramp_s=0.0
    )
    frequencies, amplitudes = spectrum(wave)
    assert frequencies[amplitudes > 0.6 * amplitudes.max()].tolist() == [430, 630, 830]


def test_moving_fundamental_ends_where_it_was_sent() -> None:
    f0_hz = np.linspace(200, 300, RATE)
    wave = synthesis.harmonic_complex(f0_hz, 1.0, sample_rate=RATE, harmonics=1, ramp_s=0.0)
    crossings = np.flatnonzero((wave[:-1] < 0) & (wave[1:] >= 0))
    assert len(crossings) == pytest.approx(250, abs=1)  # the mean fundamental over one second
    assert RATE / np.diff(crossings[-10:]).mean() == pytest.approx(299.5, rel=0.02)


def test_clicks_lie_where_they_should() -> None:
    wave = synthesis.click_train(100, 0.2, sample_rate=RATE)
    np.testing.assert_array_equal(np.flatnonzero(wave), np.arange(0, 3200, 160))


@pytest.mark.parametrize(("shape", "middle_hz"), [("log", 400.0), ("linear", 850.0)])
def test_sweep_is_half_way_at_half_time(shape: str, middle_hz: float) -> None:
    wave = synthesis.sweep(100, 1600, 2.0, sample_rate=RATE, shape=shape)  # type: ignore[arg-type]
    middle = wave[RATE - 800 : RATE + 800]
    crossings = np.flatnonzero((middle[:-1] < 0) & (middle[1:] >= 0))
    assert RATE / np.diff(crossings).mean() == pytest.approx(middle_hz, rel=0.03)


@pytest.mark.parametrize("slope_db", [-6.02, -3.01, 0.0, 3.01])
def test_coloured_noise_has_its_slope(slope_db: float) -> None:
    wave = synthesis.coloured_noise(
        8.0, sample_rate=RATE, rng=np.random.default_rng(1), slope_db_per_octave=slope_db
    )
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    edges = 62.5 * 2.0 ** np.arange(8)
    octaves = [
        10 * np.log10(power[(frequencies >= low) & (frequencies < 2 * low)].mean())
        for low in edges[:-1]
    ]
    assert np.polyfit(np.arange(7), octaves, 1)[0] == pytest.approx(slope_db, abs=0.25)


def test_band_noise_has_nothing_outside() -> None:
    wave = synthesis.band_noise(
        900, 1100, 1.0, sample_rate=RATE, rng=np.random.default_rng(1), ramp_s=0.0
    )
    amplitudes = np.abs(np.fft.rfft(wave))
    outside = np.concatenate((amplitudes[:900], amplitudes[1101:]))
    assert outside.max() < 1e-5 * amplitudes.max()


def test_modulation_has_its_rate_and_depth() -> None:
    wave = synthesis.modulated_noise(
        16.0, sample_rate=RATE, rng=np.random.default_rng(1), rate_hz=4, depth=0.5, ramp_s=0.0
    )
    # E[(1 + m sin)²] has a first harmonic of 2 m over a mean of 1 + m² / 2.
    power = np.abs(np.fft.rfft(wave.astype(np.float64) ** 2))
    assert 1 + power[1 : 16 * 20].argmax() == 16 * 4
    assert 2 * power[16 * 4] / power[0] == pytest.approx(2 * 0.5 / 1.125, rel=0.05)


@pytest.mark.parametrize("name", ["iy", "aa", "uw"])
@pytest.mark.parametrize("speaker", ["man", "child"])
def test_vowels_peak_at_their_formants(name: str, speaker: synthesis.vowels.Speaker) -> None:
    # A low fundamental samples the vocal tract's response finely enough to locate its peaks.
    wave = synthesis.vowel(name, 1.0, sample_rate=RATE, f0_hz=20, speaker=speaker, ramp_s=0.0)
    _, amplitudes = spectrum(wave)
    for formant_hz in synthesis.formants_hz(name, speaker=speaker)[:2]:
        harmonics = np.arange(20 * (int(0.85 * formant_hz) // 20), 1.15 * formant_hz, 20)
        levels = amplitudes[harmonics.astype(int)]
        assert harmonics[levels.argmax()] == pytest.approx(formant_hz, abs=40)


def test_scaling_the_tract_moves_formants_and_not_the_fundamental() -> None:
    wave = synthesis.vowel("aa", 1.0, sample_rate=RATE, f0_hz=50, formant_scale=1.3, ramp_s=0.0)
    frequencies, amplitudes = spectrum(wave)
    strong = frequencies[amplitudes > 1e-3 * amplitudes.max()]
    assert np.all(strong % 50 <= 1 + 1e-9) or np.all(np.minimum(strong % 50, 50 - strong % 50) <= 1)
    assert frequencies[amplitudes.argmax()] == pytest.approx(1.3 * 730, abs=60)


def test_clock_ticks_as_often_as_asked() -> None:
    wave = synthesis.clock_tick(3.0, sample_rate=RATE, rng=np.random.default_rng(0), ticks_hz=2)
    spans = active_spans(wave, sample_rate=RATE, bridge_s=0.2)
    assert len(spans) == 6
    np.testing.assert_allclose([on for on, _ in spans], 0.02 + 0.5 * np.arange(6), atol=0.02)


def test_music_has_more_than_one_chord() -> None:
    wave = synthesis.music(5.0, sample_rate=RATE, rng=np.random.default_rng(0), drums=False)
    first, second = (np.abs(np.fft.rfft(part)) for part in (wave[:32000], wave[40000:72000]))
    assert np.corrcoef(first, second)[0, 1] < 0.8


@pytest.mark.parametrize("rt60_s", [0.2, 0.6, 1.5])
def test_room_decays_in_its_rt60(rt60_s: float) -> None:
    response = synthesis.room_response(
        sample_rate=RATE, rng=np.random.default_rng(0), rt60_s=rt60_s, predelay_s=0.01
    )
    energy = np.cumsum(response[1:][::-1].astype(np.float64) ** 2)[::-1]  # Schroeder 1965
    decay_db = 10 * np.log10(energy / energy[0])
    steady = np.flatnonzero((decay_db < -5) & (decay_db > -35))
    slope_db = np.polyfit(steady / RATE, decay_db[steady], 1)[0]
    assert -60 / slope_db == pytest.approx(rt60_s, rel=0.1)


def test_room_has_its_predelay_and_its_direct_part() -> None:
    response = synthesis.room_response(
        sample_rate=RATE, rng=np.random.default_rng(0), predelay_s=0.02, direct_to_reverberant_db=9
    )
    assert response[0] == 1
    assert not response[1:321].any()
    assert rms_dbfs(response[1:]) + 10 * np.log10(len(response) - 1) == pytest.approx(-9, abs=0.01)


def test_reverberation_is_convolution() -> None:
    rng = np.random.default_rng(0)
    wave, response = (rng.standard_normal(n).astype(np.float32) for n in (300, 70))
    expected = np.convolve(wave, response)
    np.testing.assert_allclose(synthesis.reverberate(wave, response), expected, atol=1e-4)


BAD: dict[str, Callable[[np.random.Generator], object]] = {
    "frequency_hz=9000": lambda _: synthesis.tone(9000, 1, sample_rate=RATE),
    "duration_s=0": lambda _: synthesis.tone(1000, 0, sample_rate=RATE),
    "duration_s=nan": lambda _: synthesis.tone(1000, float("nan"), sample_rate=RATE),
    "sample_rate=4000": lambda _: synthesis.tone(1000, 1, sample_rate=4000),
    "sample_rate='16000' is not a number": lambda _: synthesis.tone(1000, 1, sample_rate="16000"),  # type: ignore[arg-type]
    "frequency_hz=None is not a number": lambda _: synthesis.tone(None, 1, sample_rate=RATE),  # type: ignore[arg-type]
    "wave must be a numpy array": lambda _: synthesis.reverberate([1.0], np.ones(3)),  # type: ignore[arg-type]
    "ramp_s=0.6": lambda _: synthesis.tone(1000, 1, sample_rate=RATE, ramp_s=0.6),
    "partial_hz=8000": lambda _: synthesis.harmonic_complex(800, 1, sample_rate=RATE),
    r"mistuned=\(12, 0.1\)": lambda _: synthesis.harmonic_complex(
        100, 1, sample_rate=RATE, mistuned=(12, 0.1)
    ),
    "rng=None is not": lambda _: synthesis.harmonic_complex(
        100, 1, sample_rate=RATE, phases="random"
    ),
    "low_hz=1000 and high_hz=900": lambda rng: synthesis.band_noise(
        1000, 900, 1, sample_rate=RATE, rng=rng
    ),
    "depth=1.5": lambda rng: synthesis.modulated_noise(
        1, sample_rate=RATE, rng=rng, rate_hz=4, depth=1.5
    ),
    "vowel='xx'": lambda _: synthesis.vowel("xx", 1, sample_rate=RATE),
    "f0_hz=5": lambda _: synthesis.vowel("iy", 1, sample_rate=RATE, f0_hz=5),
    "n_talkers=0": lambda rng: synthesis.babble(1, sample_rate=RATE, rng=rng, n_talkers=0),
    "n_barks=0": lambda rng: synthesis.dog_bark(0, sample_rate=RATE, rng=rng),
    "n_barks=1.5": lambda rng: synthesis.dog_bark(1.5, sample_rate=RATE, rng=rng),  # type: ignore[arg-type]
    r"f0_hz of shape \(5,\)": lambda _: synthesis.vowel(
        "iy", 1, sample_rate=RATE, f0_hz=np.full(5, 100.0)
    ),
    "tempo_bpm=0": lambda rng: synthesis.music(1, sample_rate=RATE, rng=rng, tempo_bpm=0),
    "swell_db=-1": lambda rng: synthesis.helicopter(1, sample_rate=RATE, rng=rng, swell_db=-1),
    "firing_hz=0": lambda rng: synthesis.engine(1, sample_rate=RATE, rng=rng, firing_hz=0),
    "rt60_s=0": lambda rng: synthesis.room_response(sample_rate=RATE, rng=rng, rt60_s=0),
}


def test_a_count_of_harmonics_may_be_a_numpy_integer() -> None:
    five = [
        synthesis.harmonic_complex(100, 0.1, sample_rate=RATE, harmonics=n)
        for n in (5, np.int64(5))
    ]
    np.testing.assert_array_equal(*five)


def test_the_shortest_cry_is_a_sample() -> None:
    assert synthesis.baby_cry(1e-5, sample_rate=RATE, rng=np.random.default_rng(0)).shape == (1,)


@pytest.mark.parametrize("message", BAD)
def test_bad_values_are_named(message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        BAD[message](np.random.default_rng(0))
