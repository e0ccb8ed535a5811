"""The control that learns nothing."""

from __future__ import annotations

from torch import Tensor

from echoic.style.methods.task import Task
from echoic.style.vocoder import lengthen, randomise_phase, vocode


def vocoder(task: Task) -> Tensor:
    """Bands of noise with the style's spectrum take on the content's envelopes, to 1 − strength."""
    return _vocoded(task, randomise_phase(_carrier(task), task.generator()))


def vocoder_own(task: Task) -> Tensor:
    """The same with the style itself as the carrier, which is then copied."""
    return _vocoded(task, _carrier(task))


def _carrier(task: Task) -> Tensor:
    return lengthen(task.style, task.content.shape[-1], sample_rate=task.sample_rate)


def _vocoded(task: Task, carrier: Tensor) -> Tensor:
    return vocode(task.content, carrier, sample_rate=task.sample_rate, depth=1 - task.strength)
