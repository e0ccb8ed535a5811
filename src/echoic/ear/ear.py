"""The ear: filterbank, frames and hair cell composed into one streaming module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear import kernels
from echoic.ear.design import BankDesign, design_listening
from echoic.ear.filterbank import Coefficients, check_rate, fresh_stages
from echoic.ear.haircell import Adaptation, AdaptationState, compress_log, compress_power
from echoic.errors import ParameterError
from echoic.streaming import FrameClock, as_float32, check_state

FEATURES = ("envelope", "onset", "fine")
COMPRESSIONS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "none": lambda envelope: envelope,
    "power": compress_power,
    "log": compress_log,
}


class EarState(NamedTuple):
    """What the ear carries from chunk to chunk.

    stages: (..., 8, band) filter stages.
    sums: (..., 1 or 3, band) of the frame that is still open.
    n_samples: (1,) samples heard so far.
    adaptation: what each band has got used to.
    """

    stages: NDArray[np.float32]
    sums: NDArray[np.float32]
    n_samples: NDArray[np.int64]
    adaptation: AdaptationState


class Ear:
    """Hear a waveform: one value a band and frame, or several.

    `envelope` is the RMS of a band over the frame as amplitude (a sine of
    amplitude A at the centre gives A), compressed if asked. `onset` is how far
    the log-compressed envelope rises above what the band has got used to.
    `fine` is the mean instantaneous frequency of the fine structure, in Hz
    relative to the centre and divided by the bandwidth; 0 in silence.

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        hop_s: Seconds a frame; frame k ends at sample ⌊(k + 1)·rate·hop_s⌋.
        compression: Of the envelope: "none", "power" (exponent 0.3) or "log"
            (0 at −100 dBFS, 1 at 0 dBFS).
        features: One or several of "envelope", "onset", "fine".
        design: A bank to use instead, such as one that was learned (`echoic.nn.Ear`).

    Shape:
        wave (..., time) -> (..., band, frame) for the envelope alone, else
        (..., feature, band, frame); float32.

    Delay: 0 frames; a frame comes out with its last sample. Hop: rate·hop_s.

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
        n_bands: int = 64,
        low_hz: float = 50.0,
        high_hz: float = 7600.0,
        hop_s: float = 0.0025,
        compression: str = "none",
        features: Sequence[str] = ("envelope",),
        design: BankDesign | None = None,
    ) -> None:
        """Design the bank and choose what comes out."""
        if compression not in COMPRESSIONS:
            raise ParameterError(f"compression={compression!r} is not one of {tuple(COMPRESSIONS)}")
        unknown = [name for name in features if name not in FEATURES]
        if unknown or not features:
            raise ParameterError(f"features={features!r}: choose from {FEATURES}")
        self.design = design or design_listening(
            sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
        check_rate(self.design, sample_rate)
        self.clock = FrameClock(sample_rate=sample_rate, hop_s=hop_s)
        self.compression = compression
        self.features = tuple(features)
        self.adaptation = Adaptation(hop_s=hop_s)
        self._coefficients = Coefficients.of(self.design)

    @property
    def hop(self) -> float:
        """Samples a frame, not always a whole number."""
        return self.clock.hop_samples

    @property
    def center_hz(self) -> NDArray[np.float64]:
        """(band,) centre frequencies in Hz."""
        return self.design.center_hz

    def _fresh(self, lead: tuple[int, ...]) -> EarState:
        n_bands = self.design.n_bands
        n_sums = 3 if "fine" in self.features else 1
        return EarState(
            fresh_stages(lead, n_bands),
            np.zeros((*lead, n_sums, n_bands), np.float32),
            np.zeros(1, np.int64),
            AdaptationState(np.zeros((*lead, n_bands), np.float32)),
        )

    def __call__(
        self, wave: NDArray[np.floating], state: EarState | None = None
    ) -> tuple[NDArray[np.float32], EarState]:
        """Hear the next chunk; give the frames that it completes."""
        wave = as_float32(wave)
        lead, n_bands = wave.shape[:-1], self.design.n_bands
        fresh = self._fresh(lead)
        state = fresh if state is None else state
        check_state(state, fresh, owner="Ear")
        start = int(state.n_samples[0])
        ends = self.clock.ends(start, start + wave.shape[-1])
        sums = np.empty((state.sums.shape[-2], *lead, n_bands, ends.size), np.float32)
        stages, open_sums = np.empty_like(state.stages), np.empty_like(state.sums)
        wants_fine = len(sums) == 3
        for index in np.ndindex(lead):
            stages[index], open_sums[index] = kernels.hop_sums(
                wave[index],
                ends - start,
                *self._coefficients,
                state.stages[index],
                state.sums[index],
                sums[0][index],
                sums[1][index] if wants_fine else None,
                sums[2][index] if wants_fine else None,
            )
        lengths = np.diff(ends, prepend=self.clock.end(self.clock.n_frames(start) - 1))
        frames, adaptation = self._compose(sums, lengths.astype(np.float32), state.adaptation)
        n_samples = np.array([start + wave.shape[-1]])
        return frames, EarState(stages, open_sums, n_samples, adaptation)

    def _compose(
        self,
        sums: NDArray[np.float32],
        frame_samples: NDArray[np.float32],
        adaptation: AdaptationState,
    ) -> tuple[NDArray[np.float32], AdaptationState]:
        """Turn summed power and phase advance into the features asked for."""
        envelope = 2 * np.sqrt(sums[0] / frame_samples)
        planes = {}
        if "envelope" in self.features:
            planes["envelope"] = COMPRESSIONS[self.compression](envelope)
        if "onset" in self.features:
            planes["onset"], adaptation = self.adaptation(compress_log(envelope), adaptation)
        if "fine" in self.features:
            planes["fine"] = self._fine_structure(sums)
        if self.features == ("envelope",):
            return planes["envelope"], adaptation
        return np.stack([planes[name] for name in self.features], axis=-3), adaptation

    def _fine_structure(self, sums: NDArray[np.float32]) -> NDArray[np.float32]:
        power, advance = sums[0], sums[1] + 1j * sums[2]
        # Turn by the centre's own advance first: the angle is then small and never wraps.
        center_hz, rate = self.design.center_hz, self.design.sample_rate
        turn = np.exp(-2j * np.pi * center_hz / rate).astype(np.complex64)[:, None]
        deviation_hz = np.angle(advance * turn) * (rate / (2 * np.pi))
        in_bandwidths = deviation_hz / self.design.bandwidth_hz[:, None]
        return np.where(power > 1e-14, in_bandwidths, 0).astype(np.float32)

    def finish(self, state: EarState) -> NDArray[np.float32]:
        """No delay: an unfinished frame is not given, so the tail has 0 frames."""
        return self(np.empty((*state.stages.shape[:-2], 0), np.float32), state)[0]
