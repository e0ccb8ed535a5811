"""The cochleagram of a whole sound, and its display in notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.ear.design import HIGH_HZ, LOW_HZ, N_BANDS
from echoic.ear.ear import Ear
from echoic.events import Event
from echoic.pipeline.sound import Wave, WaveSound
from echoic.report.meter import ColumnMeter


@dataclass(frozen=True, eq=False)
class Cochleagram:
    """A cochleagram; notebooks display it as a picture, and numpy converts it to an array.

    Attributes:
        envelope: (band, frame) amplitude, of the summed power of the channels.
        center_hz: (band,) centre frequencies.
        hop_s: Seconds per frame.
        sample_rate: Hz, of the sound.
    """

    envelope: NDArray[np.float32] = field(repr=False)
    center_hz: NDArray[np.float64] = field(repr=False)
    hop_s: float
    sample_rate: float

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.envelope, dtype=dtype, copy=copy)

    def draw(self, *, title: str = "", events: Sequence[Event] = ()) -> bytes:
        """Draw levels over time and centre frequency, and events below them, as a PNG."""
        from echoic.report.plots import draw_meter

        n_frames = self.envelope.shape[1]
        meter = ColumnMeter(max(n_frames, 1), n_bands=len(self.envelope))
        meter.add(self.envelope)
        return draw_meter(
            meter,
            self.center_hz,
            sample_rate=self.sample_rate,
            duration_s=n_frames * self.hop_s,
            title=title,
            events=events,
        )

    def _repr_png_(self) -> bytes:
        return self.draw()


def cochleagram(
    wave: NDArray[np.floating],
    *,
    sample_rate: int,
    n_bands: int = N_BANDS,
    low_hz: float = LOW_HZ,
    high_hz: float = HIGH_HZ,
    hop_s: float = 0.0025,
) -> Cochleagram:
    """Compute the cochleagram of a whole wave, of all channels together.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        hop_s: Seconds per frame.

    Raises:
        ParameterError: not a wave, a value out of range, or less than one frame.

    Example:
        >>> heard = cochleagram(np.zeros(1600, np.float32), sample_rate=16000)
        >>> heard.envelope.shape, np.asarray(heard).shape
        ((64, 40), (64, 40))
    """
    ear = Ear(sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz, hop_s=hop_s)
    sound = WaveSound(wave, sample_rate=sample_rate)
    ear.clock.check_length(sound.n_samples)
    envelope = np.concatenate(list(envelopes(sound.blocks(), ear)), axis=-1)
    return Cochleagram(envelope, ear.center_hz, ear.hop / sample_rate, sample_rate)


def envelopes(blocks: Iterable[Wave], ear: Ear) -> Iterator[NDArray[np.float32]]:
    """Envelope (band, frame) of each block (channel, time), of the channels' summed power."""
    state = None
    for block in blocks:
        frames, state = ear(block, state)
        yield np.sqrt(np.sum(np.square(frames), axis=0))
