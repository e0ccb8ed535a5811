"""The network of `echoic hear`: listener, detection and gains composed."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from echoic.ear.frontend import FRAMES_PER_STEP
from echoic.nn.heads import Detect, Gains
from echoic.nn.listener import CODE_SIZE, Listener, ListenerState
from echoic.nn.memory import MemoryState


class HearingState(NamedTuple):
    """What the network carries from chunk to chunk."""

    listener: ListenerState
    detect: Tensor
    gains: MemoryState
    code: Tensor  # (batch, CODE_SIZE, 1), the newest


class HearingOutput(NamedTuple):
    """logits: (batch, label, step); gains: (batch, label + 1, band, ear frame)."""

    logits: Tensor
    gains: Tensor


def to_steps(frames: Tensor) -> Tensor:
    """Average ear frames over the listener's steps, (..., frame) -> (..., step)."""
    n_steps = frames.shape[-1] // FRAMES_PER_STEP
    return frames.unflatten(-1, (n_steps, FRAMES_PER_STEP)).mean(dim=-1)


def known_code(code: Tensor) -> Tensor:
    """The code that each ear frame knows: that of the last step complete by then.

    The last frame of a step knows its own step, the others only the one before.

    Shape: code (batch, size, 1 + step), from one step earlier on ->
        (batch, size, step · FRAMES_PER_STEP).
    """
    return code.repeat_interleave(FRAMES_PER_STEP, dim=-1)[..., 1 : 1 - FRAMES_PER_STEP]


class HearingNetwork(nn.Module):
    """Which labels sound, every 20 ms, and their gains in every band, every 5 ms.

    Shape:
        frames (batch, 2, band, ear frame) every 5 ms, whole steps of four
        -> `HearingOutput`.

    Delay: 0 frames for gains; detection answers LOOK_AHEAD_STEPS late. Hop: 1 frame for
        gains, 4 for detection.
    """

    hop = 1
    delay = 0

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.listener = Listener()
        self.detect = Detect(n_labels)
        self.gains = Gains(n_labels)

    def init_state(self, batch: int) -> HearingState:
        """The state before any sound."""
        return HearingState(
            self.listener.init_state(batch),
            self.detect.init_state(batch),
            self.gains.init_state(batch),
            torch.zeros(batch, CODE_SIZE, 1),
        )

    def forward(
        self, frames: Tensor, state: HearingState | None = None
    ) -> tuple[HearingOutput, HearingState]:
        """Hear the next ear frames."""
        if state is None:
            state = self.init_state(frames.shape[0])
        code, listener = self.listener(to_steps(frames), state.listener)
        code_so_far = torch.cat([state.code.to(code), code], dim=-1)
        known, newest = known_code(code_so_far), code_so_far[..., -1:]
        gains, gain_memory = self.gains(frames, known, state.gains)
        logits, codes = self.detect(code, state.detect)
        return HearingOutput(logits, gains), HearingState(listener, codes, gain_memory, newest)
