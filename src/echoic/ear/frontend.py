"""The front end of the networks: level-normalised features of a scene."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_channels, check_floats, check_kind, copy_state
from echoic.ear import kernels
from echoic.ear.ear import Ear, EarState
from echoic.ear.haircell import Adaptation
from echoic.streaming import FrameClock

HOP_S = 0.005
# Levels are relative to the peak over all bands, which decays slowly and is never
# below −70 dBFS; 70 dB below the peak is silence.
_DECAY_PER_S = 0.05  # 5 dB per second, on the scale of `compress_log`
_LOWEST_PEAK = 0.3
_RANGE = 0.7
_BANDS: dict[str, Any] = {"n_bands": 64, "low_hz": 50.0, "high_hz": 7600.0}
# Everything a network's input depends on. Every model card contains it, and a model trained
# with another front end is not loaded. Raise `version` for a change that is not visible here.
SPECIFICATION = {
    "version": 1,
    "hop_s": HOP_S,
    **_BANDS,
    "features": ["level", "onset"],
    "range": _RANGE,
    "lowest_peak": _LOWEST_PEAK,
    "decay_per_s": _DECAY_PER_S,
}


def blank_frames(n_frames: int) -> NDArray[np.float32]:
    """Frames of silence, (2, 64, frame)."""
    shape = (len(SPECIFICATION["features"]), _BANDS["n_bands"], n_frames)
    return np.zeros(shape, np.float32)


class Scale(NamedTuple):
    """Constants of level and onset, on the scale of `compress_log`.

    forget: coefficient of the adapted level, per frame. decay: of the peak, per frame.
    lowest_peak: lower bound of the peak. range: levels this far below the peak or lower are 0.
    """

    forget: np.float32
    decay: np.float32
    lowest_peak: np.float32
    range: np.float32


class LevelState(NamedTuple):
    """adapted: (band,), adapted level. peak: (1,), reference that levels are relative to."""

    adapted: NDArray[np.float32]
    peak: NDArray[np.float32]


class FrontEndState(NamedTuple):
    """State of the ear and of the level normalisation."""

    ear: EarState
    levels: LevelState


class FrontEnd:
    """Level and onset of every band, of all channels together, every 5 ms.

    The first feature is the level of the summed power of the channels relative
    to a slowly decaying peak: 1 at the peak, 0 at 70 dB or more below it, or
    below −100 dBFS. The second is the onset, how far a band rises above its adapted
    level.

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.

    Shape:
        wave (channel, time) -> (2, band, frame), 64 bands.

    Delay: 0 frames. Hop: 5 ms.

    Raises:
        ParameterError: a wave that is not (channel, time).

    Example:
        >>> frames, state = FrontEnd(sample_rate=16000)(np.zeros((2, 1600), np.float32))
        >>> frames.shape
        (2, 64, 20)
    """

    delay = 0

    def __init__(self, *, sample_rate: float) -> None:
        """Design the ear."""
        self.ear = Ear(sample_rate=sample_rate, hop_s=HOP_S, **_BANDS)
        self._scale = Scale(
            Adaptation(hop_s=HOP_S).forget,
            np.float32(_DECAY_PER_S * HOP_S),
            np.float32(_LOWEST_PEAK),
            np.float32(_RANGE),
        )
        no_sound = np.zeros(self.ear.design.n_bands, np.float32)
        self._init = LevelState(no_sound, np.full(1, _LOWEST_PEAK, np.float32))

    @property
    def hop(self) -> float:
        """Samples per frame, not always an integer."""
        return self.ear.hop

    @property
    def clock(self) -> FrameClock:
        """Where frames end."""
        return self.ear.clock

    def __call__(
        self, wave: NDArray[np.floating], state: FrontEndState | None = None
    ) -> tuple[NDArray[np.float32], FrontEndState]:
        """Process the next chunk."""
        _, frames, state = self.listen(wave, state)
        return frames, state

    def listen(
        self, wave: NDArray[np.floating], state: FrontEndState | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], FrontEndState]:
        """As the call, but return the envelope of the summed power, (band, frame), as well."""
        check_channels(check_floats(wave).shape)
        if state is not None:
            check_kind(state, FrontEndState, owner="FrontEnd")
        by_channel, ear = self.ear(wave, state.ear if state else None)
        levels = copy_state(state.levels if state else self._init, self._init, owner="FrontEnd")
        envelope = np.empty(by_channel.shape[1:], np.float32)
        frames = np.empty((2, *envelope.shape), np.float32)
        kernels.level_and_onset(by_channel, self._scale, *levels, envelope, frames)
        return envelope, frames, FrontEndState(ear, levels)

    def finish(self, state: FrontEndState) -> NDArray[np.float32]:
        """No delay, so no tail: (2, band, 0)."""
        check_kind(state, FrontEndState, owner="FrontEnd")
        return np.empty((2, self.ear.design.n_bands, 0), np.float32)
