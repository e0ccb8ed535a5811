"""The law of streaming, which every module that walks along time obeys.

`y, state = module(x, state)`: `None` starts a fresh stream, offline is that
call on the whole signal, and any chunk length is legal, 0 and 1 among them.
State is a NamedTuple of arrays; it is returned, never kept and never mutated.
Time is the last axis. `tests/laws.py` holds every such class to this.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.errors import AudioWarning, ParameterError

State = TypeVar("State")
Arrays = TypeVar("Arrays", bound=tuple[NDArray[Any], ...])
Output = TypeVar("Output", covariant=True)

# 180 dB above full scale: no sound is there, but the square of a sample, summed over
# any frame and any number of channels, still fits into a float32.
SATURATION = 1e9
_SATURATED_POWER = SATURATION**2
# No microphone array has more, but a wave whose axes are exchanged has.
MAX_CHANNELS = 1024
# Twice the steps of 10 ms that a network takes at once, at any rate.
BLOCK_S = 1.28
_MAX_BLOCK = 1 << 22  # samples of all channels together


class Streaming(Protocol[State, Output]):
    """What a streaming module declares and does.

    An output is an array, or a NamedTuple of arrays, each with time last.
    """

    @property
    def hop(self) -> float:
        """Input steps per output step; 1 where the rate stays, and not always whole."""

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
        self.hop_samples = round(sample_rate * hop_s, 9)

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


def check_number(value: object, *, name: str) -> None:
    """Refuse what is no real number: text, None, arrays, truth values.

    Raises:
        ParameterError: it is none.
    """
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool):
        raise ParameterError(f"{name}={value!r} is not a number")


def as_float32(x: object, *, name: str = "wave") -> NDArray[np.float32]:
    """A real numpy array as float32, finite: NaN and infinities become 0, excess is clipped.

    A NaN must never reach a recursive state, where it would stay for ever, nor
    a number whose square is infinite: what lies above `SATURATION` is clipped there.

    Raises:
        ParameterError: not a numpy array (tensors belong to `echoic.nn`), not
            real numbers, or no time axis.
    """
    return mend(x, name=name)[0]


_FLOAT32 = np.dtype(np.float32)


def mend(x: object, *, name: str = "wave") -> tuple[NDArray[np.float32], int]:
    """As `as_float32`, with the number of samples that were NaN or infinite.

    Raises:
        ParameterError: as `as_float32`.
    """
    if not isinstance(x, np.ndarray):
        raise ParameterError(
            f"{name} must be a numpy array, not {type(x).__module__}.{type(x).__name__}"
        )
    if x.dtype.kind != "f" or x.ndim == 0:
        raise ParameterError(
            f"{name} must hold floats with a time axis, got {x.dtype} of shape {x.shape}"
        )
    if x.dtype == _FLOAT32:
        cast = np.ascontiguousarray(x)
    else:
        with np.errstate(over="ignore"):
            cast = np.ascontiguousarray(x, dtype=np.float32)
    # Where the sum of squares is small, every sample is: one pass, without a copy. Where it is
    # not, `vdot` gives infinity or NaN without a warning.
    if np.vdot(cast, cast) <= _SATURATED_POWER:
        return cast, 0
    n_mended = x.size - int(np.count_nonzero(np.isfinite(x)))
    finite = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    clipped = np.clip(finite, -SATURATION, SATURATION)
    return np.ascontiguousarray(clipped, dtype=np.float32), n_mended


def warn_of_mended(n_mended: int) -> None:
    """Say once a stream that samples are NaN or infinite."""
    message = (
        f"{n_mended} samples are NaN or infinite; "
        "they, and any that follow in this stream, are replaced by 0"
    )
    warnings.warn(message, AudioWarning, stacklevel=3)


def check_channels(shape: tuple[int, ...]) -> None:
    """Refuse a chunk of shape other than (channel, time), or with the two exchanged.

    Raises:
        ParameterError: other axes, or more than 1,024 channels.
    """
    if len(shape) != 2:
        raise ParameterError(f"wave of shape {shape} is not (channel, time)")
    if shape[0] > MAX_CHANNELS:
        raise ParameterError(
            f"wave of shape {shape} would have {shape[0]} channels, more than {MAX_CHANNELS}: "
            "it must be (channel, time)"
        )


def as_channels(wave: object) -> NDArray[np.float32]:
    """A whole wave (time,) or (channel, time) as (channel, time), finite float32.

    That samples are NaN or infinite is said in an `AudioWarning`.

    Raises:
        ParameterError: it has other axes, no channel, no sample, or more
            channels than samples, as when the axes are exchanged.
    """
    samples, n_mended = mend(wave)
    if n_mended:
        warn_of_mended(n_mended)
    if samples.ndim > 2 or samples.size == 0:
        raise ParameterError(f"wave of shape {samples.shape} is not (time,) or (channel, time)")
    samples = samples[np.newaxis] if samples.ndim == 1 else samples
    check_channels(samples.shape)
    if samples.shape[0] > max(samples.shape[1], 1):
        raise ParameterError(
            f"wave of shape {samples.shape} has more channels than samples: "
            "it must be (channel, time)"
        )
    return samples


def check_state(state: Any, init: Any, *, owner: str) -> None:
    """Refuse a state that another configuration, or another class, has made.

    Args:
        state: What the caller handed in.
        init: The state before any sound, of the shapes that belong here.
        owner: Name of the class, for the message.

    Raises:
        ParameterError: another kind of state, or shapes or kinds of numbers differ.
    """
    if isinstance(init, np.ndarray):
        if not _is_like(state, init):
            found = f"{getattr(state, 'dtype', type(state).__name__)} {getattr(state, 'shape', '')}"
            wanted = f"{init.dtype} {init.shape}"
            raise ParameterError(f"state of {found} does not belong to this {owner}: {wanted}")
        return
    check_kind(state, type(init), owner=owner)
    if len(state) != len(init):
        raise ParameterError(f"state of {len(state)} parts does not belong to this {owner}")
    for part, of_init in zip(state, init, strict=True):
        if not _is_like(part, of_init):  # with every chunk: only the rest goes the long way
            check_state(part, of_init, owner=owner)


def _is_like(x: object, init: object) -> bool:
    if not (type(x) is np.ndarray and type(init) is np.ndarray):
        return False
    return x.shape == init.shape and x.dtype == init.dtype


def copy_state(state: Arrays, init: Arrays, *, owner: str) -> Arrays:
    """A copy of a state of arrays that may be advanced in place, once it is checked.

    Raises:
        ParameterError: as `check_state`.
    """
    # With every chunk: only what is not well goes the long way, to its message.
    if type(state) is not type(init) or not all(map(_is_like, state, init)):
        check_state(state, init, owner=owner)
    return tuple.__new__(type(init), [part.copy() for part in state])


def check_kind(state: object, kind: type, *, owner: str) -> None:
    """Refuse a state that another class has made.

    Raises:
        ParameterError: it is of another kind.
    """
    if type(state) is not kind:
        raise ParameterError(
            f"state {type(state).__name__} does not belong to this {owner}, "
            f"which needs {kind.__name__}"
        )


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
        return float(np.max(self.module.delay) * self.module.hop / self.sample_rate)

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
