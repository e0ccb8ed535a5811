"""Labels whose masks come from a network trained for that label only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import as_float32, check_kind, check_state
from echoic.ear.frontend import blank_frames
from echoic.errors import ParameterError
from echoic.processors.cards import check_step, load_signal_network
from echoic.processors.network import Heard, Masker, Query, QueryNetwork, Wanted
from echoic.runtime.network import Network, NetworkState

_WITHOUT_OWN = {"probabilities", "common"}
_LEAST_LEFT = 1e-6  # lower bound of the share of all others
_N_REPLAYED = 400  # frames, 2 s: afterwards a network is almost as good as if it had run before
_N_BLOCK = 40  # frames; what is copied for every chunk of a live stream is no longer than that


class SpecialistsState(NamedTuple):
    """State of the common network and of the specialists; None for what was not wanted.

    recent: blocks (2, band, frame) of the last 2 s, for a network that joins later.
    """

    common: NetworkState | None
    own: tuple[NetworkState, ...] | None
    recent: tuple[NDArray[np.float32], ...]


class Specialists:
    """A common network of all labels, and specialists with better masks for some of them.

    What a specialist assigns to its label is taken from all others in proportion to their
    shares. Places are those of the common network, followed by the specialists' shares,
    (band, size + specialist, step).

    Args:
        common: Network of all labels.
        models: row of a label -> name of its specialist, a model of kind "speech".

    Raises:
        ModelError: there is no such model, or it is of another kind.
    """

    def __init__(self, common: QueryNetwork, models: Mapping[int, str]) -> None:
        self._common = common
        self._models = dict(models)
        self.frames_per_step = common.frames_per_step
        self._size = common.nothing.places.shape[1]
        self._no_frames = blank_frames(0)

    def __call__(
        self, frames: NDArray[np.float32], state: SpecialistsState | None, *, want: Wanted
    ) -> tuple[Heard[NDArray[np.float32]], SpecialistsState]:
        """Process front-end frames (2, band, frame)."""
        if state is None:
            state = SpecialistsState(None, None, (self._no_frames,))
        check_kind(state, SpecialistsState, owner="Specialists")
        check_kind(state.recent, tuple, owner="Specialists")
        newest = state.recent[-1] if state.recent else np.empty(0)
        check_state(np.atleast_1d(newest)[..., :0], self._no_frames, owner="Specialists")
        heard, common = self._common.nothing, None
        if want != "own":
            before = state.common or _joining(self._common.prepare(_of_common(want)), state)
            heard, common = self._common(frames, before, want=_of_common(want))
        shares: list[NDArray[np.float32]] = []
        own = None
        if want not in _WITHOUT_OWN:
            shares, own = self._own_shares(frames, state)
        places = self._side_by_side(heard.places, shares)
        recent = _append(state.recent, as_float32(frames), _N_REPLAYED + self.frames_per_step - 1)
        return heard._replace(places=places), SpecialistsState(common, own, recent)

    def _own_shares(
        self, frames: NDArray[np.float32], state: SpecialistsState
    ) -> tuple[list[NDArray[np.float32]], tuple[NetworkState, ...]]:
        """Shares (band, step) of every specialist, and the new states."""
        networks = self._networks
        given = state.own
        if given is None:
            given = tuple(_joining(network, state) for network in networks)
        elif len(given) != len(networks):
            raise ParameterError(f"state of {len(given)} specialists, not of {len(networks)}")
        heard = [network(frames, own) for network, own in zip(networks, given, strict=True)]
        return [masks[0] for (masks,), _ in heard], tuple(after for _, after in heard)

    def _side_by_side(
        self, common: NDArray[np.float32], own: Sequence[NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Concatenate all places, with steps outermost in memory."""
        n_steps = own[0].shape[-1] if own else common.shape[-1]
        size = self._size + len(self._models)
        places = np.zeros((n_steps, common.shape[0], size), np.float32)
        if common.shape[-1]:
            places[..., : self._size] = common.transpose(2, 0, 1)
        for column, share in enumerate(own, start=self._size):
            places[..., column] = share.T
        return places.transpose(1, 2, 0)

    @cached_property
    def _networks(self) -> list[Network]:
        networks = [load_signal_network(name, "speech") for name in self._models.values()]
        for name, network in zip(self._models.values(), networks, strict=True):
            check_step(network, self.frames_per_step, name=name)
        return networks

    def wanted(self, rows: Sequence[int], examples: Sequence[Query]) -> Wanted:
        """What has to be computed for masks of these."""
        n_own = sum(row in self._models for row in rows)
        if not n_own:
            return "common"
        return "own" if n_own == len(rows) and not examples else "places"

    def prepare(self, want: Wanted) -> None:
        """Load the graphs for this now rather than with the first frames."""
        if want != "own":
            self._common.prepare(_of_common(want))
        if want not in _WITHOUT_OWN:
            _ = self._networks

    def query(self, frames: NDArray[np.float32], weight: NDArray[np.float32]) -> Query:
        """The query for sounds like an example; specialists have none."""
        return self._common.query(frames, weight)

    def masker(
        self, rows: Sequence[int], examples: Sequence[Query], *, others: float, rest: float
    ) -> Masker:
        """Shares from the common network, except for the specialists' labels."""
        of_common = None
        if self.wanted(rows, examples) != "own":
            of_common = self._common.masker(rows, examples, others=others, rest=rest)
        own = [
            (rows.index(row), self._size + column)
            for column, row in enumerate(self._models)
            if row in rows
        ]

        return partial(self._shares, of_common=of_common, own=own)

    def _shares(
        self,
        places: NDArray[np.float32],
        *,
        of_common: Masker | None,
        own: Sequence[tuple[int, int]],
    ) -> NDArray[np.float32]:
        """Put the specialists' shares among those of the common network.

        Args:
            places: Of the common network, and the specialists' shares.
            of_common: Shares from the common network; None: all labels are the specialists'.
            own: (row of the result, column of the places) of each specialist.
        """
        if of_common is None:
            shares = np.zeros((len(own) + 1, len(places), places.shape[-1]), np.float32)
        else:
            shares = of_common(places[:, : self._size])
        if not shares.size:  # of most chunks of a stream
            return shares
        for place, column in own:
            share = places[:, column]
            shares *= (1 - share) / np.maximum(1 - shares[place], _LEAST_LEFT)
            shares[place] = share
        shares[-1] = 1 - shares[:-1].sum(axis=0)
        return shares


def _append(
    recent: tuple[NDArray[np.float32], ...], frames: NDArray[np.float32], n_needed: int
) -> tuple[NDArray[np.float32], ...]:
    """Append frames to the last block or as a new one; drop blocks before the last `n_needed`."""
    *full, last = recent
    if last.shape[-1] >= _N_BLOCK:
        full, last = [*full, last], last[..., :0]
    blocks = [*full, np.concatenate([last, frames], axis=-1)]
    n_frames = sum(block.shape[-1] for block in blocks)
    while n_frames - blocks[0].shape[-1] >= n_needed:
        n_frames -= blocks.pop(0).shape[-1]
    return tuple(blocks)


def _joining(network: Network, state: SpecialistsState) -> NetworkState:
    """State of a network that joins a stream, after the last frames of it."""
    for other in (state.common, *(state.own or ())):
        if other is not None:
            check_kind(other, NetworkState, owner="Specialists")
            recent = np.concatenate(state.recent, axis=-1)
            return network(recent[..., -(_N_REPLAYED + other.pending.shape[-1]) :])[1]
    return network.init_state()


def _of_common(want: Wanted) -> Wanted:
    """What the common network has to compute."""
    return "places" if want == "common" else want
