"""The network of `echoic hear`: listener, detection and masks composed."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from echoic.nn.heads import LOOK_AHEAD_STEPS, Detect, Evidence, Local, Places, Queries
from echoic.nn.listener import FRAMES_PER_STEP, Listener, ListenerState


class HearingState(NamedTuple):
    """The state of the network."""

    listener: ListenerState
    detect: Tensor


class HearingOutput(NamedTuple):
    """Output of the network for every step of 10 ms.

    logits: (batch, step, label), of the step LOOK_AHEAD_STEPS ago.
    places: (batch, step, band, QUERY_SIZE), see `heads.masks`.
    embedding: (batch, step, size).
    """

    logits: Tensor
    places: Tensor
    embedding: Tensor


class HearingNetwork(nn.Module):
    """Detect labels, and compute a vector per band to compare with queries, every 10 ms.

    Args:
        n_labels: Number of labels, without the rest.

    Shape:
        frames (batch, 2, band, frame) every 5 ms, whole steps of two -> `HearingOutput`.

    Delay: LOOK_AHEAD_STEPS for logits, 0 steps for the others. Hop: 2 frames.
    """

    hop = FRAMES_PER_STEP
    delay = (LOOK_AHEAD_STEPS, 0, 0)  # of logits, places and embedding

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.listener = Listener()
        self.local = Local(self.listener.width)
        self.evidence = Evidence(n_labels)
        self.detect = Detect(n_labels, self.listener.size)
        self.places = Places()
        self.queries = Queries(n_labels, self.listener.size)

    def init_state(self, batch: int) -> HearingState:
        """The state before any sound."""
        return HearingState(self.listener.init_state(batch), self.detect.init_state(batch))

    def forward(
        self, frames: Tensor, state: HearingState | None = None
    ) -> tuple[HearingOutput, HearingState]:
        """Process the next ear frames."""
        state = self.init_state(frames.shape[0]) if state is None else state
        heard, listener = self.listener(frames, state.listener)
        local = self.local(heard)
        found = torch.cat([heard.embedding, self.evidence(local)], dim=-1)
        logits, detect = self.detect(found, state.detect)
        output = HearingOutput(logits, self.places(local), heard.embedding)
        return output, HearingState(listener, detect)
