"""Echoic memory: the recent past in detail, the older past at ever coarser resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from echoic.checks import check_count
from echoic.errors import ParameterError


class EchoicMemory(nn.Module):
    """Store the past as averages over spans that double in length.

    Slot 0 is the present frame; slot k ≥ 1 the average of lags 2ᵏ⁻¹ … 2ᵏ − 1.
    A sum of 2ᵏ⁺¹ frames is the sum of two sums of 2ᵏ, so every slot is exact,
    without drift, and a frame costs one addition per slot whatever the
    horizon. Frames before the start are zeros.

    The state holds a line of the last 2ᵏ sums of 2ᵏ frames for each k below `n_octaves`, oldest
    first, one line after another.

    Args:
        n_octaves: Number of slots of the past; the horizon is 2^n_octaves
            frames: 9 at 10 ms a frame cover 5.12 s.

    Shape:
        x (batch, frame, feature) -> (batch, frame, slot, feature),
        state (batch, 2^n_octaves − 1, feature).

    Delay: 0 frames. Hop: 1.

    Raises:
        ParameterError: no octave, not a batch of frames, or a state of another size.

    Example:
        >>> counter = torch.arange(1.0, 9.0).reshape(1, 8, 1)
        >>> slots, state = EchoicMemory(3)(counter)
        >>> slots[0, -1, :, 0].tolist()  # 8, 7, mean(6, 5), mean(4, 3, 2, 1)
        [8.0, 7.0, 5.5, 2.5]
    """

    hop = 1
    delay = 0
    _oldest: Tensor
    _shifted: Tensor
    _n_summed: Tensor

    def __init__(self, n_octaves: int) -> None:
        super().__init__()
        self.n_octaves = check_count(n_octaves, name="n_octaves")
        self._lengths = [2**k for k in range(n_octaves)]
        ends = [2 * n - 1 for n in self._lengths]  # of the lines
        # After a single frame: the rows of the new state among those of the former one, followed
        # by the sums that end in that frame.
        shifted = [
            lag
            for k, (n, end) in enumerate(zip(self._lengths, ends, strict=True))
            for lag in [*range(end - n + 1, end), 2**n_octaves - 1 + k]
        ]
        for name, values in (
            ("_oldest", torch.tensor([n - 1 for n in self._lengths], dtype=torch.int64)),
            ("_shifted", torch.tensor(shifted, dtype=torch.int64)),
            ("_n_summed", torch.tensor([1.0, *self._lengths])),
        ):
            self.register_buffer(name, values, persistent=False)

    @property
    def n_slots(self) -> int:
        """Number of slots: those of the past and the present one."""
        return self.n_octaves + 1

    def init_state(self, batch: int, n_features: int) -> Tensor:
        """The state before any sound."""
        return torch.zeros(batch, 2**self.n_octaves - 1, n_features)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Store the next frames and return every slot at every frame."""
        if x.ndim != 3:
            raise ParameterError(f"x of shape {tuple(x.shape)} is not (batch, frame, feature)")
        wanted = (x.shape[0], 2**self.n_octaves - 1, x.shape[2])
        if state is None:
            state = self.init_state(x.shape[0], x.shape[2])
        if state.shape != wanted:
            raise ParameterError(
                f"state of shape {tuple(state.shape)} does not belong to this EchoicMemory and x, "
                f"which need {wanted}"
            )
        recall = self._recall_one if x.shape[1] == 1 else self._recall
        sums, state = recall(x, state.to(x))
        return sums / self._n_summed[:, None], state

    def _recall(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The sums (batch, frame, slot, feature) over the spans of all slots, and the new state."""
        slots, lines, total = [x], [], x
        for n in self._lengths:
            history = torch.cat([state[:, n - 1 : 2 * n - 1], total], dim=1)
            earlier = history[:, : x.shape[1]]  # the sum of n frames, n frames ago
            slots.append(earlier)
            lines.append(history[:, history.shape[1] - n :])
            total = total + earlier
        # `cat` and `unflatten`: `stack` would add a node per slot to exported graphs.
        sums = torch.cat(slots, dim=2).unflatten(2, (self.n_slots, x.shape[2]))
        return sums, torch.cat(lines, dim=1)

    def _recall_one(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """As `_recall`, of a single frame: all lines at once, in five nodes of a graph."""
        sums = torch.cat([x, state.index_select(1, self._oldest)], dim=1)
        both = torch.cat([state, sums.cumsum(1)], dim=1)
        return sums[:, None], both.index_select(1, self._shifted)
