"""The spectrogram U-Net as a system of `bench/hear.py`; train it with `echoic train unet`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hear_scores import Heard
from numpy.typing import NDArray

from echoic.labels import LABELS, REST
from echoic.nn.baselines.spectrogram_unet import SpectrogramUnet, istft, log_mel, mel_of_bin, stft
from echoic.processors.detect import find_events

WEIGHTS = Path("runs/unet/unet.pt")
THRESHOLD = 0.5
STEP_S = 0.02  # of its probabilities


class UnetSystem:
    """Hear with the U-Net: the whole scene at once."""

    name = "unet"

    def __init__(self) -> None:
        if not WEIGHTS.is_file():
            raise ImportError(f"{WEIGHTS} is not there: echoic train unet -o {WEIGHTS.parent}")
        torch.set_num_threads(1)
        self.network = SpectrogramUnet(len(LABELS))
        self.network.load_state_dict(torch.load(WEIGHTS, weights_only=True))
        self.network.eval()

    def hear(self, wave: NDArray[np.float32], sample_rate: int) -> Heard:
        """Events and stems, by the same rules for both as the product's."""
        spectrum = stft(wave)
        image = log_mel(spectrum)
        n_frames = image.shape[1]
        padded = np.pad(image, ((0, 0), (0, -n_frames % 8)))
        with torch.no_grad():
            logits, masks = self.network(torch.from_numpy(padded)[None])
        probabilities = torch.sigmoid(logits)[0].numpy()
        events = find_events(
            probabilities,
            labels=LABELS,
            threshold=dict.fromkeys(LABELS, THRESHOLD),
            step_s=STEP_S,
            duration_s=wave.size / sample_rate,
        )
        gains = masks[0, :, :, :n_frames].numpy()[:, mel_of_bin()]
        stems = {
            label: istft(spectrum * gains[LABELS.index(label)], wave.size)
            for label in dict.fromkeys(event.label for event in events)
        }
        stems[REST] = wave - np.sum(list(stems.values()), axis=0, dtype=np.float32)
        return Heard(events, stems)
