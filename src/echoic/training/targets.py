"""From a mixed scene to what the network is given and asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear import Filterbank, FrontEnd, Inverse
from echoic.ear.design import N_GAIN_BANDS
from echoic.ear.frontend import FRAMES_PER_STEP, HOP_S, STEP_S
from echoic.labels import LABELS
from echoic.training.data import OTHER, SAMPLE_RATE
from echoic.training.mixing import MixedScene

MAX_SOURCES = 5  # four labelled sounds and what has no label
_HOP_SAMPLES = round(HOP_S * SAMPLE_RATE)
_WARM_UP_S = 0.1  # by then the separating bank has forgotten that it began in silence


class Example(NamedTuple):
    """One scene as arrays.

    Attributes:
        frames: (2, band, ear frame), as the `FrontEnd` gives them.
        activity: (label, step), 1 where a label sounds.
        source: (MAX_SOURCES,) index of each source's label, len(LABELS) for the rest, −1 for
            none.
        mixture_power: (band, ear frame) within the window, in the separating bank.
        source_power: (MAX_SOURCES, band, ear frame) likewise.
        cross_power: (MAX_SOURCES, band, ear frame), source times mixture.
    """

    frames: NDArray[np.float32]
    activity: NDArray[np.float32]
    source: NDArray[np.int64]
    mixture_power: NDArray[np.float32]
    source_power: NDArray[np.float32]
    cross_power: NDArray[np.float32]


def mean_products(
    a: NDArray[np.float32], b: NDArray[np.float32], hop_samples: int
) -> NDArray[np.float32]:
    """Mean of a·b over each hop: (band, time) twice -> (band, hop)."""
    by_hop = (a.shape[0], -1, hop_samples)
    products = np.einsum("bkt,bkt->bk", a.reshape(by_hop), b.reshape(by_hop))
    return np.asarray(products / hop_samples, dtype=np.float32)


def activity_of(
    spans_s: Mapping[str, Sequence[tuple[float, float]]], n_steps: int
) -> NDArray[np.float32]:
    """(label, step): 1 where the middle of a step lies in a label's span."""
    activity = np.zeros((len(LABELS), n_steps), np.float32)
    middle_s = (np.arange(n_steps) + 0.5) * STEP_S
    for label, spans in spans_s.items():
        for onset_s, offset_s in spans:
            activity[LABELS.index(label), (middle_s >= onset_s) & (middle_s < offset_s)] = 1
    return activity


def source_index(label: str) -> int:
    """Output that a source is asked of: its label's, or the last one, the rest."""
    return len(LABELS) if label == OTHER else LABELS.index(label)


class ExampleMaker:
    """Turn scenes into examples; holds only designs, no state."""

    def __init__(self) -> None:
        """Design the banks once."""
        self.ear = FrontEnd(sample_rate=SAMPLE_RATE)
        self.bank = Filterbank.separating(sample_rate=SAMPLE_RATE)
        self.inverse = Inverse(sample_rate=SAMPLE_RATE)

    def __call__(self, scene: MixedScene, window: tuple[int, int]) -> Example:
        """Hear the scene; measure the powers within a window of ear frames [start, stop)."""
        mixture = scene.mixture
        frames = self.ear(mixture[np.newaxis])[0]
        n_frames = frames.shape[-1]
        activity = activity_of(scene.spans_s, n_frames // FRAMES_PER_STEP)
        start, stop = (k * _HOP_SAMPLES for k in window)
        warm_up = min(start, round(_WARM_UP_S * SAMPLE_RATE))
        shape = (MAX_SOURCES, N_GAIN_BANDS, window[1] - window[0])
        source = np.full(MAX_SOURCES, -1, np.int64)
        source_power, cross_power = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        bands = {
            label: np.ascontiguousarray(self._bands(wave[start - warm_up : stop])[:, warm_up:])
            for label, wave in scene.sources.items()
        }
        mixture_bands = np.sum(list(bands.values()), axis=0)
        mixture_power = mean_products(mixture_bands, mixture_bands, _HOP_SAMPLES)
        for k, (label, own) in enumerate(bands.items()):
            source[k] = source_index(label)
            source_power[k] = mean_products(own, own, _HOP_SAMPLES)
            cross_power[k] = mean_products(own, mixture_bands, _HOP_SAMPLES)
        return Example(frames, activity, source, mixture_power, source_power, cross_power)

    def _bands(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.inverse(self.bank(wave)[0])[0]
