"""The backward pass of `hear`: what comes later in a sound corrects what was found before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from echoic.pipeline.spool import Spool
from echoic.processors.model import Model
from echoic.processors.network import sigmoid
from echoic.runtime import Graph

_N_STEPS = 256  # of probabilities in memory at a time
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


def _correct(graph: Graph, places: Spool, logits: Spool) -> None:
    # Of places, the columns after these are of specialists, and stay.
    n_bands, size = graph.result_shape("places")[2:]
    n_places = n_bands * size
    found = np.zeros(graph.argument_shape("found"), np.float32)
    state = graph.init_state()
    for stop in range(logits.n_steps, 0, -found.shape[1]):
        start = max(stop - found.shape[1], 0)
        # What remains in `found` of a former block counts as before the sound: it changes nothing.
        latest_first = slice(stop - start - 1, None, -1)
        block = places.read(start, stop).transpose(2, 0, 1).copy()
        found[0, latest_first, :n_places] = block[..., :size].reshape(-1, n_places)
        found[0, latest_first, n_places:] = logits.read(start, stop).T
        (new_places, new_logits), state = graph(found, state=state)
        block[..., :size] = new_places[0, latest_first]
        places.replace(start, block.transpose(1, 2, 0))
        logits.replace(start, new_logits[0, latest_first].T)
