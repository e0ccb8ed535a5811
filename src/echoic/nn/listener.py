"""The listener: a causal recurrent encoder over the ear and its memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from echoic.ear.design import design_listening
from echoic.nn.leaky import LeakyLayer
from echoic.nn.memory import EchoicMemory, MemoryState

N_BANDS = 64
N_FEATURES = 2  # level and onset, see `echoic.ear.frontend`
CODE_SIZE = 256
_TYPICAL_LEVEL, _TYPICAL_SPREAD, _TYPICAL_ONSET = 0.45, 0.22, 0.06


class ListenerState(NamedTuple):
    """What the listener carries: its echoic memory and its layers' integrators."""

    memory: MemoryState
    layers: tuple[Tensor, ...]  # (batch, CODE_SIZE) each


def standardise(frames: Tensor) -> Tensor:
    """Bring ear frames (batch, feature, band, frame) to about zero mean and unit spread."""
    level = (frames[:, :1] - _TYPICAL_LEVEL) / _TYPICAL_SPREAD
    return torch.cat([level, frames[:, 1:] / _TYPICAL_ONSET], dim=1)


def harmonic_matrix(multiple: float) -> Tensor:
    """(band, band) matrix that reads, at every band, the level `multiple` times higher.

    Linear interpolation on the ERB-rate scale; zero where that lies above the
    highest band. What belongs together, harmonics, is thereby made neighbours
    (harmonic stacking, Bittner et al. 2022).
    """
    center_hz = design_listening(sample_rate=16000, n_bands=N_BANDS).center_hz
    position = np.interp(center_hz * multiple, center_hz, np.arange(N_BANDS), right=np.nan)
    matrix = np.zeros((N_BANDS, N_BANDS), dtype=np.float32)
    for band, place in enumerate(position):
        if np.isfinite(place):
            low = min(int(place), N_BANDS - 2)
            matrix[band, low] = low + 1 - place
            matrix[band, low + 1] = place - low
    return torch.from_numpy(matrix)


def _narrowing(n_in: int, n_out: int, *, kernel: int) -> list[nn.Module]:
    """Half as many places over the bands; batch statistics are fixed once trained."""
    return [
        nn.Conv1d(n_in, n_out, kernel, stride=2, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(n_out),
        nn.SiLU(),
    ]


# Recordings to learn from are few: a listener that may rely on no band and no
# moment of the past learns what the kind has in common, not the recording.
_WIDEST_DEAF_BANDS = 12
_GAP_PROBABILITY = 0.15


def _with_deaf_bands(frames: Tensor) -> Tensor:
    """Silence some neighbouring bands, others in every item (SpecAugment, Park et al. 2019)."""
    batch = frames.shape[0]
    band = torch.arange(N_BANDS, device=frames.device)
    width = torch.randint(0, _WIDEST_DEAF_BANDS + 1, (batch, 1), device=frames.device)
    start = torch.randint(0, N_BANDS, (batch, 1), device=frames.device)
    heard = (band < start) | (band >= start + width)
    return frames * heard[:, None, :, None]


def _with_gaps(slots: Tensor) -> Tensor:
    """Forget whole slots of the past, others in every item; the present is always there."""
    kept = torch.rand(*slots.shape[:2], 1, 1, device=slots.device) >= _GAP_PROBABILITY
    kept[:, 0] = True
    return slots * kept


class Listener(nn.Module):
    """Turn ear frames into a code of what is being heard.

    The memory's slots stand beside each band as channels, with the bands two
    and three times as high (harmonics) and a learned identity of each band
    (the axes of sound differ: a band is not like the next). Convolutions over
    bands narrow this to one vector a frame, leaky layers carry it along in time.

    Shape:
        frames (batch, 2, band, frame), level and onset every 20 ms
        -> code (batch, 256, frame).

    Delay: 0 frames. Hop: 1.
    """

    hop = 1
    delay = 0
    harmonics: Tensor

    def __init__(
        self,
        *,
        n_octaves: int = 8,
        channels: tuple[int, int, int] = (48, 64, 64),
        n_layers: int = 2,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.memory = EchoicMemory(n_octaves)
        n_band_identity, multiples = 4, (2.0, 3.0)
        self.band_identity = nn.Parameter(0.5 * torch.randn(n_band_identity, N_BANDS))
        self.register_buffer(
            "harmonics", torch.stack([harmonic_matrix(m) for m in multiples]), persistent=False
        )
        n_inputs = N_FEATURES * self.memory.n_slots + n_band_identity + len(multiples)
        self.over_bands = nn.Sequential(
            *_narrowing(n_inputs, channels[0], kernel=5),
            *_narrowing(channels[0], channels[1], kernel=5),
            *_narrowing(channels[1], channels[2], kernel=3),
        )
        self.narrow = nn.Linear(channels[2] * (N_BANDS // 8), CODE_SIZE)
        self.norm = nn.LayerNorm(CODE_SIZE)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(LeakyLayer(CODE_SIZE) for _ in range(n_layers))

    def init_state(self, batch: int) -> ListenerState:
        """The state before any sound."""
        memory = self.memory.init_state(batch, N_FEATURES * N_BANDS)
        return ListenerState(memory, tuple(layer.init_state(batch) for layer in self._leaky()))

    def _leaky(self) -> list[LeakyLayer]:
        return [layer for layer in self.layers if isinstance(layer, LeakyLayer)]

    def forward(
        self, frames: Tensor, state: ListenerState | None = None
    ) -> tuple[Tensor, ListenerState]:
        """Listen to the next frames."""
        batch, _, _, n_frames = frames.shape
        if state is None:
            state = self.init_state(batch)
        frames = standardise(frames)
        if self.training:
            frames = _with_deaf_bands(frames)
        slots, memory = self.memory(frames.flatten(1, 2), state.memory)
        if self.training:
            slots = _with_gaps(slots)
        # (batch, slot, feature·band, frame) -> (batch·frame, slot·feature, band)
        past = slots.unflatten(2, (N_FEATURES, N_BANDS)).permute(0, 4, 1, 2, 3)
        past = past.flatten(2, 3).flatten(0, 1)
        level = past[:, 0]
        stacked = torch.einsum("hij,fj->fhi", self.harmonics, level)
        identity = self.band_identity.expand(batch * n_frames, -1, -1)
        x = self.over_bands(torch.cat([past, stacked, identity], dim=1))
        x = self.norm(self.narrow(x.flatten(1))).reshape(batch, n_frames, CODE_SIZE)
        code = self.dropout(x).transpose(1, 2)
        integrators = []
        for layer, integrator in zip(self.layers, state.layers, strict=True):
            code, integrator = layer(code, integrator.to(code))
            integrators.append(integrator)
        return code, ListenerState(memory, tuple(integrators))
