"""Apply masks in one pass: filter, weight, delay, apply gains and sum, block by block.

Equivalent to `Filterbank`, `Inverse` and a weighted sum of its bands, but the
subbands never leave the processor's cache. Three rearrangements make this fast:

- A delay commutes with a filter, so each band's delay is applied to the input: the
  input's last samples are kept between chunks, not every band's.
- So does a complex weight: it is multiplied into the filter's gain, after which the
  real part of the last stage is the weighted band.
- A sum over bands with linearly ramped gains, Σ (g + τ·s)·y, is
  Σ g·y + τ·Σ s·y: two products with constant rows.
"""

from __future__ import annotations

import numpy as np

from echoic.ear import kernels
from echoic.jit import compiled

_BLOCK = 32  # samples filtered before they are summed: 32 rows of 64 bands are 8 kB


@compiled
def apply_gains(  # type: ignore[no-untyped-def]
    wave, delay, pole_re, pole_im, gain_re, gain_im, state, gains, ends, elapsed, ramp, out
):
    """Filter, weight, delay, apply gains and sum; return the new filter state.

    Args:
        wave: (longest delay + time,) float32, the preceding samples and the chunk.
        delay: (band,) int64, of each band, in samples.
        pole_re: (band,) float32.
        pole_im: (band,) float32.
        gain_re: (band,) float32; the filter's gain times the inverse's weight.
        gain_im: (band,) float32.
        state: (8, band) float32, see `echoic.ear.kernels`.
        gains: (segment + 1, label, band) float32. In segment k the gains ramp from
            row k to row k + 1 and stay there.
        ends: (segment − 1,) int64, where all segments but the last end in the chunk.
        elapsed: Samples of the first segment that precede the chunk.
        ramp: Length of the ramp in samples; no segment but the last is shorter.
        out: (label + 1, time) float32; the labels' rows are overwritten, and subtracted from
            the last.
    """
    n_bands, n_labels, n_samples = pole_re.size, gains.shape[1], out.shape[1]
    longest = wave.size - n_samples
    s = state.copy()
    stage = kernels.stage_rows(s)
    x = np.empty(n_bands, np.float32)
    rows = np.empty((_BLOCK, n_bands), np.float32)
    slope = np.empty((n_labels, n_bands), np.float32)
    start = 0
    for k in range(ends.size + 1):
        stop = ends[k] if k < ends.size else n_samples
        origin = start - elapsed if k == 0 else start
        before, after = gains[k], gains[k + 1]
        for row in range(n_labels):
            for b in range(n_bands):
                slope[row, b] = (after[row, b] - before[row, b]) / np.float32(ramp)
        while start < stop:
            in_ramp = start < origin + ramp
            length = min(_BLOCK, (min(stop, origin + ramp) if in_ramp else stop) - start)
            for i in range(length):
                newest = longest + start + i
                for b in range(n_bands):
                    x[b] = wave[newest - delay[b]] + kernels.DENORMAL_GUARD
                y = rows[i]
                for b in range(n_bands):
                    kernels.four_stages(
                        gain_re[b] * x[b], gain_im[b] * x[b], pole_re[b], pole_im[b], stage, b
                    )
                    y[b] = stage[6][b]
            for row in range(n_labels):
                g, rise = before[row] if in_ramp else after[row], slope[row]
                for i in range(length):
                    y = rows[i]
                    held = rising = np.float32(0)
                    for b in range(n_bands):
                        held += g[b] * y[b]
                    if in_ramp:
                        for b in range(n_bands):
                            rising += rise[b] * y[b]
                        held += np.float32(start + i + 1 - origin) * rising
                    out[row, start + i] = held
                    out[n_labels, start + i] -= held
            start += length
    return s
