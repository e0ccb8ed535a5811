"""The classifiers whose layers style transfer can use: their input, and that training works."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echoic.labels import LABELS
from echoic.style.methods import LEVEL
from echoic.style.networks import Wide, in_turn
from echoic.style.spectrogram import LogSpectrogram
from echoic.training.classifier import Classifier, ClipDrawer, losses
from echoic.training.data import Recordings, make_clip
from echoic.training.loop import LoopSettings, mean_losses, train

RATE = 16_000
KNOWN = LABELS[:3]


@pytest.fixture
def drawer() -> ClipDrawer:
    """Tones of another pitch for every label, at another level and another rate."""
    time_s = np.arange(3 * 22_050) / 22_050
    clips = [
        make_clip(
            f"{label}.wav",
            label,
            (0.3 * (k + 1) * np.sin(2 * np.pi * 500 * 2**k * time_s)).astype(np.float32),
            22_050,
        )
        for k, label in enumerate(KNOWN)
    ]
    spectrogram = LogSpectrogram(sample_rate=RATE, window_s=0.032, n_hops=3)
    return ClipDrawer(Recordings(clips), spectrogram, RATE)


def test_clips_are_shown_at_the_level_at_which_methods_meet_sounds(drawer):
    batch = drawer(np.random.default_rng(0))
    amplitude = np.sqrt(2) * LEVEL * 512 / 4
    assert {LABELS[int(label)] for label in batch["label"]} == set(KNOWN)
    for shown, label in zip(batch["shown"], batch["label"], strict=True):
        peak_bin = int(shown[:, 50].argmax())
        hz = 500 * 2 ** KNOWN.index(LABELS[int(label)])
        assert abs(peak_bin * RATE / 512 - hz) < RATE / 512
        assert abs(float(torch.expm1(shown[peak_bin, 50])) / amplitude - 1) < 0.2


def test_it_learns_to_tell_tones(drawer, tmp_path):
    def see(weights, shown):
        return in_turn(Wide(weights[0]), Wide(weights[1]), shown)[-1]

    first, second = (
        Wide.random(drawer.spectrogram.n_bins, n_filters=16, width=3, seed=0),
        Wide.random(16, n_filters=8, seed=1),
    )
    torch.manual_seed(0)
    model = Classifier([first.weight, second.weight], see)
    kept = [drawer(np.random.default_rng(1))]
    before = mean_losses(losses, model, kept)
    settings = LoopSettings(60, learning_rate=0.01, warm_up_steps=1, ema_decay=0.5, n_workers=0)
    average = train(model, losses, drawer, settings, recipe="it", folder=tmp_path, report=len)
    after = mean_losses(losses, average.cpu(), kept)
    assert after["loss"] < before["loss"] / 10
    assert after["top_1"] == 1
