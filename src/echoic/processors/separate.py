"""Separation: one signal per label, and the rest; they sum to the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind
from echoic.processors.listen import Listen, ListenState
from echoic.processors.masks import WHOLE_LOOK_AHEAD_S, ApplyMasks, ApplyMasksState
from echoic.processors.model import Model, check_labels, load_model
from echoic.processors.network import Query

# Weights of the other labels and of the rest, relative to the requested labels; tuned on held-out
# recordings. In a stream it is not known whether a requested sound is present: at 0, other sounds
# leak into it while it pauses; at 1, it loses power to everything that sounds a little like it.
# In a second pass (`Replay`) it is known: the other labels weigh nothing, and the rest, which also
# takes the sounds that were missed, weighs 1.
OTHERS, REST = 0.05, 0.35
# Gains of what is muted, at these shares of the power: what has little of it stays whole. Tuned
# likewise: the other sounds lose half as many dB, and what is muted is attenuated as much.
MUTED_FROM, MUTED_AT = 0.4, 0.9


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
        muted: Whether the rest is what is wanted: it then keeps whole bands in which the
            requested sounds have a small share.
        look_ahead_s: Additional delay, which improves the separation, see `ApplyMasks`.

    Shape:
        wave (channel, time) -> signals (label + example + 1, channel, time), rest last;
        (2, channel, time) if `together`.

    Delay: `delay` samples, 8 ms and the look-ahead; each call returns as many samples as it was
    given.
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
        muted: bool = False,
        look_ahead_s: float = 0.0,
    ) -> None:
        """Load the model and design the banks."""
        self.model = load_model(model)
        self.together, self.muted = together, muted
        self.labels = check_labels(labels, self.model.labels)
        self.masks = self.model.masker(self.labels, examples, others=OTHERS, rest=REST)
        self.listen = Listen(
            self.model, sample_rate=sample_rate, want=self.model.wanted(self.labels, examples)
        )
        self.apply = ApplyMasks(
            n_labels=1 if together else len(self.labels) + len(examples),
            frames_per_step=self.model.frames_per_step,
            sample_rate=sample_rate,
            look_ahead_s=look_ahead_s,
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
        if self.muted:
            masks = np.clip((masks - MUTED_FROM) / (MUTED_AT - MUTED_FROM), 0, 1, dtype=np.float32)
        signals, apply = self.apply(wave, masks, state and state.apply)
        return signals, SeparateState(listen, apply)

    def finish(self, state: SeparateState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        check_kind(state, SeparateState, owner="Separate")
        return self.apply.finish(state.apply)


class Replay:
    """Separate a wave in a second pass, from the places stored in the first.

    Args:
        model: Model of the first pass.
        places: Returns the places of steps [start, stop), (64, size, step).
        labels: Requested labels.
        sample_rate: Hz.

    Shape:
        wave (channel, time) -> signals (label + 1, channel, time), rest last.

    Delay: `delay` samples, 8 ms and 40 ms of look-ahead. Hop: 1.

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
        self.masks = model.masker(self.labels)
        self.apply = ApplyMasks(
            n_labels=len(self.labels),
            frames_per_step=model.frames_per_step,
            sample_rate=sample_rate,
            look_ahead_s=WHOLE_LOOK_AHEAD_S,
        )
        self.delay = self.apply.delay

    def __call__(
        self, wave: NDArray[np.floating], state: ApplyMasksState | None = None
    ) -> tuple[NDArray[np.float32], ApplyMasksState]:
        """Separate the next chunk."""
        if state is not None:
            check_kind(state, ApplyMasksState, owner="Replay")
        start = int(state.n_samples[0]) if state else 0
        steps = (self.apply.n_steps(n) for n in (start, start + np.shape(wave)[-1]))
        masks = self.masks(self.places(*steps))
        return self.apply(wave, masks[:-1], state)

    def finish(self, state: ApplyMasksState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        return self.apply.finish(state)
