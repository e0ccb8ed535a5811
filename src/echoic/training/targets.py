"""Convert a mixed scene to the inputs and targets of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear import FrontEnd, kernels
from echoic.ear.design import N_GAIN_BANDS, design_inverse, design_separating
from echoic.ear.frontend import HOP_S
from echoic.jit import compiled
from echoic.labels import LABELS
from echoic.nn.listener import FRAMES_PER_STEP
from echoic.processors.masks import DELAY_S
from echoic.streaming import FrameClock
from echoic.training.data import OTHER
from echoic.training.mixing import MixedScene

MAX_SOURCES = 5  # four labelled sounds and the unlabelled rest
STEP_S = HOP_S * FRAMES_PER_STEP


class Example(NamedTuple):
    """One scene as arrays; a step is 10 ms.

    Attributes:
        frames: (2, band, ear frame), from the `FrontEnd`.
        activity: (label, step), 1 where a label sounds.
        source: (MAX_SOURCES,) index of each source's label, len(LABELS) for the rest, −1 for
            none.
        own: (MAX_SOURCES, band, step), mean power of each source in the separating bank,
            timed at the output of the bank.
        cross: (MAX_SOURCES, band, step) likewise, of source times mixture.
        mixture: (band, step) likewise, of the mixture.
    """

    frames: NDArray[np.float32]
    activity: NDArray[np.float32]
    source: NDArray[np.int64]
    own: NDArray[np.float32]
    cross: NDArray[np.float32]
    mixture: NDArray[np.float32]


@compiled
def _powers(sources, ends, pole, gain, weight, delay, order, row, own, cross, mixture):  # type: ignore[no-untyped-def]
    """Sum own², own·mixture and mixture² of every band over steps, all sources in one pass.

    sources (source, time); ends of the steps in samples of the output; pole and weight
    complex64 (band,), gain float32 (band,); delay (band,), shorter than any step, and order,
    the bands by descending delay; row (band,), the output row that a band is added to.
    Outputs are (…, band, step), initially zero. Sums stay in the cache; each is stored when
    its band, delayed, has reached the end of a step.
    """
    n_sources, n_samples = sources.shape
    n_bands = gain.size
    pr, pi, wr, wi = pole.real.copy(), pole.imag.copy(), weight.real.copy(), weight.imag.copy()
    state = np.zeros((n_sources, 8, n_bands), np.float32)
    block = 32  # short enough that all sources' bands stay in the cache
    real = np.zeros((n_sources, block, n_bands), np.float32)
    total = np.zeros(n_bands, np.float32)
    sums = np.zeros((2 * n_sources + 1, n_bands), np.float32)
    guard = np.float32(1e-15)  # its square is not denormal: sources are often silent
    step, place = 0, 0
    for start in range(0, n_samples, block):
        length = min(block, n_samples - start)
        for k in range(n_sources):
            s = state[k]
            stage = kernels.stage_rows(s)
            for i in range(length):
                x = sources[k, start + i] + kernels.DENORMAL_GUARD
                out = real[k, i]
                for b in range(n_bands):
                    kernels.four_stages(gain[b] * x, None, pr[b], pi[b], stage, b)
                    out[b] = wr[b] * stage[6][b] - wi[b] * stage[7][b] + guard
        for i in range(length):
            while step < ends.size and ends[step] - delay[order[place]] <= start + i:
                b = order[place]
                for k in range(n_sources):
                    own[k, row[b], step] += sums[k, b]
                    cross[k, row[b], step] += sums[n_sources + k, b]
                mixture[row[b], step] += sums[2 * n_sources, b]
                sums[:, b] = 0
                place += 1
                if place == n_bands:
                    step, place = step + 1, 0
            total[:] = 0
            for k in range(n_sources):
                out = real[k, i]
                for b in range(n_bands):
                    total[b] += out[b]
            for k in range(n_sources):
                out, of_own, of_cross = real[k, i], sums[k], sums[n_sources + k]
                for b in range(n_bands):
                    of_own[b] += out[b] * out[b]
                    of_cross[b] += out[b] * total[b]
            of_all = sums[2 * n_sources]
            for b in range(n_bands):
                of_all[b] += total[b] * total[b]


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
    """Output index of a source: that of its label, or the last one, the rest."""
    return len(LABELS) if label == OTHER else LABELS.index(label)


def stack_sources(
    scene: MixedScene, own: NDArray[np.float32], cross: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Output indices of the sources, and their powers, padded to MAX_SOURCES."""
    missing = MAX_SOURCES - len(scene.sources)
    source = [source_index(label) for label in scene.sources] + [-1] * missing
    empty = ((0, missing), (0, 0), (0, 0))
    return np.array(source, np.int64), np.pad(own, empty), np.pad(cross, empty)


class ExampleMaker:
    """Convert scenes of one sample rate to examples; holds only designs, no state.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, *, sample_rate: int) -> None:
        """Design the filterbanks."""
        self.front_end = FrontEnd(sample_rate=sample_rate)
        self.clock = FrameClock(sample_rate=sample_rate, hop_s=STEP_S)
        self.bank = design_separating(sample_rate=sample_rate)
        self.inverse = design_inverse(self.bank, delay_s=DELAY_S)
        # Bands above the highest gain share that gain, so their power is added to its band.
        self.row = np.minimum(np.arange(self.bank.n_bands), N_GAIN_BANDS - 1)

    def __call__(self, scene: MixedScene) -> Example:
        """Compute the ear frames of a scene and the powers of its sources."""
        frames, own, cross, mixture = self.frames_and_powers(scene)
        activity = activity_of(scene.spans_s, mixture.shape[-1])
        return Example(frames, activity, *stack_sources(scene, own, cross), mixture)

    def frames_and_powers(self, scene: MixedScene) -> tuple[NDArray[np.float32], ...]:
        """Compute ear frames (2, band, frame) in whole steps, and `powers` of the sources."""
        frames = self.front_end(scene.mixture[np.newaxis])[0]
        n_steps = frames.shape[-1] // FRAMES_PER_STEP
        powers = self.powers(np.stack(list(scene.sources.values())), n_steps)
        return frames[..., : n_steps * FRAMES_PER_STEP], *powers

    def powers(
        self, sources: NDArray[np.float32], n_steps: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Compute mean products in the separating bank, per band and step.

        Shape:
            sources (source, time) -> own (source, band, step), cross the same,
            mixture (band, step).
        """
        shape = (N_GAIN_BANDS, n_steps)
        own, cross = (np.zeros((len(sources), *shape), np.float32) for _ in range(2))
        mixture = np.zeros(shape, np.float32)
        delay = self.inverse.band_delay_samples[0]
        _powers(
            sources,
            self.clock.ends(0, sources.shape[1])[:n_steps],
            self.bank.pole.astype(np.complex64),
            self.bank.gain.astype(np.float32),
            self.inverse.weight[0].astype(np.complex64),
            delay,
            np.argsort(-delay, kind="stable"),
            self.row,
            own,
            cross,
            mixture,
        )
        hop_samples = np.float32(self.clock.hop_samples)
        return own / hop_samples, cross / hop_samples, mixture / hop_samples
