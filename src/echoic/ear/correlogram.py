"""Correlograms: running autocorrelation of each band of the ear, and of all together.

A band's hair cells follow the fine structure below about 1 kHz and the envelope above,
where a band holds several harmonics of a voice. Either repeats with the period of the
sound, so the autocorrelation of every band has a peak at that lag, whether or not the
fundamental is present (Licklider 1951; Meddis and Hewitt 1991).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_floats, check_kind, check_number, check_state
from echoic.ear.autocorrelation import N_CELL_ROWS, correlate_frames, rectify_and_decimate
from echoic.ear.design import HIGH_HZ, LOW_HZ, N_BANDS
from echoic.ear.filterbank import Filterbank, FilterbankState
from echoic.errors import ParameterError
from echoic.streaming import FrameClock, in_blocks

# Corner of each of the membrane's four one-poles; that of the cascade is 435 Hz. At half
# the lag rate, 4 kHz, it attenuates by 49 dB.
_MEMBRANE_HZ = 1000.0
# Potentials are decimated, and lags counted, at the sample rate divided by the largest integer
# that leaves 8 kHz or more.
LAG_RATE_HZ = 8000.0
# Changes slower than any pitch count as the mean, which carries no periodicity.
_COUPLING_HZ = 20.0
# Time constant of the estimate of each band's power, which controls the compression.
_FOLLOW_S = 0.03
_EXPONENT = 0.8
_BLOCK_SAMPLES = 2048  # the subbands of one block fit in the processor's cache


class CorrelogramState(NamedTuple):
    """State of a correlogram between chunks.

    bank: State of the filterbank.
    cells: (..., band, 6) membrane stages, means and mean squares.
    potential: (..., band, past) as needed for the longest lag and an unfinished frame.
    products: (..., slot, band or 1, lag) lagged products of the window's frames.
    squares: (..., slot, lag) energy at each lag, for the summary.
    rest: (..., slot) floor of the energy, for the summary.
    n_samples: (1,) samples processed so far.
    """

    bank: FilterbankState
    cells: NDArray[np.float32]
    potential: NDArray[np.float32]
    products: NDArray[np.float32]
    squares: NDArray[np.float32]
    rest: NDArray[np.float32]
    n_samples: NDArray[np.int64]


class Correlogram:
    """Short-time autocorrelation of every band's hair cells.

    The motion of a band, x = 2·Re(y), is rectified and smoothed by the membrane (four
    one-poles at 1 kHz: fine structure below, the envelope above). Its mean is subtracted,
    which gives the potential u, and the autocorrelation is

        A(τ) = E^(exponent − 1) · mean of u(t)·u(t − τ) over the window.

    E is the power of the potential before its mean is subtracted, so that a band A times
    as strong counts A^(2·exponent) times as much. The window is the last `window_s`
    seconds for every lag; u(t − τ) reaches back before it by the lag.

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        hop_s: Seconds per frame, 1 ms to 1 s; frame k ends at sample ⌊(k + 1)·rate·hop_s⌋.
        window_s: Averaging window in seconds, `hop_s` to 1 s, rounded to whole frames.
        longest_lag_s: Longest lag in seconds, 1 to 100 ms.

    Shape:
        wave (..., time) -> (..., band, lag, frame), float32; lags from 0, see `lag_s`.

    Delay: 0 frames; a frame is output with its last sample. Hop: rate·hop_s.

    Raises:
        ParameterError: a value outside of its range.

    References: Licklider (1951); Meddis and Hewitt (1991), for the membrane and the
        summary over bands.

    Example:
        >>> correlogram = Correlogram(sample_rate=16000)
        >>> frames, state = correlogram(np.zeros(16000, np.float32))
        >>> frames.shape, float(correlogram.lag_s[-1])
        ((64, 161, 100), 0.02)
    """

    delay = 0
    _is_summary = False

    def __init__(
        self,
        *,
        sample_rate: float,
        n_bands: int = N_BANDS,
        low_hz: float = LOW_HZ,
        high_hz: float = HIGH_HZ,
        hop_s: float = 0.01,
        window_s: float = 0.03,
        longest_lag_s: float = 0.02,
    ) -> None:
        """Design the bank and place the lags."""
        self.bank = Filterbank(
            sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
        self.clock = FrameClock(sample_rate=sample_rate, hop_s=hop_s)
        for name, value, lowest, highest in (
            ("hop_s", hop_s, 0.001, 1.0),
            ("window_s", window_s, hop_s, 1.0),
            ("longest_lag_s", longest_lag_s, 0.001, 0.1),
        ):
            check_number(value, name=name)
            if not lowest <= value <= highest:
                raise ParameterError(f"{name}={value!r} is outside {lowest:g} to {highest:g} s")
        self.n_slots = round(window_s / hop_s)
        self.stride = int(sample_rate // LAG_RATE_HZ)
        self.lag_rate = sample_rate / self.stride
        self.n_lags = int(np.ceil(longest_lag_s * self.lag_rate - 1e-6)) + 1
        # The unfinished frame, and one more, since strides and frames are not aligned.
        self._n_past = self.n_lags + int(self.clock.hop_samples / self.stride) + 1
        self._constants = (
            np.float32(np.exp(-2 * np.pi * _MEMBRANE_HZ / sample_rate)),
            np.float32(-np.expm1(-2 * np.pi * _COUPLING_HZ / self.lag_rate)),
            np.float32(-np.expm1(-1 / (_FOLLOW_S * self.lag_rate))),
        )

    @property
    def hop(self) -> float:
        """Samples per frame, not always an integer."""
        return self.clock.hop_samples

    @property
    def center_hz(self) -> NDArray[np.float64]:
        """(band,) centre frequencies in Hz."""
        return self.bank.center_hz

    @property
    def lag_s(self) -> NDArray[np.float64]:
        """(lag,) in seconds, from 0 on."""
        return np.arange(self.n_lags) / self.lag_rate

    def _checked(self, lead: tuple[int, ...], state: CorrelogramState | None) -> CorrelogramState:
        """Validate a state, or return the initial one; the bank checks its own part."""

        def zeros(*shape: int) -> NDArray[np.float32]:
            return np.zeros((*lead, *shape), np.float32)

        n_bands = self.bank.design.n_bands
        fresh = (
            zeros(n_bands, N_CELL_ROWS),
            zeros(n_bands, self._n_past),
            zeros(self.n_slots, 1 if self._is_summary else n_bands, self.n_lags),
            zeros(self.n_slots, self.n_lags),
            zeros(self.n_slots),
            np.zeros(1, np.int64),
        )
        if state is None:
            return CorrelogramState(self.bank(zeros(0))[1], *fresh)
        check_kind(state, CorrelogramState, owner=type(self).__name__)
        check_state(state[1:], fresh, owner=type(self).__name__)
        return state

    def __call__(
        self, wave: NDArray[np.floating], state: CorrelogramState | None = None
    ) -> tuple[NDArray[np.float32], CorrelogramState]:
        """Process the next chunk; return the frames it completes."""
        check_floats(wave)  # the bank replaces NaN, with a warning
        lead = wave.shape[:-1]
        state = self._checked(lead, state)
        start = int(state.n_samples[0])
        n_frames = self.clock.ends(start, start + wave.shape[-1]).size
        out = np.empty((*lead, state.products.shape[-2], self.n_lags, n_frames), np.float32)
        column = 0
        for block in in_blocks(wave, _BLOCK_SAMPLES):
            column, state = self._correlate(block, state, out, column)
        return (out[..., 0, :, :] if self._is_summary else out), state

    def _correlate(
        self,
        block: NDArray[np.floating],
        state: CorrelogramState,
        out: NDArray[np.float32],
        column: int,
    ) -> tuple[int, CorrelogramState]:
        """Write frames to `out` from a column on; return the next column and the new state."""
        subbands, bank = self.bank(block, state.bank)
        start, stop = int(state.n_samples[0]), int(state.n_samples[0]) + block.shape[-1]
        first_frame = self.clock.n_frames(start)
        ends = np.concatenate([[self.clock.end(first_frame - 1)], self.clock.ends(start, stop)])
        n_kept = start // self.stride
        bounds = ends // self.stride - n_kept
        shape = subbands.shape[:-1]
        potential = np.empty((*shape, self._n_past + stop // self.stride - n_kept), np.float32)
        potential[..., : self._n_past] = state.potential
        power = np.empty((*shape, 1 + stop // self.stride - n_kept), np.float32)
        cells = np.empty_like(state.cells)
        products, squares, rest = state.products.copy(), state.squares.copy(), state.rest.copy()
        for index in np.ndindex(block.shape[:-1]):
            cells[index] = rectify_and_decimate(
                subbands[index],
                start % self.stride,
                self.stride,
                *self._constants,
                state.cells[index],
                potential[index],
                power[index],
            )
            correlate_frames(
                potential[index],
                power[index],
                bounds,
                first_frame,
                np.float32(_EXPONENT),
                products[index],
                squares[index],
                rest[index],
                self._is_summary,
                out[index],
                column,
            )
        past = potential[..., potential.shape[-1] - self._n_past :].copy()
        n_samples = np.array([stop])
        new = CorrelogramState(bank, cells, past, products, squares, rest, n_samples)
        return column + ends.size - 1, new

    def finish(self, state: CorrelogramState) -> NDArray[np.float32]:
        """No delay: an unfinished frame is dropped, so the tail has 0 frames."""
        check_kind(state, CorrelogramState, owner=type(self).__name__)
        return self(np.empty((*state.cells.shape[:-2], 0), np.float32), state)[0]


class SummaryCorrelogram(Correlogram):
    """Periodicity of all bands together at each lag.

    The bands' correlograms are summed and normalised by the energy that goes into them: 1
    where every band repeats exactly, near 0 where none does,

        S(τ) = 2·Σ A(τ) / (Σ A(0) + Σ A'(0) + floor),

    where A'(0) is the power of the window shifted back by τ. (This is the normalised square
    difference of McLeod and Wyvill 2005; 1 − S is the squared difference of de Cheveigné and
    Kawahara 2002, over the energy of both.) The floor keeps steady and very quiet potentials
    from counting as periodic. Costs a third of `Correlogram`.

    Args:
        sample_rate: Hz; the other arguments are those of `Correlogram`.

    Shape:
        wave (..., time) -> (..., lag, frame), float32.

    Delay: 0 frames. Hop: rate·hop_s.

    References: Meddis and Hewitt (1991), the summary; de Cheveigné and Kawahara (2002).

    Example:
        >>> frames, state = SummaryCorrelogram(sample_rate=16000)(np.zeros(16000, np.float32))
        >>> frames.shape
        (161, 100)
    """

    _is_summary = True
