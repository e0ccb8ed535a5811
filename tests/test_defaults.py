"""Parameters shared by two signatures have the same default in both."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import pytest

from echoic import audio
from echoic.cli import style as verb_style
from echoic.cli.cochleagram import cochleagram
from echoic.ear import Ear, Filterbank, Inverse
from echoic.ear.design import design_inverse, design_listening
from echoic.pipeline import attend, hear, tag
from echoic.pipeline.hear import FirstPass
from echoic.pipeline.tag import tag_sound
from echoic.processors import Attend, Detect, Replay, Separate, load_model
from echoic.style import styling

PAIRS = [
    (attend, Attend),
    (Replay, Separate),
    (hear, FirstPass),
    (tag, tag_sound),
    (tag, Detect),
    (Ear, Filterbank),
    (Filterbank, design_listening),
    (Inverse, design_inverse),
    (audio.write, audio.open_writer),
    (audio.Recording.blocks, audio.blocks),
]


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not Parameter.empty}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: " ".join(one.__name__ for one in pair))
def test_defaults_do_not_diverge(pair):
    first, second = (defaults(one) for one in pair)
    # A whole sound is processed with look-ahead, a stream without.
    shared = (first.keys() & second.keys()) - {"look_ahead_s"}
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


def test_the_verb_hears_as_the_class():
    verb, ear = defaults(cochleagram), defaults(Ear)
    assert (verb["bands"], verb["low_hz"], verb["high_hz"]) == (
        ear["n_bands"],
        ear["low_hz"],
        ear["high_hz"],
    )
    assert verb["hop_ms"] / 1000 == ear["hop_s"]


def test_the_verb_takes_the_seeds_and_the_strength_that_the_methods_take():
    """Written twice, as the verb must not import torch to say what its options are."""
    assert verb_style.MAX_SEED == styling.MAX_SEED
    assert verb_style.PICTURE_STRENGTH == styling.STRENGTH


def test_one_model_is_meant_everywhere():
    named = (attend, Attend, Separate, Detect, hear, FirstPass, tag, tag_sound)
    assert {defaults(one)["model"] for one in named} == {defaults(load_model)["name"]}
