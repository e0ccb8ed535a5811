"""The linear recurrence h[t] = keep[t]·h[t−1] + take[t], fast in training and in graphs.

On a CPU a compiled loop runs forwards and, for the gradient, backwards. Where that
cannot go, on a GPU and into exported graphs, the same result comes from log2(T)
rounds of doubling (Hillis and Steele 1986), which are products of factors up to 1 and
therefore as stable as the loop.
"""

from __future__ import annotations

from typing import Any

import numba
import torch
from torch import Tensor


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _forwards(keep, take, h):  # type: ignore[no-untyped-def]
    """Overwrite `take` (row, step, unit) with h, starting from `h` (row, unit)."""
    n_rows, n_steps, n_units = take.shape
    for row in range(n_rows):
        for t in range(n_steps):
            before = h[row] if t == 0 else take[row, t - 1]
            for unit in range(n_units):
                take[row, t, unit] += keep[row, t, unit] * before[unit]


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _backwards(keep, h, first, gradient, of_keep, of_first):  # type: ignore[no-untyped-def]
    """Turn `gradient` of h into that of `take` in place; fill those of `keep` and `first`."""
    n_rows, n_steps, n_units = h.shape
    for row in range(n_rows):
        for t in range(n_steps - 1, -1, -1):
            before = first[row] if t == 0 else h[row, t - 1]
            for unit in range(n_units):
                g = gradient[row, t, unit]
                of_keep[row, t, unit] = g * before[unit]
                if t > 0:
                    gradient[row, t - 1, unit] += keep[row, t, unit] * g
                else:
                    of_first[row, unit] = keep[row, 0, unit] * g


class _CompiledScan(torch.autograd.Function):
    """The loop, as torch differentiates it."""

    @staticmethod
    def forward(ctx: Any, keep: Tensor, take: Tensor, first: Tensor) -> Tensor:
        keep, first = keep.contiguous(), first.contiguous()
        h = take.contiguous().clone()
        _forwards(keep.numpy(), h.numpy(), first.numpy())
        ctx.save_for_backward(keep, h, first)
        return h

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        keep, h, first = ctx.saved_tensors
        of_take = gradient.contiguous().clone()
        of_keep, of_first = torch.empty_like(keep), torch.zeros_like(first)
        _backwards(*(x.numpy() for x in (keep, h, first, of_take, of_keep, of_first)))
        return of_keep, of_take, of_first


def _by_doubling(keep: Tensor, take: Tensor, first: Tensor) -> Tensor:
    n_steps = take.shape[1]
    h = torch.cat([take[:, :1] + keep[:, :1] * first[:, None], take[:, 1:]], dim=1)
    reach = 1
    while reach < n_steps:
        h = torch.cat([h[:, :reach], h[:, reach:] + keep[:, reach:] * h[:, :-reach]], dim=1)
        keep = torch.cat([keep[:, :reach], keep[:, reach:] * keep[:, :-reach]], dim=1)
        reach *= 2
    return h


def scan(keep: Tensor, take: Tensor, first: Tensor) -> Tensor:
    """h[t] = keep[t]·h[t−1] + take[t], from h[−1] = first.

    Args:
        keep: From 0 to 1.
        take: What comes in.
        first: The state before the first step.

    Shape:
        keep, take (row, step, unit), first (row, unit) -> (row, step, unit).

    Example:
        >>> half, one = torch.full((1, 3, 1), 0.5), torch.ones(1, 3, 1)
        >>> scan(half, one, torch.zeros(1, 1)).flatten().tolist()
        [1.0, 1.5, 1.75]
    """
    if take.device.type != "cpu" or torch.compiler.is_exporting():
        return _by_doubling(keep, take, first)
    result: Tensor = _CompiledScan.apply(keep, take, first)  # type: ignore[no-untyped-call]
    return result
