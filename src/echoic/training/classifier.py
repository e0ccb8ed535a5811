"""Classifiers of spectrograms, whose layers `echoic style --network` uses.

Style transfer systems of the field compare content and style by the features that a network
has learned for classification.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic.audio import resample
from echoic.labels import LABELS
from echoic.style.methods import LEVEL
from echoic.style.spectrogram import LogSpectrogram
from echoic.training.batches import fixed_batches
from echoic.training.corpus import kept_recordings, training_recordings
from echoic.training.data import Recordings
from echoic.training.loop import Batch, LoopSettings, mean_losses, train

N_STEPS = 600
_BATCH, _DURATION_S, _N_VALIDATION_BATCHES, _SEED = 12, 2.5, 8, 40


class Classifier(nn.Module):
    """Layers, the mean of the last one's features, and a logit for each label.

    Args:
        weights: Initial weights of the layers.
        see: (weights, spectrograms (item, bin, frame)) -> features of the last layer
            (item, feature, …).

    Shape:
        (item, bin, frame) -> (item, label).
    """

    def __init__(
        self, weights: Sequence[Tensor], see: Callable[[Sequence[Tensor], Tensor], Tensor]
    ) -> None:
        super().__init__()
        # Names end in "weight", by which `optimisers` recognises weights between layers.
        self.layers = nn.ParameterDict(
            {f"{k}_weight": nn.Parameter(weight) for k, weight in enumerate(weights)}
        )
        self.logits = nn.Linear(weights[-1].shape[0], len(LABELS))
        self._see = see

    def forward(self, shown: Tensor) -> Tensor:
        """Logits of every label."""
        features = self._see(list(self.layers.values()), shown)
        logits: Tensor = self.logits(features.flatten(2).mean(-1))
        return logits


class ClipDrawer:
    """Draw clips evenly over labels, as spectrograms at the level that style methods use.

    Args:
        recordings: Recordings to draw from.
        spectrogram: Computes the spectrograms.
        sample_rate: Hz, of the spectrogram.
    """

    def __init__(
        self, recordings: Recordings, spectrogram: LogSpectrogram, sample_rate: int
    ) -> None:
        self.recordings, self.spectrogram = recordings, spectrogram
        self.sample_rate = sample_rate
        self.labels = [label for label in LABELS if recordings.n_recordings(label)]

    def __call__(self, rng: np.random.Generator) -> Batch:
        """Draw a batch: shown (item, bin, frame), label (item,)."""
        labels = [str(label) for label in rng.choice(self.labels, _BATCH)]
        waves = np.stack([self._wave(label, rng) for label in labels])
        shown = torch.stack([self.spectrogram(wave) for wave in torch.from_numpy(waves)])
        return {"shown": shown, "label": torch.tensor([LABELS.index(label) for label in labels])}

    def _wave(self, label: str, rng: np.random.Generator) -> NDArray[np.float32]:
        clip = self.recordings.draw(label, rng)
        onset_s, offset_s = clip.spans_s[int(rng.integers(len(clip.spans_s)))]
        latest_s = max(onset_s, min(offset_s, clip.wave.size / clip.sample_rate) - _DURATION_S)
        start = round(rng.uniform(onset_s, latest_s) * clip.sample_rate)
        cut = clip.wave[start : start + round(_DURATION_S * clip.sample_rate)]
        wave = resample(cut, sample_rate=clip.sample_rate, to_sample_rate=self.sample_rate)
        n_samples = round(_DURATION_S * self.sample_rate)
        whole = np.zeros(n_samples, np.float32)
        whole[: wave.size] = wave[:n_samples]
        return whole * np.float32(LEVEL / max(float(np.sqrt(np.mean(whole**2))), 1e-6))


def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Cross-entropy and top-1 accuracy."""
    logits = model(batch["shown"])
    right = (logits.detach().argmax(dim=1) == batch["label"]).float().mean()
    return {"loss": nn.functional.cross_entropy(logits, batch["label"]), "top_1": right}


def run_classifier(
    classifier: Classifier,
    spectrogram: LogSpectrogram,
    folder: Path,
    settings: LoopSettings,
    *,
    recipe: str,
    sample_rate: int,
    report: Callable[[str], None],
) -> Path:
    """Train in `folder`, resuming where a former run ended; return the path of the weights.

    Raises:
        ParameterError: no data folder, or the folder holds another run.
        MissingExtraError: no FluidSynth to render music with.
    """
    used = ClipDrawer(training_recordings(folder), spectrogram, sample_rate)
    kept = ClipDrawer(kept_recordings(), spectrogram, sample_rate)
    fixed = fixed_batches(kept, _N_VALIDATION_BATCHES, seed=_SEED)

    average = train(
        classifier,
        losses,
        used,
        settings,
        recipe=recipe,
        folder=folder,
        kept=fixed,
        validate=partial(mean_losses, losses),
        report=report,
    )
    assert isinstance(average, Classifier)
    path = folder / f"{recipe}.pt"
    torch.save([layer.detach().cpu() for layer in average.layers.values()], path)
    return path
