"""The ear: filterbank, framing and hair cell as one streaming module."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import (
    check_choice,
    check_choices,
    check_kind,
    check_own,
    checksum,
    copy_state,
    mend,
    warn_of_mended,
)
from echoic.ear import kernels
from echoic.ear.cores import over_cores
from echoic.ear.design import HIGH_HZ, LOW_HZ, N_BANDS, BankDesign
from echoic.ear.filterbank import choose_design, float32_coefficients
from echoic.ear.haircell import Adaptation, AdaptationState, compress_log, compress_power
from echoic.errors import ParameterError
from echoic.streaming import FrameClock

FEATURES = ("envelope", "onset", "fine")
COMPRESSIONS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "none": lambda envelope: envelope,
    "power": compress_power,
    "log": compress_log,
}


class EarState(NamedTuple):
    """State of the ear between chunks.

    rows: (..., row, band). Eight rows of filter stages; the sums of the unfinished frame,
        one row or, with the fine structure, three; with onsets, the adapted level.
    counts: (3,) samples processed so far, how many of them `mend` has changed, and the checksum
        of bank and hop.
    """

    rows: NDArray[np.float32]
    counts: NDArray[np.int64]


@lru_cache(maxsize=64)  # called for every chunk
def _init_state(rows: tuple[int, ...], own: int) -> EarState:
    """The initial state; shared, so copied before use."""
    return EarState(np.zeros(rows, np.float32), np.array([0, 0, own], np.int64))


class Ear:
    """Compute one or more features per band and frame from a waveform.

    `envelope` is the RMS of a band over the frame as an amplitude (a sine of
    amplitude A at the centre gives A), optionally compressed. `onset` is how far
    the log-compressed envelope rises above the level the band has adapted to.
    `fine` is the mean instantaneous frequency of the fine structure, in Hz
    relative to the centre and divided by the bandwidth; 0 in silence.

    NaN and infinite samples are replaced by 0, and samples above 10¹⁰ times full scale are
    clipped, with one warning per stream. The channels of a long chunk run on as many cores as
    numba may use (NUMBA_NUM_THREADS).

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        hop_s: Seconds per frame; frame k ends at sample ⌊(k + 1)·rate·hop_s⌋.
        compression: Of the envelope: "none", "power" (exponent 0.3) or "log"
            (0 at −100 dBFS, 1 at 0 dBFS).
        features: One or more of "envelope", "onset", "fine".
        design: The design of a bank to use instead, such as the `design` of a learned
            `echoic.nn.Ear`.

    Shape:
        wave (..., time) -> (..., band, frame) for the envelope alone, else
        (..., feature, band, frame); float32.

    Delay: 0 frames; a frame is output with its last sample. Hop: rate·hop_s.

    Raises:
        ParameterError: a value outside of its range.

    Example:
        >>> ear = Ear(sample_rate=44100, compression="log")
        >>> frames, state = ear(np.zeros(44100, np.float32))
        >>> frames.shape
        (64, 400)
    """

    delay = 0

    def __init__(
        self,
        *,
        sample_rate: float,
        n_bands: int = N_BANDS,
        low_hz: float = LOW_HZ,
        high_hz: float = HIGH_HZ,
        hop_s: float = 0.0025,
        compression: str = "none",
        features: Iterable[str] = ("envelope",),
        design: BankDesign | None = None,
    ) -> None:
        """Design the bank and select the features."""
        check_choice(compression, COMPRESSIONS, name="compression")
        chosen = check_choices(features, FEATURES, name="features")
        if not chosen:
            raise ParameterError(f"features={features!r}: choose one at least")
        self.design = choose_design(
            design, sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
        self.clock = FrameClock(sample_rate=sample_rate, hop_s=hop_s)
        self.compression = compression
        self.features = chosen
        self.adaptation = Adaptation(hop_s=hop_s)
        self._coefficients = float32_coefficients(self.design)
        self._own = checksum(self._coefficients, self.clock.hop_samples)
        self._wants_fine = "fine" in self.features
        n_sums = 3 if self._wants_fine else 1
        n_rows = kernels.N_STAGE_ROWS + n_sums + ("onset" in self.features)
        self._rows_shape = (n_rows, self.design.n_bands)

    @property
    def hop(self) -> float:
        """Samples per frame, not always an integer."""
        return self.clock.hop_samples

    @property
    def center_hz(self) -> NDArray[np.float64]:
        """(band,) centre frequencies in Hz."""
        return self.design.center_hz

    def __call__(
        self, wave: NDArray[np.floating], state: EarState | None = None
    ) -> tuple[NDArray[np.float32], EarState]:
        """Process the next chunk; return the frames it completes."""
        wave, n_mended = mend(wave)
        lead, n_samples = wave.shape[:-1], wave.shape[-1]
        init = _init_state((*lead, *self._rows_shape), self._own)
        new = copy_state(init if state is None else state, init, owner="Ear")
        n_before, n_mended_before, own = new.counts.tolist()
        check_own(own, self._own, owner="Ear")
        new.counts[0] = n_before + n_samples
        if n_mended:
            new.counts[1] = n_mended_before + n_mended
            if not n_mended_before:
                warn_of_mended(n_mended)
        n_items = math.prod(lead)
        rows = new.rows.reshape(n_items, *self._rows_shape)
        frames = self._hear(wave.reshape(n_items, n_samples), n_before, rows)
        return frames.reshape(lead + frames.shape[1:]), new

    def _hear(
        self, waves: NDArray[np.float32], n_before: int, rows: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Compute the features of (item, time), updating rows (item, row, band) in place."""
        n_items, n_samples = waves.shape
        n_bands, clock = self._rows_shape[1], self.clock
        first = clock.n_frames(n_before)
        n_frames = clock.n_frames(n_before + n_samples) - first
        envelope = np.empty((n_items, n_bands, n_frames), np.float32)
        fine = np.empty((n_items, 3, n_bands, n_frames), np.float32) if self._wants_fine else None
        over_cores(
            kernels.hear,
            waves,
            rows,
            envelope,
            fine,
            shared=(self._coefficients, n_before, first, clock.hop_samples),
            values=n_samples * n_bands,
        )
        return self._compose(envelope, fine, rows)

    def _compose(
        self,
        envelope: NDArray[np.float32],
        fine: NDArray[np.float32] | None,
        rows: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Assemble the features, (item, band, frame) or (item, feature, band, frame)."""
        planes = {}
        if "envelope" in self.features:
            planes["envelope"] = COMPRESSIONS[self.compression](envelope)
        if "onset" in self.features:
            before = AdaptationState(rows[:, -1])
            planes["onset"], after = self.adaptation(compress_log(envelope), before)
            rows[:, -1] = after.adapted
        if fine is not None:
            planes["fine"] = self._fine_structure(fine)
        if self.features == ("envelope",):
            return planes["envelope"]
        return np.stack([planes[name] for name in self.features], axis=1)

    def _fine_structure(self, sums: NDArray[np.float32]) -> NDArray[np.float32]:
        power, advance = sums[:, 0], sums[:, 1] + 1j * sums[:, 2]
        # Remove the centre's phase advance first: the angle is then small and never wraps.
        center_hz, rate = self.design.center_hz, self.design.sample_rate
        turn = np.exp(-2j * np.pi * center_hz / rate).astype(np.complex64)[:, None]
        deviation_hz = np.angle(advance * turn) * (rate / (2 * np.pi))
        in_bandwidths = deviation_hz / self.design.bandwidth_hz[:, None]
        return np.where(power > 1e-14, in_bandwidths, 0).astype(np.float32)

    def finish(self, state: EarState) -> NDArray[np.float32]:
        """No delay: an unfinished frame is dropped, so the tail has 0 frames."""
        check_kind(state, EarState, owner="Ear")
        return self(np.empty((*state.rows.shape[:-2], 0), np.float32), state)[0]
