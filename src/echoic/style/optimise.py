"""The one optimisation behind every method: losses on what is seen of a sound.

A method is a `Problem`: where to start, what of the wave is looked at (`view`),
and terms, each a loss of that view. It is solved on the waveform, or, as most
systems were published, on the view itself, from which a wave is then made by
`invert`. `Outcome` tells both losses: of what was optimised, and of the wave.
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
    """A loss of the view; `weight` times it is added to the sum."""

    name: str
    kind: Kind
    weight: float
    loss: Callable[[Any], Tensor]


@dataclass(frozen=True)
class Problem:
    """What to minimise.

    Attributes:
        start: (time,), the wave to start from.
        view: What the terms see of a wave.
        terms: The losses.
        renew: The terms of the next round, given what is seen at its start; None: the same.
        invert: A wave from a view; None where the view is of no use without its wave.
        start_view: The view to start from where it is the view that is optimised; None: that of
            `start`.
    """

    start: Tensor
    view: Callable[[Tensor], Any]
    terms: tuple[Term, ...]
    renew: Callable[[Any], tuple[Term, ...]] | None = None
    invert: Callable[[Tensor], Tensor] | None = None
    start_view: Tensor | None = None


@dataclass(frozen=True)
class Schedule:
    """How long and by what to descend.

    Attributes:
        optimiser: "lbfgs" or "adam".
        n_steps: Evaluations of the losses.
        step_size: Of Adam, relative to the root mean square of the start.
        n_rounds: The optimiser starts anew that often, and a problem may renew its terms.
    """

    optimiser: Literal["lbfgs", "adam"] = "lbfgs"
    n_steps: int = 300
    step_size: float = 0.05
    n_rounds: int = 1


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        wave: (time,), the best one found.
        losses: Of every evaluation, {term: weighted loss}.
        style_before: Sum of the style terms of what was optimised.
        style_after: The same of the wave; equal where the wave was optimised.
        interrupted: Whether it was stopped by Ctrl-C.
    """

    wave: Tensor
    losses: list[dict[str, float]] = field(default_factory=list)
    style_before: float = math.nan
    style_after: float = math.nan
    interrupted: bool = False


def minimise(
    problem: Problem,
    schedule: Schedule,
    *,
    domain: Domain = "waveform",
    on_step: OnStep | None = None,
) -> Outcome:
    """Descend from the start and return the best wave that was met.

    Args:
        problem: What to minimise.
        schedule: How.
        domain: "waveform", or "published": the view, then `invert`; a problem
            without `invert` has only the waveform.
        on_step: Called with the number of each evaluation and its losses.
            Ctrl-C ends the descent early, with the best so far.

    Raises:
        ParameterError: the losses are not finite at the start.
    """
    on_view = domain == "published" and problem.invert is not None
    start = problem.start.detach()
    if on_view:
        start = problem.view(start)
    # Losses are kind to an optimiser when its variables come to about 1; a picture may start
    # from next to nothing, and steps of that size would lead nowhere.
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
    return Outcome(wave, descent.losses, before, after, interrupted)


def _sum_of_style(problem: Problem, view: Any) -> float:
    return sum(float(t.weight * t.loss(view)) for t in problem.terms if t.kind == "style")


class _Enough(Exception):  # noqa: N818 - no error
    """All evaluations are used up; the line search would go on."""


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
        self.best, self.best_loss = variable.detach().clone(), math.inf

    def evaluate(self) -> Tensor:
        if len(self.losses) >= self.end:
            raise _Enough
        self.variable.grad = None
        view = self.view_of(self.variable)
        parts = {term.name: term.weight * term.loss(view) for term in self.terms}
        total = torch.stack(list(parts.values())).sum()
        value = float(total.detach())
        if not self.losses and not math.isfinite(value):
            raise ParameterError(f"the losses are not finite at the start: {parts}")
        if value < self.best_loss:
            self.best, self.best_loss = self.variable.detach().clone(), value
        total.backward()
        self.losses.append({name: float(part.detach()) for name, part in parts.items()})
        if self.on_step is not None:
            self.on_step(len(self.losses), self.losses[-1])
        return total

    def view_of(self, variable: Tensor) -> Any:
        signal = variable * self.unit
        return signal if self.on_view else self.problem.view(signal)

    def run(self, schedule: Schedule) -> bool:
        """Descend, round after round; whether Ctrl-C ended it."""
        try:
            for index in range(schedule.n_rounds):
                self.end = self.n_steps * (index + 1) // schedule.n_rounds
                self._begin_round()
                with suppress(_Enough):
                    if schedule.optimiser == "lbfgs":
                        self._lbfgs()
                    else:
                        self._adam(schedule.step_size)
        except KeyboardInterrupt:
            return True
        return False

    def _begin_round(self) -> None:
        """Go on from the best so far; losses of other terms do not compare with its own."""
        with torch.no_grad():
            self.variable.copy_(self.best)
            if self.problem.renew is not None:
                self.terms, self.best_loss = self.problem.renew(self.view_of(self.best)), math.inf

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
