"""Conditioning of a whole sound for the networks: its offset removed, a low level raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]

_FRAME_S, _N_FRAMES = 0.02, 5  # a peak counts if a tenth of a second reaches it: clicks do not
_LOUD_ENOUGH, _HIGHEST_GAIN = 0.1, 16
_OFFSET = 0.1  # least one that counts, re the RMS of the rest of the sound


class Conditioning(NamedTuple):
    """The offset of a sound, (channel, 1), and the gain for the networks.

    The gain is 1 if the sound, clicks aside, peaks at −20 dBFS or more, up to 16 for softer ones:
    their soft parts would lie under −100 dBFS, which is silence to the networks. Powers of 2
    amplify without rounding; 24 dB at most, as the noise of a recorder is not to become a sound.
    """

    offset: NDArray[np.float32]
    gain: np.float32

    def prepared(self, blocks: Iterable[Wave]) -> Iterator[Wave]:
        """Blocks (channel, time) of the sound as the networks are to hear it."""
        for block in blocks:
            block = block - self.offset if self.offset.any() else block
            yield block if self.gain == 1 else block * self.gain

    def restored(self, signals: Wave) -> Wave:
        """Signals (signal, channel, time) as parts of the sound; the last holds its offset."""
        if self.gain != 1:
            signals = signals / self.gain
        if self.offset.any():
            signals = np.concatenate([signals[:-1], signals[-1:] + self.offset])
        return signals


def measure(blocks: Iterable[Wave], *, sample_rate: float) -> Conditioning:
    """Measure a sound given in blocks (channel, time).

    An offset more than 20 dB below the rest of the sound counts as 0: the lowest band attenuates
    it by another 16 dB.

    Example:
        >>> quiet = np.tile(np.float32([0.01, -0.01]), (1, 800))
        >>> conditioning = measure([quiet + np.float32(0.5)], sample_rate=16000)
        >>> conditioning.offset, conditioning.gain
        (array([[0.5]], dtype=float32), np.float32(16.0))
    """
    n, total, energy = 0, np.zeros(1), np.zeros(1)
    highest, frame_samples = np.zeros(0), round(_FRAME_S * sample_rate)
    for block in blocks:
        n += block.shape[1]
        total = total + block.sum(axis=1, dtype=np.float64)
        energy = energy + np.einsum("ct,ct->c", block, block, dtype=np.float64)
        highest = np.sort([*highest, *_amplitudes(block, frame_samples)])[-_N_FRAMES:]
    mean = total / max(n, 1)
    others = np.sqrt(np.maximum(energy / max(n, 1) - mean**2, 0))
    offset = np.where(np.abs(mean) > _OFFSET * others, mean, 0)[:, np.newaxis]
    return Conditioning(offset.astype(np.float32), _gain(min(highest, default=0.0)))


def _amplitudes(block: Wave, frame_samples: int) -> NDArray[np.float32]:
    """Half of the range of values in every frame, of the channel with the largest."""
    starts = np.arange(0, block.shape[1], frame_samples)
    if not starts.size:
        return np.zeros(0, np.float32)
    ranges = np.maximum.reduceat(block, starts, axis=1) - np.minimum.reduceat(block, starts, axis=1)
    return np.asarray(ranges.max(axis=0) / 2, np.float32)


def _gain(peak: float) -> np.float32:
    gain = 1
    while 0 < peak * gain < _LOUD_ENOUGH and gain < _HIGHEST_GAIN:
        gain *= 2
    return np.float32(gain)
