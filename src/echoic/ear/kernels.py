"""The loops that run once per sample and band, compiled by numba.

Layout decides the speed: samples outside, bands inside, the four stages of a
filter unrolled, real and imaginary parts in separate contiguous float32
arrays, so that the compiler fills whole vector registers with neighbouring
bands. Nothing here checks its arguments; the classes that call it do.

A state holds, for every band, the outputs of the four stages as eight rows
(real and imaginary, in turn). Kernels write a new state and leave the old one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# Far below anything audible, added to the input so that a recursion which
# decays in silence never reaches denormal numbers, a hundred times slower.
_DENORMAL_GUARD = np.float32(1e-20)

N_STATE_ROWS = 8


def _jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile without the interpreter's lock, cached on disk where a disk lets us."""
    # NaN and infinities keep their meaning: "nnan" and "ninf" are left out.
    fast = {"contract", "reassoc", "nsz", "arcp"}
    try:
        return numba.njit(cache=True, nogil=True, fastmath=fast)(function)
    except RuntimeError:  # no writable place for the cache: compile in every process
        return numba.njit(nogil=True, fastmath=fast)(function)


@_jit
def subbands(wave, pole_re, pole_im, gain, state, out):  # type: ignore[no-untyped-def]
    """Filter (time,) into the full-rate subbands (band, time); return the new state.

    Written in blocks: time-major while the recursion runs, so that neighbouring
    bands are neighbours in memory, then transposed into the output.
    """
    n_bands = pole_re.size
    s = state.copy()
    s0r, s0i, s1r, s1i = s[0], s[1], s[2], s[3]
    s2r, s2i, s3r, s3i = s[4], s[5], s[6], s[7]
    block = 64
    block_re = np.empty((block, n_bands), wave.dtype)
    block_im = np.empty((block, n_bands), wave.dtype)
    for start in range(0, wave.size, block):
        length = min(block, wave.size - start)
        for i in range(length):
            x = wave[start + i] + _DENORMAL_GUARD
            row_re, row_im = block_re[i], block_im[i]
            for b in range(n_bands):
                a, c = pole_re[b], pole_im[b]
                r0 = gain[b] * x + a * s0r[b] - c * s0i[b]
                i0 = a * s0i[b] + c * s0r[b]
                r1 = r0 + a * s1r[b] - c * s1i[b]
                i1 = i0 + a * s1i[b] + c * s1r[b]
                r2 = r1 + a * s2r[b] - c * s2i[b]
                i2 = i1 + a * s2i[b] + c * s2r[b]
                r3 = r2 + a * s3r[b] - c * s3i[b]
                i3 = i2 + a * s3i[b] + c * s3r[b]
                s0r[b], s0i[b], s1r[b], s1i[b] = r0, i0, r1, i1
                s2r[b], s2i[b], s3r[b], s3i[b] = r2, i2, r3, i3
                row_re[b] = r3
                row_im[b] = i3
        for b in range(n_bands):
            for i in range(length):
                out[b, start + i] = complex(block_re[i, b], block_im[i, b])
    return s


@_jit
def hop_sums(  # type: ignore[no-untyped-def]
    wave, ends, pole_re, pole_im, gain, state, sums, power, advance_re, advance_im
):
    """Sum every band's power over each frame; return the new state and open sums.

    With arrays for `advance_re`, `advance_im`, not None, sum y[t]·conj(y[t−1]) too: its
    angle is the mean phase advance per sample, the band's instantaneous frequency. (The
    compiler prunes what None leaves out.)

    `ends` holds where frames end within `wave` (exclusive); `sums` (1 or 3, band) carries
    the frame that is still open. Outputs are (band, frame).
    """
    n_bands = pole_re.size
    s = state.copy()
    s0r, s0i, s1r, s1i = s[0], s[1], s[2], s[3]
    s2r, s2i, s3r, s3i = s[4], s[5], s[6], s[7]
    open_sums = sums.copy()
    open_power, open_re, open_im = open_sums[0], open_sums[-2], open_sums[-1]
    start = 0
    for frame in range(ends.size + 1):
        stop = ends[frame] if frame < ends.size else wave.size
        for t in range(start, stop):
            x = wave[t] + _DENORMAL_GUARD
            for b in range(n_bands):
                a, c = pole_re[b], pole_im[b]
                r0 = gain[b] * x + a * s0r[b] - c * s0i[b]
                i0 = a * s0i[b] + c * s0r[b]
                r1 = r0 + a * s1r[b] - c * s1i[b]
                i1 = i0 + a * s1i[b] + c * s1r[b]
                r2 = r1 + a * s2r[b] - c * s2i[b]
                i2 = i1 + a * s2i[b] + c * s2r[b]
                r3 = r2 + a * s3r[b] - c * s3i[b]
                i3 = i2 + a * s3i[b] + c * s3r[b]
                if advance_re is not None:
                    open_re[b] += r3 * s3r[b] + i3 * s3i[b]
                    open_im[b] += i3 * s3r[b] - r3 * s3i[b]
                s0r[b], s0i[b], s1r[b], s1i[b] = r0, i0, r1, i1
                s2r[b], s2i[b], s3r[b], s3i[b] = r2, i2, r3, i3
                open_power[b] += r3 * r3 + i3 * i3
        if frame < ends.size:
            for b in range(n_bands):
                power[b, frame] = open_power[b]
                if advance_re is not None:
                    advance_re[b, frame] = open_re[b]
                    advance_im[b, frame] = open_im[b]
            open_sums[:] = 0
        start = stop
    return s, open_sums


@_jit
def align(subbands, weight_re, weight_im, delay, tail, out):  # type: ignore[no-untyped-def]
    """Turn complex subbands into real ones that add up to the delayed input.

    Adds Re(weight[b] · subbands[b, t − delay[b]]) to out[b, t]. `tail` (band, D)
    holds the last D ≥ delay.max() weighted samples of the past, oldest first.
    Returns the new tail.
    """
    n_bands, n_samples = subbands.shape
    longest = tail.shape[1]
    new_tail = np.empty_like(tail)
    for b in range(n_bands):
        w_re, w_im, d = weight_re[b], weight_im[b], delay[b]
        for t in range(min(d, n_samples)):
            out[b, t] += tail[b, longest - d + t]
        for t in range(d, n_samples):
            y = subbands[b, t - d]
            out[b, t] += w_re * y.real - w_im * y.imag
        kept = max(0, longest - n_samples)
        for t in range(kept):
            new_tail[b, t] = tail[b, longest - kept + t]
        first = n_samples - (longest - kept)
        for t in range(longest - kept):
            y = subbands[b, first + t]
            new_tail[b, kept + t] = w_re * y.real - w_im * y.imag
    return new_tail


@_jit
def adapt(level, forget, adapted, onset):  # type: ignore[no-untyped-def]
    """Rise of (row, frame) levels above a running average; return the average."""
    new = adapted.copy()
    n_rows, n_frames = level.shape
    for r in range(n_rows):
        used_to = new[r]
        for k in range(n_frames):
            rise = level[r, k] - used_to
            onset[r, k] = max(rise, np.float32(0))
            used_to += forget * rise
        new[r] = used_to
    return new


@_jit
def follow_peak(level, decay, peak, out):  # type: ignore[no-untyped-def]
    """Loudest band so far, sinking by `decay` a frame: (band, frame) -> (frame,)."""
    n_bands, n_frames = level.shape
    for k in range(n_frames):
        peak -= decay
        for b in range(n_bands):
            peak = max(peak, level[b, k])
        out[k] = peak
    return peak
