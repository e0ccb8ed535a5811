"""What the listener is asked for: which sounds there are, and whose each place is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from echoic.nn.listener import BANDS_PER_GROUP, Heard

LOOK_AHEAD_STEPS = 50  # 0.5 s
QUERY_SIZE = 24


class Detect(nn.Module):
    """Say of every label whether it sounded `LOOK_AHEAD_STEPS` steps ago.

    The answer about a moment is given a little later, when more has been
    heard; files are read ahead by as much, streams get it late. The embedding of
    the moment itself is kept until then and stands beside the present one: it
    says when, the later one what.

    Shape:
        embedding (batch, step, size) -> logits (batch, step, label); the state holds
        the last embeddings, (batch, LOOK_AHEAD_STEPS, size).

    Delay: LOOK_AHEAD_STEPS. Hop: 1.
    """

    hop = 1
    delay = LOOK_AHEAD_STEPS

    def __init__(self, n_labels: int, size: int, n_hidden: int = 192, dropout: float = 0.3) -> None:
        super().__init__()
        self.size = size
        self.norm = nn.LayerNorm(size)
        self.now = nn.Linear(size, n_hidden)
        self.then = nn.Linear(size, n_hidden, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.logits = nn.Linear(n_hidden, n_labels)
        nn.init.constant_(self.logits.bias, -3.0)  # few of the labels sound at a time

    def init_state(self, batch: int) -> Tensor:
        """The state before any sound."""
        return torch.zeros(batch, LOOK_AHEAD_STEPS, self.size)

    def forward(self, embedding: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits for every step."""
        kept = self.init_state(embedding.shape[0]) if state is None else state
        now = self.norm(embedding)
        history = torch.cat([kept.to(embedding), now], dim=1)
        batch, n_steps, _ = embedding.shape
        then = history[:, :n_steps]
        hidden = nn.functional.silu(self.now(now.flatten(0, 1)) + self.then(then.flatten(0, 1)))
        logits = self.logits(self.dropout(hidden))
        return logits.unflatten(0, (batch, n_steps)), history[:, n_steps:]


class Places(nn.Module):
    """A vector for every band and step: what is heard there, to be held against queries.

    Shape:
        `Heard` -> (batch, step, band, QUERY_SIZE).
    """

    def __init__(self, width: int, n_hidden: int = 96) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, n_hidden)
        self.out = nn.Linear(n_hidden, BANDS_PER_GROUP * QUERY_SIZE)

    def forward(self, heard: Heard) -> Tensor:
        """Vectors for every step."""
        batch, n_steps, n_groups, _ = heard.groups.shape
        rows = self.norm(heard.groups.flatten(0, 2))
        x = self.out(nn.functional.silu(self.hidden(rows)))
        return x.view(batch, n_steps, n_groups * BANDS_PER_GROUP, QUERY_SIZE)


class Queries(nn.Module):
    """The vectors that places are held against: of labels and the rest, or of an example.

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
    """Share every band and step out among queries: what one is given is taken from the others.

    Args:
        places: What is heard where.
        queries: What is asked for, the rest among them.
        among: Where False, a query takes no part and is given nothing.

    Shape:
        places (batch, step, band, QUERY_SIZE), queries (batch, query, QUERY_SIZE),
        among (batch, query) -> (batch, query, band, step), adding up to 1 over the queries.
    """
    scores = torch.einsum("bqd,bsfd->bqfs", queries, places) / QUERY_SIZE**0.5
    if among is not None:
        scores = scores.masked_fill(~among[:, :, None, None], float("-inf"))
    return torch.softmax(scores, dim=1)
