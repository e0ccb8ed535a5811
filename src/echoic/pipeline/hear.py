"""The main pipeline: the events of a sound, and one signal per label.

Two passes over the sound. The first runs front end and network: the envelope
goes to the picture, the probabilities become events, and the places from which
masks are computed are stored. The second, which needs neither front end nor
network, separates the wave into the labels that were detected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_number
from echoic.ear.design import design_listening
from echoic.ear.frontend import HOP_S
from echoic.errors import ParameterError
from echoic.events import Event
from echoic.labels import REST, as_labels
from echoic.pipeline.cochleagram import Cochleagram
from echoic.pipeline.sound import Sound, Wave, WaveSound, conditioning_of, ignore_progress
from echoic.pipeline.spool import Spool
from echoic.processors.conditioning import Conditioning
from echoic.processors.events import EventFinder
from echoic.processors.listen import Listen
from echoic.processors.model import Model, check_labels, load_model
from echoic.processors.network import Wanted
from echoic.processors.separate import Replay
from echoic.runtime import find_model
from echoic.streaming import run


@dataclass(frozen=True, eq=False)
class Hearing:
    """The result of `hear`.

    Attributes:
        events: Detected events, in order of onset.
        stems: label -> wave, for every label that has an event, and "rest" last;
            each of the input's shape. They sum to the input.
        cochleagram: (band, frame) envelope every 5 ms, of the summed power of the channels.
        center_hz: (band,) centre frequencies of the cochleagram.
        sample_rate: Hz.
        model: Name of the model.
    """

    events: list[Event]
    stems: dict[str, NDArray[np.float32]] = field(repr=False)
    cochleagram: NDArray[np.float32] = field(repr=False)
    center_hz: NDArray[np.float64] = field(repr=False)
    sample_rate: float
    model: str

    def _repr_png_(self) -> bytes | None:
        """The cochleagram with the events below it, for notebooks; None if it has no frame."""
        if not self.cochleagram.shape[-1]:
            return None
        heard = Cochleagram(self.cochleagram, self.center_hz, HOP_S, self.sample_rate)
        return heard.draw(events=self.events)


def hear(
    wave: NDArray[np.floating],
    *,
    sample_rate: int,
    model: str = "hear",
    labels: Iterable[str] | None = None,
    threshold: float | None = None,
) -> Hearing:
    """Hear a whole wave: events, stems that sum to it, and its cochleagram.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        model: Name of the model.
        labels: Labels to detect, or a single one; all that the model knows if None.
        threshold: Probability threshold, the same for all labels; the model's own if None.

    Raises:
        ParameterError: not a wave, a value out of range, or no labels at all.
        LabelError: a label that the model does not know, or one given twice.
        ModelError: there is no such model.

    Example:
        >>> hearing = hear(np.zeros(8000, np.float32), sample_rate=16000)
        >>> hearing.stems["rest"].shape
        (8000,)
    """
    sound = WaveSound(wave, sample_rate=sample_rate)
    first_pass = FirstPass(model, labels=labels, threshold=threshold)
    center_hz = design_listening(sample_rate=sample_rate).center_hz
    conditioning = conditioning_of(sound)
    envelopes: list[NDArray[np.float32]] = []
    with Spool() as places:
        events = first_pass.listen(sound, conditioning, places=places, on_envelope=envelopes.append)
        heard = heard_labels(events)
        parts = list(separate(sound, conditioning, first_pass.model, places, heard))
    signals = np.concatenate(parts, axis=-1)
    return Hearing(
        events=events,
        stems={
            label: signal.reshape(np.shape(wave))
            for label, signal in zip((*heard, REST), signals, strict=True)
        },
        cochleagram=np.concatenate(envelopes, axis=-1),
        center_hz=center_hz,
        sample_rate=sample_rate,
        model=model,
    )


def heard_labels(events: Sequence[Event]) -> tuple[str, ...]:
    """The labels of the events, each once, in order of first onset."""
    return tuple(dict.fromkeys(event.label for event in events))


def settings_of(
    *, labels: Iterable[str] | None, threshold: float | None, model: str = "hear"
) -> dict[str, Any]:
    """Validate labels and threshold before any network is loaded; return all that they amount to.

    Returns:
        The name of the model, the version of its weights, and the threshold of every label to
        detect: where these are equal, what is heard in a sound is, too.

    Raises:
        ParameterError: a threshold that is not between 0 and 1, or an empty list of labels.
        LabelError: a label that the model does not know.
        ModelError: there is no such model.
    """
    if threshold is not None:
        check_number(threshold, name="threshold")
        if not 0 < threshold < 1:
            raise ParameterError(f"threshold={threshold!r} is not between 0 and 1")
    asked = None if labels is None else as_labels(labels)
    if asked == ():
        raise ParameterError("labels is empty")
    card = find_model(model)
    asked = card.labels if asked is None else check_labels(asked, card.labels)
    return {
        "model": card.name,
        "model_version": card.version,
        "threshold": {
            label: card.threshold[label] if threshold is None else threshold for label in asked
        },
    }


class FirstPass:
    """The first pass: a model, the labels to detect, and their thresholds.

    Args:
        model: Name of the model.
        labels: Labels to detect, or a single one; all that the model knows if None.
        threshold: Probability threshold, the same for all labels; the card's if None.

    Attributes:
        settings: See `settings_of`.

    Raises:
        ParameterError: a threshold that is not between 0 and 1.
        LabelError: a label that the model does not know.
        ModelError: there is no such model.
    """

    def __init__(
        self,
        model: str = "hear",
        *,
        labels: Iterable[str] | None = None,
        threshold: float | None = None,
    ) -> None:
        self.settings = settings_of(labels=labels, threshold=threshold, model=model)
        self.threshold: dict[str, float] = self.settings["threshold"]
        self.labels = tuple(self.threshold)
        self.model = load_model(model)

    def listen(
        self,
        sound: Sound,
        conditioning: Conditioning,
        *,
        places: Spool | None,
        on_envelope: Callable[[NDArray[np.float32]], None],
        advance: Callable[[float], None] = ignore_progress,
    ) -> list[Event]:
        """Run the first pass over a sound.

        Args:
            sound: Read from its beginning to its end.
            conditioning: From `conditioning_of`, of the same sound.
            places: Receives the places for the second pass; None if no stems are wanted.
            on_envelope: Receives the cochleagram, (band, frame) block by block.
            advance: Progress callback, called with the seconds done.

        Returns:
            The events of the labels to detect.
        """
        want: Wanted = "probabilities" if places is None else "all"
        listen = Listen(self.model, sample_rate=sound.sample_rate, want=want)
        rows = [self.model.labels.index(label) for label in self.labels]
        finder = EventFinder(labels=self.labels, threshold=self.threshold, step_s=self.model.step_s)
        for heard in run(listen, conditioning.prepared(sound.blocks(advance))):
            on_envelope(heard.envelope / conditioning.gain)
            finder.add(heard.probabilities[rows])
            if places is not None:
                places.append(heard.places)
        return finder.finish(duration_s=sound.duration_s)


def separate(
    sound: Sound,
    conditioning: Conditioning,
    model: Model,
    places: Spool,
    labels: Sequence[str],
    advance: Callable[[float], None] = ignore_progress,
) -> Iterator[Wave]:
    """The second pass: signals (label + 1, channel, time) block by block, rest last.

    They are time-aligned with the input and sum to it.
    """
    replay = Replay(model, places.read, labels=labels, sample_rate=sound.sample_rate)
    return map(conditioning.restored, run(replay, conditioning.prepared(sound.blocks(advance))))
