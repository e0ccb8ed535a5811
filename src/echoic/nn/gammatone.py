"""Gammatone filters as torch functions: by the runtime's kernels on the CPU, or by FFT.

Both take waves (item, time), coefficients (3, band), which are the real and imaginary part
of the poles and the gains, and the filter stages (item, 8, band), and also return the stages
after the last sample. Both are differentiable with respect to all inputs, so that gradients
pass from chunk to chunk unless the state is detached.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echoic.ear import adjoint
from echoic.ear.design import ORDER


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().contiguous().numpy()
    return array


def _room_for_checkpoints(wave: Tensor, stages: Tensor) -> Tensor:
    n_segments = -(-wave.shape[-1] // adjoint.SEGMENT)
    return stages.new_empty((wave.shape[0], n_segments, *stages.shape[1:]))


class _Gradients:
    """Gradient buffers that the adjoint kernels of all items write to."""

    def __init__(self, wave: Tensor, coefficients: Tensor, stages_grad: Tensor) -> None:
        self.coefficients = coefficients
        self.wave = torch.zeros_like(wave)
        self.stages = stages_grad.clone(memory_format=torch.contiguous_format)
        self.pole = torch.zeros_like(coefficients[:2])
        self.gain = torch.zeros_like(coefficients[2])

    def rows(self, item: int, *, of_poles: bool) -> tuple[NDArray[Any] | None, ...]:
        return (
            _array(self.stages[item]),
            _array(self.wave[item]),
            _array(self.pole) if of_poles else None,
            _array(self.gain),
        )

    def by_coefficients(self) -> Tensor:
        """Convert Σ p*·λ·s* from the kernels to Σ λ·s*, which is 0 for silent bands (pole 0)."""
        pole = torch.complex(self.coefficients[0], self.coefficients[1])
        heard = pole != 0
        sums = torch.complex(self.pole[0], self.pole[1])
        by_pole = torch.where(heard, sums / torch.where(heard, pole, 1).conj(), 0)
        return torch.stack([by_pole.real, by_pole.imag, self.gain])


def hop_power(
    wave: Tensor, coefficients: Tensor, stages: Tensor, open_power: Tensor, ends: NDArray[np.int64]
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the power Σ|y|² over each frame by the runtime's kernel, on the CPU.

    Args:
        wave: (item, time).
        coefficients: (3, band).
        stages: (item, 8, band) before the wave.
        open_power: (item, band) power so far of the frame still open before the wave.
        ends: Sample indices within the wave at which frames end.

    Returns:
        Power (item, band, frame), the stages after the wave, and the power of the open frame.
    """
    return HopPower.apply(wave, coefficients, stages, open_power, ends)  # type: ignore[no-untyped-call]


def full_rate(wave: Tensor, coefficients: Tensor, stages: Tensor) -> tuple[Tensor, Tensor]:
    """Compute subbands (item, band, time) and new stages by the runtime's kernel, on the CPU."""
    return FullRate.apply(wave, coefficients, stages)  # type: ignore[no-untyped-call]


class HopPower(torch.autograd.Function):
    """The autograd function of `hop_power`."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Run the runtime's kernel and save checkpoints of the stages."""
        wave, coefficients, stages, open_power, ends = inputs
        power = wave.new_empty((wave.shape[0], coefficients.shape[1], ends.size))
        new_stages = stages.clone(memory_format=torch.contiguous_format)
        new_open = open_power.clone(memory_format=torch.contiguous_format)
        checkpoints = _room_for_checkpoints(wave, stages)
        for item in range(wave.shape[0]):
            adjoint.hop_power(
                _array(wave[item]),
                ends,
                _array(coefficients),
                _array(new_stages[item]),
                _array(new_open[item]),
                _array(power[item]),
                _array(checkpoints[item]),
            )
        ctx.save_for_backward(wave, coefficients, checkpoints)
        ctx.ends = ends
        return power, new_stages, new_open

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        """Run the adjoint kernel."""
        by_power, by_stages, by_open = grads
        wave, coefficients, checkpoints = ctx.saved_tensors
        of_poles = ctx.needs_input_grad[1]
        gradients = _Gradients(wave, coefficients, by_stages)
        by_frame = torch.cat([by_power, by_open[..., None]], dim=-1).transpose(1, 2).contiguous()
        for item in range(wave.shape[0]):
            adjoint.hop_power_adjoint(
                _array(wave[item]),
                ctx.ends,
                _array(coefficients),
                _array(checkpoints[item]),
                _array(by_frame[item]),
                *gradients.rows(item, of_poles=of_poles),
            )
        by_coefficients = gradients.by_coefficients() if of_poles else None
        # The earlier sum of the open frame went into the first frame here, ended or still open.
        return gradients.wave, by_coefficients, gradients.stages, by_frame[:, 0], None


