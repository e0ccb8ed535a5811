"""The sound classes that echoic has labels for.

The ten of ESC-10 as its `meta.csv` spells them, speech and music, and the other forty
classes of ESC-50 (Piczak 2015). The outputs of a model are in the order of its card;
`REST` is what no label covers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from echoic.errors import LabelError, ParameterError

LABELS = (
    "dog_bark",
    "rain",
    "sea_waves",
    "baby_cry",
    "clock_tick",
    "person_sneeze",
    "helicopter",
    "chainsaw",
    "rooster",
    "fire_crackling",
    "speech",
    "music",
    "airplane",
    "breathing",
    "brushing_teeth",
    "can_opening",
    "car_horn",
    "cat",
    "chirping_birds",
    "church_bells",
    "clapping",
    "clock_alarm",
    "coughing",
    "cow",
    "crickets",
    "crow",
    "door_wood_creaks",
    "door_wood_knock",
    "drinking_sipping",
    "engine",
    "fireworks",
    "footsteps",
    "frog",
    "glass_breaking",
    "hand_saw",
    "hen",
    "insects",
    "keyboard_typing",
    "laughing",
    "mouse_click",
    "pig",
    "pouring_water",
    "sheep",
    "siren",
    "snoring",
    "thunderstorm",
    "toilet_flush",
    "train",
    "vacuum_cleaner",
    "washing_machine",
    "water_drops",
    "wind",
)
REST = "rest"


def as_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return one label or several as a tuple.

    Raises:
        ParameterError: neither.

    Example:
        >>> as_labels("rain"), as_labels(["rain", "wind"])
        (('rain',), ('rain', 'wind'))
    """
    if isinstance(labels, str):
        return (labels,)
    several: tuple[Any, ...]
    try:
        several = tuple(labels)
    except TypeError:
        several = (labels,)
    if not all(isinstance(label, str) for label in several):
        raise ParameterError(f"labels {labels!r} are neither a label nor several")
    return several


def distinct_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return one label or several as a tuple, each of which is given once.

    Raises:
        LabelError: one is given twice.
        ParameterError: something else than labels.
    """
    labels = as_labels(labels)
    if len(set(labels)) < len(labels):
        raise LabelError(f"a label is given twice: {' '.join(labels)}")
    return labels
