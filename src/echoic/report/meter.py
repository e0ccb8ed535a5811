"""The level of each band over a sound of any length, reduced to few columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_count
from echoic.errors import ParameterError


class ColumnMeter:
    """Accumulates the mean power of each band in a fixed number of columns.

    Frame k is added to column ⌊k·columns/frames⌋, so that time maps linearly to
    columns. Memory does not grow with the sound, but its number of frames must
    be known beforehand.

    Args:
        n_frames_total: Frames to come, at least 1.
        n_columns: Maximum number of columns; reduced to the number of frames if that is less.
        n_bands: Bands of the envelopes to come.

    Raises:
        ParameterError: a count below 1.

    Example:
        >>> meter = ColumnMeter(4, n_columns=2, n_bands=1)
        >>> meter.add(np.array([[1.0, 1.0, 0.1]]))
        >>> meter.add(np.array([[0.1]]))
        >>> meter.level_db().round(1).tolist()
        [[0.0, -20.0]]
    """

    def __init__(self, n_frames_total: int, n_columns: int = 2000, *, n_bands: int) -> None:
        for name, count in (
            ("n_frames_total", n_frames_total),
            ("n_columns", n_columns),
            ("n_bands", n_bands),
        ):
            check_count(count, name=name)
        self.n_frames_total = n_frames_total
        self.n_columns = min(n_columns, n_frames_total)
        self.n_added = 0
        self._power = np.zeros((n_bands, self.n_columns))
        self._n_frames = np.zeros(self.n_columns)

    def add(self, envelope: NDArray[np.floating[Any]]) -> None:
        """Add the next frames.

        Args:
            envelope: Amplitudes; any number of frames, including 0.

        Shape:
            envelope (band, frame).

        Raises:
            ParameterError: Wrong number of bands, or more frames than `n_frames_total`.
        """
        if envelope.ndim != 2 or len(envelope) != len(self._power):
            raise ParameterError(
                f"envelope has shape {envelope.shape}, not (band={len(self._power)}, frame)"
            )
        n_frames = envelope.shape[1]
        if self.n_added + n_frames > self.n_frames_total:
            raise ParameterError(
                f"{self.n_added + n_frames} frames added, n_frames_total={self.n_frames_total}"
            )
        if not n_frames:
            return
        end = self.n_added + n_frames
        column = np.arange(self._column(self.n_added), self._column(end - 1) + 1)
        begins = -(-column * self.n_frames_total // self.n_columns)  # first frame, rounded up
        first = np.maximum(begins - self.n_added, 0)  # of each column within this chunk
        power = np.square(envelope, dtype=np.float64)
        self._power[:, column] += np.add.reduceat(power, first, axis=1)
        self._n_frames[column] += np.diff(first, append=n_frames)
        self.n_added = end

    def _column(self, frame: int) -> int:
        """Index of the column that a frame is added to."""
        return frame * self.n_columns // self.n_frames_total

    def power(self) -> NDArray[np.float64]:
        """Mean powers, (band, column); 0 for columns still empty."""
        return self._power / np.maximum(self._n_frames, 1)

    def heard(
        self, center_hz: NDArray[np.floating[Any]], *, sample_rate: float
    ) -> tuple[NDArray[np.float64], NDArray[np.floating[Any]]]:
        """`level_db` and centres of the bands below Nyquist; those above are silent."""
        is_heard = center_hz < sample_rate / 2
        return self.level_db()[is_heard], center_hz[is_heard]

    def level_db(self) -> NDArray[np.float64]:
        """Levels in dB re amplitude 1, (band, column); −inf for silence and columns still empty."""
        with np.errstate(divide="ignore"):
            return 10 * np.log10(self.power())
