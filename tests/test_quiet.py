"""Quiet recordings are heard as loud ones are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import echoic
from echoic.pipeline import attend, denoise, hear, tag, voices
from echoic.processors.conditioning import measure

RATE = 16_000


def siren(peak: float) -> np.ndarray:
    """Two seconds of a tone that rises and falls, which the network has some name for."""
    t = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(900 + 400 * np.sin(2 * np.pi * t)) / RATE
    return (peak * np.sin(phase)).astype(np.float32)


def test_a_quiet_sound_is_heard_as_a_loud_one():
    loud, quiet = siren(0.15), siren(0.15) / np.float32(16)
    one, other = (hear(wave, sample_rate=RATE, threshold=0.05) for wave in (loud, quiet))
    assert one.events
    assert other.events == one.events
    np.testing.assert_array_equal(other.cochleagram, one.cochleagram / 16)
    for label, stem in one.stems.items():
        np.testing.assert_array_equal(other.stems[label], stem / 16)
    assert tag(quiet, sample_rate=RATE) == tag(loud, sample_rate=RATE)


@pytest.mark.parametrize(
    "divide",
    [denoise, voices, partial(attend, keep=["siren"])],
    ids=["denoise", "voices", "attend"],
)
def test_a_quiet_sound_is_divided_as_a_loud_one(divide):
    loud = siren(0.15)
    quiet = loud / np.float32(16)
    np.testing.assert_array_equal(
        divide(quiet, sample_rate=RATE), divide(loud, sample_rate=RATE) / 16
    )


def test_a_quiet_file_is_divided_as_its_wave(run, tmp_path):
    quiet = siren(0.01)
    path, out = str(tmp_path / "quiet.wav"), str(tmp_path / "denoised.wav")
    echoic.write(path, quiet, sample_rate=RATE)
    assert run("denoise", path, "-o", out, "-q")[0] == 0
    of_file, _ = echoic.read(out)
    np.testing.assert_array_equal(of_file[0], denoise(quiet, sample_rate=RATE))


def test_a_quiet_example_asks_as_a_loud_one():
    wave, example = siren(0.5), siren(0.15)[:RATE]
    like = partial(attend, wave, sample_rate=RATE)
    np.testing.assert_array_equal(like(like=example / np.float32(16)), like(like=example))


@pytest.mark.parametrize(
    ("peak", "gain"), [(0.5, 1), (0.101, 1), (0.09, 2), (0.03, 4), (0.001, 16), (0.0, 1)]
)
@pytest.mark.parametrize("n_blocks", [1, 7])
def test_the_gain_of_quiet_sounds(peak, gain, n_blocks):
    wave = np.stack([np.zeros(2 * RATE, np.float32), siren(peak)])
    blocks = np.array_split(wave, n_blocks, axis=1)
    conditioning = measure(blocks, sample_rate=RATE)
    assert conditioning.gain == gain
    prepared = np.concatenate(list(conditioning.prepared(blocks)), axis=1)
    np.testing.assert_array_equal(prepared, wave * np.float32(gain))
    np.testing.assert_array_equal(conditioning.restored(prepared[np.newaxis])[0], wave)


def test_a_click_does_not_make_a_quiet_sound_loud():
    wave = siren(0.002)
    wave[[1000, 20_000]] = 0.9, -0.9
    assert measure([wave[np.newaxis]], sample_rate=RATE).gain == 16
    wave[RATE : RATE + RATE // 8] = siren(0.9)[: RATE // 8]  # an eighth of a second
    assert measure([wave[np.newaxis]], sample_rate=RATE).gain == 1


def test_silence_and_nothing_at_all_are_left_as_they_are():
    for blocks in ([], [np.zeros((2, 0), np.float32)], [np.zeros((2, 999), np.float32)]):
        conditioning = measure(blocks, sample_rate=RATE)
        assert conditioning.gain == 1
        assert not conditioning.offset.any()


@pytest.mark.parametrize("offset", [0.2, -0.02])
def test_an_offset_is_not_heard(offset):
    """Its place is the rest, so that everything adds up."""
    wave = siren(0.15)
    shifted = wave + np.float32(offset)
    one, other = (hear(w, sample_rate=RATE, threshold=0.05) for w in (wave, shifted))
    assert one.events
    assert other.events == one.events
    for label in set(one.stems) - {"rest"}:
        np.testing.assert_allclose(other.stems[label], one.stems[label], atol=1e-5)
    np.testing.assert_allclose(sum(other.stems.values()), shifted, atol=1e-6)
    np.testing.assert_allclose(
        denoise(shifted, sample_rate=RATE), denoise(wave, sample_rate=RATE), atol=1e-5
    )
    muted = attend(shifted, mute=["siren"], sample_rate=RATE)
    np.testing.assert_allclose(
        muted, attend(wave, mute=["siren"], sample_rate=RATE) + offset, atol=1e-5
    )
    parts = voices(shifted, sample_rate=RATE)
    np.testing.assert_allclose(parts.sum(axis=0), shifted, atol=1e-6)
    np.testing.assert_allclose(parts[:-1], voices(wave, sample_rate=RATE)[:-1], atol=1e-5)
