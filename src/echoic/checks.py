"""Validate input from callers: waves, numbers, and states from an earlier chunk."""

from __future__ import annotations

import sys
import warnings
import zlib
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.errors import AudioWarning, ParameterError

Arrays = TypeVar("Arrays", bound=tuple[NDArray[Any], ...])

# 200 dB above full scale: beyond any real sound, even if integers of 32 bits are taken for
# floats, yet the square of a sample, summed over any frame and any number of channels, still fits
# into a float32.
SATURATION = 1e10
_SATURATED_POWER = SATURATION**2
_FLOAT32 = np.dtype(np.float32)
_FULL_SCALES = {"int16": 2**15, "int32": 2**31}  # of the samples in integer files
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8_000, 192_000  # Hz
# More than any microphone array has; a wave whose axes are exchanged exceeds it.
MAX_CHANNELS = 1024
_WITHIN = ("echoic", "contextlib")  # packages between a caller and a warning


def check_number(value: object, *, name: str) -> None:
    """Reject anything but a real number: text, None, arrays, booleans.

    Raises:
        ParameterError: it is not one.
    """
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool):
        raise ParameterError(f"{name}={value!r} is not a number")


def check_positive(**values: object) -> None:
    """Reject anything but finite numbers above 0.

    Raises:
        ParameterError: one of them is not.
    """
    for name, value in values.items():
        check_number(value, name=name)
        if not 0 < value < np.inf:  # type: ignore[operator]
            raise ParameterError(f"{name}={value!r} is not a finite number above 0")


def check_finite(**values: object) -> None:
    """Reject anything but finite numbers.

    Raises:
        ParameterError: one of them is not.
    """
    for name, value in values.items():
        check_number(value, name=name)
        if not -np.inf < value < np.inf:  # type: ignore[operator]
            raise ParameterError(f"{name}={value!r} is not a finite number")


def check_generator(rng: object) -> np.random.Generator:
    """Return a source of randomness as it is; reject anything else, such as a seed or None.

    Raises:
        ParameterError: it is not one.
    """
    if not isinstance(rng, np.random.Generator):
        raise ParameterError(f"rng={rng!r} is not a numpy.random.Generator")
    return rng


def check_text(value: object, *, name: str) -> None:
    """Reject anything but text.

    Raises:
        ParameterError: it is not text.
    """
    if not isinstance(value, str):
        raise ParameterError(f"{name}={value!r} is not text")


def check_choice(value: object, known: Collection[str], *, name: str) -> None:
    """Reject anything but one of the known names.

    Raises:
        ParameterError: it is none of them.
    """
    if not isinstance(value, str) or value not in known:
        raise ParameterError(f"{name}={value!r} is not one of {', '.join(known)}")


def check_choices(values: object, known: Collection[str], *, name: str) -> tuple[str, ...]:
    """Return known names as a tuple, which may be empty; reject a single text and anything else.

    Raises:
        ParameterError: there is another one among them, or they are not several.
    """
    is_several = isinstance(values, Iterable) and not isinstance(values, str)
    chosen: tuple[Any, ...] = tuple(values) if is_several else ()  # type: ignore[arg-type]
    if not is_several or not all(isinstance(one, str) and one in known for one in chosen):
        raise ParameterError(f"{name}={chosen or values!r}: choose several from {', '.join(known)}")
    return chosen


def check_count(value: object, *, name: str, lowest: int = 1, highest: int | None = None) -> int:
    """Return the value as an int; reject anything but an integer in the range.

    Raises:
        ParameterError: it is not one.
    """
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if is_whole and lowest <= value and (highest is None or value <= highest):  # type: ignore[operator]
        return int(value)  # type: ignore[call-overload]
    if highest is None:
        raise ParameterError(f"{name}={value!r} is not an integer >= {lowest}")
    raise ParameterError(f"{name}={value!r} is not an integer from {lowest} to {highest}")


def check_sample_rate(sample_rate: float, *, name: str = "sample_rate") -> float:
    """Validate a sample rate; return it as a float.

    Raises:
        ParameterError: not a number from 8 to 192 kHz.
    """
    check_number(sample_rate, name=name)
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise ParameterError(
            f"{name}={sample_rate!r} is outside {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz"
        )
    return float(sample_rate)


def check_floats(x: object, *, name: str = "wave") -> NDArray[np.floating]:
    """Return a numpy array of floats with a time axis as it is; reject anything else.

    Raises:
        ParameterError: not a numpy array (tensors belong to `echoic.nn`), not
            real floats, or no time axis.
    """
    if not isinstance(x, np.ndarray):
        raise ParameterError(
            f"{name} must be a numpy array, not {type(x).__module__}.{type(x).__name__}"
        )
    if x.dtype.kind != "f" or x.ndim == 0:
        full_scale = _FULL_SCALES.get(x.dtype.name)
        hint = f"; divide it by {full_scale} for a full scale of 1" if full_scale else ""
        raise ParameterError(
            f"{name} must hold floats with a time axis, got {x.dtype} of shape {x.shape}{hint}"
        )
    return x


def as_float32(x: object, *, name: str = "wave") -> NDArray[np.float32]:
    """Return a real numpy array as finite float32: NaN and infinities become 0, excess is clipped.

    A NaN must never reach a recursive state, where it would persist, nor must a
    number whose square is infinite: values are clipped at ±`SATURATION`. A read-only
    array is copied, as numba would compile every loop once more for it.

    Raises:
        ParameterError: not a numpy array (tensors belong to `echoic.nn`), not
            real numbers, or no time axis.
    """
    return mend(x, name=name)[0]


