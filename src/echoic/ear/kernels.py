"""Numba loops that run once per sample and band.

Layout determines the speed: samples outermost, bands innermost, the four stages
of a filter unrolled, real and imaginary parts in separate contiguous float32
arrays, so that the compiler fills whole vector registers with neighbouring
bands. Arguments are not checked here but in the calling classes.

A bank's coefficients are (3, band): the real and the imaginary parts of its poles, and its
gains. Stages are (8, band), the outputs of the four stages of every filter (real and
imaginary parts alternating). Filtering updates them in place: callers pass a copy.

Loops run on local copies of both. Where no output is stored per sample, their place in memory
decides: across the borders of cache lines the loop takes twice as long, and where an allocation
begins differs from process to process (`aligned`).
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba.extending import overload

from echoic.jit import compiled, inlined
from echoic.streaming import frame_end

# Inaudible offset of the input: a recursion that decays in silence then never
# reaches denormal numbers, which are a hundred times slower.
DENORMAL_GUARD = np.float32(1e-20)

N_STAGE_ROWS = 8


_frame_end = inlined(frame_end)


def _as_words(array):  # type: ignore[no-untyped-def]
    """View complex64 as 64-bit words, which copy faster than pairs of floats."""


@overload(_as_words)
def _as_words_of_type(array):  # type: ignore[no-untyped-def]
    if array.dtype == numba.complex64:
        return lambda array: array.view(np.int64)
    return lambda array: array


@inlined
def aligned(n_rows, like):  # type: ignore[no-untyped-def]
    """(row, band), not initialised, that begins with a cache line of 64 bytes.

    Args:
        n_rows: Number of rows.
        like: (…, band), of the same type.
    """
    n_bands = like.shape[-1]
    room = np.empty(n_rows * n_bands + 64 // like.itemsize, like.dtype)
    first = -room.ctypes.data % 64 // like.itemsize
    return room[first : first + n_rows * n_bands].reshape((n_rows, n_bands))


@inlined
def stage_rows(stages):  # type: ignore[no-untyped-def]
    """Split stages (8, band) into rows, so that loops over bands run over 1-D arrays."""
    s = stages
    return s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]


@inlined
def four_stages(x_re, x_im, pole_re, pole_im, s, b):  # type: ignore[no-untyped-def]
    """Filter one sample of a band: four equal complex one-poles in cascade.

    Args:
        x_re: Input, real part.
        x_im: Its imaginary part; None if it is real.
        pole_re: Pole of the band, real part.
        pole_im: Its imaginary part.
        s: Rows of the stages, updated in place at b.
        b: Index of the band.

    The output is s[6][b] + i·s[7][b].
    """
    r0 = x_re + pole_re * s[0][b] - pole_im * s[1][b]
    i0 = pole_re * s[1][b] + pole_im * s[0][b]
    if x_im is not None:
        i0 += x_im
    r1 = r0 + pole_re * s[2][b] - pole_im * s[3][b]
    i1 = i0 + pole_re * s[3][b] + pole_im * s[2][b]
    r2 = r1 + pole_re * s[4][b] - pole_im * s[5][b]
    i2 = i1 + pole_re * s[5][b] + pole_im * s[4][b]
    r3 = r2 + pole_re * s[6][b] - pole_im * s[7][b]
    i3 = i2 + pole_re * s[7][b] + pole_im * s[6][b]
    s[0][b], s[1][b], s[2][b], s[3][b] = r0, i0, r1, i1
    s[4][b], s[5][b], s[6][b], s[7][b] = r2, i2, r3, i3


@inlined
def subbands(wave, coefficients, stages, out):  # type: ignore[no-untyped-def]
    """Filter (time,) into the full-rate subbands (band, time).

    Processes blocks: time-major during the recursion, so that neighbouring bands
    are contiguous in memory, then transposed into the output.

    Args:
        wave: (time,).
        coefficients: (3, band).
        stages: (8, band), updated in place.
        out: (band, time) complex, written.
    """
    bank, s = coefficients.copy(), stages.copy()
    pole_re, pole_im, gain = bank[0], bank[1], bank[2]
    n_bands = gain.size
    stage = stage_rows(s)
    re, im = np.empty_like(gain), np.empty_like(gain)
    block = 32
    rows = np.empty((block, n_bands), out.dtype)
    words, out_words = _as_words(rows), _as_words(out)  # type: ignore[no-untyped-call]
    for start in range(0, wave.size, block):
        length = min(block, wave.size - start)
        for i in range(length):
            x = wave[start + i] + DENORMAL_GUARD
            for b in range(n_bands):
                four_stages(gain[b] * x, None, pole_re[b], pole_im[b], stage, b)
                re[b], im[b] = stage[6][b], stage[7][b]
            row = rows[i]
            for b in range(n_bands):  # a separate loop, so that both are vectorised
                row[b] = complex(re[b], im[b])
        for b in range(n_bands):
            band = out_words[b, start : start + length]
            for i in range(length):
                band[i] = words[i, b]
    stages[:] = s


@compiled
def subbands_of_batch(waves, stages, out, coefficients):  # type: ignore[no-untyped-def]
    """`subbands` of every item, (item, time) to (item, band, time)."""
    for item in range(waves.shape[0]):
        subbands(waves[item], coefficients, stages[item], out[item])


@inlined
def hop_sums(wave, ends, coefficients, stages, open_sums, power, advance):  # type: ignore[no-untyped-def]
    """Sum every band's power over each frame.

    If `advance` is not None, also sum y[t]·conj(y[t−1]): its angle is the mean phase
    advance per sample, the band's instantaneous frequency. (For None, the compiler prunes
    these branches.)

    Args:
        wave: (time,).
        ends: (frame,) int64, where frames end within `wave` (exclusive).
        coefficients: (3, band).
        stages: (8, band), updated in place.
        open_sums: (1 or 3, band), sums of the unfinished frame, updated in place.
        power: (band, frame), written.
        advance: (2, band, frame), real and imaginary part, written; or None.
    """
    n_bands = coefficients.shape[1]
    room = aligned(3 + N_STAGE_ROWS + open_sums.shape[0], coefficients)
    bank, s, sums = room[:3], room[3 : 3 + N_STAGE_ROWS], room[3 + N_STAGE_ROWS :]
    bank[:], s[:], sums[:] = coefficients, stages, open_sums
    pole_re, pole_im, gain = bank[0], bank[1], bank[2]
    stage = stage_rows(s)
    open_power, open_re, open_im = sums[0], sums[0], sums[0]
    if advance is not None:
        open_re, open_im = sums[1], sums[2]
    start = 0
    for frame in range(ends.size + 1):
        stop = ends[frame] if frame < ends.size else wave.size
        for t in range(start, stop):
            x = wave[t] + DENORMAL_GUARD
            for b in range(n_bands):
                was_re, was_im = stage[6][b], stage[7][b]
                four_stages(gain[b] * x, None, pole_re[b], pole_im[b], stage, b)
                r3, i3 = stage[6][b], stage[7][b]
                if advance is not None:
                    open_re[b] += r3 * was_re + i3 * was_im
                    open_im[b] += i3 * was_re - r3 * was_im
                open_power[b] += r3 * r3 + i3 * i3
        if frame < ends.size:
            for b in range(n_bands):
                power[b, frame] = open_power[b]
                if advance is not None:
                    advance[0, b, frame] = open_re[b]
                    advance[1, b, frame] = open_im[b]
            sums[:] = 0
        start = stop
    stages[:], open_sums[:] = s, sums


@compiled
def hear(  # type: ignore[no-untyped-def]
    waves, rows, envelope, fine, coefficients, n_before, first_frame, hop_samples
):
    """Everything that `Ear` computes per sample, in one call.

    Args:
        waves: (item, time).
        rows: (item, 8 + 1 or 3 and more, band), updated in place: stages, then the sums of
            the unfinished frame as in `hop_sums`; rows after them are left unchanged.
        envelope: (item, band, frame), written: 2·√(mean of |y|²), the amplitude of a sine.
        fine: (item, 3, band, frame), written: the power and the two sums of `advance`; or None.
        coefficients: (3, band).
        n_before: Samples processed before these.
        first_frame: Index of the unfinished frame.
        hop_samples: Samples per frame, not always an integer.
    """
    n_items, n_bands, n_frames = envelope.shape
    ends = np.empty(n_frames, np.int64)
    lengths = np.empty(n_frames, np.float32)
    begin = _frame_end(first_frame - 1, hop_samples) - n_before
    for k in range(n_frames):
        ends[k] = _frame_end(first_frame + k, hop_samples) - n_before
        lengths[k] = ends[k] - begin
        begin = ends[k]
    for item in range(n_items):
        stages, power = rows[item, :N_STAGE_ROWS], envelope[item]
        if fine is None:
            open_sums = rows[item, N_STAGE_ROWS : N_STAGE_ROWS + 1]
            hop_sums(waves[item], ends, coefficients, stages, open_sums, power, None)
        else:
            open_sums = rows[item, N_STAGE_ROWS : N_STAGE_ROWS + 3]
            hop_sums(waves[item], ends, coefficients, stages, open_sums, power, fine[item, 1:])
            fine[item, 0] = power
        for b in range(n_bands):
            for k in range(n_frames):
                power[b, k] = np.float32(2) * np.sqrt(power[b, k] / lengths[k])


@compiled
def align(subbands, weight_re, weight_im, delay, tail, out):  # type: ignore[no-untyped-def]
    """Weight and delay complex subbands; the real results sum to the delayed input.

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


