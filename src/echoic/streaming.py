"""The law of streaming, which every module that walks along time obeys.

`y, state = module(x, state)`: `None` starts a fresh stream, offline is that
call on the whole signal, and any chunk length is legal, 0 and 1 among them.
State is a NamedTuple of arrays; it is returned, never kept and never mutated.
Time is the last axis. `tests/laws.py` holds every such class to this.
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

# 128 steps of a network, which takes 64 at once: files are worked on in whole runs of it.
BLOCK_S = 1.28
_MAX_BLOCK = 1 << 22  # samples of all channels together


class Streaming(Protocol[State, Output]):
    """What a streaming module declares and does.

    An output is an array, or a NamedTuple of arrays, each with time last.
    """

    @property
    def hop(self) -> Any:
        """Input steps per output step; 1 where the rate stays, and not always whole.

        One a field for a NamedTuple whose fields come at different rates.
        """

    @property
    def delay(self) -> Any:
        """Output steps by which the output lags the input; one a field for a NamedTuple."""

    def __call__(self, x: NDArray[Any], state: State | None = None, /) -> tuple[Output, State]:
        """Take the next chunk and return what it completes, with the new state."""

    def finish(self, state: State, /) -> Output:
        """Return the tail that the delay still holds back."""


def frame_end(frame: int, hop_samples: float) -> int:
    """Sample at which a frame ends (exclusive)."""
    return int((frame + 1) * hop_samples)


class FrameClock:
    """Where frames end, at any sample rate.

    Frame k ends at sample ⌊(k + 1)·rate·hop_s⌋ (exclusive): 2.5 ms at
    44.1 kHz is 110.25 samples, so frames have 110 or 111 samples there and
    never drift.

    Example:
        >>> FrameClock(sample_rate=44100, hop_s=0.0025).ends(0, 450).tolist()
        [110, 220, 330, 441]
    """

    def __init__(self, *, sample_rate: float, hop_s: float) -> None:
        """Fix the rate in Hz and the hop in seconds.

        Raises:
            ParameterError: not numbers, or a hop shorter than one sample or endless.
        """
        for name, value in (("sample_rate", sample_rate), ("hop_s", hop_s)):
            check_number(value, name=name)
        if not 1 <= hop_s * sample_rate < np.inf:
            raise ParameterError(
                f"hop_s={hop_s!r} is not between one sample at {sample_rate} Hz and infinity"
            )
        # 2.5 ms at 16 kHz must be 40, not 39.999…: round what float64 cannot say.
        self.hop_samples = round(float(sample_rate) * float(hop_s), 9)

    def n_frames(self, n_samples: int) -> int:
        """Frames completed by the first `n_samples` samples."""
        hop = self.hop_samples
        last = int(n_samples / hop)  # or one less, or none: a quotient may be rounded up or down
        while frame_end(last, hop) > n_samples:
            last -= 1
        return last + 1

    def end(self, frame: int) -> int:
        """Sample at which a frame ends (exclusive)."""
        return frame_end(frame, self.hop_samples)

    def ends(self, start_sample: int, stop_sample: int) -> NDArray[np.int64]:
        """Ends of the frames completed by samples [start_sample, stop_sample)."""
        first, last = self.n_frames(start_sample), self.n_frames(stop_sample)
        return (np.arange(first + 1, last + 1) * self.hop_samples).astype(np.int64)


def block_samples(sample_rate: float, n_channels: int) -> int:
    """How much of a sound is worked on at a time: 1.28 s, or less of very many channels.

    Example:
        >>> block_samples(44_100, 2), block_samples(192_000, 1024)
        (56448, 4096)
    """
    return min(round(BLOCK_S * sample_rate), max(_MAX_BLOCK // max(n_channels, 1), 1))


def in_blocks(wave: NDArray[np.float32], n_samples: int) -> Iterator[NDArray[np.float32]]:
    """A whole wave (..., time) block by block.

    Example:
        >>> [block.shape for block in in_blocks(np.zeros((2, 5), np.float32), 3)]
        [(2, 3), (2, 2)]
    """
    for start in range(0, wave.shape[-1], n_samples):
        yield wave[..., start : start + n_samples]


def run(module: Streaming[Any, Output], blocks: Iterable[NDArray[np.float32]]) -> Iterator[Output]:
    """Feed a module block by block, finish it, and take its delay off.

    Args:
        module: Any class under the law.
        blocks: The input in pieces of any length, from the beginning.

    Yields:
        What each block completes, and the tail at the end: joined along time
        they lie where the input lies.

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
    """Drop the first `owed` steps, field by field; return what is left and what is owed still."""
    if isinstance(output, tuple):
        fields = [_drop(one, n) for one, n in zip(output, owed, strict=True)]
        left, still = zip(*fields, strict=True)
        return type(output)(*left), still
    dropped = min(owed, output.shape[-1])
    return output[..., dropped:], owed - dropped


class Stream:
    """A module with its state: for whoever would rather not carry the state along.

    Args:
        module: Any class under the law.
        sample_rate: Hz, of what is pushed.

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
        """Seconds by which what comes out lags what goes in."""
        late = np.multiply(self.module.delay, self.module.hop)
        return float(np.max(late) / self.sample_rate)

    def push(self, chunk: NDArray[np.floating]) -> Any:
        """Take the next chunk, of any length; give what it completes."""
        output, self._state = self.module(chunk, self._state)
        return output

    def flush(self) -> Any:
        """Give what the delay still holds back, and begin afresh."""
        if self._state is None:
            return self.module(np.zeros((1, 0), np.float32), None)[0]
        tail = self.module.finish(self._state)
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget what has been heard."""
        self._state = None
