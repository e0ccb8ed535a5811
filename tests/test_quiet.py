"""Quiet recordings are heard as loud ones are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import echoic
from echoic.pipeline import attend, denoise, hear, tag, voices
from echoic.pipeline.sound import WaveSound, loud_enough

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
    ("peak", "gain"), [(0.5, 1), (0.1, 1), (0.09, 2), (0.03, 4), (0.001, 16), (0.0, 1)]
)
def test_the_gain_of_quiet_sounds(peak, gain):
    wave = np.zeros((2, 3 * RATE), np.float32)
    wave[1, -1] = -peak
    found, blocks = loud_enough(WaveSound(wave, sample_rate=RATE))
    assert found == gain
    np.testing.assert_array_equal(np.concatenate(list(blocks), axis=-1), wave * np.float32(gain))
