"""The listener: a causal recurrent encoder over the ear and its memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from echoic.ear.design import design_listening
from echoic.nn.leaky import LeakyLayer
from echoic.nn.memory import EchoicMemory

N_BANDS = 64
N_FEATURES = 2  # level and onset, see `echoic.ear.frontend`
FRAMES_PER_STEP = 2
"""Ear frames of 5 ms per step of 10 ms."""
N_GROUPS = 16
BANDS_PER_GROUP = N_BANDS // N_GROUPS
_TYPICAL_LEVEL, _TYPICAL_SPREAD, _TYPICAL_ONSET = 0.45, 0.22, 0.06
_HARMONICS = (0.5, 2.0, 3.0)


class BlockState(NamedTuple):
    """State of a block's integrators: groups (batch, group · width), wide (batch, size)."""

    groups: Tensor
    wide: Tensor


class ListenerState(NamedTuple):
    """State of the listener: its echoic memory and the integrators of its blocks."""

    memory: Tensor
    blocks: tuple[BlockState, ...]


class Encoding(NamedTuple):
    """Output of the listener for each step.

    embedding: (batch, step, size), one vector for the whole spectrum.
    groups: (batch, step, group, feature), features of each group of four adjacent bands.
    """

    embedding: Tensor
    groups: Tensor


def standardise(frames: Tensor) -> Tensor:
    """Normalise ear frames (batch, feature, band, frame) to about zero mean and unit spread."""
    spread = frames.new_tensor([_TYPICAL_SPREAD, _TYPICAL_ONSET])
    middle = frames.new_tensor([_TYPICAL_LEVEL, 0])
    return (frames - middle[:, None, None]) / spread[:, None, None]


def harmonic_matrix(multiple: float) -> Tensor:
    """(band, band) matrix that reads, for every band, the level at `multiple` times its centre.

    Linear interpolation in Hz between centres; zero where that frequency lies above the
    highest band or below the lowest. Harmonically related bands thereby become adjacent
    (harmonic stacking, Bittner et al. 2022).
    """
    center_hz = design_listening(sample_rate=16000, n_bands=N_BANDS).center_hz
    position = np.interp(
        center_hz * multiple, center_hz, np.arange(N_BANDS), left=np.nan, right=np.nan
    )
    matrix = np.zeros((N_BANDS, N_BANDS), dtype=np.float32)
    for band, place in enumerate(position):
        if np.isfinite(place):
            low = min(int(place), N_BANDS - 2)
            matrix[band, low] = low + 1 - place
            matrix[band, low + 1] = place - low
    return torch.from_numpy(matrix)


