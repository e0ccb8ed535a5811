"""The pitch of a whole sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from echoic.ear.pitch import Pitch
from echoic.pipeline.sound import Sound, WaveSound, ignore_progress
from echoic.report.meter import ColumnMeter

_INVERTED = -0.5  # correlation with the first channel


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """F0 over time; notebooks display it as a picture.

    Attributes:
        f0_hz: (frame,) 0 where no pitch is found.
        voicing: (frame,) 0 to 1, periodicity of the sound.
        hop_s: Seconds per frame.
        sample_rate: Hz, of the sound.
        range_hz: Lowest and highest F0 searched.
        summary: (lag, column) summary correlogram of the whole sound, for the picture: at most
            2,000 columns of equal duration, negative correlations set to 0.
        lag_s: (lag,) of the summary, in seconds.
    """

    f0_hz: NDArray[np.float32] = field(repr=False)
    voicing: NDArray[np.float32] = field(repr=False)
    hop_s: float
    sample_rate: float
    range_hz: tuple[float, float]
    summary: NDArray[np.float64] = field(repr=False)
    lag_s: NDArray[np.float64] = field(repr=False)

    @property
    def time_s(self) -> NDArray[np.float64]:
        """(frame,) the centre of each, in seconds."""
        return self.hop_s * (np.arange(self.f0_hz.size, dtype=np.float64) + 0.5)

    def draw(self, *, title: str = "") -> bytes:
        """Draw F0 over time, on the summary correlogram, as a PNG."""
        from echoic.report.periods import draw_pitch

        return draw_pitch(
            self.f0_hz,
            self.f0_hz.size * self.hop_s,
            title=title,
            summary=self.summary,
            lag_s=self.lag_s,
            range_hz=self.range_hz,
        )

    def _repr_png_(self) -> bytes:
        return self.draw()


def pitch(
    wave: NDArray[np.floating],
    *,
    sample_rate: int,
    low_f0_hz: float = 50.0,
    high_f0_hz: float = 600.0,
    hop_s: float = 0.01,
) -> PitchTrack:
    """Estimate F0 and voicing of a whole wave, or of the mean of its channels.

    A channel of inverted polarity, which would cancel the others, is turned first.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        low_f0_hz: Lowest fundamental, 20 Hz or more.
        high_f0_hz: Highest, up to 1000 Hz.
        hop_s: Seconds per frame, 1 ms to 30 ms.

    Raises:
        ParameterError: not a wave, a value out of range, or less than one frame.

    Example:
        >>> from echoic.synthesis import vowel
        >>> track = pitch(vowel("aa", 0.5, sample_rate=16000, f0_hz=150), sample_rate=16000)
        >>> int(np.median(track.f0_hz).round())
        150
    """
    pitch = Pitch(sample_rate=sample_rate, low_f0_hz=low_f0_hz, high_f0_hz=high_f0_hz, hop_s=hop_s)
    return track_pitch(WaveSound(wave, sample_rate=sample_rate), pitch)


def _polarity(sound: Sound) -> NDArray[np.float32]:
    """(channel, 1): −1 for channels that are mostly the first one inverted, 1 for all others."""
    if sound.n_channels == 1:
        return np.ones((1, 1), np.float32)
    products = sum(
        (block.astype(np.float64) @ block.T for block in sound.blocks()),
        np.zeros((sound.n_channels, sound.n_channels)),
    )
    energy = np.diag(products)
    is_inverted = products[0] < _INVERTED * np.sqrt(energy[0] * energy)
    return np.where(is_inverted, -1, 1).astype(np.float32)[:, np.newaxis]


def track_pitch(
    sound: Sound, pitch: Pitch, advance: Callable[[float], None] = ignore_progress
) -> PitchTrack:
    """As `pitch`, for a sound that is read block by block."""
    n_frames = pitch.clock.check_length(sound.n_samples)
    meter = ColumnMeter(n_frames, n_bands=pitch.correlogram.n_lags)
    # Silence after the sound, for the delay of the last decisions.
    n_late = max(0, pitch.clock.end(n_frames + pitch.delay.f0_hz - 1) - sound.n_samples)
    sign = _polarity(sound)
    mono = (np.mean(sign * block, axis=0) for block in sound.blocks(advance))
    state, heard, early = None, [], pitch.analysis_delay
    for block in chain(mono, [np.zeros(n_late, np.float32)]):
        summary, found, state = pitch.listen(block, state)
        heard.append(np.stack(found))
        summary, early = summary[:, early:], max(0, early - summary.shape[1])
        # Negative correlations are drawn as 0.
        meter.add(np.sqrt(np.maximum(summary[:, : n_frames - meter.n_added], 0)))
    f0_hz, voicing = np.concatenate(heard, axis=-1)[:, pitch.delay.f0_hz :]
    return PitchTrack(
        f0_hz=f0_hz,
        voicing=voicing,
        hop_s=pitch.hop / sound.sample_rate,
        sample_rate=sound.sample_rate,
        range_hz=pitch.range_hz,
        summary=meter.power(),
        lag_s=pitch.correlogram.lag_s,
    )
