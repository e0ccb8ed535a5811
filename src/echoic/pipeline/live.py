"""Processors for whoever pushes chunks and would not carry a state along."""

from __future__ import annotations

from typing import Any

from echoic.errors import ParameterError
from echoic.processors import Attend, Denoise, Detect, Separate, Voices
from echoic.streaming import Stream, Streaming

PROCESSORS = {
    "attend": Attend,
    "denoise": Denoise,
    "detect": Detect,
    "separate": Separate,
    "voices": Voices,
}


def stream(processor: str, *, sample_rate: float, **options: Any) -> LiveStream:
    """Make a stream: push chunks of any length, change the options, flush at the end.

    Args:
        processor: "attend" (keep, mute or like), "denoise" (floor_db), "voices", "separate"
            (labels) or "detect".
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
    return LiveStream(processor, sample_rate=sample_rate, **options)


class LiveStream(Stream):
    """A `Stream` of a processor that goes by a name."""

    def __init__(self, processor: str, *, sample_rate: float, **options: Any) -> None:
        super().__init__(_make(processor, sample_rate, options), sample_rate=sample_rate)
        self.processor = processor

    def change(self, **options: Any) -> None:
        """Go on with other options, from the next chunk on, without a click.

        Args:
            options: All that the processor is given from now on. `separate` must have as many
                labels as before, or the next chunk is refused.

        Raises:
            ParameterError: an unknown option.
            LabelError: an unknown label.

        Example:
            >>> import numpy as np
            >>> live = stream("attend", keep=["speech"], sample_rate=16000)
            >>> heard = live.push(np.zeros((1, 80), np.float32))
            >>> live.change(mute=["rain", "music"])
            >>> live.push(np.zeros((1, 80), np.float32)).shape
            (1, 80)
        """
        self.module = _make(self.processor, self.sample_rate, options)


def _make(processor: str, sample_rate: float, options: dict[str, Any]) -> Streaming[Any, Any]:
    if processor not in PROCESSORS:
        raise ParameterError(f"processor {processor!r} is not one of {', '.join(PROCESSORS)}")
    try:
        module: Streaming[Any, Any] = PROCESSORS[processor](sample_rate=sample_rate, **options)
    except TypeError as error:
        raise ParameterError(f"{processor}: {error}") from error
    return module