class Encoder(nn.Module):
    """Encode every group of four bands, with its recent past and harmonics, as one vector.

    Each group has a bias of its own: unlike time, the frequency axis is not
    translation-invariant.

    Shape:
        frames (batch, 2, band, frame), standardised, whole steps
        -> (batch · step · group, width).
    """

    harmonics: Tensor

    def __init__(self, n_octaves: int, n_hidden: int, width: int) -> None:
        super().__init__()
        self.memory = EchoicMemory(n_octaves)
        self.register_buffer(
            "harmonics", torch.cat([harmonic_matrix(m).T for m in _HARMONICS], 1), persistent=False
        )
        n_channels = N_FEATURES * FRAMES_PER_STEP + n_octaves + len(_HARMONICS)
        self.hidden = nn.Linear(n_channels * BANDS_PER_GROUP, n_hidden)
        self.group_bias = nn.Parameter(0.5 * torch.randn(N_GROUPS, n_hidden))
        self.out = nn.Linear(n_hidden, width)

    def forward(self, frames: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encode the next steps."""
        n_steps = frames.shape[-1] // FRAMES_PER_STEP
        # (batch, feature, frame of the step, band, step)
        present = frames.unflatten(-1, (n_steps, FRAMES_PER_STEP)).permute(0, 1, 4, 2, 3)
        level = present[:, 0].mean(1).transpose(1, 2)
        slots, state = self.memory(level, state)
        harmonics = (level @ self.harmonics).unflatten(2, (len(_HARMONICS), N_BANDS))
        others = torch.cat([slots[:, :, 1:], harmonics], dim=2)  # (batch, step, channel, band)
        by_channel = others.flatten(2).transpose(1, 2).unflatten(1, (-1, N_BANDS))
        channels = torch.cat([present.flatten(1, 2), by_channel], dim=1)
        # Groups before channels, then steps before both: two transposes of long memory runs.
        by_group = channels.unflatten(2, (N_GROUPS, BANDS_PER_GROUP)).transpose(1, 2)
        rows = by_group.flatten(1, 3).transpose(1, 2).reshape(-1, self.hidden.in_features)
        groups = self.hidden(rows).view(-1, *self.group_bias.shape)
        return self.out(nn.functional.silu(groups + self.group_bias).flatten(0, 1)), state


class Block(nn.Module):
    """One block of the listener: integrate each group over time, then all groups together.

    All groups share the weights along time, so that a temporal pattern is learned once for
    the whole spectrum; across groups every place has its own weights. The features of the
    whole spectrum are fed back to every group.

    Shape:
        groups (batch · step · group, width), wide (batch · step, size) -> the same shapes.
    """

    def __init__(self, width: int, size: int, dropout: float) -> None:
        super().__init__()
        self.along_time = LeakyLayer(width, n_places=N_GROUPS)
        self.norm = nn.LayerNorm(width)
        self.gather = nn.Linear(N_GROUPS * width, size)
        self.dropout = nn.Dropout(dropout)
        self.whole = LeakyLayer(size)
        self.spread = nn.Linear(size, N_GROUPS * width)

    def init_state(self, batch: int) -> BlockState:
        """The state before any sound."""
        return BlockState(self.along_time.init_state(batch), self.whole.init_state(batch))

    def forward(
        self, groups: Tensor, wide: Tensor, state: BlockState
    ) -> tuple[Tensor, Tensor, BlockState]:
        """Process the next steps; for the first block `wide` is 0."""
        groups, in_groups = self.along_time.of_rows(groups, state.groups)
        together = (-1, N_GROUPS * groups.shape[-1])
        wide = wide + self.dropout(self.gather(self.norm(groups).view(together)))
        wide, in_whole = self.whole.of_rows(wide, state.wide)
        spread = self.spread(nn.functional.silu(wide))
        return groups + spread.view_as(groups), wide, BlockState(in_groups, in_whole)


class Listener(nn.Module):
    """Encode ear frames as an embedding of the whole spectrum and features of each group.

    Args:
        n_octaves: Octaves of the echoic memory; 9 at 10 ms a step reach back 5.12 s.
        n_hidden: Hidden units of the encoder of each group of bands.
        width: Features per group of bands.
        size: Size of the embedding.
        n_blocks: Number of blocks.
        dropout: Dropout on the features gathered from the groups, in training.

    Shape:
        frames (batch, 2, band, frame), level and onset every 5 ms, whole steps of two
        -> `Encoding`, a step every 10 ms.

    Delay: 0 steps. Hop: FRAMES_PER_STEP frames.
    """

    hop = FRAMES_PER_STEP
    delay = 0

    def __init__(
        self,
        *,
        n_octaves: int = 9,
        n_hidden: int = 64,
        width: int = 32,
        size: int = 256,
        n_blocks: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.size, self.width = size, width
        self.encoder = Encoder(n_octaves, n_hidden, width)
        self.blocks = nn.ModuleList(Block(width, size, dropout) for _ in range(n_blocks))

    def init_state(self, batch: int) -> ListenerState:
        """The state before any sound."""
        memory = self.encoder.memory.init_state(batch, N_BANDS)
        blocks = [block for block in self.blocks if isinstance(block, Block)]
        return ListenerState(memory, tuple(block.init_state(batch) for block in blocks))

    def forward(
        self, frames: Tensor, state: ListenerState | None = None
    ) -> tuple[Encoding, ListenerState]:
        """Encode the next frames."""
        batch, _, _, n_frames = frames.shape
        state = self.init_state(batch) if state is None else state
        groups, memory = self.encoder(standardise(frames), state.memory)
        wide, after = groups.new_zeros(()), []
        for block, before in zip(self.blocks, state.blocks, strict=True):
            groups, wide, block_state = block(groups, wide, before)
            after.append(block_state)
        steps = (batch, n_frames // FRAMES_PER_STEP)
        heard = Encoding(wide.view(*steps, self.size), groups.view(*steps, N_GROUPS, self.width))
        return heard, ListenerState(memory, tuple(after))
