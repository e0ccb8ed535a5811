"""Soundscapes: stems add up, events are where clips were placed; active spans."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from echoic.audio import active_level_dbfs, active_spans, frame_levels_dbfs
from echoic.errors import ParameterError
from echoic.synthesis import (
    Clip,
    Event,
    compose,
    dog_bark,
    music,
    pink_noise,
    rain,
    tone,
    white_noise,
)
from echoic.synthesis.soundscape import bridged

RATE = 16000
Wave = NDArray[np.float32]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def in_silence(wave: Wave, *, before_s: float, after_s: float, rate: float = RATE) -> Wave:
    return np.pad(wave, (round(before_s * rate), round(after_s * rate)))


# --- active spans ------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 192000])
def test_a_tone_in_silence_is_found(rate: float) -> None:
    wave = in_silence(tone(500, 1.0, sample_rate=rate), before_s=0.5, after_s=2.0, rate=rate)
    ((onset_s, offset_s),) = active_spans(wave, sample_rate=rate)
    assert onset_s == pytest.approx(0.5, abs=0.011)
    assert offset_s == pytest.approx(1.5, abs=0.011)


def test_one_short_bark_in_a_long_silence_is_found() -> None:
    wave = in_silence(dog_bark(1, sample_rate=RATE, rng=rng()), before_s=2.0, after_s=7.0)
    ((onset_s, offset_s),) = active_spans(wave, sample_rate=RATE)
    assert onset_s == pytest.approx(2.0, abs=0.02)
    assert 0.1 < offset_s - onset_s < 0.4


@pytest.mark.parametrize(("gap_s", "n_spans"), [(0.1, 1), (0.38, 1), (0.42, 2), (1.0, 2)])
def test_gaps_below_the_limit_are_bridged(gap_s: float, n_spans: int) -> None:
    beep = tone(1000, 0.3, sample_rate=RATE, ramp_s=0.0)
    gap = np.zeros(round(gap_s * RATE), np.float32)
    spans = active_spans(np.concatenate((beep, gap, beep)), sample_rate=RATE)
    assert len(spans) == n_spans
    assert spans[0][0] == 0.0
    assert spans[-1][1] == pytest.approx(0.6 + gap_s, abs=0.011)


def test_steady_sound_is_active_throughout() -> None:
    for wave in (
        rain(3.0, sample_rate=RATE, rng=rng()),
        white_noise(3, sample_rate=RATE, rng=rng()),
    ):
        assert active_spans(wave, sample_rate=RATE) == [(0.0, 3.0)]


@pytest.mark.parametrize("below_db", [22, 45, 70])
def test_the_background_of_a_recording_does_not_count(below_db: float) -> None:
    clip = in_silence(tone(700, 1.0, sample_rate=RATE), before_s=1.0, after_s=2.0)
    clip = clip + pink_noise(4.0, sample_rate=RATE, rng=rng(), level_dbfs=-20 - below_db)
    ((onset_s, offset_s),) = active_spans(clip, sample_rate=RATE)
    assert onset_s == pytest.approx(1.0, abs=0.02)
    assert offset_s == pytest.approx(2.0, abs=0.02)


def test_level_and_sign_do_not_matter_and_an_offset_does_not_either() -> None:
    wave = in_silence(dog_bark(3, sample_rate=RATE, rng=rng()), before_s=0.5, after_s=0.5)
    spans = active_spans(wave, sample_rate=RATE)
    assert active_spans(wave * np.float32(-0.01), sample_rate=RATE) == spans
    assert active_spans(wave + np.float32(0.02), sample_rate=RATE) == spans


def test_quiet_noise_on_an_offset_is_as_quiet_as_without() -> None:
    """A mean square less the squared mean, in float32, left rounding errors of -75 dBFS."""
    noise = (1e-5 * rng().standard_normal(2 * RATE)).astype(np.float32)
    levels = frame_levels_dbfs(noise + np.float32(0.3), sample_rate=RATE)
    assert np.ptp(levels) < 4
    assert active_spans(noise + np.float32(0.3), sample_rate=RATE) == []


def test_channels_are_averaged() -> None:
    left = in_silence(tone(500, 0.5, sample_rate=RATE), before_s=0.0, after_s=1.5)
    both = np.stack((left, left[::-1]))
    spans = active_spans(both, sample_rate=RATE)
    np.testing.assert_allclose(spans, [(0.0, 0.5), (1.5, 2.0)], atol=0.011)


@pytest.mark.parametrize("n_samples", [0, 1, 79, 160, 161])
def test_silence_and_next_to_nothing_have_no_spans(n_samples: int) -> None:
    assert active_spans(np.zeros(n_samples, np.float32), sample_rate=RATE) == []
    assert frame_levels_dbfs(np.zeros(n_samples, np.float32), sample_rate=RATE).shape == (
        -(-n_samples // 160),
    )


def test_spans_name_bad_values() -> None:
    wave = np.ones(800, np.float32)
    with pytest.raises(ParameterError, match="range_db=0"):
        active_spans(wave, sample_rate=RATE, range_db=0)
    with pytest.raises(ParameterError, match="bridge_s=-1"):
        active_spans(wave, sample_rate=RATE, bridge_s=-1)
    with pytest.raises(ParameterError, match="sample_rate=0"):
        active_spans(wave, sample_rate=0)
    with pytest.raises(ParameterError, match=r"\(2, 2, 200\)"):
        active_spans(wave.reshape(2, 2, 200), sample_rate=RATE)
    with pytest.raises(ParameterError, match="not finite"):
        active_spans(wave * np.float32("nan"), sample_rate=RATE)
    with pytest.raises(ParameterError, match="divide it by 32768"):
        active_spans(wave.astype(np.int16), sample_rate=RATE)


# --- compose -----------------------------------------------------------------------------


def street() -> list[Clip]:
    return [
        Clip(tone(600, 1.0, sample_rate=RATE), "tone", onset_s=0.5),
        Clip(dog_bark(2, sample_rate=RATE, rng=rng()), "dog_bark", onset_s=1.2, snr_db=3),
        Clip(music(2.0, sample_rate=RATE, rng=rng()), "music", onset_s=2.0, snr_db=-5),
        Clip(dog_bark(1, sample_rate=RATE, rng=rng(1)), "dog_bark", onset_s=3.5, gain_db=-6),
        Clip(rain(4.0, sample_rate=RATE, rng=rng()), None, snr_db=-20),
    ]


def test_references_and_background_sum_to_the_mixture() -> None:
    hum = pink_noise(5.0, sample_rate=RATE, rng=rng(), level_dbfs=-50)
    scene = compose(street(), sample_rate=RATE, duration_s=4.0, background=hum)
    total = sum(scene.references.values(), scene.background)
    assert set(scene.references) == {"tone", "dog_bark", "music"}
    assert scene.mixture.dtype == np.float32
    assert scene.mixture.shape == (64000,)
    assert scene.duration_s == 4.0
    np.testing.assert_allclose(total, scene.mixture, atol=1e-6)


def test_channels_are_kept_and_mono_goes_into_all_of_them() -> None:
    stereo = np.stack((tone(600, 1, sample_rate=RATE), 0.5 * tone(600, 1, sample_rate=RATE)))
    hiss = white_noise(2.0, sample_rate=RATE, rng=rng())
    scene = compose(
        [Clip(stereo.astype(np.float32), "tone"), Clip(hiss, "hiss")],
        sample_rate=RATE,
        duration_s=2,
    )
    assert scene.mixture.shape == (2, 32000)
    np.testing.assert_array_equal(scene.references["hiss"][0], scene.references["hiss"][1])
    np.testing.assert_allclose(
        sum(scene.references.values(), scene.background), scene.mixture, atol=1e-6
    )


def test_events_lie_where_they_were_planted_and_padding_does_not_count() -> None:
    beep = tone(900, 0.5, sample_rate=RATE)
    padded = in_silence(beep, before_s=0.3, after_s=0.7)
    scene = compose(
        [Clip(beep, "beep", onset_s=1.0), Clip(padded, "padded", onset_s=2.0)],
        sample_rate=RATE,
        duration_s=5.0,
    )
    first, second = scene.events
    assert (first.label, second.label) == ("beep", "padded")
    np.testing.assert_allclose((first.onset_s, first.offset_s), (1.0, 1.5), atol=0.02)
    np.testing.assert_allclose((second.onset_s, second.offset_s), (2.3, 2.8), atol=0.02)


def test_clips_of_one_label_are_bridged_and_others_are_not() -> None:
    beep = tone(900, 0.5, sample_rate=RATE, ramp_s=0.0)
    onsets = (("a", 0.0), ("a", 0.8), ("a", 2.0), ("b", 0.6))
    clips = [Clip(beep, label, onset_s=onset_s) for label, onset_s in onsets]
    scene = compose(clips, sample_rate=RATE, duration_s=3.0)
    assert scene.events == (Event("a", 0.0, 1.3), Event("b", 0.6, 1.1), Event("a", 2.0, 2.5))


def test_a_quiet_clip_is_an_event_beside_a_loud_one_of_its_label() -> None:
    beep = tone(900, 0.5, sample_rate=RATE, ramp_s=0.0)
    clips = [Clip(beep, "a"), Clip(beep, "a", onset_s=1.5, gain_db=-50)]
    scene = compose(clips, sample_rate=RATE, duration_s=2.0)
    assert [event.onset_s for event in scene.events] == [0.0, 1.5]


def test_snr_is_kept_over_active_parts() -> None:
    loud = in_silence(tone(900, 0.5, sample_rate=RATE, ramp_s=0.0), before_s=1.0, after_s=0.5)
    quiet = tone(300, 0.2, sample_rate=RATE, level_dbfs=-55, ramp_s=0.0)
    scene = compose(
        [Clip(loud, "loud", gain_db=-7), Clip(quiet, "quiet", snr_db=-12)],
        sample_rate=RATE,
        duration_s=2.0,
    )
    loud_dbfs, quiet_dbfs = (
        active_level_dbfs(scene.references[label], sample_rate=RATE) for label in ("loud", "quiet")
    )
    assert loud_dbfs == pytest.approx(-27, abs=0.1)
    assert quiet_dbfs == pytest.approx(-39, abs=0.1)


def test_what_reaches_past_the_end_is_cut() -> None:
    clip = Clip(tone(900, 2.0, sample_rate=RATE), "a", onset_s=1.5)
    scene = compose([clip], sample_rate=RATE, duration_s=2.0)
    assert scene.mixture.shape == (32000,)
    np.testing.assert_allclose(scene.events[0].offset_s, 2.0, atol=0.011)


def test_an_empty_scene_is_silent() -> None:
    scene = compose([], sample_rate=RATE, duration_s=1.0)
    assert not scene.mixture.any()
    assert scene.events == ()


def test_compose_names_bad_values() -> None:
    beep = tone(900, 0.5, sample_rate=RATE)
    with pytest.raises(ParameterError, match=r"onset_s=3\.0"):
        compose([Clip(beep, "a", onset_s=3.0)], sample_rate=RATE, duration_s=2.0)
    with pytest.raises(ParameterError, match="onset_s=-1"):
        compose([Clip(beep, "a", onset_s=-1)], sample_rate=RATE, duration_s=2.0)
    with pytest.raises(ParameterError, match="nothing sounds"):
        compose([Clip(beep, "a"), Clip(0 * beep, "b", snr_db=0)], sample_rate=RATE, duration_s=2.0)
    with pytest.raises(ParameterError, match=r"\[2, 3\] channels"):
        compose(
            [Clip(np.tile(beep, (2, 1)), "a"), Clip(np.tile(beep, (3, 1)), "b")],
            sample_rate=RATE,
            duration_s=2.0,
        )
    with pytest.raises(ParameterError, match="not finite"):
        compose([Clip(beep + np.float32("inf"), "a")], sample_rate=RATE, duration_s=2.0)
    with pytest.raises(ParameterError, match="not finite"):
        compose([Clip(beep + np.float32("nan"), None)], sample_rate=RATE, duration_s=2.0)
    with pytest.raises(ParameterError, match="duration_s=0"):
        compose([], sample_rate=RATE, duration_s=0)


def test_compose_takes_floats_in_their_order_of_axes() -> None:
    beep = tone(900, 0.5, sample_rate=RATE)
    scale = np.int16(beep * 2**15)
    with pytest.raises(ParameterError, match=r"clip 'a' must hold floats .* divide it by 32768"):
        compose([Clip(scale, "a")], sample_rate=RATE, duration_s=1.0)
    for shape in ((8000, 2), (0,), (1, 2, 3)):
        wrong = np.zeros(shape, np.float32)
        with pytest.raises(ParameterError, match=f"of shape {re.escape(str(shape))}"):
            compose([Clip(wrong, "a")], sample_rate=RATE, duration_s=1.0)
        with pytest.raises(ParameterError, match=f"of shape {re.escape(str(shape))}"):
            compose([], sample_rate=RATE, duration_s=1.0, background=wrong)


def test_compose_takes_any_iterable_of_clips() -> None:
    beep = tone(900, 0.5, sample_rate=RATE)
    clips = (Clip(beep, label, onset_s=0.6 * k) for k, label in enumerate("ab"))
    scene = compose(clips, sample_rate=RATE, duration_s=2.0)
    assert [event.label for event in scene.events] == ["a", "b"]


def test_bridging_keeps_the_longer_of_nested_spans() -> None:
    assert bridged([(0.0, 5.0), (1.0, 2.0), (5.4, 6.0)], 0.4) == [(0.0, 5.0), (5.4, 6.0)]