class FullRate(torch.autograd.Function):
    """The autograd function of `full_rate`."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor]:
        """Run the runtime's kernel and save checkpoints of the stages."""
        wave, coefficients, stages = inputs
        complex_type = torch.complex128 if wave.dtype == torch.float64 else torch.complex64
        shape = (wave.shape[0], coefficients.shape[1], wave.shape[1])
        subbands = wave.new_empty(shape, dtype=complex_type)
        new_stages = stages.clone(memory_format=torch.contiguous_format)
        checkpoints = _room_for_checkpoints(wave, stages)
        for item in range(wave.shape[0]):
            adjoint.full_rate(
                _array(wave[item]),
                _array(coefficients),
                _array(new_stages[item]),
                _array(subbands[item]),
                _array(checkpoints[item]),
            )
        ctx.save_for_backward(wave, coefficients, checkpoints)
        return subbands, new_stages

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        """Run the adjoint kernel."""
        by_subbands, by_stages = grads
        wave, coefficients, checkpoints = ctx.saved_tensors
        of_poles = ctx.needs_input_grad[1]
        gradients = _Gradients(wave, coefficients, by_stages)
        by_subbands = by_subbands.resolve_conj().contiguous()
        for item in range(wave.shape[0]):
            adjoint.full_rate_adjoint(
                _array(wave[item]),
                _array(coefficients),
                _array(checkpoints[item]),
                _array(by_subbands[item]),
                *gradients.rows(item, of_poles=of_poles),
            )
        by_coefficients = gradients.by_coefficients() if of_poles else None
        return gradients.wave, by_coefficients, gradients.stages


def full_rate_by_fft(
    wave: Tensor, coefficients: Tensor, stages: Tensor, ring_samples: int
) -> tuple[Tensor, Tensor]:
    """Compute the same as `full_rate` with torch operations, on any device.

    The spectrum of the wave, zero-padded by `ring_samples`, is multiplied by the response H of
    `echoic.ear.design`, and the ringing of the initial stages is added: stage k with state s
    contributes C(t + 3 − k, 3 − k)·pᵗ⁺¹·s through the stages after it.
    """
    n_samples = wave.shape[-1]
    kind = torch.complex128 if wave.dtype == torch.float64 else torch.complex64
    pole = torch.complex(coefficients[0].double(), coefficients[1].double())
    gain = coefficients[2].double()
    n_fft = -(-(n_samples + ring_samples) // 1024) * 1024
    back_one = torch.exp(
        -2j * math.pi * torch.fft.fftfreq(n_fft, dtype=torch.float64, device=wave.device)
    )
    response = (gain[:, None] / (1 - pole[:, None] * back_one) ** ORDER).to(kind)
    spectrum = torch.fft.fft(wave, n_fft)[:, None] * response
    subbands = torch.fft.ifft(spectrum)[..., :n_samples]

    # powers[n, band] = pⁿ, and ringing[j, n, band] = C(n + j, j)·pⁿ of j + 1 cascaded poles.
    n = torch.arange(min(n_samples, ring_samples), dtype=torch.float64, device=wave.device)
    heard = pole != 0
    log_pole = torch.log(torch.where(heard, pole, 1))
    powers = torch.where(heard, torch.exp(n[:, None] * log_pole), 0)
    binomials = [torch.ones_like(n)]
    for j in range(1, ORDER):
        binomials.append(binomials[-1] * (n + j) / j)
    ringing = (torch.stack(binomials)[..., None] * powers).to(kind)

    held = torch.complex(stages[:, 0::2], stages[:, 1::2]) * pole.to(kind)
    rung = torch.einsum("jnb,ijb->ibn", ringing.flip(0), held)
    subbands = subbands + torch.nn.functional.pad(rung, (0, n_samples - rung.shape[-1]))
    return subbands, _stages_after(wave, gain.to(wave.dtype), ringing, held, stages)


def _stages_after(
    wave: Tensor, gain: Tensor, ringing: Tensor, held: Tensor, stages: Tensor
) -> Tensor:
    """State of every stage after the last sample: convolutions evaluated at that sample."""
    n_ring, n_samples = ringing.shape[1], wave.shape[-1]
    if n_samples == 0:
        return stages
    latest = wave[:, n_samples - n_ring :].flip(-1).to(ringing.dtype)
    after = torch.einsum("jnb,in->ijb", ringing * gain, latest)
    if n_ring == n_samples:  # the initial state has not decayed yet
        last = ringing[:, -1]
        older = [
            sum((last[k - j] * held[:, j] for j in range(k + 1)), torch.zeros_like(held[:, 0]))
            for k in range(ORDER)
        ]
        after = after + torch.stack(older, dim=1)
    return torch.stack([after.real, after.imag], dim=2).flatten(1, 2)


def power_of_frames(
    subbands: Tensor, open_power: Tensor, ends: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Σ|y|² over each frame (item, band, frame), and over the one still open."""
    frame = np.searchsorted(ends, np.arange(subbands.shape[-1]), side="right")
    index = torch.from_numpy(frame).to(subbands.device)
    power = subbands.real.square() + subbands.imag.square()
    sums = power.new_zeros((*power.shape[:2], ends.size + 1)).index_add(-1, index, power)
    sums = torch.cat([sums[..., :1] + open_power[..., None], sums[..., 1:]], dim=-1)
    return sums[..., :-1], sums[..., -1]
