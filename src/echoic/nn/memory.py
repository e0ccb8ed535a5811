"""Echoic memory: the recent past in detail, the older past at ever coarser resolution."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class MemoryState(NamedTuple):
    """lines[k]: (batch, feature, 2ᵏ), the last sums of 2ᵏ frames, oldest first."""

    lines: tuple[Tensor, ...]


class EchoicMemory(nn.Module):
    """Store the past as averages over spans that double in length.

    Slot 0 is the present frame; slot k ≥ 1 the average of lags 2ᵏ⁻¹ … 2ᵏ − 1.
    A sum of 2ᵏ⁺¹ frames is the sum of two sums of 2ᵏ, so every slot is exact,
    without drift, and a frame costs one addition per slot whatever the
    horizon. Frames before the start are zeros.

    Args:
        n_octaves: Number of slots of the past; the horizon is 2^n_octaves
            frames: 9 at 10 ms a frame cover 5.12 s.

    Shape:
        x (batch, feature, frame) -> (batch, slot, feature, frame).

    Delay: 0 frames. Hop: 1.

    Example:
        >>> counter = torch.arange(1.0, 9.0).reshape(1, 1, 8)
        >>> slots, state = EchoicMemory(3)(counter)
        >>> slots[0, :, 0, -1].tolist()  # 8, 7, mean(6, 5), mean(4, 3, 2, 1)
        [8.0, 7.0, 5.5, 2.5]
    """

    hop = 1
    delay = 0

    def __init__(self, n_octaves: int) -> None:
        super().__init__()
        self.n_octaves = n_octaves

    @property
    def n_slots(self) -> int:
        """Number of slots: those of the past and the present one."""
        return self.n_octaves + 1

    def init_state(self, batch: int, n_features: int) -> MemoryState:
        """The state before any sound."""
        return MemoryState(
            tuple(torch.zeros(batch, n_features, 2**k) for k in range(self.n_octaves))
        )

    def forward(self, x: Tensor, state: MemoryState | None = None) -> tuple[Tensor, MemoryState]:
        """Store the next frames and return every slot at every frame."""
        if state is None:
            state = self.init_state(x.shape[0], x.shape[1])
        n_frames = x.shape[-1]
        slots, lines, total = [x], [], x
        for k, line in enumerate(state.lines):
            history = torch.cat([line.to(x), total], dim=-1)
            earlier = history[..., :n_frames]  # the sum of 2ᵏ frames, 2ᵏ frames ago
            slots.append(earlier)
            lines.append(history[..., history.shape[-1] - 2**k :])
            total = total + earlier
        # `cat` and `unflatten`: `stack` would add a node per slot to exported graphs.
        sums = torch.cat(slots, dim=1).unflatten(1, (self.n_slots, x.shape[1]))
        n_summed = sums.new_tensor([1, *(2**k for k in range(self.n_octaves))])
        return sums / n_summed[:, None, None], MemoryState(tuple(lines))
