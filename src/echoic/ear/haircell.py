"""What the inner hair cell and the nerve make of an envelope, at hop rate.

Compression maps the 100 dB and more of sound onto the few of a nerve;
adaptation lets onsets stand out and steady sound recede.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear import kernels
from echoic.ear.filterbank import check_state_shape
from echoic.errors import ParameterError

FLOOR_DBFS = -100.0


def compress_log(envelope: NDArray[np.float32]) -> NDArray[np.float32]:
    """Level above a floor of −100 dBFS: 0 at the floor and below, 1 at 0 dBFS.

    Shape: any.

    Example:
        >>> compress_log(np.array([0.0, 1e-5, 0.1, 1.0], np.float32)).round(3).tolist()
        [0.0, 0.0, 0.8, 1.0]
    """
    floor = np.float32(10 ** (FLOOR_DBFS / 20))
    level_db = 20 * np.log10(np.maximum(envelope, floor))
    return np.asarray(level_db / -FLOOR_DBFS + 1, dtype=np.float32)


def compress_power(envelope: NDArray[np.float32], *, exponent: float = 0.3) -> NDArray[np.float32]:
    """The basilar membrane's power law: 0.3 is about its mid-level slope.

    References: Oxenham and Plack (1997), compression of about 0.2 to 0.3 dB/dB.
    """
    return np.asarray(np.power(envelope, np.float32(exponent)), dtype=np.float32)


class AdaptationState(NamedTuple):
    """adapted: (..., band) float32, the level each band has got used to."""

    adapted: NDArray[np.float32]


class Adaptation:
    """How far each band rises above what it has got used to: its onset.

    A one-pole average of the compressed level is what a band is used to; the
    positive part of the difference, before the average takes the new frame in,
    is the onset. In silence the average is 0, so that the first sound of a
    stream is an onset too.

    Args:
        hop_s: Seconds between frames.
        time_constant_s: Of the average; the short-term adaptation of the
            auditory nerve is about 60 ms (Westerman and Smith 1984).

    Shape:
        level (..., band, frame) -> onset (..., band, frame), float32.

    Delay: 0 frames. Hop: 1.

    Raises:
        ParameterError: a time that is not positive.

    Example:
        >>> level = np.array([[0, 1, 1, 1, 0]], np.float32)
        >>> Adaptation(hop_s=0.01)(level)[0].round(2).tolist()
        [[0.0, 1.0, 0.85, 0.72, 0.0]]
    """

    hop = 1
    delay = 0

    def __init__(self, *, hop_s: float, time_constant_s: float = 0.06) -> None:
        """Fix the average's coefficient."""
        if not (hop_s > 0 and time_constant_s > 0):
            raise ParameterError(
                f"hop_s={hop_s!r} and time_constant_s={time_constant_s!r} must be positive"
            )
        self.forget = np.float32(1 - np.exp(-hop_s / time_constant_s))

    def __call__(
        self, level: NDArray[np.float32], state: AdaptationState | None = None
    ) -> tuple[NDArray[np.float32], AdaptationState]:
        """Compare the next frames with what came before them."""
        lead = level.shape[:-1]
        adapted = np.zeros(lead, np.float32) if state is None else state.adapted
        check_state_shape(adapted, lead, owner="Adaptation")
        level = np.ascontiguousarray(level, dtype=np.float32)
        flat = level.reshape(int(np.prod(lead)), level.shape[-1])
        onset = np.empty_like(flat)
        new = kernels.adapt(flat, self.forget, adapted.reshape(-1), onset)
        return onset.reshape(level.shape), AdaptationState(new.reshape(lead))

    def finish(self, state: AdaptationState) -> NDArray[np.float32]:
        """No delay, so no tail: (..., band, 0)."""
        return np.empty((*state.adapted.shape, 0), dtype=np.float32)
