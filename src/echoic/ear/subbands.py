"""Validation of subbands, for every module that takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError


def as_subbands(subbands: object, *, n_bands: int | None = None) -> NDArray[np.complex64]:
    """Full-rate subbands (..., band, time) as complex64, finite: NaN and infinities become 0.

    A read-only array is copied, as numba would compile every loop once more for it.

    Args:
        subbands: A complex numpy array.
        n_bands: Required number of bands; None for any number.

    Raises:
        ParameterError: not a complex numpy array, no band and time axes, or another
            number of bands.

    Example:
        >>> as_subbands(np.zeros((64, 10), np.complex128), n_bands=64).dtype
        dtype('complex64')
    """
    if not isinstance(subbands, np.ndarray) or subbands.dtype.kind != "c":
        found = getattr(subbands, "dtype", type(subbands).__name__)
        raise ParameterError(f"subbands must be a complex numpy array, not {found}")
    if subbands.ndim < 2 or n_bands not in (None, subbands.shape[-2]):
        wanted = "band and time axes" if n_bands is None else f"the {n_bands} bands asked for"
        raise ParameterError(f"subbands of shape {subbands.shape} do not have {wanted}")
    subbands = np.ascontiguousarray(subbands, dtype=np.complex64)
    if not subbands.flags.writeable:
        subbands = subbands.copy()
    if not np.isfinite(np.vdot(subbands, subbands)):
        subbands = np.nan_to_num(subbands, nan=0.0, posinf=0.0, neginf=0.0)
    return subbands
