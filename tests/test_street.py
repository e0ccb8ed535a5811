"""The example scene of the demo: every sound that is in it is found, when it is."""

import json
from pathlib import Path

import echoic

EXAMPLES = Path(__file__).parents[1] / "examples"
TOLERANCE_S = 0.5


def test_the_street_is_heard_as_it_was_composed():
    truth = json.loads((EXAMPLES / "street.json").read_text())["events"]
    wave, sample_rate = echoic.read(EXAMPLES / "street.wav")
    heard = echoic.hear(wave, sample_rate=sample_rate).events
    assert [event.label for event in heard] == [event["label"] for event in truth]
    for event, true in zip(heard, truth, strict=True):
        assert abs(event.onset_s - true["onset_s"]) <= TOLERANCE_S, event
        assert abs(event.offset_s - true["offset_s"]) <= TOLERANCE_S, event
