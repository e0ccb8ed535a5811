"""Replace invalid samples in decoded audio, count them, and warn once."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from echoic.checks import SATURATION
from echoic.errors import AudioWarning


class Mending:
    """Replace or clip invalid samples in decoded audio, and count them.

    Example:
        >>> mending = Mending()
        >>> wave = np.array([[0.5, np.nan]], np.float32)
        >>> mending.mend(wave)
        >>> wave.tolist(), mending.n_mended
        ([[0.5, 0.0]], 1)
    """

    def __init__(self) -> None:
        self.n_mended = self.n_clipped = 0

    def mend(self, wave: NDArray[np.float32]) -> None:
        """Replace NaN and infinities by 0 and clip at `SATURATION`, in place."""
        finite = np.isfinite(wave)
        if not finite.all():
            self.n_mended += int(finite.size - np.count_nonzero(finite))
            wave[~finite] = 0.0
        if wave.size and max(-wave.min(), wave.max()) > SATURATION:
            self.n_clipped += int(np.count_nonzero(np.abs(wave) > SATURATION))
            np.clip(wave, -SATURATION, SATURATION, out=wave)

    def warn(self, name: str) -> bool:
        """Issue an `AudioWarning` with the counts, if any; return whether one was issued."""
        said = []
        if self.n_mended:
            said.append(f"{self.n_mended} samples are NaN or infinite; they are replaced by 0")
        if self.n_clipped:
            limit = f"{SATURATION:g} times full scale"
            said.append(f"{self.n_clipped} samples lie above {limit} and are clipped")
        if said:
            warnings.warn(f"{name}: {'; '.join(said)}", AudioWarning, stacklevel=4)
        return bool(said)
