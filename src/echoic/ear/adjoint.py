"""Gradients of the filterbank: the same recursion backwards in time, with conjugate poles.

A stage computes s[t] = r[t] + p·s[t−1]. If λ[t] is the gradient of a loss with respect
to s[t] (∂/∂Re + i·∂/∂Im), then by the chain rule

    λ[t] = g[t] + p*·λ[t+1],    ∂L/∂r[t] = λ[t],    ∂L/∂p = Σ λ[t]·s*[t−1],

where g[t] is the gradient from whatever the stage feeds: the adjoint of a one-pole
filter is the one-pole filter with the conjugate pole, run backwards in time.

Past stage outputs are not stored, which would take 2 KB per sample, but recomputed from
checkpoints every `SEGMENT` samples. Layout as in `kernels`: samples outermost, bands
innermost. Arrays are float32 or float64 throughout; a state (8, band) is that of `kernels`.
"""

from __future__ import annotations

import numpy as np

from echoic.ear.kernels import DENORMAL_GUARD, four_stages, hop_sums, stage_rows, subbands
from echoic.jit import compiled

SEGMENT = 128  # samples; the working set of a segment fits in the L2 cache


@compiled
def hop_power(wave, ends, coefficients, stages, open_power, power, checkpoints):  # type: ignore[no-untyped-def]
    """`kernels.hop_sums` that also stores the stages at the start of every segment.

    Args:
        wave: (time,).
        ends: (frame,) int64, where frames end within `wave`.
        coefficients: (3, band): real and imaginary part of the pole, gain.
        stages: (8, band), updated in place.
        open_power: (band,), power sum of the unfinished frame, updated in place.
        power: (band, frame), written.
        checkpoints: (segment, 8, band), written.
    """
    frame = 0
    for k in range(checkpoints.shape[0]):
        start = k * SEGMENT
        stop = min(start + SEGMENT, wave.size)
        checkpoints[k] = stages
        last = frame
        while last < ends.size and ends[last] <= stop:
            last += 1
        hop_sums(
            wave[start:stop],
            ends[frame:last] - start,
            coefficients,
            stages,
            open_power.reshape(1, -1),
            power[:, frame:last],
            None,
        )
        frame = last


@compiled
def full_rate(wave, coefficients, stages, out, checkpoints):  # type: ignore[no-untyped-def]
    """`kernels.subbands` that also stores the stages at the start of every segment."""
    for k in range(checkpoints.shape[0]):
        start = k * SEGMENT
        stop = min(start + SEGMENT, wave.size)
        checkpoints[k] = stages
        subbands(wave[start:stop], coefficients, stages, out[:, start:stop])


@compiled
def _retrace(wave, coefficients, state, trace):  # type: ignore[no-untyped-def]
    """Rerun the filters from a state; trace[i] is the state before sample i, or its last rows."""
    pole_re, pole_im, gain = coefficients[0], coefficients[1], coefficients[2]
    s = state.copy()
    first = 8 - trace.shape[1]
    trace[0] = s[first:]
    stage = stage_rows(s)
    for i in range(wave.size):
        x = wave[i] + DENORMAL_GUARD
        for b in range(gain.size):
            four_stages(gain[b] * x, None, pole_re[b], pole_im[b], stage, b)
        for row in range(first, 8):
            kept, now = trace[i + 1, row - first], s[row]
            for b in range(gain.size):
                kept[b] = now[b]


@compiled
def _add_product(re, im, other_re, other_im, sum_re, sum_im):  # type: ignore[no-untyped-def]
    """Add z·w* to a sum, all (band,)."""
    for b in range(re.size):
        sum_re[b] += re[b] * other_re[b] + im[b] * other_im[b]
        sum_im[b] += im[b] * other_re[b] - re[b] * other_im[b]


