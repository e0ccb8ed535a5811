"""Signal levels on a digital scale (dBFS) and an acoustic scale (dB SPL).

**dBFS** here is the root mean square relative to a constant of full scale 1: a
full-scale square wave has 0 dBFS, a full-scale sine −3.01 dBFS. (AES17 adds
3.01 dB, so that the sine has 0; add it to compare with meters that do.) Peaks
are sample peaks, not the true peaks between samples.

**dB SPL** is a sound pressure relative to 20 µPa in air. A file does not contain
it: it requires a declared calibration, `full_scale_db_spl`, the SPL of a signal of
0 dBFS. The default of 100 dB puts speech at its usual −35 dBFS at 65 dB SPL, a
talker at one metre.

Silence has the level −inf on both scales, without a warning.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from echoic.checks import check_floats
from echoic.errors import ParameterError

Level: TypeAlias = npt.NDArray[np.float64]

FULL_SCALE_DB_SPL = 100.0


def level_dbfs(wave: npt.ArrayLike) -> Level:
    """Root-mean-square level over time.

    Args:
        wave: Samples, full scale at ±1.

    Shape:
        wave (..., time) -> (...), a level per channel.

    Returns:
        dBFS: 0 for a full-scale square, −3.01 for a full-scale sine, −inf for
        silence.

    Raises:
        ParameterError: The wave has no samples, or they are not floats.

    Example:
        >>> sine = np.sin(2 * np.pi * np.arange(16_000) / 16)
        >>> print(np.round(level_dbfs(sine), 2))
        -3.01
    """
    samples = _samples(wave)
    return gain_to_db(np.sqrt(np.mean(np.square(samples), axis=-1)))


def peak_dbfs(wave: npt.ArrayLike) -> Level:
    """Level of the largest sample.

    Args:
        wave: Samples, full scale at ±1.

    Shape:
        wave (..., time) -> (...), a level per channel.

    Returns:
        dBFS; −inf for silence.

    Raises:
        ParameterError: The wave has no samples, or they are not floats.

    Example:
        >>> print(peak_dbfs([0.0, -1.0, 0.5]))
        0.0
    """
    return gain_to_db(np.max(np.abs(_samples(wave)), axis=-1))


def dbfs_to_db_spl(dbfs: npt.ArrayLike, *, full_scale_db_spl: float = FULL_SCALE_DB_SPL) -> Level:
    """Convert digital level to sound pressure level, given a calibration.

    Args:
        dbfs: Level, dBFS.
        full_scale_db_spl: dB SPL of a signal of 0 dBFS.

    Example:
        >>> print(dbfs_to_db_spl(-35.0))
        65.0
    """
    return np.add(dbfs, full_scale_db_spl, dtype=np.float64)


def db_spl_to_dbfs(db_spl: npt.ArrayLike, *, full_scale_db_spl: float = FULL_SCALE_DB_SPL) -> Level:
    """Convert sound pressure level to digital level; the inverse of `dbfs_to_db_spl`.

    Args:
        db_spl: Level, dB SPL.
        full_scale_db_spl: dB SPL of a signal of 0 dBFS.

    Example:
        >>> print(db_spl_to_dbfs(65.0))
        -35.0
    """
    return np.subtract(db_spl, full_scale_db_spl, dtype=np.float64)


def db_to_gain(level_db: npt.ArrayLike) -> Level:
    """Convert decibels to an amplitude gain; −inf dB gives 0.

    Example:
        >>> print(db_to_gain(20.0), db_to_gain(-np.inf))
        10.0 0.0
    """
    return np.power(10.0, np.divide(level_db, 20.0), dtype=np.float64)


def gain_to_db(gain: npt.ArrayLike) -> Level:
    """Convert an amplitude gain to decibels; its sign is dropped, a gain of 0 gives −inf dB.

    Example:
        >>> print(gain_to_db(10.0), gain_to_db(0.0))
        20.0 -inf
    """
    with np.errstate(divide="ignore"):
        return np.multiply(20.0, np.log10(np.abs(np.asarray(gain, dtype=np.float64))))


def _samples(wave: npt.ArrayLike) -> npt.NDArray[Any]:
    samples = check_floats(np.asarray(wave))
    if samples.shape[-1] == 0:
        raise ParameterError(f"wave has shape {samples.shape}; a level needs at least one sample")
    return samples.astype(np.float64)
