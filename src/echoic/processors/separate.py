"""Separation: every sound by itself, and what is left over; they add up to the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind
from echoic.processors.listen import Listen, ListenState
from echoic.processors.masks import ApplyMasks, ApplyMasksState
from echoic.processors.model import Model, check_labels, load_model
from echoic.processors.network import Query

# Weights of the other labels and of the rest, against what is asked for. Nobody knows yet whether
# that is there: if they weigh nothing, other sounds leak into it while it pauses, and at 1 it is
# drowned by all that sounds a little like it. Of what was heard before it is known. Chosen on
# recordings kept aside from training.
OTHERS, REST = 0.05, 0.35
REST_OF_HEARD = 0.15


class SeparateState(NamedTuple):
    """State of who gives the masks and of who applies them."""

    listen: ListenState
    apply: ApplyMasksState


class Separate:
    """Share a wave out among labels: one signal a label, and the rest.

    Args:
        labels: Whose signals are wanted; the sound is shared out among these and the rest, in
            which the other labels claim a little of theirs.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        model: Name of the model.
        examples: Queries of `hear_example`, whose signals are wanted as well.
        together: Whether all of them are one signal.

    Shape:
        wave (channel, time) -> signals (label + example + 1, channel, time), rest last;
        (2, channel, time) if they are together.

    Delay: `delay` samples, 8 ms; as many samples come out of each call as went in.
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


class Replay:
    """Separate a wave that was listened to before, from the places kept of it.

    Args:
        model: That listened.
        places: Gives the places of steps [start, stop), (64, size, step).
        labels: Whose signals are wanted.
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
        steps = (self.apply.n_steps(n) for n in (start, start + np.shape(wave)[-1]))
        masks = self.masks(self.places(*steps))
        return self.apply(wave, masks[:-1], state)

    def finish(self, state: ApplyMasksState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        return self.apply.finish(state)
