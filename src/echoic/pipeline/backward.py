"""The backward pass of `hear`: what comes later in a sound corrects what was found before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from echoic.pipeline.spool import Spool
from echoic.processors.model import Model
from echoic.processors.network import sigmoid
from echoic.runtime.network import Network

_N_STEPS = 256  # in memory at a time
_LEAST, _MOST = 1e-30, 1 - 2.0**-24  # probabilities with a finite logit in float32


def logits_of(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logarithm of the odds.

    Example:
        >>> logits_of(np.array([0.5, 0.731059], np.float32)).round(4).tolist()
        [0.0, 1.0]
    """
    bounded = np.clip(probabilities, np.float32(_LEAST), np.float32(_MOST))
    return np.asarray(np.log(bounded) - np.log1p(-bounded), np.float32)


def corrected(model: Model, places: Spool, logits: Spool) -> Iterator[NDArray[np.float32]]:
    """Run the backward pass over what a first pass stored, and replace it.

    Args:
        model: Of the first pass; if it has no backward pass, nothing is changed.
        places: Places (band, size, step).
        logits: (label, step).

    Yields:
        Probabilities (label, step), block by block, from the first step on.
    """
    if model.backward:
        _correct(model.backward, places, logits)
    for start in range(0, logits.n_steps, _N_STEPS):
        block = logits.read(start, min(start + _N_STEPS, logits.n_steps))
        yield sigmoid(block.astype(np.float32))


def _correct(network: Network, places: Spool, logits: Spool) -> None:
    # Of places, the columns after these are of specialists, and stay.
    size = network.result_shape("places")[1]
    state = None
    for stop in range(logits.n_steps, 0, -_N_STEPS):
        start = max(stop - _N_STEPS, 0)
        block = places.read(start, stop).copy()
        found = np.concatenate(
            [block[:, :size].reshape(-1, stop - start), logits.read(start, stop)]
        )
        (new_places, new_logits), state = network(found[:, ::-1], state)
        block[:, :size] = new_places[..., ::-1]
        places.replace(start, block)
        logits.replace(start, new_logits[..., ::-1])
