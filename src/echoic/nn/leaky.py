"""Leaky integrators with input-dependent gates: the recurrence of the listener."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from echoic.nn.scan import scan


class LeakyLayer(nn.Module):
    """h ← h + z·(c − h): each unit follows its candidate c at a rate set by its gate z.

    Gate and candidate depend on the present input alone, so that only an
    elementwise recurrence is serial and all matrix products run over whole
    sequences at once: a fraction of a GRU's cost, and gradients that reach as
    far back as the leak (minGRU, Feng et al. 2024). Gates are initialised to time
    constants evenly spaced, in octaves, from 1 step to `longest_steps`.

    Args:
        size: Number of units.
        n_places: Number of places that have such units; all share the weights.
        longest_steps: Initial time constant of the slowest unit.

    Shape:
        x (batch, step, place, size) -> the same, state (batch, place · size); without the
        place axis if there is only one. Inside the networks steps come before units, since
        matrix products run over units.

    Delay: 0 steps. Hop: 1.
    """

    hop = 1
    delay = 0

    def __init__(self, size: int, *, n_places: int = 1, longest_steps: float = 256.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.gate_and_candidate = nn.Linear(size, 2 * size)
        self.out = nn.Linear(size, size)
        opening = longest_steps ** -torch.linspace(0.05, 1, size)
        with torch.no_grad():
            self.gate_and_candidate.bias[:size] = torch.logit(opening)
        self.n_units = n_places * size

    def init_state(self, batch: int) -> Tensor:
        """The state before any sound."""
        return torch.zeros(batch, self.n_units)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Integrate the next steps; the input is added to the output (residual connection)."""
        first = self.init_state(x.shape[0]).to(x) if state is None else state
        rows, last = self.of_rows(x.flatten(0, -2), first)
        return rows.view_as(x), last

    def of_rows(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, on rows (batch · step · place, size), so that products are of matrices."""
        normed, size = self.norm(x), x.shape[-1]
        weight, bias = self.gate_and_candidate.weight, self.gate_and_candidate.bias
        # Two products: splitting the result of one would copy it in exported graphs.
        # In float32 under autocast as well: in bfloat16 the slowest gates would round to 0.
        gate = torch.sigmoid(nn.functional.linear(normed, weight[:size], bias[:size]).float())
        candidate = nn.functional.linear(normed, weight[size:], bias[size:]).float()
        state = state.to(gate)
        if x.numel() == state.numel():  # a single step: with few nodes in exported graphs
            before = state.reshape_as(x)
            h = before + gate * (candidate - before)
            last = h.reshape_as(state)
        else:
            by_step = (state.shape[0], x.numel() // state.numel(), self.n_units)
            h = scan((1 - gate).view(by_step), (gate * candidate).view(by_step), state)
            last = h[:, -1] if h.shape[1] else state
        return x + self.out(nn.functional.silu(h.reshape_as(x))), last
