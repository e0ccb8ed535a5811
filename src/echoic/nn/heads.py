"""Output heads on the listener: detection of labels, and masks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from echoic.nn.listener import BANDS_PER_GROUP, N_GROUPS, Encoding

LOOK_AHEAD_STEPS = 50  # 0.5 s
QUERY_SIZE = 24
N_LOCAL = 96
"""Features per group of bands, shared by detection and masks."""


class Local(nn.Module):
    """Features of each group of bands, shared by detection and masks.

    Shape:
        `Encoding` -> (batch, step, group, N_LOCAL).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, N_LOCAL)

    def forward(self, heard: Encoding) -> Tensor:
        """Features for every step."""
        hidden = nn.functional.silu(self.hidden(self.norm(heard.groups.flatten(0, 2))))
        return hidden.view(*heard.groups.shape[:3], N_LOCAL)


class Evidence(nn.Module):
    """Logits of every label over the groups of bands, dominated by the clearest evidence.

    Sounds are transparent: in a mixture some bands contain one sound almost alone, and the
    others must not count as evidence against it. So each group of bands is scored separately,
    and the odds are summed, not averaged.

    Shape:
        local (batch, step, group, N_LOCAL) -> (batch, step, label).
    """

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.logits = nn.Linear(N_LOCAL, n_labels)
        nn.init.normal_(self.logits.weight, std=0.02)
        nn.init.constant_(self.logits.bias, -math.log(N_GROUPS))

    def forward(self, local: Tensor) -> Tensor:
        """Logits for every step."""
        by_group = self.logits(local.flatten(0, 2)).unflatten(0, local.shape[:3])
        # Equals `torch.logsumexp`, whose node in an exported graph takes five times as long.
        peak = by_group.detach().amax(dim=2, keepdim=True)
        return (by_group - peak).exp().sum(dim=2).log() + peak.squeeze(2)


class Detect(nn.Module):
    """Detect for every label whether it sounded `LOOK_AHEAD_STEPS` steps ago.

    The decision on a step is delayed so that it can use later input; files are
    read ahead by as much, streams get it late. The features of the step itself are
    kept until then and combined with the current ones: the former indicate when,
    the latter what.

    Shape:
        embedding and evidence concatenated (batch, step, size + label)
        -> logits (batch, step, label); the state holds the last inputs, embeddings
        normalised, (batch, LOOK_AHEAD_STEPS, size + label).

    Delay: LOOK_AHEAD_STEPS. Hop: 1.
    """

    hop = 1
    delay = LOOK_AHEAD_STEPS
    confidence: Tensor

    def __init__(self, n_labels: int, size: int, n_hidden: int = 192, dropout: float = 0.3) -> None:
        super().__init__()
        self.n_labels, self.size = n_labels, size
        self.norm = nn.LayerNorm(size)
        self.now = nn.Linear(size, n_hidden)
        self.then = nn.Linear(size, n_hidden, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.logits = nn.Linear(n_hidden, n_labels)
        nn.init.constant_(self.logits.bias, -3.0)  # few of the labels sound at a time
        # Slope and offset of confidence, set after training (`training.calibration`).
        self.register_buffer("confidence", torch.tensor([1.0, 0.0]), persistent=False)

    def init_state(self, batch: int) -> Tensor:
        """The state before any sound."""
        return torch.zeros(batch, LOOK_AHEAD_STEPS, self.size + self.n_labels)

    def forward(self, found: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits for every step."""
        kept = self.init_state(found.shape[0]) if state is None else state
        batch, n_steps, _ = found.shape
        embedding, evidence = found.split([self.size, self.n_labels], dim=-1)
        embedding = self.norm(embedding)
        history = torch.cat([kept.to(found), torch.cat([embedding, evidence], dim=-1)], dim=1)
        then, evidence_then = history[:, :n_steps].split([self.size, self.n_labels], dim=-1)
        hidden = nn.functional.silu(
            self.now(embedding.flatten(0, 1)) + self.then(then.flatten(0, 1))
        )
        logits = self.logits(self.dropout(hidden)).unflatten(0, (batch, n_steps))
        logits = logits + evidence + evidence_then
        return self.confidence[0] * logits + self.confidence[1], history[:, n_steps:]


class Places(nn.Module):
    """A vector for every band and step, to be compared with queries.

    Shape:
        local (batch, step, group, N_LOCAL) -> (batch, step, band, QUERY_SIZE).
    """

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(N_LOCAL, BANDS_PER_GROUP * QUERY_SIZE)

    def forward(self, local: Tensor) -> Tensor:
        """Vectors for every step."""
        batch, n_steps, n_groups, _ = local.shape
        vectors = self.out(local.flatten(0, 2))
        return vectors.view(batch, n_steps, n_groups * BANDS_PER_GROUP, QUERY_SIZE)


class Queries(nn.Module):
    """The vectors that places are compared with: of labels and the rest, or of an example.

    Shape:
        `labels` (label + 1, QUERY_SIZE), the rest last; called with the mean embedding of
        an example (…, size) -> (…, QUERY_SIZE).
    """

    def __init__(self, n_labels: int, size: int) -> None:
        super().__init__()
        self.labels = nn.Parameter(torch.randn(n_labels + 1, QUERY_SIZE))
        self.norm = nn.LayerNorm(size)
        self.of_example = nn.Linear(size, QUERY_SIZE)

    def forward(self, embedding: Tensor) -> Tensor:
        """The query of an example."""
        query: Tensor = self.of_example(self.norm(embedding))
        return query


def masks(places: Tensor, queries: Tensor, among: Tensor | None = None) -> Tensor:
    """Divide every band and step among the queries, by a softmax of their scores.

    Args:
        places: Vectors of `Places`.
        queries: Query vectors, the rest included.
        among: Where False, a query is left out and its mask is 0.

    Shape:
        places (batch, step, band, QUERY_SIZE), queries (batch, query, QUERY_SIZE),
        among (batch, query) -> (batch, query, band, step), summing to 1 over the queries.
    """
    scores = torch.einsum("bqd,bsfd->bqfs", queries, places) / QUERY_SIZE**0.5
    if among is not None:
        scores = scores.masked_fill(~among[:, :, None, None], float("-inf"))
    return torch.softmax(scores, dim=1)
