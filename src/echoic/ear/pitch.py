"""Pitch: F0 common to all bands, tracked over time."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_floats, check_kind, check_number, check_state
from echoic.ear.correlogram import LAG_RATE_HZ, CorrelogramState, SummaryCorrelogram
from echoic.errors import ParameterError
from echoic.jit import compiled
from echoic.streaming import FrameClock, block_samples, in_blocks

_WINDOW_S = 0.03

# From the centre of the samples a frame is computed from to their end: half the window,
# half a period, and the rise time of the filters.
_ANALYSIS_S = 0.023
_BEYOND = 1.02  # accuracy of a period, as a ratio
_N_CANDIDATES = 8  # peaks of a summary considered as the period; row 0 is "no pitch"
# Costs in units of the summary; those of transitions are per 10 ms.
_UNVOICED = 0.38  # merit of "no pitch", which a peak must exceed
_PER_OCTAVE = 0.08  # of a longer period, since multiples of the period fit as well
_PER_OCTAVE_JUMP = 0.4
_PER_SWITCH = 0.25  # between pitch and none
_STEP_S = 0.01

Value = TypeVar("Value")


class Pitched(NamedTuple, Generic[Value]):
    """F0 and voicing of every frame.

    f0_hz: (..., frame) float32; 0 where no pitch is found.
    voicing: (..., frame) float32, 0 to 1: periodicity of the sound at that period or,
        where no pitch is found, at the most likely one.
    """

    f0_hz: Value
    voicing: Value


class PitchState(NamedTuple):
    """State between chunks.

    correlogram: State of the summary correlogram.
    score: (..., candidate) of the best path ending in each.
    f0_hz, strength: (..., slot, candidate) of the last frames.
    previous: (..., slot, candidate) predecessor on each candidate's best path.
    """

    correlogram: CorrelogramState
    score: NDArray[np.float32]
    f0_hz: NDArray[np.float32]
    strength: NDArray[np.float32]
    previous: NDArray[np.int8]


@compiled
def find_candidates(summary, lags, per_octave, f0_hz, strength):  # type: ignore[no-untyped-def]
    """Find the best peaks of a summary (lag,), by parabolas through three lags.

    Returns their merits. The strength of row 0, "no pitch", is the height of the highest.
    """
    lag_rate, first, last, shortest, longest = lags
    f0_hz[:], strength[:] = 0, 0
    merit = np.full(f0_hz.size, np.float32(-9))
    for lag in range(first, last + 1):
        before, here, after = summary[lag - 1], summary[lag], summary[lag + 1]
        if here <= 0 or here < before or here <= after:
            continue
        shift = np.float32(0.5) * (before - after) / (before - 2 * here + after)
        if not shortest <= lag + shift <= longest:
            continue
        height = min(here - np.float32(0.25) * (before - after) * shift, np.float32(1))
        strength[0] = max(strength[0], height)
        own = height - per_octave * np.float32(np.log2(lag / first))
        c = 1 + np.argmin(merit[1:])
        if own > merit[c]:
            merit[c], strength[c], f0_hz[c] = own, height, lag_rate / (lag + shift)
    return merit


@compiled
def extend_paths(score, merit, before_hz, now_hz, per_jump, per_switch, previous):  # type: ignore[no-untyped-def]
    """One Viterbi step: score of the best path to each candidate, shifted to a maximum of 0."""
    new = np.empty_like(score)
    for c in range(new.size):
        new[c] = -np.inf
        for p in range(new.size):
            cost = np.float32(0)
            if (c == 0) != (p == 0):
                cost = per_switch
            elif now_hz[c] > 0 and before_hz[p] > 0:
                cost = per_jump * abs(np.log2(now_hz[c] / before_hz[p]))
            if score[p] - cost > new[c]:
                new[c] = score[p] - cost
                previous[c] = p
        new[c] += merit[c]
    return new - new.max()


@compiled
def track(  # type: ignore[no-untyped-def]
    summary, lags, costs, first_frame, score, f0_hz, strength, previous, out
):
    """Track the best path through the candidates of (lag, frame); return the paths' scores.

    `f0_hz`, `strength` and `previous`, (slot, candidate), are ring buffers: one slot for
    the new frame, one for each frame of look-ahead, and one more. `out` (2, frame) receives
    F0 and voicing of the oldest frame but one, on the best path that ends in the new frame.
    """
    unvoiced, per_octave, per_jump, per_switch = costs
    n_slots = f0_hz.shape[0]
    for k in range(summary.shape[1]):
        new = (first_frame + k) % n_slots
        column = summary[:, k].copy()
        merit = find_candidates(column, lags, per_octave, f0_hz[new], strength[new])
        merit[0] = unvoiced
        before_hz = f0_hz[(new - 1) % n_slots]
        score = extend_paths(
            score, merit, before_hz, f0_hz[new], per_jump, per_switch, previous[new]
        )
        c = np.argmax(score)
        for back in range(n_slots - 2):
            c = previous[(new - back) % n_slots, c]
        decided = (new + 2) % n_slots
        out[0, k], out[1, k] = f0_hz[decided, c], strength[decided, c]
    return score


class Pitch:
    """F0 and voicing of a sound, from the summary correlogram.

    The period is a lag at which the activity of all bands repeats. Its multiples fit as
    well, so longer lags cost a little. A Viterbi search finds the path through the peaks
    of the frames that stays high with small jumps, in octaves. A frame is decided when
    `look_ahead_s` more have been processed. The fundamental may be missing: without energy
    at F0, the period is found in the envelopes of the bands that hold several harmonics,
    and in the fine structure of those that hold one. A single tone above `high_f0_hz` is
    periodic at multiples of its period too, and is reported an octave or more below.

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        low_f0_hz: Lowest fundamental, 20 Hz or more.
        high_f0_hz: Highest, up to 1000 Hz. Both bound the periods that are searched;
            values up to 2 % beyond may be reported.
        hop_s: Seconds per frame, 1 ms to 30 ms.
        look_ahead_s: Up to 1 s; 0 for an immediate decision.
        n_bands: Of the ear, 50 Hz to 7.6 kHz; 1 to 256. Half as many take half the time.

    Shape:
        wave (..., time) -> `Pitched`, (..., frame) each.

    Delay: 23 ms for the analysis and the look-ahead, each rounded to whole frames: by
        default 2 (`analysis_delay`) and 4 frames of 10 ms. Hop: rate·hop_s.

    Raises:
        ParameterError: a value outside of its range.

    References: Licklider (1951); Meddis and O'Mard (1997); de Cheveigné and Kawahara
        (2002); Boersma (1993), the costs and the path.

    Example:
        >>> from echoic.synthesis import harmonic_complex
        >>> rate = 16_000
        >>> wave = harmonic_complex(200.0, 0.5, sample_rate=rate, harmonics=range(3, 9))
        >>> heard, state = Pitch(sample_rate=rate)(wave)
        >>> float(heard.f0_hz[-1])
        200.0
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        low_f0_hz: float = 50.0,
        high_f0_hz: float = 600.0,
        hop_s: float = 0.01,
        look_ahead_s: float = 0.04,
        n_bands: int = 32,
    ) -> None:
        """Design the correlogram, and compute the delay in frames."""
        for name, value, lowest, highest in (
            ("low_f0_hz", low_f0_hz, 20.0, 1000.0),
            ("high_f0_hz", high_f0_hz, low_f0_hz, 1000.0),
            ("hop_s", hop_s, 0.001, _WINDOW_S),
            ("look_ahead_s", look_ahead_s, 0.0, 1.0),
        ):
            check_number(value, name=name)
            if not lowest <= value <= highest:
                raise ParameterError(f"{name}={value!r} is outside {lowest:g} to {highest:g}")
        self.correlogram = SummaryCorrelogram(
            sample_rate=sample_rate,
            n_bands=n_bands,
            hop_s=hop_s,
            window_s=_WINDOW_S,
            longest_lag_s=1 / low_f0_hz + 2 / LAG_RATE_HZ,
        )
        self.range_hz = (float(low_f0_hz), float(high_f0_hz))
        lag_rate = self.correlogram.lag_rate
        self._lags = (
            np.float32(lag_rate),
            int(lag_rate / high_f0_hz),
            int(lag_rate / low_f0_hz) + 1,
            np.float32(lag_rate / (_BEYOND * high_f0_hz)),
            np.float32(lag_rate / low_f0_hz * _BEYOND),
        )
        # Transition costs are given per 10 ms: scale them to the hop.
        per_step = np.array([1, 1, _STEP_S / hop_s, _STEP_S / hop_s])
        costs = np.array([_UNVOICED, _PER_OCTAVE, _PER_OCTAVE_JUMP, _PER_SWITCH]) * per_step
        self._costs = tuple(costs.astype(np.float32))
        self._block_samples = block_samples(sample_rate, 1)
        self._n_ahead = round(look_ahead_s / hop_s)
        # A frame represents its centre, half a hop before its end.
        self.analysis_delay = max(0, round(_ANALYSIS_S / hop_s - 0.5))
        n_late = self.analysis_delay + self._n_ahead
        self.delay = Pitched(n_late, n_late)

    @property
    def hop(self) -> float:
        """Samples per frame, not always an integer."""
        return self.correlogram.hop

    @property
    def clock(self) -> FrameClock:
        """Where frames end."""
        return self.correlogram.clock

    def _checked(self, lead: tuple[int, ...], state: PitchState | None) -> PitchState:
        """Validate a state, or return the initial one; the correlogram checks its own part."""
        n_rows, n_slots = _N_CANDIDATES + 1, self._n_ahead + 2
        score = np.full((*lead, n_rows), -1e9, np.float32)
        score[..., 0] = 0  # no pitch before any sound
        slots = np.zeros((*lead, n_slots, n_rows), np.float32)
        fresh = (score, slots, slots.copy(), slots.astype(np.int8))
        if state is None:
            return PitchState(self.correlogram(np.empty((*lead, 0), np.float32))[1], *fresh)
        check_kind(state, PitchState, owner="Pitch")
        check_state(state[1:], fresh, owner="Pitch")
        return state

    def __call__(
        self, wave: NDArray[np.floating], state: PitchState | None = None
    ) -> tuple[Pitched[NDArray[np.float32]], PitchState]:
        """Process the next chunk; return the frames it completes, late by the delay."""
        check_floats(wave)  # the bank replaces NaN, with a warning
        f0_hz, voicing = [], []
        # Block by block, since the summary takes more memory than the wave.
        for block in in_blocks(wave, self._block_samples):
            _, heard, state = self.listen(block, state)
            f0_hz.append(heard.f0_hz)
            voicing.append(heard.voicing)
        assert state is not None  # there is one block at least
        return Pitched(np.concatenate(f0_hz, axis=-1), np.concatenate(voicing, axis=-1)), state

    def listen(
        self, wave: NDArray[np.floating], state: PitchState | None = None
    ) -> tuple[NDArray[np.float32], Pitched[NDArray[np.float32]], PitchState]:
        """As the call, but return the summary correlogram (..., lag, frame) as well.

        A frame of the summary precedes the pitch found in it by the look-ahead.
        """
        lead = check_floats(wave).shape[:-1]
        state = self._checked(lead, state)
        first_frame = self.clock.n_frames(int(state.correlogram.n_samples[0]))
        summary, correlogram = self.correlogram(wave, state.correlogram)
        score = np.empty_like(state.score)
        slots = (state.f0_hz.copy(), state.strength.copy(), state.previous.copy())
        found = np.empty((*lead, 2, summary.shape[-1]), np.float32)
        for index in np.ndindex(lead):
            score[index] = track(
                summary[index],
                self._lags,
                self._costs,
                first_frame,
                state.score[index],
                *(slot[index] for slot in slots),
                found[index],
            )
        heard = Pitched(found[..., 0, :], found[..., 1, :])
        return summary, heard, PitchState(correlogram, score, *slots)

    def finish(self, state: PitchState) -> Pitched[NDArray[np.float32]]:
        """The remaining frames, as if silence followed."""
        check_kind(state, PitchState, owner="Pitch")
        start = int(state.correlogram.n_samples[0])
        n_owed = self.delay.f0_hz
        n_samples = max(0, self.clock.end(self.clock.n_frames(start) + n_owed - 1) - start)
        lead = state.score.shape[:-1]
        return self(np.zeros((*lead, n_samples), np.float32), state)[0]
