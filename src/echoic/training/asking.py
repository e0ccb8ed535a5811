"""The queries in the training of `echoic hear`: for which labels, by name or by example."""

from __future__ import annotations

import torch
from torch import Tensor

from echoic.labels import LABELS
from echoic.training.loop import Batch

# Labels that are queried although no scene of the batch contains them.
_N_ABSENT = 8
_EXAMPLE_PROBABILITY = 0.5
# Scenes in which only some of the sounds are queried, as when one is attended to.
_PARTLY_ASKED_PROBABILITY = 0.3


def labels_asked(of_batch: Tensor, source: Tensor) -> Tensor:
    """Labels to query: those of the batch, all others that sound, some absent ones, the rest.

    Args:
        of_batch: (label,) indices of labels with a scene alone; they come first.
        source: (item, source) indices of labels, len(LABELS) for the rest, −1 for none.
    """
    rest = len(LABELS)
    sounding = torch.zeros(rest + 1, dtype=torch.bool, device=source.device)
    sounding[source[source >= 0]] = True
    sounding[of_batch] = True
    absent = (~sounding[:rest]).nonzero()[:, 0]
    absent = absent[torch.randperm(absent.numel(), device=source.device)[:_N_ABSENT]]
    sounding[of_batch] = False
    mixed = sounding[:rest].nonzero()[:, 0]
    return torch.cat([of_batch, mixed, absent, of_batch.new_tensor([rest])])


def mean_embedding(embedding: Tensor, batch: Batch) -> Tensor:
    """The mean embedding of each label of the batch where it is active alone, (label, size)."""
    alone = torch.arange(len(batch["label"]), device=embedding.device)
    active = batch["activity"][alone, batch["label"]][..., None]
    active = active + 1e-3  # where a sound was cut off entirely, average all steps
    return (embedding[alone] * active).sum(dim=1) / active.sum(dim=1)


def queries_of(labels: Tensor, examples: Tensor, *, n_items: int) -> Tensor:
    """Query each label of the batch by its name or by example, drawn anew for every item.

    Shape:
        labels (query, size), those of the batch first; examples (label, size)
        -> (item, query, size).
    """
    n_examples = len(examples)
    by_example = torch.rand(n_items, n_examples, 1, device=labels.device) < _EXAMPLE_PROBABILITY
    # A clip is no example of itself.
    by_example[:n_examples] &= ~torch.eye(n_examples, dtype=torch.bool, device=labels.device)[
        ..., None
    ]
    of_batch = torch.where(by_example, examples, labels[:n_examples])
    return torch.cat([of_batch, labels[n_examples:].expand(n_items, -1, -1)], dim=1)


def drawn_left_out(source: Tensor) -> Tensor:
    """Draw labelled sounds to leave unqueried, (item, source): about half, in some items."""
    partly = torch.rand(len(source), 1, device=source.device) < _PARTLY_ASKED_PROBABILITY
    half = torch.rand(source.shape, device=source.device) < 0.5
    return partly & half & (source >= 0) & (source < len(LABELS))


def given_to_rest(power: Tensor, left_out: Tensor, is_rest: Tensor) -> Tensor:
    """Add the power of left-out sources to the rest, exact as far as they are uncorrelated.

    Shape:
        power (item, source, band, step), left_out and is_rest (item, source) -> as power.
    """
    moved = power * left_out[..., None, None]
    return power - moved + is_rest[..., None, None] * moved.sum(dim=1, keepdim=True)


def at_places(slot: Tensor, chosen: Tensor, n_queries: int) -> Tensor:
    """Whether any chosen source has its slot at a query, (item, query).

    slot and chosen are (item, source). Sources without a slot, −1, are not chosen; they are
    clamped to slot 0, which a chosen source may have.
    """
    n_chosen = torch.zeros(len(slot), n_queries, dtype=torch.long, device=slot.device)
    return n_chosen.scatter_add_(1, slot.clamp(min=0), chosen.long()) > 0


def drawn_among(slot: Tensor, n_queries: int) -> Tensor:
    """Draw the queries that share each item's power: the sources, the rest and some others.

    In half of the items no others, as when the sounding labels are known, in the others up to
    all of them.
    """
    n_items = len(slot)
    share = (2 * torch.rand(n_items, 1, device=slot.device) - 1).clamp(min=0)
    among = torch.rand(n_items, n_queries, device=slot.device) < share
    among[:, -1] = True
    return among | at_places(slot, slot >= 0, n_queries)
