"""The auditory nerve: adapting firing rates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import as_float32, check_kind, check_number, check_positive, check_state
from echoic.errors import ParameterError
from echoic.jit import compiled


class NerveState(NamedTuple):
    """adapted: (..., band, 2) float32, rapidly and short-term adapted level of each band."""

    adapted: NDArray[np.float32]


@compiled
def fire(level, forget, share, adapted, rate):  # type: ignore[no-untyped-def]
    """Rates of levels (row, frame), less two running averages (row, 2); return the new averages."""
    new = adapted.copy()
    for r in range(level.shape[0]):
        rapid, short = new[r]
        for k in range(level.shape[1]):
            x = level[r, k]
            rate[r, k] = max(x - share[0] * rapid - share[1] * short, np.float32(0))
            rapid += forget[0] * (x - rapid)
            short += forget[1] * (x - short)
        new[r, 0], new[r, 1] = rapid, short
    return new


class Nerve:
    """Firing rate of each band: high at an onset, adapted soon after.

    The rate is the level minus two weighted one-pole averages of it, one rapid and one
    short-term. A step to a constant level x gives the known decline, exact at every
    frame,

        rate(t) = x · (A_ss + A_r·exp(−t/τ_r) + A_st·exp(−t/τ_st)),

    which starts at x and ends at x / onset_to_steady. After the level has ended, the
    response to a second onset recovers to x with the same time constants (in the nerve
    it takes longer, some 16 and 125 ms in the cat). An increment on an adapted level
    raises the rate as much as it would from rest.

    The input should be compressed envelopes: frames of an `Ear` with compression="power".
    With fine structure, the subtraction empties the troughs, and the ratio shrinks.

    Args:
        hop_s: Seconds between frames.
        rapid_s: Time constant τ_r.
        short_term_s: Time constant τ_st.
        onset_to_steady: Ratio of the onset rate to the steady-state rate, 1 or more.
        rapid_share: Share of the adaptation, A_r / (A_r + A_st), 0 to 1.

    Shape:
        level (..., band, frame) -> rate (..., band, frame), float32, in the unit of the level.

    Delay: 0 frames. Hop: 1.

    Raises:
        ParameterError: a value outside of its range, or levels that are not real floats.

    References: Westerman and Smith (1984, 1988), the two components; Zhang et al.
        (2001), equation 10 and its constants for a fibre of 50 spikes/s; Smith and
        Zwislocki (1975), increments add.

    Example:
        >>> level = np.array([[0, 1, 1, 1, 1, 0]], np.float32)
        >>> Nerve(hop_s=0.01)(level)[0].round(2).tolist()
        [[0.0, 1.0, 0.23, 0.21, 0.19, 0.0]]
    """

    hop = 1
    delay = 0

    def __init__(
        self,
        *,
        hop_s: float,
        rapid_s: float = 0.002,
        short_term_s: float = 0.06,
        onset_to_steady: float = 8.6,
        rapid_share: float = 6 / 7,
    ) -> None:
        """Compute the averages' coefficients and shares."""
        check_positive(hop_s=hop_s, rapid_s=rapid_s, short_term_s=short_term_s)
        check_number(onset_to_steady, name="onset_to_steady")
        check_number(rapid_share, name="rapid_share")
        if not 1 <= onset_to_steady < np.inf:
            raise ParameterError(f"onset_to_steady={onset_to_steady!r} is not 1 or more")
        if not 0 <= rapid_share <= 1:
            raise ParameterError(f"rapid_share={rapid_share!r} is outside 0 to 1")
        adapting = 1 - 1 / onset_to_steady
        share = adapting * np.array([rapid_share, 1 - rapid_share])
        self._share = share.astype(np.float32)
        self._forget = -np.expm1(-hop_s / np.array([rapid_s, short_term_s])).astype(np.float32)

    def __call__(
        self, level: NDArray[np.floating], state: NerveState | None = None
    ) -> tuple[NDArray[np.float32], NerveState]:
        """Compute the rates of the next frames."""
        level = as_float32(level, name="level")
        shape = (*level.shape[:-1], 2)
        init = NerveState(np.zeros(shape, np.float32))
        state = init if state is None else state
        check_state(state, init, owner="Nerve")
        adapted = state.adapted
        rate = np.empty_like(level)
        rows = (int(np.prod(shape[:-1])), level.shape[-1])
        new = fire(
            level.reshape(rows),
            self._forget,
            self._share,
            adapted.reshape(-1, 2),
            rate.reshape(rows),
        )
        return rate, NerveState(new.reshape(shape))

    def finish(self, state: NerveState) -> NDArray[np.float32]:
        """No delay, so no tail: (..., band, 0)."""
        check_kind(state, NerveState, owner="Nerve")
        return np.empty((*state.adapted.shape[:-1], 0), dtype=np.float32)
