"""Detection: the probability of every label at every step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.processors.listen import Listen, ListenState
from echoic.processors.model import Model, load_model


class Detect:
    """Probability of every label at every step.

    Probabilities are `delay` steps late, since they also use later input.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        model: The model, or its name.

    Attributes:
        labels: Labels of the rows.
        step_s: Seconds per step.

    Shape:
        wave (channel, time) -> probabilities (label, step).

    Delay: `delay` steps, 0.5 s. Hop: `hop` samples, a step of 10 ms.

    Raises:
        ModelError: there is no such model.
    """

    def __init__(self, *, sample_rate: float, model: str | Model = "hear") -> None:
        """Load the model."""
        self.model = model if isinstance(model, Model) else load_model(model)
        self.listen = Listen(self.model, sample_rate=sample_rate, want="probabilities")
        self.labels = self.model.labels
        self.step_s = self.model.step_s
        self.delay = self.model.look_ahead_steps
        self.hop = self.listen.hop.probabilities

    def __call__(
        self, wave: NDArray[np.floating], state: ListenState | None = None
    ) -> tuple[NDArray[np.float32], ListenState]:
        """Process the next chunk."""
        heard, state = self.listen(wave, state)
        return heard.probabilities, state

    def finish(self, state: ListenState) -> NDArray[np.float32]:
        """The remaining probabilities, as if silence followed; (label, step)."""
        return self.listen.finish(state).probabilities
