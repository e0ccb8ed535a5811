"""Processors for whoever pushes chunks and would not carry a state along."""

from __future__ import annotations

from typing import Any

from echoic.errors import ParameterError
from echoic.processors import Attend, Denoise, Detect, Separate
from echoic.streaming import Stream

PROCESSORS = {
    "attend": Attend,
    "denoise": Denoise,
    "detect": Detect,
    "separate": Separate,
}


def stream(processor: str, *, sample_rate: float, **options: Any) -> Stream:
    """Make a stream: push chunks of any length, flush at the end.

    Args:
        processor: "attend" (keep, mute or like), "denoise" (floor_db), "separate" (labels) or
            "detect".
        sample_rate: Hz, 8 to 192 kHz.
        options: Of the processor.

    Raises:
        ParameterError: an unknown processor or option.
        LabelError: an unknown label.

    Example:
        >>> import numpy as np
        >>> live = stream("attend", keep=["speech"], sample_rate=16000)
        >>> live.push(np.zeros((1, 80), np.float32)).shape, live.flush().shape
        ((1, 80), (1, 128))
        >>> live.latency_s
        0.008
    """
    if processor not in PROCESSORS:
        raise ParameterError(f"processor {processor!r} is not one of {', '.join(PROCESSORS)}")
    try:
        module = PROCESSORS[processor](sample_rate=sample_rate, **options)
    except TypeError as error:
        raise ParameterError(f"{processor}: {error}") from error
    return Stream(module, sample_rate=sample_rate)