def mend(x: object, *, name: str = "wave") -> tuple[NDArray[np.float32], int]:
    """As `as_float32`; also return the number of samples that were replaced or clipped.

    Raises:
        ParameterError: as `as_float32`.
    """
    x = check_floats(x, name=name)
    if x.dtype == _FLOAT32:
        cast = np.ascontiguousarray(x)
    else:
        with np.errstate(over="ignore"):
            cast = np.ascontiguousarray(x, dtype=np.float32)
    if not cast.flags.writeable:
        cast = cast.copy()
    # If the sum of squares is small, so is every sample: one pass, without a copy. If it is
    # not, `vdot` returns infinity or NaN without a warning.
    if np.vdot(cast, cast) <= _SATURATED_POWER:
        return cast, 0
    n_mended = x.size - int(np.count_nonzero(np.abs(cast) <= SATURATION))  # NaN is not
    finite = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    clipped = np.clip(finite, -SATURATION, SATURATION)
    return np.ascontiguousarray(clipped, dtype=np.float32), n_mended


def warn(message: str) -> None:
    """Issue an `AudioWarning` that points at the caller's line, outside of echoic."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] in _WITHIN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, AudioWarning, stacklevel=level)


def warn_of_mended(n_mended: int) -> None:
    """Warn of samples that `mend` has changed; callers do so once per stream."""
    warn(
        f"{n_mended} samples are NaN or infinite, or above {SATURATION:g} times full scale; "
        "they, and any that follow in this stream, are replaced by 0 or clipped"
    )


def check_channels(shape: tuple[int, ...]) -> None:
    """Reject a chunk whose shape is not (channel, time), or has the two exchanged.

    Raises:
        ParameterError: other axes, or more than 1,024 channels.
    """
    if len(shape) != 2 or not shape[0]:
        raise ParameterError(f"wave of shape {shape} is not (channel, time)")
    if shape[0] > MAX_CHANNELS:
        raise ParameterError(
            f"wave of shape {shape} would have {shape[0]} channels, more than {MAX_CHANNELS}: "
            "it must be (channel, time)"
        )


def check_axes(shape: tuple[int, ...]) -> None:
    """Reject a whole wave (channel, time) with more channels than samples: its axes are exchanged.

    Raises:
        ParameterError: it has more.
    """
    if shape[0] > max(shape[1], 1):
        raise ParameterError(
            f"wave of shape {shape} has more channels than samples: it must be (channel, time)"
        )


def check_whole(shape: tuple[int, ...], *, name: str = "wave") -> None:
    """Reject a whole wave that is not (time,) or (channel, time), or has no samples.

    Raises:
        ParameterError: it is such a wave, or has more channels than samples, as when the
            axes are exchanged.
    """
    if 0 in shape:
        raise ParameterError(f"{name} of shape {shape} has no samples")
    if len(shape) == 1:
        return
    if len(shape) != 2:
        raise ParameterError(f"{name} of shape {shape} is not (time,) or (channel, time)")
    check_channels(shape)
    check_axes(shape)


def as_channels(wave: object) -> NDArray[np.float32]:
    """Return a whole wave (time,) or (channel, time) as (channel, time), finite float32.

    Samples that are replaced or clipped are reported by an `AudioWarning`.

    Raises:
        ParameterError: it has other axes, no channel, no sample, or more
            channels than samples, as when the axes are exchanged.
    """
    samples, n_mended = mend(wave)
    if n_mended:
        warn_of_mended(n_mended)
    check_whole(samples.shape)
    return np.atleast_2d(samples)


def check_state(state: Any, init: Any, *, owner: str) -> None:
    """Reject a state of other shapes or another class; see `check_own` for what shapes do not tell.

    Args:
        state: The caller's state.
        init: The initial state, which has the expected shapes.
        owner: Name of the class, for the message.

    Raises:
        ParameterError: the class of the state, its shapes or its dtypes differ.
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
        if not _is_like(part, of_init):  # runs for every chunk: recurse only if needed
            check_state(part, of_init, owner=owner)


def _is_like(x: object, init: object) -> bool:
    if not (type(x) is np.ndarray and type(init) is np.ndarray):
        return False
    return x.shape == init.shape and x.dtype == init.dtype


def copy_state(state: Arrays, init: Arrays, *, owner: str) -> Arrays:
    """Check a state of arrays and return a copy of it that may be updated in place.

    Raises:
        ParameterError: as `check_state`.
    """
    # Runs for every chunk: the slow check, which raises the message, only after a mismatch.
    if type(state) is not type(init) or not all(map(_is_like, state, init)):
        check_state(state, init, owner=owner)
    return tuple.__new__(type(init), [part.copy() for part in state])


def checksum(*arrays: object) -> int:
    """Checksum of a configuration, for states of shapes that many configurations share."""
    return zlib.crc32(b"".join(np.asarray(array).tobytes() for array in arrays))


def check_own(found: int, own: int, *, owner: str) -> None:
    """Reject a state that has the checksum of another configuration.

    Raises:
        ParameterError: they differ.
    """
    if found != own:
        raise ParameterError(f"state of another configuration does not belong to this {owner}")


def check_kind(state: object, kind: type, *, owner: str) -> None:
    """Reject a state made by another class.

    Raises:
        ParameterError: its class differs.
    """
    if type(state) is not kind:
        raise ParameterError(
            f"state {type(state).__name__} does not belong to this {owner}, "
            f"which needs {kind.__name__}"
        )
