"""The optimiser shared by all methods: minimise losses on a representation of a sound.

A method defines a `Problem`: a starting point, a representation of the wave (its `view`), features
of that view, and terms, each a loss on the features. It is solved on the waveform or, as most
systems were published, on the view itself, which `invert` then turns into a wave. `Outcome` holds
the style loss of both: of what was optimised, and of the wave.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from echoic.errors import ParameterError

Kind = Literal["content", "style", "penalty"]
Domain = Literal["waveform", "published"]
OnStep = Callable[[int, dict[str, float]], None]


class Term(NamedTuple):
    """A loss on the features of a view, added to the total with the given weight."""

    name: str
    kind: Kind
    weight: float
    loss: Callable[[Any], Tensor]


@dataclass(frozen=True)
class Problem:
    """What to minimise.

    Attributes:
        start: (time,), the wave to start from.
        view: Computes the representation of a wave.
        terms: The losses.
        features: Computes from a view, once for all terms, what they act on; None: the view.
        renew: Returns the terms of a round, given the features at its start, the number of the
            round, and the terms of the one before; None keeps the terms.
        invert: Reconstructs a wave from a view; None where only the waveform can be optimised.
        start_view: The starting point where the view is optimised; None: the view of `start`.
    """

    start: Tensor
    view: Callable[[Tensor], Any]
    terms: tuple[Term, ...]
    features: Callable[[Any], Any] | None = None
    renew: Callable[[Any, int, tuple[Term, ...]], tuple[Term, ...]] | None = None
    invert: Callable[[Tensor], Tensor] | None = None
    start_view: Tensor | None = None

    def features_of(self, view: Any) -> Any:
        """What the terms act on."""
        return view if self.features is None else self.features(view)


@dataclass(frozen=True)
class Schedule:
    """Optimiser and number of evaluations.

    Attributes:
        optimiser: "lbfgs" or "adam".
        n_steps: Evaluations of the losses, over all rounds.
        step_size: Learning rate of Adam, relative to the RMS of the start.
        n_rounds: Number of rounds; each restarts the optimiser, and the problem may renew its
            terms.
    """

    optimiser: Literal["lbfgs", "adam"] = "lbfgs"
    n_steps: int = 300
    step_size: float = 0.05
    n_rounds: int = 1


@dataclass
class Outcome:
    """Result of an optimisation.

    Attributes:
        wave: (time,), the best one found.
        losses: {term: weighted loss} of every evaluation.
        style_before: Sum of the style terms of what was optimised.
        style_after: The same sum for the wave; equal where the wave was optimised.
        loss: Sum of all terms of what was optimised, as they were when it was found; NaN without
            an evaluation.
        interrupted: Whether it was stopped by Ctrl-C.
    """

    wave: Tensor
    losses: list[dict[str, float]] = field(default_factory=list)
    style_before: float = math.nan
    style_after: float = math.nan
    loss: float = math.nan
    interrupted: bool = False


def minimise(
    problem: Problem,
    schedule: Schedule,
    *,
    domain: Domain = "waveform",
    on_step: OnStep | None = None,
) -> Outcome:
    """Minimise the losses from the starting point, and return the best wave found.

    Args:
        problem: What to minimise.
        schedule: Optimiser and number of evaluations.
        domain: "waveform", or "published": optimise the view, then `invert` it; a problem without
            `invert` is always solved on the waveform.
        on_step: Called with the number of each evaluation and its losses. Ctrl-C ends the
            optimisation early, with the best result so far.

    Raises:
        ParameterError: the losses are not finite at the start.
    """
    on_view = domain == "published" and problem.invert is not None
    start = problem.start.detach()
    if on_view:
        start = problem.view(start)
    # The optimisers work best on variables of about unit RMS. The unit is that of the view of
    # `start`, as a `start_view` may be close to zero, and steps of that size would lead nowhere.
    unit = float(start.square().mean().sqrt().clamp(min=1e-8))
    if on_view and problem.start_view is not None:
        start = problem.start_view
    variable = (start / unit).requires_grad_()
    descent = _Descent(problem, variable, unit, on_view, schedule.n_steps, on_step)
    interrupted = descent.run(schedule)
    best = descent.best * unit
    with torch.no_grad():
        wave = problem.invert(best) if on_view and problem.invert else best
        before = _sum_of_style(problem, best if on_view else problem.view(best))
        after = _sum_of_style(problem, problem.view(wave)) if on_view else before
    return Outcome(wave, descent.losses, before, after, descent.best_loss, interrupted)


def _sum_of_style(problem: Problem, view: Any) -> float:
    seen = problem.features_of(view)
    return sum(float(t.weight * t.loss(seen)) for t in problem.terms if t.kind == "style")


class _Enough(Exception):  # noqa: N818 - no error
    """Raised when all evaluations are used up, to stop the line search."""


class _Descent:
    def __init__(
        self,
        problem: Problem,
        variable: Tensor,
        unit: float,
        on_view: bool,
        n_steps: int,
        on_step: OnStep | None,
    ) -> None:
        self.problem, self.variable, self.unit = problem, variable, unit
        self.on_view, self.n_steps, self.on_step = on_view, n_steps, on_step
        self.terms, self.end = problem.terms, n_steps
        self.losses: list[dict[str, float]] = []
        self.best, self.best_loss = variable.detach().clone(), math.nan
        self.to_beat = math.inf

    def evaluate(self) -> Tensor:
        if len(self.losses) >= self.end:
            raise _Enough
        self.variable.grad = None
        seen = self.features_of(self.variable)
        parts = {term.name: term.weight * term.loss(seen) for term in self.terms}
        total = torch.stack(list(parts.values())).sum()
        value = float(total.detach())
        if not self.losses and not math.isfinite(value):
            raise ParameterError(f"the losses are not finite at the start: {parts}")
        if value < self.to_beat:
            self.best, self.best_loss = self.variable.detach().clone(), value
            self.to_beat = value
        total.backward()
        self.losses.append({name: float(part.detach()) for name, part in parts.items()})
        if self.on_step is not None:
            self.on_step(len(self.losses), self.losses[-1])
        return total

    def features_of(self, variable: Tensor) -> Any:
        signal = variable * self.unit
        return self.problem.features_of(signal if self.on_view else self.problem.view(signal))

    def run(self, schedule: Schedule) -> bool:
        """Run all rounds; return whether Ctrl-C ended them."""
        try:
            for index in range(schedule.n_rounds):
                self.end = self.n_steps * (index + 1) // schedule.n_rounds
                self._begin_round(index)
                with suppress(_Enough):
                    if schedule.optimiser == "lbfgs":
                        self._lbfgs()
                    else:
                        self._adam(schedule.step_size)
        except KeyboardInterrupt:
            return True
        return False

    def _begin_round(self, index: int) -> None:
        """Continue from the best so far; after renewing the terms, its loss need not be beaten."""
        with torch.no_grad():
            self.variable.copy_(self.best)
            if self.problem.renew is not None:
                seen = self.features_of(self.best)
                self.terms, self.to_beat = self.problem.renew(seen, index, self.terms), math.inf

    def _lbfgs(self) -> None:
        optimiser = torch.optim.LBFGS(
            [self.variable],
            max_iter=self.n_steps,
            max_eval=2 * self.n_steps,
            history_size=20,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )
        optimiser.step(self.evaluate)

    def _adam(self, step_size: float) -> None:
        optimiser = torch.optim.Adam([self.variable], lr=step_size)
        while True:
            self.evaluate()
            optimiser.step()
