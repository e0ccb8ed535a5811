"""Numba loops of the correlogram: from subbands to sums of lagged products.

Layout: time is contiguous and the inner loop runs over lags, so that memory is accessed
sequentially. Arguments are not checked here but in `correlogram`.
"""

from __future__ import annotations

import numpy as np

from echoic.jit import compiled

# Power at which a periodic potential scores one half: some −130 dBFS.
_QUIET = 1e-14
# Far below that: smaller potentials are set to 0, as their products would be denormal and slow.
_NOTHING = 1e-15
# A periodic potential whose modulation has this share of its power scores one half.
_STEADY = 0.01

N_CELL_ROWS = 6  # four stages of the membrane, mean and mean square of the potential


@compiled
def rectify_and_decimate(  # type: ignore[no-untyped-def]
    subbands, phase, stride, membrane, coupling, follow, cells, potential, power
):
    """Rectify, smooth and decimate subbands (band, time); return the new cells (band, 6).

    Writes every `stride`-th potential, minus its mean, after the past in `potential` (band,
    past + new), and the mean square to `power` (band, 1 + new). `phase` is the number of
    samples since the last potential kept.
    """
    n_bands, n_samples = subbands.shape
    new_cells = np.empty_like(cells)
    for b in range(n_bands):
        s0, s1, s2, s3 = cells[b, 0], cells[b, 1], cells[b, 2], cells[b, 3]
        mean, square = cells[b, 4], cells[b, 5]
        column, left = potential.shape[1] - (phase + n_samples) // stride, stride - phase
        first = column - 1
        power[b, 0] = square
        for i in range(n_samples):
            # 1e-18 is inaudible, and its square is still above the denormal range.
            x = max(np.float32(2) * subbands[b, i].real, np.float32(0)) + np.float32(1e-18)
            s0 = x + membrane * (s0 - x)
            s1 = s0 + membrane * (s1 - s0)
            s2 = s1 + membrane * (s2 - s1)
            s3 = s2 + membrane * (s3 - s2)
            left -= 1
            if left == 0:
                mean += coupling * (s3 - mean)
                square += follow * (s3 * s3 - square)
                moving = s3 - mean
                potential[b, column] = moving if abs(moving) > _NOTHING else 0
                power[b, column - first] = square
                column, left = column + 1, stride
        new_cells[b, 0], new_cells[b, 1], new_cells[b, 2], new_cells[b, 3] = s0, s1, s2, s3
        new_cells[b, 4], new_cells[b, 5] = mean, square
    return new_cells


@compiled
def correlate(row, weight, products, squares):  # type: ignore[no-untyped-def]
    """Accumulate the weighted lagged products of a frame, for all lags.

    `row` holds the past, as long as the longest lag, followed by the frame. products[j] is
    for lag longest − j, so that memory is accessed sequentially. The weighted squares of
    `row` are added to `squares`.
    """
    n_lags = products.size
    n = row.size - n_lags + 1
    last = n_lags - 1  # where the frame begins
    for t in range(0, n - 3, 4):
        x0, x1 = weight * row[last + t], weight * row[last + t + 1]
        x2, x3 = weight * row[last + t + 2], weight * row[last + t + 3]
        # A slice, since an index that might be negative would prevent vectorisation.
        y = row[t:]
        for j in range(n_lags):
            products[j] += x0 * y[j] + x1 * y[j + 1] + x2 * y[j + 2] + x3 * y[j + 3]
    for t in range(n - n % 4, n):
        x0, y = weight * row[last + t], row[t:]
        for j in range(n_lags):
            products[j] += x0 * y[j]
    for i in range(row.size):
        squares[i] += weight * row[i] * row[i]


@compiled
def correlate_frames(  # type: ignore[no-untyped-def]
    potential,
    power,
    bounds,
    first_frame,
    exponent,
    products,
    squares,
    rest,
    is_summary,
    out,
    column,
):
    """Autocorrelate frame by frame, over a window of as many frames as there are slots.

    `potential` and `power` come from `rectify_and_decimate`; frame k spans the new potentials
    bounds[k] to bounds[k + 1]. `products` (slot, row, lag), `squares` (slot, lag) and `rest`
    (slot,) are ring buffers with one slot per frame; a row is a band or, for the summary, the
    sum over bands. Writes `out` (row, lag, frame) from `column` on.
    """
    n_slots, _, n_lags = products.shape
    longest, past = n_lags - 1, potential.shape[1] - (power.shape[1] - 1)
    for k in range(bounds.size - 1):
        slot = (first_frame + k) % n_slots
        start, stop = past + bounds[k], past + bounds[k + 1]
        products[slot] = 0
        rest[slot] = 0
        energy = np.zeros(longest + stop - start, np.float32)
        for b in range(potential.shape[0]):
            mean_square = power[b, bounds[k + 1]]
            weight = (mean_square + np.float32(_QUIET)) ** (exponent - np.float32(1))
            rest[slot] += weight * (np.float32(_STEADY) * mean_square + np.float32(_QUIET))
            row = potential[b, start - longest : stop]
            weight /= np.float32(n_slots * (stop - start))
            correlate(row, np.float32(weight), products[slot, 0 if is_summary else b], energy)
        _slide(energy, stop - start, squares[slot])
        if is_summary:
            _write_summary(products, squares, rest, out, column + k)
        else:
            _write_bands(products, out, column + k)


@compiled
def _slide(energy, n, sums):  # type: ignore[no-untyped-def]
    """Moving sums of n consecutive values, one for each start index."""
    total = 0.0
    for t in range(n):
        total += energy[t]
    for j in range(sums.size):
        sums[j] = total
        if j + n < energy.size:
            total += energy[j + n] - energy[j]


@compiled
def _write_bands(products, out, k):  # type: ignore[no-untyped-def]
    n_slots, n_bands, n_lags = products.shape
    for b in range(n_bands):
        for j in range(n_lags):
            total = np.float32(0)
            for slot in range(n_slots):
                total += products[slot, b, j]
            out[b, n_lags - 1 - j, k] = total


@compiled
def _write_summary(products, squares, rest, out, k):  # type: ignore[no-untyped-def]
    n_slots, _, n_lags = products.shape
    now, floor = np.float32(0), np.float32(0)
    for slot in range(n_slots):
        now += products[slot, 0, n_lags - 1]
        floor += np.float32(2) * rest[slot] / np.float32(n_slots)
    for j in range(n_lags):
        total, before = np.float32(0), np.float32(0)
        for slot in range(n_slots):
            total += products[slot, 0, j]
            before += squares[slot, j]
        out[0, n_lags - 1 - j, k] = np.float32(2) * total / (now + before + floor)
