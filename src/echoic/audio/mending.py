"""Replace invalid samples in decoded audio, count them, and warn once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.checks import SATURATION, mend, warn


class Mending:
    """Replace or clip invalid samples in decoded audio, and count them.

    Example:
        >>> mending = Mending()
        >>> wave = np.array([[0.5, np.nan]], np.float32)
        >>> mending(wave).tolist(), mending.n_mended
        ([[0.5, 0.0]], 1)
    """

    def __init__(self) -> None:
        self.n_mended = self.n_clipped = 0

    def __call__(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """The wave with NaN and infinities replaced by 0, clipped at `SATURATION`."""
        clean, n_mended = mend(wave)
        if clean is not wave:
            excess = np.isfinite(wave) & (np.abs(wave) > SATURATION)
            n_clipped = int(np.count_nonzero(excess))
            self.n_mended += n_mended - n_clipped
            self.n_clipped += n_clipped
        return clean

    def warn(self, name: str) -> bool:
        """Issue an `AudioWarning` with the counts, if any; return whether one was issued."""
        said = []
        if self.n_mended:
            said.append(f"{self.n_mended} samples are NaN or infinite; they are replaced by 0")
        if self.n_clipped:
            limit = f"{SATURATION:g} times full scale"
            said.append(f"{self.n_clipped} samples lie above {limit} and are clipped")
        if said:
            warn(f"{name}: {'; '.join(said)}")
        return bool(said)
