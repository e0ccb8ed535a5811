"""Muon: an optimiser whose updates have equal size in every direction of a matrix.

AdamW scales entries one by one; Muon replaces the momentum M = U S Vᵀ of a matrix by nearly
U Vᵀ, so that rare directions are learned as fast as frequent ones. Jordan (2024), "Muon: an
optimizer for hidden layers in neural networks"; the scale of the updates, with which learning
rate and weight decay of AdamW suit both, is that of Liu et al. (2025), "Muon is scalable for
LLM training", equation 4. torch's own Muon iterates in bfloat16, which is thirty times slower
on a CPU without bfloat16 arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

# The quintic of Jordan (2024): steep at 0, and not quite 1 at 1, which does no harm.
_QUINTIC, _N_ITERATIONS = (3.4445, -4.7750, 2.0315), 5
_MOMENTUM = 0.95
_RMS_OF_ADAMW = 0.2


def nearest_orthogonal(matrix: Tensor) -> Tensor:
    """Approximate U Vᵀ of a matrix U S Vᵀ: singular values become about 1 (0.7 to 1.2).

    Example:
        >>> _ = torch.manual_seed(0)
        >>> values = torch.linalg.svdvals(nearest_orthogonal(torch.randn(4, 7)))
        >>> bool((values > 0.6).all() and (values < 1.3).all())
        True
    """
    a, b, c = _QUINTIC
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / (x.norm() + 1e-12)
    for _ in range(_N_ITERATIONS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.T if is_tall else x


class Muon(torch.optim.Optimizer):
    """Muon for matrices, and for convolution kernels flattened to matrices (out, all the rest).

    Args:
        parameters: Parameters of two dimensions or more.
        lr: Learning rate, on the scale of AdamW.
        weight_decay: Decoupled weight decay; multiplied by the learning rate at every step.
    """

    def __init__(self, parameters: Sequence[Tensor], *, lr: float, weight_decay: float) -> None:
        """Start without momentum."""
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        assert closure is None, "Muon asks for the gradient once"
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is not None:
                    self._move(matrix, matrix.grad, group["lr"], group["weight_decay"])

    def _move(self, matrix: Tensor, gradient: Tensor, lr: float, weight_decay: float) -> None:
        state: dict[str, Any] = self.state[matrix]
        momentum = state.setdefault("momentum", torch.zeros_like(matrix))
        momentum.lerp_(gradient, 1 - _MOMENTUM)
        ahead = gradient.lerp(momentum, _MOMENTUM)  # Nesterov momentum
        turned = nearest_orthogonal(ahead.flatten(1))
        scale = _RMS_OF_ADAMW * max(turned.shape) ** 0.5
        matrix.mul_(1 - lr * weight_decay).sub_(turned.view_as(matrix), alpha=lr * scale)


def optimisers(
    model: nn.Module, *, learning_rate: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """Muon for the weight matrices between layers, AdamW without decay for the rest.

    The rest are biases, norms, lookup vectors, and the last layer of a classifier, `logits`,
    whose rows are classes and not directions of one space.
    """
    hidden, rest = list[nn.Parameter](), list[nn.Parameter]()
    for name, parameter in model.named_parameters():
        is_hidden = parameter.ndim > 1 and name.endswith("weight") and "logits" not in name
        (hidden if is_hidden else rest).append(parameter)
    return [
        Muon(hidden, lr=learning_rate, weight_decay=weight_decay),
        torch.optim.AdamW(rest, lr=learning_rate, weight_decay=0.0),
    ]
