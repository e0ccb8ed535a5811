"""Vocoder controls, which learn nothing."""

from __future__ import annotations

from torch import Tensor

from echoic.style.methods.task import Task
from echoic.style.vocoder import lengthen, randomise_phase, vocode


def vocoder(task: Task) -> Tensor:
    """Impose the content's envelopes on noise of the style's spectrum, at depth 1 − strength."""
    return _vocoded(task, randomise_phase(_carrier(task), task.generator()))


def vocoder_own(task: Task) -> Tensor:
    """The same with the style itself as the carrier, so that the result copies it."""
    return _vocoded(task, _carrier(task))


def _carrier(task: Task) -> Tensor:
    return lengthen(task.style, task.content.shape[-1], sample_rate=task.sample_rate)


def _vocoded(task: Task, carrier: Tensor) -> Tensor:
    return vocode(task.content, carrier, sample_rate=task.sample_rate, depth=1 - task.strength)