@inlined
def _level(envelope):  # type: ignore[no-untyped-def]
    """Level above a floor of −100 dBFS: 0 there and below, 1 at an amplitude of 1."""
    return np.float32(1) + math.log10(max(envelope, np.float32(1e-5))) / np.float32(5)


@compiled
def log_levels(envelope, out):  # type: ignore[no-untyped-def]
    """Compress amplitudes (value,) to log levels."""
    for i in range(envelope.size):
        out[i] = _level(envelope[i])


@inlined
def _adapt(level, forget, used_to, onset):  # type: ignore[no-untyped-def]
    """Compute the rise of levels (frame,) above a running average; return the average."""
    for k in range(level.size):
        rise = level[k] - used_to
        onset[k] = max(rise, np.float32(0))
        used_to += forget * rise
    return used_to


@compiled
def adapt(level, forget, adapted, onset):  # type: ignore[no-untyped-def]
    """Rise of levels (row, frame) above running averages (row,), updated in place."""
    for r in range(level.shape[0]):
        adapted[r] = _adapt(level[r], forget, adapted[r], onset[r])


@compiled
def level_and_onset(envelopes, scale, adapted, peak, envelope, out):  # type: ignore[no-untyped-def]
    """Features of the networks from the envelopes (channel, band, frame) of an ear.

    Writes the envelope of all channels together to `envelope` (band, frame), and level and
    onset as defined in `FrontEnd` to `out` (2, band, frame). The adapted levels (band,) and
    the reference peak (1,) are updated in place. `scale`: see `frontend.Scale`.
    """
    n_channels, n_bands, n_frames = envelopes.shape
    level, onset = out
    peaks = np.full(n_frames, scale.lowest_peak, np.float32)
    for b in range(n_bands):
        for k in range(n_frames):
            power = envelopes[0, b, k] ** 2
            for c in range(1, n_channels):
                power += envelopes[c, b, k] ** 2
            envelope[b, k] = math.sqrt(power)
            level[b, k] = _level(envelope[b, k])
            peaks[k] = max(peaks[k], level[b, k])
        adapted[b] = _adapt(level[b], scale.forget, adapted[b], onset[b])
    for k in range(n_frames):
        peak[0] = max(peak[0] - scale.decay, peaks[k])
        peaks[k] = peak[0]
    for b in range(n_bands):
        for k in range(n_frames):
            above = (level[b, k] - peaks[k]) / scale.range + np.float32(1)
            level[b, k] = max(above, np.float32(0))
            onset[b, k] /= scale.range
