"""The backward pass over a whole recording: what comes later corrects masks and detection."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from echoic.nn.heads import QUERY_SIZE
from echoic.nn.listener import BANDS_PER_GROUP, N_BANDS, Block, BlockState

N_PLACES = N_BANDS * QUERY_SIZE
_GROUP_SIZE = BANDS_PER_GROUP * QUERY_SIZE
_TYPICAL_LOGIT = 4.0
_N_HIDDEN = 96


class BackwardOutput(NamedTuple):
    """places: (batch, step, band, QUERY_SIZE), logits: (batch, step, label), both corrected."""

    places: Tensor
    logits: Tensor


class Backward(nn.Module):
    """Correct the places and logits of a recording, from its last step to its first.

    `HearingNetwork` is causal: as a sound begins, it cannot know yet what it will turn out to
    be. Where the whole recording is there, a second network runs backward over the results of
    the first, so that every step depends on all that comes before and after it (Schuster and
    Paliwal 1997). It is trained alone, so that what is heard live stays what it was. Untrained
    it changes nothing.

    Args:
        n_labels: Number of labels.
        width: Features per group of bands.
        size: Size of the vector of the whole spectrum.
        n_blocks: Number of blocks.
        dropout: Dropout on the features gathered from the groups, in training.

    Shape:
        for every step, the last one first, places (band, QUERY_SIZE) flattened, then logits
        (batch, step, N_PLACES + label) -> `BackwardOutput`.

    Delay: 0 steps. Hop: 1.
    """

    hop = 1
    delay = 0
    confidence: Tensor

    def __init__(
        self,
        n_labels: int,
        *,
        width: int = 32,
        size: int = 192,
        n_blocks: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.norm_in = nn.LayerNorm(_GROUP_SIZE)
        self.of_places = nn.Linear(_GROUP_SIZE, width)
        self.of_logits = nn.Linear(n_labels, size)
        self.blocks = nn.ModuleList(Block(width, size, dropout) for _ in range(n_blocks))
        self.norm_groups = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, _N_HIDDEN)
        self.to_places = nn.Linear(_N_HIDDEN, _GROUP_SIZE)
        self.norm_whole = nn.LayerNorm(size)
        self.to_logits = nn.Linear(size, n_labels)
        for last in (self.to_places, self.to_logits):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        # Slope and offset of confidence, set after training (`training.calibration`).
        self.register_buffer("confidence", torch.tensor([1.0, 0.0]), persistent=False)

    def init_state(self, batch: int) -> tuple[BlockState, ...]:
        """The state at the end of the recording."""
        blocks = [block for block in self.blocks if isinstance(block, Block)]
        return tuple(block.init_state(batch) for block in blocks)

    def forward(
        self, found: Tensor, state: tuple[BlockState, ...] | None = None
    ) -> tuple[BackwardOutput, tuple[BlockState, ...]]:
        """Process the steps before those processed so far."""
        batch, n_steps, _ = found.shape
        state = self.init_state(batch) if state is None else state
        rows = found.flatten(0, 1)
        places, logits = rows[:, :N_PLACES], rows[:, N_PLACES:]
        groups = self.of_places(self.norm_in(places.reshape(-1, _GROUP_SIZE)))
        wide = self.of_logits(logits / _TYPICAL_LOGIT)
        after = []
        for block, before in zip(self.blocks, state, strict=True):
            groups, wide, block_state = block(groups, wide, before)
            after.append(block_state)
        hidden = nn.functional.silu(self.hidden(self.norm_groups(groups)))
        places = places + self.to_places(hidden).view(-1, N_PLACES)
        logits = logits + self.to_logits(self.norm_whole(wide))
        logits = self.confidence[0] * logits + self.confidence[1]
        output = BackwardOutput(
            places.view(batch, n_steps, N_BANDS, QUERY_SIZE),
            logits.view(batch, n_steps, self.n_labels),
        )
        return output, tuple(after)
