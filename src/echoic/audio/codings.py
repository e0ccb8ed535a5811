"""Choose the container and coding of an output file, and validate sample arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from echoic.audio.opening import AudioPath, check_path
from echoic.checks import MAX_CHANNELS, check_floats
from echoic.errors import AudioError, ParameterError

_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3", ".aiff": "AIFF"}
_FORMATS |= {".aif": "AIFF", ".rf64": "RF64", ".w64": "W64"}
_BEST_SUBTYPES = {"FLAC": "PCM_24", "OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
_SAMPLE_BYTES = {"PCM_U8": 1, "PCM_S8": 1, "PCM_16": 2, "PCM_24": 3, "DOUBLE": 8}
# libsndfile's Vorbis encoder crashes above this; the other encoders report an error.
_MAX_CHANNELS = {"OGG": 255, "FLAC": 8, "MP3": 2}
# WAV and AIFF sizes are 32-bit; 4096 bytes are reserved for the chunks before the samples.
WAV_MAX_BYTES = 2**32 - 1 - 4096


def choose_format(
    path: AudioPath, sample_rate: int, channels: int, frames: int | None, subtype: str | None
) -> tuple[str, str]:
    """Choose container and coding (libsndfile names) from the suffix of the path.

    Raises:
        AudioError: The suffix is unknown, or its container cannot hold `subtype`, the number
            of channels or samples, or the sample rate.

    Example:
        >>> choose_format("a.flac", 44_100, channels=2, frames=None, subtype=None)
        ('FLAC', 'PCM_24')
    """
    container = check_suffix(path)
    coding = str(subtype).upper() if subtype else _BEST_SUBTYPES.get(container, "FLOAT")
    if coding not in soundfile.available_subtypes(container):
        known = " ".join(soundfile.available_subtypes(container))
        raise AudioError(f"{path}: cannot be written: {container} holds no {coding}, but {known}")
    if channels > _MAX_CHANNELS.get(container, MAX_CHANNELS):
        raise AudioError(
            f"{path}: cannot be written: {container} holds at most "
            f"{_MAX_CHANNELS.get(container, MAX_CHANNELS)} channels, not {channels}"
        )
    if container == "FLAC" and not flac_holds_rate(sample_rate):
        raise AudioError(
            f"{path}: cannot be written: FLAC holds no sample rate of {sample_rate} Hz: above "
            "65535 Hz it must be a multiple of 10"
        )
    if is_too_long(container, frames or 0, channels, coding):
        if container == "AIFF":
            raise AudioError(
                f"{path}: cannot be written: {frames} samples do not fit into the 4 GB of AIFF; "
                "a .wav holds them"
            )
        container = "RF64"
    return container, coding


def check_suffix(path: AudioPath) -> str:
    """Return the container for the suffix of a path.

    Raises:
        AudioError: The suffix is unknown.
    """
    suffix = Path(check_path(path)).suffix.lower()
    if suffix not in _FORMATS:
        known = " ".join(_FORMATS)
        raise AudioError(f"{path}: cannot be written: suffix {suffix!r} is none of {known}")
    return _FORMATS[suffix]


def flac_holds_rate(sample_rate: int) -> bool:
    """Whether a streamable FLAC can encode this sample rate."""
    return sample_rate < 1 << 16 or sample_rate % 10 == 0


def is_too_long(container: str, n_samples: int, channels: int, subtype: str) -> bool:
    """Whether the samples exceed the 32-bit size field of a container."""
    n_bytes = n_bytes_of(n_samples, channels, subtype)
    return container in ("WAV", "WAVEX", "AIFF") and n_bytes > WAV_MAX_BYTES


def n_bytes_of(n_samples: int, channels: int, subtype: str) -> int:
    """Number of bytes of samples in an uncompressed coding."""
    return n_samples * channels * _SAMPLE_BYTES.get(subtype, 4)


def check_fits_float32(wave: npt.NDArray[np.floating[Any]]) -> None:
    """Reject finite float64 samples that would overflow to infinity in float32.

    Raises:
        ParameterError: there are some.
    """
    n_beyond = int(np.count_nonzero(np.abs(wave) > np.finfo(np.float32).max))
    if n_beyond:
        raise ParameterError(f"wave holds {n_beyond} samples that do not fit into float32")


def checked_wave(block: Any, channels: int) -> npt.NDArray[np.floating[Any]]:
    """Return a valid wave as (channel, time), or raise a `ParameterError` with the reason."""
    wave = np.atleast_2d(check_floats(block))
    if wave.ndim != 2 or wave.shape[0] != channels:
        raise ParameterError(f"wave has shape {block.shape}, not (channel={channels}, time)")
    if wave.dtype not in (np.float32, np.float64):
        wave = wave.astype(np.float64)
    n_bad = wave.size - int(np.count_nonzero(np.isfinite(wave)))
    if n_bad:
        raise ParameterError(f"wave holds {n_bad} samples that are NaN or infinite")
    return wave
