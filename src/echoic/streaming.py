"""The streaming contract, which every module that processes along time follows.

`y, state = module(x, state)`: `None` starts a new stream, offline processing is
that call on the whole signal, and any chunk length is legal, 0 and 1 included.
State is a NamedTuple of arrays; it is returned, never stored and never mutated.
Time is the last axis. `tests/laws.py` checks this for every such class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_number
from echoic.errors import ParameterError

State = TypeVar("State")
Output = TypeVar("Output", covariant=True)
Number = TypeVar("Number", bound=np.generic)

# 128 steps of a network, which takes 64 at once: blocks of a file are whole multiples of that.
BLOCK_S = 1.28
_MAX_BLOCK = 1 << 22  # samples of all channels together


class Streaming(Protocol[State, Output]):
    """Interface of a streaming module.

    An output is an array, or a NamedTuple of arrays, each with time last.
    """

    @property
    def hop(self) -> Any:
        """Input steps per output step; 1 where the rate is unchanged, not always an integer.

        One per field for a NamedTuple whose fields have different rates.
        """

    @property
    def delay(self) -> Any:
        """Output steps by which the output lags the input; one per field for a NamedTuple."""

    def __call__(self, x: NDArray[Any], state: State | None = None, /) -> tuple[Output, State]:
        """Process the next chunk; return the output it completes and the new state."""

    def finish(self, state: State, /) -> Output:
        """Return the tail that the delay still holds back."""


def frame_end(frame: int, hop_samples: float) -> int:
    """Sample at which a frame ends (exclusive)."""
    return int((frame + 1) * hop_samples)


class FrameClock:
    """Frame boundaries at any sample rate.

    Frame k ends at sample ⌊(k + 1)·rate·hop_s⌋ (exclusive): 2.5 ms at
    44.1 kHz is 110.25 samples, so frames have 110 or 111 samples and do not
    drift.

    Example:
        >>> FrameClock(sample_rate=44100, hop_s=0.0025).ends(0, 450).tolist()
        [110, 220, 330, 441]
    """

    def __init__(self, *, sample_rate: float, hop_s: float, n_hops: int = 1) -> None:
        """Set the rate in Hz and the hop in seconds; a frame spans `n_hops` hops exactly.

        Raises:
            ParameterError: not numbers, or a hop shorter than one sample or infinite.
        """
        for name, value in (("sample_rate", sample_rate), ("hop_s", hop_s)):
            check_number(value, name=name)
        if not 1 <= hop_s * sample_rate < np.inf:
            raise ParameterError(
                f"hop_s={hop_s!r} is not between one sample at {sample_rate} Hz and infinity"
            )
        # 2.5 ms at 16 kHz must be 40, not 39.999…: remove the float64 rounding error.
        self.hop_samples = n_hops * round(float(sample_rate) * float(hop_s), 9)

    def n_frames(self, n_samples: int) -> int:
        """Frames completed by the first `n_samples` samples."""
        hop = self.hop_samples
        last = int(n_samples / hop)  # at most that, lowered below: the quotient may be rounded
        while frame_end(last, hop) > n_samples:
            last -= 1
        return last + 1

    def check_length(self, n_samples: int) -> int:
        """Return `n_frames` of a whole sound; reject one without a single frame.

        Raises:
            ParameterError: it is shorter than one frame.
        """
        n_frames = self.n_frames(n_samples)
        if not n_frames:
            raise ParameterError(
                f"{n_samples} samples are shorter than one frame of {self.hop_samples:g} samples"
            )
        return n_frames

    def end(self, frame: int) -> int:
        """Sample at which a frame ends (exclusive)."""
        return frame_end(frame, self.hop_samples)

    def ends(self, start_sample: int, stop_sample: int) -> NDArray[np.int64]:
        """Ends of the frames completed by samples [start_sample, stop_sample)."""
        first, last = self.n_frames(start_sample), self.n_frames(stop_sample)
        return (np.arange(first + 1, last + 1) * self.hop_samples).astype(np.int64)


def block_samples(sample_rate: float, n_channels: int) -> int:
    """Samples in a block of a file: 1.28 s, or less for very many channels.

    Example:
        >>> block_samples(44_100, 2), block_samples(192_000, 1024)
        (56448, 4096)
    """
    return min(round(BLOCK_S * sample_rate), max(_MAX_BLOCK // max(n_channels, 1), 1))


def in_blocks(wave: NDArray[Number], n_samples: int) -> Iterator[NDArray[Number]]:
    """Iterate over a whole wave (..., time) in blocks; one empty block if it is empty.

    Example:
        >>> [block.shape for block in in_blocks(np.zeros((2, 5), np.float32), 3)]
        [(2, 3), (2, 2)]
    """
    for start in range(0, max(wave.shape[-1], 1), n_samples):
        yield wave[..., start : start + n_samples]


def run(module: Streaming[Any, Output], blocks: Iterable[NDArray[np.float32]]) -> Iterator[Output]:
    """Feed a module block by block, finish it, and remove its delay.

    Args:
        module: Any class that follows the streaming contract.
        blocks: The input in pieces of any length, from the beginning.

    Yields:
        The output that each block completes, and the tail at the end; concatenated
        along time, they are aligned with the input.

    Example:
        >>> from echoic.ear import Filterbank, Inverse
        >>> click = np.eye(1, 999, 500, dtype=np.float32)[0]
        >>> bands, _ = Filterbank.separating(sample_rate=16000)(click)
        >>> parts = run(Inverse(sample_rate=16000), np.array_split(bands, 5, axis=-1))
        >>> int(np.concatenate(list(parts), axis=-1).sum(axis=0).argmax())
        500
    """
    state: Any = None
    owed = module.delay
    for block in blocks:
        output, state = module(block, state)
        output, owed = _drop(output, owed)
        yield output
    if state is not None:
        yield _drop(module.finish(state), owed)[0]


def _drop(output: Any, owed: Any) -> tuple[Any, Any]:
    """Drop the first `owed` steps of each field; return the rest and the number still to drop."""
    if isinstance(output, tuple):
        fields = [_drop(one, n) for one, n in zip(output, owed, strict=True)]
        left, still = zip(*fields, strict=True)
        return type(output)(*left), still
    dropped = min(owed, output.shape[-1])
    return output[..., dropped:], owed - dropped


class Stream:
    """A module together with its state, for callers that do not want to carry the state.

    Args:
        module: Any class that follows the streaming contract.
        sample_rate: Hz, of the input.

    Example:
        >>> from echoic.ear import FrontEnd
        >>> stream = Stream(FrontEnd(sample_rate=16000), sample_rate=16000)
        >>> [stream.push(np.zeros((1, 100), np.float32)).shape for _ in range(2)]
        [(2, 64, 1), (2, 64, 1)]
    """

    def __init__(self, module: Streaming[Any, Any], *, sample_rate: float) -> None:
        self.module = module
        self.sample_rate = sample_rate
        self._state: Any = None

    @property
    def latency_s(self) -> float:
        """Latency of the output relative to the input, in seconds."""
        late = np.multiply(self.module.delay, self.module.hop)
        return float(np.max(late) / self.sample_rate)

    def push(self, chunk: NDArray[np.floating]) -> Any:
        """Process the next chunk, of any length; return the output it completes."""
        output, self._state = self.module(chunk, self._state)
        return output

    def flush(self) -> Any:
        """Return the tail that the delay still holds back, and reset."""
        if self._state is None:
            return self.module(np.zeros((1, 0), np.float32), None)[0]
        tail = self.module.finish(self._state)
        self.reset()
        return tail

    def reset(self) -> None:
        """Discard the state and start a new stream."""
        self._state = None
