"""Bands hidden from the network in training (SpecAugment, Park et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from echoic.nn.listener import N_BANDS
from echoic.training.loop import Batch

_N_RUNS, _WIDEST_BANDS = 2, 12


def drawn_kept_bands(n_items: int, device: torch.device) -> Tensor:
    """Draw the bands that stay, (item, band): all but two runs of up to twelve adjacent ones."""
    band = torch.arange(N_BANDS, device=device)
    width = torch.randint(0, _WIDEST_BANDS + 1, (n_items, _N_RUNS, 1), device=device)
    start = torch.randint(0, N_BANDS, (n_items, _N_RUNS, 1), device=device)
    return ((band < start) | (band >= start + width)).all(dim=1)


def with_bands_hidden(batch: Batch) -> Batch:
    """Set some bands to silence, drawn anew for every item.

    Training recordings are few: a network that cannot rely on any band learns what sounds of
    one kind have in common, not the single recording. The powers of hidden bands are set to
    zero too, so that no loss asks for the masks of bands that cannot be heard.
    """
    kept = drawn_kept_bands(len(batch["frames"]), batch["frames"].device)
    hidden = {
        "frames": kept[:, None, :, None],
        "own": kept[:, None, :, None],
        "cross": kept[:, None, :, None],
        "mixture": kept[:, :, None],
    }
    return batch | {name: batch[name] * which for name, which in hidden.items()}
