"""What the listener's code is asked for: which sounds there are, and their gains."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from echoic.nn.listener import CODE_SIZE, N_BANDS, N_FEATURES, standardise
from echoic.nn.memory import EchoicMemory, MemoryState

LOOK_AHEAD_STEPS = 25  # 0.5 s


class Detect(nn.Module):
    """Say of every label whether it sounded `LOOK_AHEAD_STEPS` steps ago.

    The answer about a moment is given a little later, when more has been
    heard; files are read ahead by as much, streams get it late. The code of
    the moment itself is kept until then and stands beside the present one: it
    says when, the later one what.

    Shape:
        code (batch, 256, step) -> logits (batch, label, step); the state holds
        the last codes, (batch, 256, LOOK_AHEAD_STEPS).

    Delay: LOOK_AHEAD_STEPS. Hop: 1.
    """

    hop = 1
    delay = LOOK_AHEAD_STEPS

    def __init__(self, n_labels: int, n_hidden: int = 128, dropout: float = 0.3) -> None:
        super().__init__()
        self.now = nn.Linear(CODE_SIZE, n_hidden)
        self.then = nn.Linear(CODE_SIZE, n_hidden, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.logits = nn.Linear(n_hidden, n_labels)

    def init_state(self, batch: int) -> Tensor:
        """The state before any sound."""
        return torch.zeros(batch, CODE_SIZE, LOOK_AHEAD_STEPS)

    def forward(self, code: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits for every step."""
        kept = self.init_state(code.shape[0]) if state is None else state
        history = torch.cat([kept.to(code), code], dim=-1)
        then = history[..., : code.shape[-1]]
        hidden = self.now(code.transpose(1, 2)) + self.then(then.transpose(1, 2))
        logits: Tensor = self.logits(self.dropout(nn.functional.silu(hidden)))
        return logits.transpose(1, 2), history[..., history.shape[-1] - LOOK_AHEAD_STEPS :]


class Gains(nn.Module):
    """Share every band out among the labels and the rest.

    The code says what is sounding, a short memory of the ear's own frames
    where and when. A softmax over labels and rest makes the shares add up to
    1 in every band: what is given to one sound is taken from the others.

    Shape:
        frames (batch, 2, band, frame) every 5 ms, code (batch, 256, frame)
        -> gains (batch, label + 1, band, frame), the last one the rest.

    Delay: 0 frames. Hop: 1.
    """

    hop = 1
    delay = 0

    def __init__(self, n_labels: int, n_octaves: int = 4, n_hidden: int = 256) -> None:
        super().__init__()
        self.n_outputs = n_labels + 1
        self.memory = EchoicMemory(n_octaves)
        self.from_ear = nn.Linear(self.memory.n_slots * N_FEATURES * N_BANDS, n_hidden)
        self.from_code = nn.Linear(CODE_SIZE, n_hidden, bias=False)
        self.hidden = nn.Linear(n_hidden, n_hidden)
        self.shares = nn.Linear(n_hidden, self.n_outputs * N_BANDS)

    def init_state(self, batch: int) -> MemoryState:
        """The state before any sound."""
        return self.memory.init_state(batch, N_FEATURES * N_BANDS)

    def forward(
        self, frames: Tensor, code: Tensor, state: MemoryState | None = None
    ) -> tuple[Tensor, MemoryState]:
        """Gains for the next frames."""
        slots, state = self.memory(standardise(frames).flatten(1, 2), state)
        near_past = slots.flatten(1, 2).transpose(1, 2)
        x = self.from_ear(near_past) + self.from_code(code.transpose(1, 2))
        x = self.hidden(nn.functional.silu(x))
        shares = self.shares(nn.functional.silu(x)).unflatten(2, (self.n_outputs, N_BANDS))
        return torch.softmax(shares, dim=2).permute(0, 2, 3, 1), state
