"""Leaky integrators whose leak is set by what is heard: the listener's recurrence."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LeakyLayer(nn.Module):
    """h ← h + z·(c − h): each unit follows its input as fast as its gate opens.

    Gate z and candidate c depend on the present input alone, so that only an
    elementwise recurrence is serial and all matrix products run over whole
    sequences at once: a fraction of a GRU's cost, and gradients that reach as
    far back as the leak (minGRU, Feng et al. 2024). Gates start out with time
    constants spread evenly, in octaves, from 1 to 128 steps.

    Shape:
        x (batch, size, step), state (batch, size) -> the same shapes.

    Delay: 0 steps. Hop: 1.
    """

    hop = 1
    delay = 0

    def __init__(self, size: int, *, longest_steps: float = 128.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.gate = nn.Linear(size, size)
        self.candidate = nn.Linear(size, size)
        self.out = nn.Linear(size, size)
        opening = longest_steps ** -torch.linspace(0.05, 1, size)
        with torch.no_grad():
            self.gate.bias.copy_(torch.logit(opening))
        self.size = size

    def init_state(self, batch: int) -> Tensor:
        """The state before any sound."""
        return torch.zeros(batch, self.size)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Integrate the next steps; the input is added to what comes out."""
        h = self.init_state(x.shape[0]).to(x) if state is None else state
        normed = self.norm(x.transpose(1, 2))
        gate = torch.sigmoid(self.gate(normed))
        kept, taken = 1 - gate, gate * self.candidate(normed)
        over_time = []
        for keep, take in zip(kept.unbind(1), taken.unbind(1), strict=True):
            h = torch.addcmul(take, keep, h)
            over_time.append(h)
        integrated = torch.stack(over_time, dim=1) if over_time else taken
        return x + self.out(nn.functional.silu(integrated)).transpose(1, 2), h