@compiled
def _go_back(wave, coefficients, trace, grad, carry, grad_wave, grad_pole, grad_gain):  # type: ignore[no-untyped-def]
    """Run the adjoint filters over a segment, last sample first.

    Args:
        wave: (time,) of the segment.
        coefficients: (3, band).
        trace: (time + 1, 8, band) of `_retrace`; read only if `grad_pole` is not None.
        grad: (time, 2, band), gradient with respect to the subbands.
        carry: (8, band), gradient with respect to the state after the segment; overwritten
            with that for the state before it. It holds p*·λ.
        grad_wave: (time,), written.
        grad_pole: (2, band), Σ p*·λ·s* is accumulated; None skips it and `grad_gain`.
        grad_gain: (band,), accumulated.
    """
    pole_re, pole_im, gain = coefficients[0], coefficients[1], coefficients[2]
    c0r, c0i, c1r, c1i = carry[0], carry[1], carry[2], carry[3]
    c2r, c2i, c3r, c3i = carry[4], carry[5], carry[6], carry[7]
    nothing = wave.dtype.type(0)
    first = np.empty_like(gain)
    for j in range(wave.size):
        i = wave.size - 1 - j
        by_re, by_im = grad[i, 0], grad[i, 1]
        for b in range(gain.size):
            a, c = pole_re[b], pole_im[b]
            r3 = by_re[b] + c3r[b]
            i3 = by_im[b] + c3i[b]
            r2, i2 = r3 + c2r[b], i3 + c2i[b]
            r1, i1 = r2 + c1r[b], i2 + c1i[b]
            r0, i0 = r1 + c0r[b], i1 + c0i[b]
            c0r[b], c0i[b] = a * r0 + c * i0, a * i0 - c * r0
            c1r[b], c1i[b] = a * r1 + c * i1, a * i1 - c * r1
            c2r[b], c2i[b] = a * r2 + c * i2, a * i2 - c * r2
            c3r[b], c3i[b] = a * r3 + c * i3, a * i3 - c * r3
            first[b] = r0
        total = nothing
        for b in range(gain.size):  # a separate loop: merged into the one above, not vectorised
            total += gain[b] * first[b]
        grad_wave[i] = total
        if grad_pole is not None:
            for b in range(gain.size):
                grad_gain[b] += first[b] * wave[i]
            for stage in range(0, 8, 2):
                cr, ci = carry[stage], carry[stage + 1]
                sr, si = trace[i, stage], trace[i, stage + 1]
                _add_product(cr, ci, sr, si, grad_pole[0], grad_pole[1])


@compiled
def hop_power_adjoint(  # type: ignore[no-untyped-def]
    wave, ends, coefficients, checkpoints, grad_power, carry, grad_wave, grad_pole, grad_gain
):
    """Gradients of `hop_power`, from the last segment to the first.

    The power of a frame is Σ|y|², so that ∂L/∂y[t] = 2·∂L/∂power·y[t].

    Args:
        wave: (time,).
        ends: (frame,) int64.
        coefficients: (3, band).
        checkpoints: (segment, 8, band) of `hop_power`.
        grad_power: (frame + 1, band), gradient with respect to the power of every frame,
            the unfinished one last.
        carry: (8, band), gradient with respect to the new state; overwritten with that for
            the old one.
        grad_wave: (time,), written.
        grad_pole: (2, band), Σ p*·λ·s* is accumulated; None skips it and `grad_gain`.
        grad_gain: (band,), accumulated.
    """
    n_bands = coefficients.shape[1]
    trace = np.empty((SEGMENT + 1, 2 if grad_pole is None else 8, n_bands), wave.dtype)
    # Without the pole gradient, the trace is not needed after weighting: work in place.
    grad = trace[1:] if grad_pole is None else np.empty((SEGMENT, 2, n_bands), wave.dtype)
    twice = grad_power + grad_power
    frame = ends.size
    for k in range(checkpoints.shape[0] - 1, -1, -1):
        start = k * SEGMENT
        stop = min(start + SEGMENT, wave.size)
        _retrace(wave[start:stop], coefficients, checkpoints[k], trace)
        for j in range(stop - start):
            i = stop - start - 1 - j
            while frame > 0 and ends[frame - 1] > start + i:
                frame -= 1
            by = twice[frame]
            for part in range(2):
                row = grad[i, part]
                if grad_pole is not None:
                    row[:] = trace[i + 1, 6 + part]
                for b in range(n_bands):
                    row[b] *= by[b]
        _go_back(
            wave[start:stop],
            coefficients,
            trace,
            grad,
            carry,
            grad_wave[start:stop],
            grad_pole,
            grad_gain,
        )


@compiled
def full_rate_adjoint(  # type: ignore[no-untyped-def]
    wave, coefficients, checkpoints, grad_subbands, carry, grad_wave, grad_pole, grad_gain
):
    """Gradients of `full_rate`; `grad_subbands` is complex, (band, time)."""
    n_bands = coefficients.shape[1]
    trace = np.empty((SEGMENT + 1, 8, n_bands), wave.dtype)
    grad = np.empty((SEGMENT, 2, n_bands), wave.dtype)
    for k in range(checkpoints.shape[0] - 1, -1, -1):
        start = k * SEGMENT
        stop = min(start + SEGMENT, wave.size)
        if grad_pole is not None:
            _retrace(wave[start:stop], coefficients, checkpoints[k], trace)
        for b in range(n_bands):
            for i in range(stop - start):
                grad[i, 0, b] = grad_subbands[b, start + i].real
                grad[i, 1, b] = grad_subbands[b, start + i].imag
        _go_back(
            wave[start:stop],
            coefficients,
            trace,
            grad,
            carry,
            grad_wave[start:stop],
            grad_pole,
            grad_gain,
        )
