"""Pitch: sounds with known F0, and psychoacoustic effects such as the missing fundamental."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from echoic.ear import Pitch, Pitched
from echoic.errors import AudioWarning, ParameterError
from echoic.pipeline.pitch import track_pitch
from echoic.pipeline.sound import WaveSound
from echoic.streaming import Stream, run
from echoic.synthesis import (
    harmonic_complex,
    pink_noise,
    tone,
    vowel,
    white_noise,
)

RATE = 16_000


def hear(wave: NDArray[np.float32], rate: int = RATE, **options: Any) -> Pitched[Any]:
    """The whole wave, frames where they belong."""
    parts = list(run(Pitch(sample_rate=rate, **options), [wave]))
    return Pitched(*(np.concatenate(field) for field in zip(*parts, strict=True)))


def assert_pitch(
    wave: NDArray[np.float32], f0_hz: float, within: float = 0.002, **how: Any
) -> None:
    """The F0 all along, but for 60 ms at either end."""
    found = hear(wave, **how)
    middle = found.f0_hz[6:-6]
    assert middle.size > 20
    np.testing.assert_allclose(middle, f0_hz, rtol=within)
    assert found.voicing[6:-6].min() > 0.7


@pytest.mark.parametrize("f0_hz", [60, 81, 150, 333, 500, 580])
def test_a_tone(f0_hz: float) -> None:
    assert_pitch(tone(f0_hz, 0.5, sample_rate=RATE), f0_hz, within=0.003)


@pytest.mark.parametrize("f0_hz", [60, 97, 211, 500])
@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 192_000])
def test_a_complex_at_any_rate(rate: int, f0_hz: float) -> None:
    wave = harmonic_complex(f0_hz, 0.4, sample_rate=rate, harmonics=7)
    assert_pitch(wave, f0_hz, rate=rate)


@pytest.mark.parametrize("f0_hz", [60, 120, 240, 480])
@pytest.mark.parametrize("name", ["iy", "aa", "uw"])
def test_a_vowel_is_heard_in_its_octave(name: str, f0_hz: float) -> None:
    assert_pitch(vowel(name, 0.5, sample_rate=RATE, f0_hz=f0_hz), f0_hz)


@pytest.mark.parametrize("harmonics", [(2, 3), (3, 5, 7), range(4, 9), range(10, 21)])
def test_a_missing_fundamental_is_heard(harmonics: range) -> None:
    """Resolved harmonics by their fine structure, unresolved ones by their envelope."""
    rng = np.random.default_rng(0)
    wave = harmonic_complex(
        150.0, 0.5, sample_rate=RATE, harmonics=harmonics, phases="random", rng=rng
    )
    assert_pitch(wave, 150)


def shift(**change: Any) -> float:
    """By what part of it the pitch of a complex on 200 Hz moves."""
    found = hear(harmonic_complex(200.0, 0.6, sample_rate=RATE, **change))
    return float(np.median(found.f0_hz[10:-10])) / 200 - 1


def test_a_mistuned_partial_pulls_the_pitch_a_little() -> None:
    """In its direction, in proportion, and less the higher the partial is.

    Moore, Glasberg and Peters (1985): partials up to the sixth, a few tenths of a percent
    for 3 % of mistuning.
    """
    by_partial = [shift(mistuned=(k, 0.03)) for k in (3, 4, 5, 6)]
    assert 0.003 < by_partial[0] < 0.008
    assert np.all(np.diff(by_partial) < 0)
    assert by_partial[-1] > 0
    assert shift(mistuned=(4, -0.02)) == pytest.approx(-shift(mistuned=(4, 0.02)), rel=0.25)
    assert shift(mistuned=(4, 0.01)) == pytest.approx(shift(mistuned=(4, 0.02)) / 2, rel=0.15)


def test_a_mistuned_partial_is_let_go_when_it_is_far_off() -> None:
    """The pull ends growing: at 8 % a partial counts as a sound of its own."""
    pulls = np.array([shift(mistuned=(5, part)) for part in (0.02, 0.04, 0.08)])
    assert pulls[1] < 1.6 * pulls[0]
    assert pulls[2] < pulls[1]


def test_partials_shifted_alike_shift_the_pitch() -> None:
    """The first effect: by the shift over the number of the middle partial, and a little more.

    De Boer (1956); Schouten, Ritsma and Cardozo (1962).
    """
    for shift_hz in (10, 20, 30):
        rule = shift_hz / 4 / 200
        assert rule < shift(harmonics=(3, 4, 5), shift_hz=shift_hz) < 1.2 * rule


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("noise", [white_noise, pink_noise])
def test_noise_has_no_pitch(noise: Any, rate: int) -> None:
    found = hear(noise(4.0, sample_rate=rate, rng=np.random.default_rng(1)), rate)
    assert np.mean(found.f0_hz > 0) < 0.02


def test_silence_has_no_pitch() -> None:
    found = hear(np.zeros(RATE, np.float32))
    assert not found.f0_hz.any()
    assert not found.voicing.any()


def test_a_pitch_ends_with_its_sound() -> None:
    wave = np.zeros(RATE, np.float32)
    wave[: RATE // 2] = vowel("aa", 0.5, sample_rate=RATE, f0_hz=140)
    found = hear(wave)
    assert np.all(found.f0_hz[6:44] > 0)
    assert not found.f0_hz[55:].any()


@pytest.mark.parametrize("gain_db", [-75, -40, 20, 60])
def test_level_changes_nothing(gain_db: float) -> None:
    wave = vowel("aa", 0.4, sample_rate=RATE, f0_hz=130.0, level_dbfs=0.0)
    as_is, scaled = hear(wave), hear(wave * np.float32(10 ** (gain_db / 20)))
    np.testing.assert_allclose(scaled.f0_hz[6:-6], as_is.f0_hz[6:-6], rtol=1e-4)
    np.testing.assert_allclose(scaled.voicing[6:-6], as_is.voicing[6:-6], atol=0.15)


@pytest.mark.parametrize("hop_s", [0.0025, 0.005, 0.01])
def test_a_leap_is_where_it_is_made(hop_s: float) -> None:
    """Delay taken off, frames say what their own time holds, give or take 15 ms."""
    f0_hz = np.where(np.arange(RATE) < RATE // 2, 120.0, 180.0)
    found = hear(vowel("aa", 1.0, sample_rate=RATE, f0_hz=f0_hz), hop_s=hop_s)
    time_s = (np.arange(found.f0_hz.size) + 0.5) * hop_s
    assert found.f0_hz.size == round(1 / hop_s)
    for want_hz, span in ((120, (0.4, 0.485)), (180, (0.515, 0.6))):
        there = (time_s > span[0]) & (time_s < span[1])
        np.testing.assert_allclose(found.f0_hz[there], want_hz, rtol=0.01)


def test_a_glide_is_followed_without_lag() -> None:
    """An octave in a second: where the delay is right, the error is small all along."""
    f0_hz = 120 * 2 ** np.linspace(0, 1, RATE)
    found = hear(vowel("aa", 1.0, sample_rate=RATE, f0_hz=f0_hz))
    true_hz = f0_hz[80 + 160 * np.arange(100)]
    np.testing.assert_allclose(found.f0_hz[6:-6], true_hz[6:-6], rtol=0.015)


@pytest.mark.parametrize("f0_hz", [620.0, 660.0, 1000.0])
def test_nothing_is_heard_above_the_highest_pitch_asked_for(f0_hz: float) -> None:
    wave = harmonic_complex(f0_hz, 0.5, sample_rate=16_000, harmonics=range(1, 7))
    for highest in (600.0, 900.0):
        heard = Pitch(sample_rate=16_000, high_f0_hz=highest)(wave)[0].f0_hz
        assert heard.max() <= 1.02 * highest


@pytest.mark.parametrize("f0_hz", [470.0, 485.0])
def test_nothing_is_heard_below_the_lowest_pitch_asked_for(f0_hz: float) -> None:
    wave = harmonic_complex(f0_hz, 0.5, sample_rate=8_000, harmonics=range(1, 5))
    heard = Pitch(sample_rate=8_000, low_f0_hz=500, high_f0_hz=900)(wave)[0].f0_hz
    assert heard[heard > 0].min(initial=500) >= 500 / 1.02


def test_two_voices_are_no_reason_to_fail() -> None:
    wave = vowel("aa", 0.4, sample_rate=RATE, f0_hz=110) + vowel("iy", 0.4, sample_rate=RATE)
    assert np.isfinite(hear(wave).f0_hz).all()


@pytest.mark.parametrize(("look_ahead_s", "frames"), [(0.0, 2), (0.04, 6), (0.1, 12)])
def test_the_delay_is_declared(look_ahead_s: float, frames: int) -> None:
    pitch = Pitch(sample_rate=RATE, look_ahead_s=look_ahead_s)
    assert pitch.delay == Pitched(frames, frames)
    assert Stream(pitch, sample_rate=RATE).latency_s == pytest.approx(frames * 0.01)
    _, state = pitch(np.zeros(1_234, np.float32))
    assert pitch.finish(state).f0_hz.shape == (frames,)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"low_f0_hz": 5}, "low_f0_hz=5 is outside 20 to 1000"),
        ({"high_f0_hz": 40}, "high_f0_hz=40 is outside 50 to 1000"),
        ({"high_f0_hz": 2000}, "high_f0_hz=2000 is outside 50 to 1000"),
        ({"hop_s": 0.1}, "hop_s=0.1 is outside 0.001 to 0.03"),
        ({"look_ahead_s": -1}, "look_ahead_s=-1 is outside 0 to 1"),
        ({"look_ahead_s": None}, "look_ahead_s=None is not a number"),
    ],
)
def test_wrong_values_are_named(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Pitch(**{"sample_rate": RATE, **wrong})


def test_nothing_is_owed_where_the_delay_is_none() -> None:
    pitch = Pitch(sample_rate=16_000, hop_s=0.03, look_ahead_s=0)
    _, state = pitch(np.zeros(1000, np.float32))
    assert pitch.delay == Pitched(0, 0)
    assert pitch.finish(state).f0_hz.shape == (0,)
    track = track_pitch(WaveSound(np.zeros(1000, np.float32), sample_rate=16_000), pitch)
    assert track.f0_hz.shape == (2,)


def test_nan_is_said_once_and_mended() -> None:
    wave = vowel("aa", 0.5, sample_rate=RATE, f0_hz=150)
    wave[3000:3003] = np.nan
    pitch = Pitch(sample_rate=RATE)
    with pytest.warns(AudioWarning, match="3 samples are NaN"):
        found, state = pitch(wave)
    pitch(wave, state)  # a second warning would be an error
    np.testing.assert_allclose(found.f0_hz[40:], 150, rtol=0.01)


def test_what_is_no_wave_is_refused() -> None:
    for wrong in ([0.0] * 100, np.zeros(100, np.int16), np.float32(0)):
        with pytest.raises(ParameterError, match="wave must"):
            Pitch(sample_rate=RATE)(wrong)


def test_a_channel_of_inverted_polarity_does_not_cancel_the_other() -> None:
    sung = vowel("aa", 0.5, sample_rate=RATE, f0_hz=150)
    noise = white_noise(0.5, sample_rate=RATE, rng=np.random.default_rng(0))
    sounds = [np.stack(channels) for channels in ((sung, sung), (sung, -sung), (-sung, sung))]
    alone, *both = (
        track_pitch(WaveSound(s, sample_rate=RATE), Pitch(sample_rate=RATE)) for s in sounds
    )
    assert np.median(alone.f0_hz) == pytest.approx(150, rel=0.003)
    for found in both:
        np.testing.assert_allclose(found.f0_hz, alone.f0_hz, rtol=1e-3)
    beside, averaged = (
        track_pitch(WaveSound(wave, sample_rate=RATE), Pitch(sample_rate=RATE))
        for wave in (np.stack([sung, noise]), (sung + noise) / 2)
    )
    np.testing.assert_allclose(beside.voicing, averaged.voicing, atol=1e-5)
