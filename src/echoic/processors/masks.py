"""Apply masks in the subband domain: one signal per label, and the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import (
    as_float32,
    check_channels,
    check_count,
    check_floats,
    check_kind,
    check_number,
    check_state,
)
from echoic.ear.design import N_GAIN_BANDS, design_inverse, design_separating
from echoic.ear.filterbank import fresh_stages
from echoic.ear.frontend import HOP_S
from echoic.ear.masked import apply_gains
from echoic.errors import ParameterError
from echoic.streaming import FrameClock

DELAY_S = 0.008
# Look-ahead for sounds that are processed as a whole, by 0.3 to 0.5 dB better than none:
# networks recognise a sound a little after its onset.
WHOLE_LOOK_AHEAD_S = 0.04
_MAX_LOOK_AHEAD_S = 1.0
RAMP_S = HOP_S
_VECTOR = 8  # padded with silent bands, so that bands fill whole vector registers


class ApplyMasksState(NamedTuple):
    """State between chunks.

    stages: (channel, 8, band) of the filters.
    recent: (channel, delay) last samples of the input.
    masks: (look-ahead + 1, label, 64) of the last steps.
    gains: (2, label, band) of the last two steps.
    n_samples: (1,) samples processed so far.
    """

    stages: NDArray[np.float32]
    recent: NDArray[np.float32]
    masks: NDArray[np.float32]
    gains: NDArray[np.float32]
    n_samples: NDArray[np.int64]


class ApplyMasks:
    """Apply masks to a wave's subbands and sum them, one signal per label.

    The masks are estimated elsewhere. Each call returns as many samples as it
    was given. The mask of a step is known when the step ends and applies from
    there until the next one ends, to the input delayed by `delay`, so the mask
    is causal. Gains ramp linearly from the previous mask over 5 ms to avoid
    clicks; before the first mask everything goes to the rest. With a look-ahead
    the input is delayed further, by whole steps, and the mean of the masks of a
    step and of those that it looks ahead is applied. The rest is the
    delayed input minus the other signals, so that the signals sum to it by
    construction. All channels get the same gains, and bands above the highest
    one of a mask use its gain.

    Args:
        n_labels: Number of signals besides the rest; 0 gives the rest only.
        frames_per_step: Front-end frames of 5 ms per step of the masks.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        look_ahead_s: 0 to 1, rounded to whole steps.

    Shape:
        wave (channel, time), masks (label, 64, step) of the steps that end in it
        -> signals (label + 1, channel, time), rest last.

    Delay: `delay` samples, 8 ms and the look-ahead. Hop: 1.

    Raises:
        ParameterError: a value out of range, or not as many masks as steps.

    Example:
        >>> apply = ApplyMasks(n_labels=2, frames_per_step=2, sample_rate=16000)
        >>> masks = np.full((2, 64, 10), 0.5, np.float32)
        >>> signals, state = apply(np.ones((1, 1600), np.float32), masks)
        >>> signals.shape, apply.delay
        ((3, 1, 1600), 128)
    """

    hop = 1

    def __init__(
        self,
        *,
        n_labels: int,
        frames_per_step: int,
        sample_rate: float,
        look_ahead_s: float = 0.0,
    ) -> None:
        """Design the bank and its inverse."""
        check_number(look_ahead_s, name="look_ahead_s")
        if not 0 <= look_ahead_s <= _MAX_LOOK_AHEAD_S:
            raise ParameterError(
                f"look_ahead_s={look_ahead_s!r} is outside 0 to {_MAX_LOOK_AHEAD_S:g} s"
            )
        bank = design_separating(sample_rate=sample_rate)
        inverse = design_inverse(bank, delay_s=DELAY_S)
        self.n_labels = check_count(n_labels, name="n_labels", lowest=0)
        frames_per_step = check_count(frames_per_step, name="frames_per_step")
        self._clock = FrameClock(sample_rate=sample_rate, hop_s=HOP_S, n_hops=frames_per_step)
        self._n_ahead = round(look_ahead_s / (frames_per_step * HOP_S))
        self._bank_delay = inverse.delay_samples
        self.delay = self._bank_delay + round(self._n_ahead * self._clock.hop_samples)
        self._ramp = int(RAMP_S * sample_rate)
        n_missing = -bank.n_bands % _VECTOR
        self._n_bands = bank.n_bands + n_missing
        gain = bank.gain * inverse.weight[0]
        rows = (inverse.band_delay_samples[0], bank.pole.real, bank.pole.imag, gain.real, gain.imag)
        delay, *coefficients = (np.pad(row, (0, n_missing)) for row in rows)
        self._band_delay = np.ascontiguousarray(delay, np.int64)
        self._coefficients = [np.ascontiguousarray(row, np.float32) for row in coefficients]

    def n_steps(self, n_samples: int) -> int:
        """Number of steps that end within the first `n_samples` samples."""
        return self._clock.n_frames(n_samples)

    def init_state(self, n_channels: int) -> ApplyMasksState:
        """The initial state."""
        return ApplyMasksState(
            fresh_stages((n_channels,), self._n_bands),
            np.zeros((n_channels, self.delay), np.float32),
            np.zeros((self._n_ahead + 1, self.n_labels, N_GAIN_BANDS), np.float32),
            np.zeros((2, self.n_labels, self._n_bands), np.float32),
            np.zeros(1, np.int64),
        )

    def __call__(
        self,
        wave: NDArray[np.floating],
        masks: NDArray[np.float32],
        state: ApplyMasksState | None = None,
    ) -> tuple[NDArray[np.float32], ApplyMasksState]:
        """Separate the next chunk with the masks of the steps that end in it."""
        wave = as_float32(wave)
        check_channels(wave.shape)
        fresh = self.init_state(wave.shape[0])
        if state is None:
            state = fresh
        check_state(state, fresh, owner="ApplyMasks")
        start = int(state.n_samples[0])
        ends = self._clock.ends(start, start + wave.shape[1]) - start
        if check_floats(masks, name="masks").shape != (self.n_labels, N_GAIN_BANDS, ends.size):
            raise ParameterError(
                f"masks of shape {masks.shape} do not fit {self.n_labels} labels, "
                f"{N_GAIN_BANDS} bands and the {ends.size} steps that end in the chunk"
            )
        return self._take_apart(wave, masks, state, ends)

    def finish(self, state: ApplyMasksState) -> NDArray[np.float32]:
        """The last `delay` samples; the last mask is held."""
        check_kind(state, ApplyMasksState, owner="ApplyMasks")
        check_state(state, self.init_state(len(state.recent)), owner="ApplyMasks")
        start = int(state.n_samples[0])
        ends = self._clock.ends(start, start + self.delay) - start
        held = np.repeat(state.masks[-1:], ends.size, axis=0).transpose(1, 2, 0)
        return self._take_apart(np.zeros_like(state.recent), held, state, ends)[0]

    def _take_apart(
        self,
        wave: NDArray[np.float32],
        masks: NDArray[np.float32],
        state: ApplyMasksState,
        ends: NDArray[np.int64],
    ) -> tuple[NDArray[np.float32], ApplyMasksState]:
        n_channels, n_samples = wave.shape
        start = int(state.n_samples[0])
        extended = np.concatenate([state.recent, wave], axis=1)
        gains = np.empty((2 + ends.size, self.n_labels, self._n_bands), np.float32)
        gains[:2] = state.gains
        latest = np.concatenate([state.masks, masks.transpose(2, 0, 1)])
        if ends.size:
            n_averaged = self._n_ahead + 1
            total = sum(latest[k : k + ends.size] for k in range(1, n_averaged + 1))
            gains[2:, :, :N_GAIN_BANDS] = total / np.float32(n_averaged)
            gains[2:, :, N_GAIN_BANDS:] = gains[2:, :, N_GAIN_BANDS - 1 : N_GAIN_BANDS]
        elapsed = start - self._clock.end(self._clock.n_frames(start) - 1)
        signals = np.empty((n_channels, self.n_labels + 1, n_samples), np.float32)
        signals[:, -1] = extended[:, :n_samples]
        stages = state.stages
        if self.n_labels and n_samples:
            stages = np.empty_like(stages)
            for channel in range(n_channels):
                stages[channel] = apply_gains(
                    extended[channel, : self._bank_delay + n_samples],
                    self._band_delay,
                    *self._coefficients,
                    state.stages[channel],
                    gains,
                    ends,
                    elapsed,
                    self._ramp,
                    signals[channel],
                )
        return signals.swapaxes(0, 1), ApplyMasksState(
            stages,
            extended[:, n_samples:].copy(),
            latest[ends.size :].copy(),
            gains[-2:].copy(),
            np.array([start + n_samples]),
        )
