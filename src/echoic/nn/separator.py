"""The network of `echoic denoise` and `voices`: a listener and one mask per signal."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from echoic.nn.listener import BANDS_PER_GROUP, FRAMES_PER_STEP, Encoding, Listener, ListenerState


class SeparatorOutput(NamedTuple):
    """masks: (batch, step, signal, band), summing to 1 over the signals."""

    masks: Tensor


class Shares(nn.Module):
    """Estimate masks that divide the power of every band and step among the signals.

    Shape:
        `Encoding` -> (batch, step, signal, band).
    """

    def __init__(self, n_signals: int, width: int, n_hidden: int = 96) -> None:
        super().__init__()
        self.n_signals = n_signals
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, n_hidden)
        self.out = nn.Linear(n_hidden, n_signals * BANDS_PER_GROUP)

    def forward(self, heard: Encoding) -> Tensor:
        """Masks for every step."""
        batch, n_steps, n_groups, _ = heard.groups.shape
        rows = self.norm(heard.groups.flatten(0, 2))  # products are of matrices
        x = self.out(nn.functional.silu(self.hidden(rows)))
        by_group = x.view(batch, n_steps, n_groups, self.n_signals, BANDS_PER_GROUP)
        return torch.softmax(by_group.transpose(2, 3).flatten(3), dim=2)


class Separator(nn.Module):
    """Separate a few signals that differ in kind, or that keep their order over time.

    Args:
        n_signals: Number of signals, including the background, which comes last.
        n_blocks: Blocks of the listener.

    Shape:
        frames (batch, 2, band, frame) every 5 ms, whole steps of two -> `SeparatorOutput`.

    Delay: 0 steps. Hop: 2 frames.
    """

    hop = FRAMES_PER_STEP
    delay = 0

    def __init__(self, n_signals: int, n_blocks: int = 2) -> None:
        super().__init__()
        self.listener = Listener(n_blocks=n_blocks)
        self.shares = Shares(n_signals, self.listener.width)

    def init_state(self, batch: int) -> ListenerState:
        """The state before any sound."""
        return self.listener.init_state(batch)

    def forward(
        self, frames: Tensor, state: ListenerState | None = None
    ) -> tuple[SeparatorOutput, ListenerState]:
        """Process the next ear frames."""
        heard, state = self.listener(frames, state)
        return SeparatorOutput(self.shares(heard)), state
