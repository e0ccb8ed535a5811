"""The main job: what sounds, when, and each sound by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from echoic.ear import Ear
from echoic.ear.frontend import HOP_S
from echoic.events import Event
from echoic.labels import REST
from echoic.processors.detect import detect_blocks, find_events
from echoic.processors.network import load_network
from echoic.processors.separate import separate_blocks
from echoic.streaming import as_channels, in_blocks


@dataclass(frozen=True, eq=False)
class Hearing:
    """A hearing.

    Attributes:
        events: What sounds from when to when, in order of onset.
        stems: label -> wave, for every label that has an event, and "rest" last;
            each of the input's shape. They add up to the input.
        cochleagram: (band, frame) envelope every 5 ms, of the summed power of the channels.
        center_hz: (band,) of the cochleagram.
        sample_rate: Hz.
        model: Name of the network.
    """

    events: list[Event]
    stems: dict[str, NDArray[np.float32]] = field(repr=False)
    cochleagram: NDArray[np.float32] = field(repr=False)
    center_hz: NDArray[np.float64] = field(repr=False)
    sample_rate: float
    model: str


def heard_labels(events: Sequence[Event]) -> tuple[str, ...]:
    """The labels of the events, each once, in order of first onset."""
    return tuple(dict.fromkeys(event.label for event in events))


def hear_events(
    blocks: Iterable[NDArray[np.float32]],
    *,
    sample_rate: float,
    duration_s: float,
    model: str = "hear",
) -> list[Event]:
    """What sounds when, in a file read in blocks (channel, time)."""
    probabilities, labels = detect_blocks(blocks, sample_rate=sample_rate, model=model)
    threshold = load_network(model).card.threshold
    return find_events(probabilities, labels=labels, threshold=threshold, duration_s=duration_s)


def hear(wave: NDArray[np.floating], *, sample_rate: float, model: str = "hear") -> Hearing:
    """Hear a whole wave: events, stems that add up to it, and its cochleagram.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        model: Name of the network.

    Raises:
        ParameterError: not a wave.

    Example:
        >>> scene = hear(np.zeros(8000, np.float32), sample_rate=16000)
        >>> scene.stems["rest"].shape
        (8000,)
    """
    channels = as_channels(wave)
    ear = Ear(sample_rate=sample_rate, hop_s=HOP_S)  # refuses a rate that cannot be heard
    duration_s = channels.shape[-1] / sample_rate
    events = hear_events(
        in_blocks(channels), sample_rate=sample_rate, duration_s=duration_s, model=model
    )
    labels = heard_labels(events)
    parts = separate_blocks(
        in_blocks(channels), labels=labels, sample_rate=sample_rate, model=model
    )
    signals = np.concatenate(list(parts), axis=-1)
    power = np.square(ear(channels)[0]).sum(axis=0)
    return Hearing(
        events=events,
        stems={
            label: signal.reshape(np.shape(wave))
            for label, signal in zip((*labels, REST), signals, strict=True)
        },
        cochleagram=np.sqrt(power),
        center_hz=ear.center_hz,
        sample_rate=sample_rate,
        model=model,
    )
