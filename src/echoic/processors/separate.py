"""Separation: one signal per label, and the rest; they sum to the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind
from echoic.ear.design import N_GAIN_BANDS
from echoic.processors.listen import Listen, ListenState
from echoic.processors.masks import ApplyMasks, ApplyMasksState
from echoic.processors.model import Model, check_labels, load_model
from echoic.processors.network import Query

# Weights of the other labels and of the rest, relative to the requested labels; tuned on held-out
# recordings. In a stream it is not known whether a requested sound is present: at 0, other sounds
# leak into it while it pauses; at 1, it loses power to everything that sounds a little like it.
# In a second pass (`Replay`) it is known.
OTHERS, REST = 0.05, 0.35
REST_OF_HEARD = 0.15
# In a second pass a mask is the mean of those of this step and the next four, 50 ms: the network
# recognises a sound a little after its onset. It improves separation by 0.3 dB.
AVERAGED_STEPS = 5


class SeparateState(NamedTuple):
    """State of the estimation of the masks and of their application."""

    listen: ListenState
    apply: ApplyMasksState


class Separate:
    """Separate a wave into one signal per label, and the rest.

    Args:
        labels: Requested labels; the power is divided among these and the rest, to which
            the other labels contribute with a small weight.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        model: Name of the model.
        examples: Queries of `hear_example`, requested as well.
        together: Whether all requested labels and examples are summed into one signal.

    Shape:
        wave (channel, time) -> signals (label + example + 1, channel, time), rest last;
        (2, channel, time) if `together`.

    Delay: `delay` samples, 8 ms; each call returns as many samples as it was given.
    Hop: 1.

    Raises:
        LabelError: an unknown label.
        ModelError: there is no such model.
    """

    hop = 1

    def __init__(
        self,
        *,
        labels: Sequence[str],
        sample_rate: float,
        model: str = "hear",
        examples: Sequence[Query] = (),
        together: bool = False,
    ) -> None:
        """Load the model and design the banks."""
        self.model = load_model(model)
        self.together = together
        self.labels = check_labels(labels, self.model.labels)
        self.masks = self.model.masker(self.labels, examples, others=OTHERS, rest=REST)
        self.listen = Listen(
            self.model, sample_rate=sample_rate, want=self.model.wanted(self.labels, examples)
        )
        self.apply = ApplyMasks(
            n_labels=1 if together else len(self.labels) + len(examples),
            frames_per_step=self.model.frames_per_step,
            sample_rate=sample_rate,
        )
        self.delay = self.apply.delay

    def __call__(
        self, wave: NDArray[np.floating], state: SeparateState | None = None
    ) -> tuple[NDArray[np.float32], SeparateState]:
        """Separate the next chunk."""
        if state is not None:
            check_kind(state, SeparateState, owner="Separate")
        heard, listen = self.listen(wave, state and state.listen)
        masks = self.masks(heard.places)[:-1]
        if self.together:
            masks = masks.sum(axis=0, keepdims=True)
        signals, apply = self.apply(wave, masks, state and state.apply)
        return signals, SeparateState(listen, apply)

    def finish(self, state: SeparateState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        check_kind(state, SeparateState, owner="Separate")
        return self.apply.finish(state.apply)


def mean_ahead(values: NDArray[np.float32], width: int, n_steps: int) -> NDArray[np.float32]:
    """Mean of every step and the `width` − 1 after it; past the end, the last is repeated.

    Shape:
        values (…, step) -> (…, n_steps).

    Example:
        >>> mean_ahead(np.array([2.0, 4.0, 8.0], np.float32), 2, 3).tolist()
        [3.0, 6.0, 8.0]
    """
    n_missing = max(n_steps + width - 1 - values.shape[-1], 0)
    held = np.concatenate([values, np.repeat(values[..., -1:], n_missing, axis=-1)], axis=-1)
    total = held[..., :n_steps].copy()
    for shift in range(1, width):
        total += held[..., shift : shift + n_steps]
    return np.divide(total, np.float32(width), out=total)


class Replay:
    """Separate a wave in a second pass, from the places stored in the first.

    Args:
        model: Model of the first pass.
        places: Returns the places of steps [start, stop), (64, size, step), fewer at the end.
        labels: Requested labels.
        sample_rate: Hz.

    Shape:
        wave (channel, time) -> signals (label + 1, channel, time), rest last.

    Delay: `delay` samples, 8 ms. Hop: 1.

    Raises:
        LabelError: an unknown label.
    """

    hop = 1

    def __init__(
        self,
        model: Model,
        places: Callable[[int, int], NDArray[np.floating]],
        *,
        labels: Sequence[str],
        sample_rate: float,
    ) -> None:
        self.places = places
        self.labels = check_labels(labels, model.labels)
        self.masks = model.masker(self.labels, rest=REST_OF_HEARD)
        self.apply = ApplyMasks(
            n_labels=len(self.labels),
            frames_per_step=model.frames_per_step,
            sample_rate=sample_rate,
        )
        self.delay = self.apply.delay

    def __call__(
        self, wave: NDArray[np.floating], state: ApplyMasksState | None = None
    ) -> tuple[NDArray[np.float32], ApplyMasksState]:
        """Separate the next chunk."""
        if state is not None:
            check_kind(state, ApplyMasksState, owner="Replay")
        start = int(state.n_samples[0]) if state else 0
        first, last = (self.apply.n_steps(n) for n in (start, start + np.shape(wave)[-1]))
        n_steps = last - first
        masks = np.empty((len(self.labels), N_GAIN_BANDS, 0), np.float32)
        if n_steps:
            ahead = self.masks(self.places(first, last + AVERAGED_STEPS - 1))[:-1]
            masks = mean_ahead(ahead, AVERAGED_STEPS, n_steps)
        return self.apply(wave, masks, state)

    def finish(self, state: ApplyMasksState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        return self.apply.finish(state)
