"""The linear recurrence h[t] = keep[t]·h[t−1] + take[t], fast in training and in graphs.

On a CPU a compiled loop runs forwards and, for the gradient, backwards. On a GPU and in
exported graphs, where that is not possible, √T serial steps run in √T blocks in parallel,
then √T from block to block: products of factors up to 1, as stable as the loop.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from echoic.jit import compiled


@compiled
def _forwards(keep, take, h):  # type: ignore[no-untyped-def]
    """Overwrite `take` (row, step, unit) with h, starting from `h` (row, unit)."""
    n_rows, n_steps, n_units = take.shape
    for row in range(n_rows):
        for t in range(n_steps):
            before = h[row] if t == 0 else take[row, t - 1]
            for unit in range(n_units):
                take[row, t, unit] += keep[row, t, unit] * before[unit]


@compiled
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


def _summable(x: Tensor) -> Tensor:
    """Make contiguous, and convert half precision, too coarse to sum many steps, to float32."""
    return (x.float() if x.element_size() < 4 else x).contiguous()


class _CompiledScan(torch.autograd.Function):
    """The compiled loop as an autograd function."""

    @staticmethod
    def forward(ctx: Any, keep: Tensor, take: Tensor, first: Tensor) -> Tensor:
        keep, first = _summable(keep), _summable(first)
        h = _summable(take).clone()
        _forwards(keep.numpy(), h.numpy(), first.numpy())
        ctx.save_for_backward(keep, h, first)
        return h

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        keep, h, first = ctx.saved_tensors
        of_take = _summable(gradient).clone()
        of_keep, of_first = torch.empty_like(keep), torch.zeros_like(first)
        _backwards(*(x.numpy() for x in (keep, h, first, of_take, of_keep, of_first)))
        return of_keep, of_take, of_first


def _in_blocks(keep: Tensor, take: Tensor, first: Tensor) -> Tensor:
    n_steps = take.shape[1]
    if n_steps == 0:
        return take
    size = math.isqrt(n_steps)
    n_blocks = -(-n_steps // size)
    missing = n_blocks * size - n_steps
    if missing:
        keep, take = (nn.functional.pad(x, (0, 0, 0, missing)) for x in (keep, take))
    keeps, takes = (x.unflatten(1, (n_blocks, size)) for x in (keep, take))
    # Within all blocks in parallel, each from a zero state: h, and the factor by which a
    # state before the block is multiplied.
    hs, factors = [takes[:, :, :1]], [keeps[:, :, :1]]
    for t in range(1, size):
        now = keeps[:, :, t : t + 1]
        hs.append(takes[:, :, t : t + 1] + now * hs[-1])
        factors.append(now * factors[-1])
    # From block to block.
    before = [first[:, None, None]]
    for k in range(n_blocks - 1):
        before.append(hs[-1][:, k : k + 1] + factors[-1][:, k : k + 1] * before[-1])
    h = torch.cat(hs, dim=2) + torch.cat(factors, dim=2) * torch.cat(before, dim=1)
    return h.flatten(1, 2)[:, :n_steps]


def scan(keep: Tensor, take: Tensor, first: Tensor) -> Tensor:
    """h[t] = keep[t]·h[t−1] + take[t], from h[−1] = first.

    Args:
        keep: Factors from 0 to 1.
        take: The input.
        first: The state before the first step.

    Shape:
        keep, take (row, step, unit), first (row, unit) -> (row, step, unit).

    Example:
        >>> half, one = torch.full((1, 3, 1), 0.5), torch.ones(1, 3, 1)
        >>> scan(half, one, torch.zeros(1, 1)).flatten().tolist()
        [1.0, 1.5, 1.75]
    """
    if take.device.type != "cpu" or torch.compiler.is_exporting():
        return _in_blocks(keep, take, first)
    result: Tensor = _CompiledScan.apply(keep, take, first)  # type: ignore[no-untyped-call]
    return result
