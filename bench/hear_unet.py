"""The spectrogram U-Net as a system of `bench/hear.py`; train it with `echoic train unet`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from hear_scores import Heard
from numpy.typing import NDArray

from echoic.audio import resample
from echoic.labels import LABELS, REST
from echoic.nn.baselines.spectrogram_unet import (
    SAMPLE_RATE,
    STEP_S,
    SpectrogramUnet,
    istft,
    look,
    mel_of_bin,
    stft,
)
from echoic.processors.events import find_events
from echoic.processors.separate import REST as REST_WEIGHT
from echoic.processors.tag import rank
from echoic.training.calibration import Confidence

WEIGHTS = Path(__file__).parent.parent / "runs/unet/unet.pt"


class UnetSystem:
    """The U-Net, applied to a whole scene at once."""

    name = "unet"

    def __init__(self) -> None:
        if not WEIGHTS.is_file():
            raise ImportError(f"{WEIGHTS} is not there: echoic train unet -o {WEIGHTS.parent}")
        torch.set_num_threads(1)
        self.network = SpectrogramUnet(len(LABELS))
        learned = torch.load(WEIGHTS, weights_only=True)
        self.network.load_state_dict(learned["network"])
        self.confidence, self.threshold = Confidence(*learned["confidence"]), learned["threshold"]
        self.network.eval()

    def hear(
        self, wave: NDArray[np.float32], sample_rate: int, labels: Sequence[str] = LABELS
    ) -> Heard:
        """Detect events and separate stems, by the same rules as echoic."""
        if sample_rate != SAMPLE_RATE:
            return self._hear_resampled(wave, sample_rate, labels)
        spectrum = stft(wave)
        probabilities, masks = look(self.network, spectrum)
        events = find_events(
            self.confidence(probabilities[[LABELS.index(label) for label in labels]]),
            labels=labels,
            threshold=dict.fromkeys(labels, self.threshold),
            step_s=STEP_S,
            duration_s=wave.size / sample_rate,
        )
        found = list(dict.fromkeys(event.label for event in events))
        # Renormalise the masks over the labels found and the rest, as echoic does.
        shares = masks[[*map(LABELS.index, found), len(LABELS)]]
        shares[-1] *= REST_WEIGHT
        shares /= np.maximum(shares.sum(axis=0), 1e-12)
        gains = shares[:, mel_of_bin()]
        stems = {
            label: istft(spectrum * gain, wave.size)
            for label, gain in zip(found, gains[:-1], strict=True)
        }
        stems[REST] = wave - np.sum(list(stems.values()), axis=0, dtype=np.float32)
        return Heard(events, stems)

    def tag(self, wave: NDArray[np.float32], sample_rate: int) -> list[tuple[str, float]]:
        """Rank the labels of a clip, by the same rule as echoic."""
        wave = resample(wave, sample_rate=sample_rate, to_sample_rate=SAMPLE_RATE)
        return rank([self.confidence(look(self.network, stft(wave))[0])], LABELS, step_s=STEP_S)

    def _hear_resampled(
        self, wave: NDArray[np.float32], sample_rate: int, labels: Sequence[str]
    ) -> Heard:
        """Process at the network's rate; what lies above its Nyquist frequency goes to the rest."""
        down = resample(wave, sample_rate=sample_rate, to_sample_rate=SAMPLE_RATE)
        heard = self.hear(down, SAMPLE_RATE, labels)
        stems = {}
        for label, stem in heard.stems.items():
            up = resample(stem, sample_rate=SAMPLE_RATE, to_sample_rate=sample_rate)
            stems[label] = np.resize(np.pad(up, (0, max(0, wave.size - up.size))), wave.size)
        stems[REST] = wave - np.sum(
            [stem for label, stem in stems.items() if label != REST], axis=0, dtype=np.float32
        )
        return Heard(heard.events, stems)
