"""The trade-off between style and content for one pair, and the vocoder's curve.

A method trades content against style by its strength. The depth at which it keeps the content's
course in time, and how much of the gap to the style it closes there, are compared with those of a
vocoder without learning, swept over all depths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.report.outcome import Point
from echoic.style.pairs import Pair
from echoic.style.scoring import Scorer
from echoic.style.styling import MIN_CONTENT_S, check_sound, transfer
from echoic.style.windows import Waves, mono_of

MAX_SCORED_S = 8.0
MIN_UNSEEN_S = 2.0  # least length of the unseen style for judging likeness
SWEPT_STRENGTHS = (1.0, 0.75, 0.5, 0.25, 0.0)


class TradeOff:
    """Scores results of one pair between content and style.

    Only the first eight seconds are scored, as the mean of all channels.

    Args:
        pair: Content and style; likeness is judged by the unseen part of the style where that
            lasts two seconds or more, else by the shown part.

    Attributes:
        note: What likeness is judged by, in words.

    Raises:
        ParameterError: the pair is too short, its start is silent, or both are the same sound.
    """

    def __init__(self, pair: Pair) -> None:
        """Measure content and style."""
        self.sample_rate, self.shown = pair.sample_rate, pair.shown
        self.content = self._scored(pair.waves)
        check_sound(self.content, self.sample_rate, MIN_CONTENT_S, name="the start of the content")
        has_unseen = pair.unseen.size >= MIN_UNSEEN_S * pair.sample_rate
        self.note = (
            "Likeness is judged by a part of the style that no method was shown."
            if has_unseen
            else "Likeness is judged by the very part of the style that the methods were shown, "
            "which favours all methods, and whether that part is copied is not judged: the "
            "recording is too short to keep a part unseen."
        )
        held_out = pair.unseen if has_unseen else pair.shown
        self._scorer = Scorer(self.content, pair.shown, held_out, sample_rate=pair.sample_rate)

    def place(self, waves: Waves) -> Point:
        """Score a result, (channel, time)."""
        scores = self._scorer(self._scored(waves))
        return Point(float(scores["depth"]), float(scores["gap"]), bool(scores["passes"]))

    def vocoder(self, *, seed: int) -> list[Point]:
        """Score the vocoder control, from all style to all content."""
        return [
            self.place(
                transfer(
                    self.content,
                    self.shown,
                    sample_rate=self.sample_rate,
                    method="vocoder",
                    strength=strength,
                    seed=seed,
                ).wave[np.newaxis]
            )
            for strength in SWEPT_STRENGTHS
        ]

    def _scored(self, waves: Waves) -> NDArray[np.float32]:
        n_samples = round(MAX_SCORED_S * self.sample_rate)
        return mono_of(waves[:, :n_samples])
