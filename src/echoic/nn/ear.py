"""The ear in torch: the values of the runtime, with gradients.

On the CPU waves are filtered by the runtime's own kernels, and derivatives computed by the
adjoint kernels (`echoic.ear.adjoint`). On other devices, and with `method="fft"`, the same
filters are applied by FFT with torch operations (`echoic.nn.gammatone`).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic.checks import SATURATION, check_choice, check_choices, check_kind
from echoic.ear.design import (
    DECAY_PER_ERB,
    HIGH_HZ,
    LOW_HZ,
    N_BANDS,
    ORDER,
    BankDesign,
    gammatone_bank,
)
from echoic.ear.ear import COMPRESSIONS
from echoic.ear.filterbank import choose_design
from echoic.ear.haircell import FLOOR_DBFS, POWER_EXPONENT
from echoic.ear.kernels import N_STAGE_ROWS
from echoic.errors import ParameterError
from echoic.nn.gammatone import full_rate, full_rate_by_fft, hop_power, power_of_frames
from echoic.streaming import FrameClock
from echoic.units import ERB_RATE_PER_DECADE, ERB_SLOPE_PER_HZ, erb_rate_to_hz, hz_to_erb_rate

METHODS = ("auto", "recursive", "fft")
LEARNABLE = ("center", "bandwidth")
# Lower limit of a frame's power, −370 dB: the derivative of the square root is infinite at 0.
_SILENCE = 1e-37


class _Bank(nn.Module):
    """The coefficients of a gammatone bank, optionally learnable, and checks of its input.

    Centres are parametrised as ERB-rates and bandwidths as logarithms, so that one learning
    rate suits all bands and no bandwidth becomes negative.
    """

    coefficients: Tensor

    def __init__(self, design: BankDesign, learnable: Collection[str], method: str) -> None:
        super().__init__()
        learnable = check_choices(learnable, LEARNABLE, name="learnable")
        check_choice(method, METHODS, name="method")
        self.sample_rate, self.n_bands, self.method = design.sample_rate, design.n_bands, method
        self._design = None if learnable else design
        if learnable:
            places = torch.from_numpy(hz_to_erb_rate(design.center_hz))
            widths = torch.from_numpy(np.log(design.bandwidth_hz))
            self.center_erb_rate = nn.Parameter(places, requires_grad="center" in learnable)
            self.log_bandwidth_hz = nn.Parameter(widths, requires_grad="bandwidth" in learnable)
        else:
            rows = np.stack([design.pole.real, design.pole.imag, design.gain])
            self.register_buffer("coefficients", torch.from_numpy(rows), persistent=False)

    @property
    def design(self) -> BankDesign:
        """The current design of the bank, for the runtime."""
        if self._design is not None:
            return self._design
        place, width = (
            parameter.detach().cpu().double().numpy()
            for parameter in (self.center_erb_rate, self.log_bandwidth_hz)
        )
        return gammatone_bank(self.sample_rate, erb_rate_to_hz(place), np.exp(width))

    @property
    def center_hz(self) -> NDArray[np.float64]:
        """(band,) current centre frequencies in Hz."""
        return self.design.center_hz

    def present_coefficients(self) -> Tensor:
        """The current coefficients (3, band): closed form of `echoic.ear.design`, in float64."""
        if self._design is not None:
            return self.coefficients
        center_hz = _erb_rate_to_hz(self.center_erb_rate.double())
        bandwidth_hz = torch.exp(self.log_bandwidth_hz.double())
        decay = 2 * torch.pi * DECAY_PER_ERB / self.sample_rate * bandwidth_hz
        angle = 2 * torch.pi / self.sample_rate * center_hz
        heard = (center_hz < self.sample_rate / 2).double()
        radius = torch.exp(-decay) * heard
        gain = (-torch.expm1(-decay)) ** ORDER * heard
        return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle), gain])

    def by_fft(self, wave: Tensor) -> bool:
        """Whether this wave is filtered by FFT."""
        if self.method == "recursive" and wave.device.type != "cpu":
            raise ParameterError(f"method='recursive' runs on the CPU, not on {wave.device}")
        return self.method == "fft" or wave.device.type != "cpu"

    def check(self, wave: object) -> Tensor:
        """Flatten a wave to (item, time), zero non-finite samples and clip, as the runtime does.

        Raises:
            ParameterError: not a float32 or float64 tensor with a time axis, or on another
                device than the module; or a module cast to less than float32, in which poles
                so close to the unit circle cannot be represented.
        """
        if not isinstance(wave, Tensor):
            kind = f"{type(wave).__module__}.{type(wave).__name__}"
            raise ParameterError(f"wave must be a torch tensor, not {kind}")
        if wave.dtype not in (torch.float32, torch.float64) or wave.ndim == 0:
            raise ParameterError(
                f"wave must be float32 or float64 with a time axis, "
                f"got {wave.dtype} of shape {tuple(wave.shape)}"
            )
        home = self.log_bandwidth_hz if self._design is None else self.coefficients
        if home.dtype not in (torch.float32, torch.float64):
            raise ParameterError(f"the module is cast to {home.dtype}; it needs float32 or float64")
        if wave.device != home.device:
            raise ParameterError(f"wave is on {wave.device}, the module on {home.device}")
        flat = wave.reshape(math.prod(wave.shape[:-1]), wave.shape[-1])
        finite = torch.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
        return finite.clamp(-SATURATION, SATURATION)


def _erb_rate_to_hz(erb_rate: Tensor) -> Tensor:
    """`echoic.units.erb_rate_to_hz` for tensors."""
    return (10 ** (erb_rate / ERB_RATE_PER_DECADE) - 1) / ERB_SLOPE_PER_HZ


def _check_state(state: Tensor, shape: tuple[int, ...], wave: Tensor, owner: str) -> None:
    if state.shape != shape or state.dtype != wave.dtype or state.device != wave.device:
        raise ParameterError(
            f"state of shape {tuple(state.shape)}, {state.dtype}, on {state.device} does not "
            f"belong to this {owner} and wave, which need {shape}, {wave.dtype}, {wave.device}"
        )


class FilterbankState(NamedTuple):
    """stages: (..., 8, band)."""

    stages: Tensor


class Filterbank(_Bank):
    """`echoic.Filterbank` in torch: complex subbands at full rate, differentiable.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        design: Bank design to use instead.
        learnable: Which of "center" and "bandwidth" are parameters.
        method: "recursive" (CPU only), "fft", or "auto": recursive on the CPU.

    Shape:
        wave (..., time) -> subbands (..., band, time), complex.

    Delay: 0 samples. Hop: 1.

    Raises:
        ParameterError: a value outside of its range, or a wave of another dtype or device.

    Example:
        >>> bank = Filterbank(sample_rate=16000)
        >>> bank(torch.zeros(2, 160))[0].shape
        torch.Size([2, 64, 160])
    """

    hop = 1
    delay = 0

    def __init__(
        self,
        *,
        sample_rate: float,
        n_bands: int = N_BANDS,
        low_hz: float = LOW_HZ,
        high_hz: float = HIGH_HZ,
        design: BankDesign | None = None,
        learnable: Collection[str] = (),
        method: str = "auto",
    ) -> None:
        design = choose_design(
            design, sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
        super().__init__(design, learnable, method)

    def forward(
        self, wave: Tensor, state: FilterbankState | None = None
    ) -> tuple[Tensor, FilterbankState]:
        """Filter the next chunk."""
        flat, lead = self.check(wave), wave.shape[:-1]
        shape = (*lead, N_STAGE_ROWS, self.n_bands)
        if state is None:
            state = FilterbankState(flat.new_zeros(shape))
        check_kind(state, FilterbankState, owner="Filterbank")
        stages = state.stages
        _check_state(stages, shape, flat, "Filterbank")
        coefficients = self.present_coefficients().to(flat.dtype)
        stages = stages.reshape(flat.shape[0], *shape[-2:])
        if self.by_fft(flat):
            ring = self.design.ring_samples
            subbands, stages = full_rate_by_fft(flat, coefficients, stages, ring)
        else:
            subbands, stages = full_rate(flat, coefficients, stages)
        out = subbands.reshape(*lead, self.n_bands, wave.shape[-1])
        return out, FilterbankState(stages.reshape(shape))

    def finish(self, state: FilterbankState) -> Tensor:
        """No delay, so no tail: (..., band, 0)."""
        check_kind(state, FilterbankState, owner="Filterbank")
        return self(state.stages.new_zeros((*state.stages.shape[:-2], 0)), state)[0]


class EarState(NamedTuple):
    """The state of the ear.

    stages: (..., 8, band) filter stages.
    open_power: (..., band) power so far of the frame that is still open.
    n_samples: (1,) samples processed so far, int64, on the CPU.
    """

    stages: Tensor
    open_power: Tensor
    n_samples: Tensor

    def detach(self) -> EarState:
        """The state detached from its graph: gradients stop here."""
        return EarState(*(part.detach() for part in self))


class Ear(_Bank):
    """`echoic.Ear` in torch: the envelope of every band and frame, differentiable.

    It can replace a mel spectrogram: a wave (..., time) gives the same layout
    (..., band, frame). Values agree with the runtime to 1e-5. Gradients reach the wave, the
    learnable centres and bandwidths, and, through the state, the previous chunk;
    `state.detach()` stops them there. On the CPU second derivatives are not available.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        n_bands: 1 to 256.
        low_hz: Centre of the lowest band.
        high_hz: Centre of the highest band; bands from Nyquist up are silent.
        hop_s: Hop in seconds; frame k ends at sample ⌊(k + 1)·rate·hop_s⌋.
        compression: Compression of the envelope: "none", "power" (exponent 0.3) or "log"
            (0 at −100 dBFS and below, where there is no gradient, 1 at 0 dBFS).
        design: Bank design to use instead.
        learnable: Which of "center" and "bandwidth" are parameters.
        method: "recursive" (CPU only), "fft", or "auto": recursive on the CPU.

    Shape:
        wave (..., time) -> frames (..., band, frame).

    Delay: 0 frames. Hop: `hop` samples.

    Raises:
        ParameterError: a value outside of its range, or a wave of another dtype or device.

    Example:
        >>> ear = Ear(sample_rate=16000)
        >>> wave = torch.zeros(2, 16000, requires_grad=True)
        >>> frames, state = ear(wave)
        >>> frames.shape
        torch.Size([2, 64, 400])
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
        design: BankDesign | None = None,
        learnable: Collection[str] = (),
        method: str = "auto",
    ) -> None:
        if compression not in COMPRESSIONS:
            raise ParameterError(f"compression={compression!r} is not one of {tuple(COMPRESSIONS)}")
        design = choose_design(
            design, sample_rate=sample_rate, n_bands=n_bands, low_hz=low_hz, high_hz=high_hz
        )
        super().__init__(design, learnable, method)
        self.clock = FrameClock(sample_rate=sample_rate, hop_s=hop_s)
        self.compression = compression

    @property
    def hop(self) -> float:
        """Samples per frame, not always an integer."""
        return self.clock.hop_samples

    def forward(self, wave: Tensor, state: EarState | None = None) -> tuple[Tensor, EarState]:
        """Process the next chunk and return the frames that it completes."""
        flat, lead = self.check(wave), wave.shape[:-1]
        shape = (*lead, N_STAGE_ROWS, self.n_bands)
        if state is None:
            open_power = flat.new_zeros((*lead, self.n_bands))
            state = EarState(flat.new_zeros(shape), open_power, torch.zeros(1, dtype=torch.int64))
        check_kind(state, EarState, owner="Ear")
        _check_state(state.stages, shape, flat, "Ear")
        _check_state(state.open_power, (*lead, self.n_bands), flat, "Ear")
        start = int(state.n_samples[0])
        ends = self.clock.ends(start, start + wave.shape[-1])
        power, stages, open_power = self._powers(flat, state, ends - start)
        samples = np.diff(ends, prepend=self.clock.end(self.clock.n_frames(start) - 1))
        mean = power / torch.from_numpy(samples).to(power)
        frames = self._compress(mean)
        new_state = EarState(
            stages.reshape(shape),
            open_power.reshape(state.open_power.shape),
            state.n_samples + wave.shape[-1],
        )
        return frames.reshape(*lead, self.n_bands, ends.size), new_state

    def finish(self, state: EarState) -> Tensor:
        """No delay: an unfinished frame is dropped, so the tail has 0 frames."""
        check_kind(state, EarState, owner="Ear")
        return self(state.stages.new_zeros((*state.stages.shape[:-2], 0)), state)[0]

    def _powers(
        self, wave: Tensor, state: EarState, ends: NDArray[np.int64]
    ) -> tuple[Tensor, Tensor, Tensor]:
        coefficients = self.present_coefficients().to(wave.dtype)
        stages = state.stages.reshape(wave.shape[0], N_STAGE_ROWS, self.n_bands)
        open_power = state.open_power.reshape(wave.shape[0], self.n_bands)
        if not self.by_fft(wave):
            return hop_power(wave, coefficients, stages, open_power, ends)
        ring = self.design.ring_samples
        subbands, stages = full_rate_by_fft(wave, coefficients, stages, ring)
        power, open_power = power_of_frames(subbands, open_power, ends)
        return power, stages, open_power

    def _compress(self, mean_power: Tensor) -> Tensor:
        envelope = 2 * torch.sqrt(mean_power.clamp(min=_SILENCE))
        if self.compression == "power":
            return envelope**POWER_EXPONENT
        if self.compression == "log":
            floor = 10 ** (FLOOR_DBFS / 20)
            return 20 * torch.log10(envelope.clamp(min=floor)) / -FLOOR_DBFS + 1
        return envelope
