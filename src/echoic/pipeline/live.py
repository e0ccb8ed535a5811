"""Streams: processors together with their state, for callers that push chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_channels, check_choice, check_floats
from echoic.errors import ParameterError
from echoic.labels import REST
from echoic.processors import Attend, Denoise, Detect, Separate, Voices, load_model
from echoic.streaming import Stream, Streaming, block_samples, in_blocks

PROCESSORS = {
    "attend": Attend,
    "denoise": Denoise,
    "detect": Detect,
    "separate": Separate,
    "voices": Voices,
}

_OF_LABELS = ("attend", "separate")
_WARM_UP_S = 0.03
_KEPT = ("look_ahead_s",)  # options that a stream keeps when others change
_FIXED = (*_KEPT, "sample_rate")
_INNER = {"examples", "together", "muted"}  # of `Separate`, for `Attend`: rows without labels
# A first chunk of at most so many samples in more than so many channels is taken as transposed.
# Microphone arrays have up to 32 channels, and sound cards rarely deliver fewer than 64 samples.
_FEW_SAMPLES, _MANY_CHANNELS = 8, 32


def stream(processor: str, *, sample_rate: float, **options: Any) -> LiveStream:
    """Create a stream: push chunks of any length, change the options, flush at the end.

    Args:
        processor: "attend" (keep, mute or like), "denoise" (floor_db), "voices", "separate"
            (labels) or "detect".
        sample_rate: Hz, 8 to 192 kHz.
        options: Of the processor.

    Shape:
        Chunks are (channel, time). attend and denoise give (channel, time), voices (3, channel,
        time), separate (label + 1, channel, time) with the rest last, all of them late by 8 ms and
        the look-ahead; detect gives (label, step), a step every 10 ms, 0.5 s late. `labels` and
        `step_s` of the stream are those of its rows and steps.

    Level: unlike a file, a stream is heard as it is. Below about −30 dBFS (peak) speech is heard
    worse: push `16 * chunk` and divide what comes by 16, which rounds nothing.

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
    """A `Stream` of a processor selected by name."""

    def __init__(self, processor: str, *, sample_rate: float, **options: Any) -> None:
        super().__init__(_make(processor, sample_rate, options), sample_rate=sample_rate)
        self.processor = processor
        self._n_channels: int | None = None
        self._kept = {name: options[name] for name in _KEPT if name in options}
        # The first steps compile loops and load graphs: here rather than in an audio callback.
        if processor in _OF_LABELS:
            load_model(options.get("model", "hear")).prepare("places")  # whatever the labels
        self.module(np.zeros((1, round(_WARM_UP_S * sample_rate)), np.float32), None)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the rows of detect, and of separate with the rest last; none for others."""
        if isinstance(self.module, Separate):
            return (*self.module.labels, REST)
        return self.module.labels if isinstance(self.module, Detect) else ()

    @property
    def step_s(self) -> float:
        """Seconds per step of the output: a sample, or a step of detect."""
        return float(self.module.hop / self.sample_rate)

    def push(self, chunk: NDArray[np.floating]) -> Any:
        """Process the next chunk, (channel, time) of any length; return what it completes.

        Raises:
            ParameterError: another shape, or another number of channels than before.
        """
        check_chunk(chunk, self._n_channels)
        blocks = in_blocks(chunk, block_samples(self.sample_rate, len(chunk)))
        outputs = [super(LiveStream, self).push(block) for block in blocks]
        self._n_channels = len(chunk)
        return np.concatenate(outputs, axis=-1) if len(outputs) > 1 else outputs[0]

    def reset(self) -> None:
        """Discard the state and start a new stream."""
        super().reset()
        self._n_channels = None

    def change(self, **options: Any) -> None:
        """Change the options from the next chunk on, without a click.

        A change to or from speech takes some 30 ms: the other network processes the last 2 s.

        Args:
            options: All options of the processor from now on, but for the look-ahead, which stays.

        Raises:
            ParameterError: an unknown option, one that cannot change (the look-ahead and the
                sample rate), or options that cannot continue the stream: another number of
                labels of `separate`, or a talker by example. The stream then goes on as before.
            LabelError: an unknown label.

        Example:
            >>> import numpy as np
            >>> live = stream("attend", keep=["speech"], sample_rate=16000)
            >>> heard = live.push(np.zeros((1, 80), np.float32))
            >>> live.change(mute=["rain", "music"])
            >>> live.push(np.zeros((1, 80), np.float32)).shape
            (1, 80)
        """
        if fixed := [name for name in _FIXED if name in options]:
            raise ParameterError(f"{fixed[0]} of a stream cannot change")
        module = _make(self.processor, self.sample_rate, self._kept | options)
        if self._state is not None:
            nothing = np.zeros((self._n_channels or 1, 0), np.float32)
            try:  # rejects a state that it cannot continue, and lets another network join
                _, self._state = module(nothing, self._state)
            except ParameterError as error:
                names = " and ".join(options) or "its default options"
                raise ParameterError(
                    f"{self.processor} with other {names} cannot continue this stream"
                ) from error
        self.module = module


def check_chunk(chunk: NDArray[np.floating], n_channels: int | None) -> None:
    """Reject a chunk with exchanged axes, or another number of channels than the stream.

    Raises:
        ParameterError: it is such a chunk, or not floats (channel, time) at all.
    """
    shape = check_floats(chunk, name="chunk").shape
    check_channels(shape)
    if n_channels is None and 1 <= shape[1] <= _FEW_SAMPLES and shape[0] > _MANY_CHANNELS:
        raise ParameterError(f"chunk of shape {shape} has its axes exchanged: (channel, time)")
    if n_channels not in (None, shape[0]):
        raise ParameterError(f"chunk has {shape[0]} channels, the stream {n_channels}")


def _make(processor: str, sample_rate: float, options: dict[str, Any]) -> Streaming[Any, Any]:
    check_choice(processor, PROCESSORS, name="processor")
    if processor == "separate" and (inner := _INNER & options.keys()):
        raise ParameterError(f"separate: a stream has no option {min(inner)!r}")
    try:
        module: Streaming[Any, Any] = PROCESSORS[processor](sample_rate=sample_rate, **options)
    except TypeError as error:
        raise ParameterError(f"{processor}: {error}") from error
    return module
