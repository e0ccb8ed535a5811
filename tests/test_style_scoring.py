"""The scores of style transfer on known mixtures, copies, and signals that are neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from echoic.errors import ParameterError
from echoic.style.coherence import coherence_term
from echoic.style.scoring import Scorer, estoi
from echoic.style.scoring.copying import band_power_mixture, largest_copy, mixture_explained
from echoic.style.scoring.pitch import f0_hz, f0_kept

RATE = 16_000


def noise(seed: int, n_samples: int = 2 * RATE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32)


def voice(f0: float, n_samples: int = 2 * RATE) -> np.ndarray:
    """Twelve harmonics, in syllables."""
    t = np.arange(n_samples) / RATE
    wave = sum(np.sin(2 * np.pi * f0 * k * t) / k for k in range(1, 13))
    return (wave * (1 + np.sin(2 * np.pi * 3 * t))).astype(np.float32)


def test_a_filtered_mixture_is_one_and_noise_is_none():
    content, style = voice(150), noise(0)
    filtered = np.convolve(style, [0.5, -0.3, 0.1], mode="same").astype(np.float32)
    assert mixture_explained(content + filtered, [content, style]) > 0.98
    assert mixture_explained(noise(1), [content, style]) < 0.05
    # Two similar sources explain no more than either one.
    like = content + 0.3 * np.roll(content, 9)
    assert mixture_explained(noise(1), [content, like]) < 0.05
    assert band_power_mixture(content + style, [content, style], sample_rate=RATE) > 0.8
    assert band_power_mixture(noise(1), [content, style], sample_rate=RATE) < 0.2


def test_a_copy_is_found_wherever_it_comes_from():
    style = noise(0)
    copy = np.concatenate([noise(1, RATE), 0.3 * style[5_000 : 5_000 + RATE]])
    assert largest_copy(copy, style, sample_rate=RATE) > 0.9
    assert largest_copy(noise(1), style, sample_rate=RATE) < 0.2


def test_intelligibility_falls_with_noise():
    speech = voice(120) * np.repeat(np.random.default_rng(0).random(80), 400)
    scores = [
        estoi(speech, speech + gain * noise(2), sample_rate=RATE) for gain in (0.0, 0.3, 1.0, 30.0)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1, abs=1e-6)
    assert abs(scores[-1]) < 0.1
    assert estoi(speech, 0.1 * speech, sample_rate=RATE) == pytest.approx(1, abs=1e-6)
    with pytest.raises(ParameterError, match="shapes"):
        estoi(speech, speech[1:], sample_rate=RATE)


@pytest.mark.parametrize("f0", [90.0, 150.0, 320.0])
def test_f0_is_found_and_an_octave_is_not_the_same(f0):
    found = f0_hz(voice(f0), sample_rate=RATE)
    voiced = found[np.isfinite(found)]
    assert voiced.size > 0.4 * found.size
    assert np.median(voiced) == pytest.approx(f0, rel=0.02)
    assert f0_kept(voice(f0), voice(f0), sample_rate=RATE) == 1
    assert f0_kept(voice(f0), voice(1.5 * f0), sample_rate=RATE) < 0.1
    assert np.isnan(f0_kept(noise(0), voice(f0), sample_rate=RATE))


def test_the_scores_put_controls_where_they_belong():
    content, style, held_out = voice(150), noise(0), noise(1)
    scorer = Scorer(content, style, held_out, sample_rate=RATE)
    itself, mixed, copied = scorer(content), scorer(content + style), scorer(style)
    apart = scorer(noise(3))
    assert itself["gap"] == pytest.approx(0, abs=1e-6)
    assert itself["env"] == pytest.approx(1, abs=1e-6)
    assert itself["depth"] == pytest.approx(1, abs=1e-6)
    assert mixed["mee"] > 0.95
    assert copied["ncc_style"] > 0.99
    assert not any(scores["passes"] for scores in (itself, mixed, copied))
    assert apart["passes"]
    assert apart["d_over_floor"] == pytest.approx(1, abs=0.3)
    assert apart["gap"] > mixed["gap"] > itself["gap"]
    assert apart["gram"] < 0.1
    with pytest.raises(ParameterError, match="not as long"):
        scorer(content[1:])


def test_silence_is_no_copy_and_has_nothing_to_copy():
    sound, silence = noise(0), np.zeros(2 * RATE, np.float32)
    for result, source in ((silence, sound), (sound, silence)):
        assert largest_copy(result, source, sample_rate=RATE) == 0
        waves = torch.from_numpy(result), (torch.from_numpy(source),)
        assert coherence_term(*waves, sample_rate=RATE) is None


def test_a_sound_has_no_distance_to_itself():
    with pytest.raises(ParameterError, match="content and style are the same sound"):
        Scorer(noise(0), noise(1), noise(0), sample_rate=RATE)


def test_only_like_runs_are_averaged_in_the_table_of_methods(monkeypatch, capsys):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parent.parent / "bench")
    from style_tables import COLUMNS, print_methods

    usual = {"pair": "rain", "domain": "-", "seed": 0, "seconds": 4.0, "steps": None}
    scores = dict.fromkeys(COLUMNS, 0.5) | {"passes": True}
    rows = [
        usual | {"method": "vocoder-own", "strength": 0.5} | scores,
        usual | {"method": "vocoder-own", "strength": 0.0} | scores,
        usual | {"method": "mix0", "strength": 0.0} | scores,
        usual | {"method": "hearing", "strength": 0.5, "domain": "waveform"} | scores,
        usual | {"method": "hearing", "strength": 0.5, "domain": "waveform", "seconds": 8} | scores,
        usual | {"method": "hearing", "strength": 0.5, "domain": "waveform", "steps": 60} | scores,
    ]
    print_methods(rows)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all("| rain |" in line and "1 of 1" in line for line in lines)
