"""Pictures of what the ear hears, on true axes.

Frequency is drawn on the ERB-rate scale, where bands of the ear lie evenly, and
labelled in Hz; time in seconds; levels in dB re a full-scale sine at the band's
centre, since that is the amplitude 1 of an envelope. Matplotlib is imported
where it draws, through its object-oriented side only: no window, no global
figure, and no user's style, so that the same numbers give the same picture.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.events import Event
from echoic.report.axes import band_edges_erb, erb_ticks, level_range_db, printable
from echoic.units import hz_to_erb_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Levels = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Picture:
    """The style that all pictures share.

    Attributes:
        width_px: Of the whole picture.
        height_px: Of the whole picture without lanes of events.
        lane_px: What each lane of events adds to the height.
        dots_per_inch: Turns points, in which type is measured, into pixels.
        colormap: A name of matplotlib's; perceptually uniform, readable in grey.
        range_db: What is so far below the loudest place is as dark as silence.
    """

    width_px: int = 1600
    height_px: int = 800
    lane_px: int = 40
    dots_per_inch: int = 150
    colormap: str = "magma"
    range_db: float = 80.0

    def figure(self, *, n_lanes: int = 0) -> Figure:
        """An empty figure of this size, which belongs to no window."""
        from matplotlib.figure import Figure

        height_px = self.height_px + n_lanes * self.lane_px
        inches = (self.width_px / self.dots_per_inch, height_px / self.dots_per_inch)
        return Figure(figsize=inches, dpi=self.dots_per_inch, layout="constrained")


PICTURE = Picture()
# The version of matplotlib is no part of a picture.
_METADATA: Any = {"Software": None}


def paint_levels(level_db: Levels, *, picture: Picture = PICTURE) -> bytes:
    """A PNG of the levels alone, one pixel a value, low bands at the bottom.

    Shape:
        level_db (band, column) -> an image of `column` by `band` pixels.
    """
    from matplotlib import colormaps
    from matplotlib.image import imsave

    low_db, high_db = level_range_db(level_db, picture.range_db)
    shade = np.clip((level_db[::-1] - low_db) / (high_db - low_db), 0, 1)
    png = BytesIO()
    colors = colormaps[picture.colormap](shade, bytes=True)
    imsave(png, colors, format="png", metadata=_METADATA)
    return png.getvalue()


def draw_cochleagram(
    level_db: Levels,
    center_hz: NDArray[np.floating[Any]],
    duration_s: float,
    *,
    title: str,
    path: str | Path | BytesIO,
    events: Sequence[Event] = (),
    picture: Picture = PICTURE,
) -> None:
    """Draw levels over time and frequency as a PNG, with its axes and a colour bar.

    Args:
        level_db: Levels; −inf is silence.
        center_hz: Centres of the bands, even on the ERB-rate scale.
        duration_s: The time that the columns span.
        title: Any text; it is drawn letter by letter.
        path: Where the PNG goes, whatever its suffix; replaced if there.
        events: Drawn below, one lane a label.
        picture: Size and colours.

    Shape:
        level_db (band, column); center_hz (band,).

    Raises:
        ParameterError: The shapes do not agree, there is nothing to draw, or
            the centres are uneven.
    """
    if level_db.ndim != 2 or not level_db.size or len(level_db) != len(center_hz):
        raise ParameterError(
            f"level_db has shape {level_db.shape}, not (band={len(center_hz)}, column)"
        )
    if not duration_s > 0:
        raise ParameterError(f"duration_s={duration_s} is not above 0")
    labels = list(dict.fromkeys(event.label for event in events))
    with drawn_to(path, picture, n_lanes=len(labels)) as figure:
        heights = [picture.height_px] + [picture.lane_px * len(labels)] * bool(labels)
        upper, *lower = figure.subplots(
            len(heights), sharex=True, squeeze=False, height_ratios=heights
        )[:, 0]
        _draw_levels(figure, upper, level_db, center_hz, duration_s, picture)
        upper.set_title(printable(title), parse_math=False, loc="left")
        for axes in lower:
            _draw_lanes(axes, labels, events)
        [upper, *lower][-1].set_xlabel("time (s)")


@contextmanager
def drawn_to(
    path: str | Path | BytesIO, picture: Picture = PICTURE, *, n_lanes: int = 0
) -> Iterator[Figure]:
    """A figure in the one style, written as a PNG when the block has succeeded."""
    from matplotlib import style

    with style.context("default"), warnings.catch_warnings():
        # A title in a script that the font lacks is drawn with boxes; that harms nothing.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = picture.figure(n_lanes=n_lanes)
        yield figure
        figure.savefig(path, format="png", metadata=_METADATA)


def _draw_levels(
    figure: Any,
    axes: Any,
    level_db: Levels,
    center_hz: NDArray[np.floating[Any]],
    duration_s: float,
    picture: Picture,
) -> None:
    low_erb, high_erb = band_edges_erb(center_hz)
    low_db, high_db = level_range_db(level_db, picture.range_db)
    image = axes.imshow(
        np.maximum(level_db, low_db),  # −inf would spread over its neighbours when scaled down
        origin="lower",
        aspect="auto",
        extent=(0, duration_s, low_erb, high_erb),
        vmin=low_db,
        vmax=high_db,
        cmap=picture.colormap,
    )
    label_erb_axis(axes.yaxis, float(center_hz[0]), float(center_hz[-1]))
    axes.set_ylabel("centre frequency (Hz)")
    figure.colorbar(image, ax=axes, pad=0.01, label="level (dB re full-scale sine)")


def label_erb_axis(axis: Any, low_hz: float, high_hz: float) -> None:
    """Write round frequencies in Hz along an axis that counts ERB-rate."""
    ticks = erb_ticks(low_hz, high_hz)
    axis.set_ticks([float(hz_to_erb_rate(hz)) for hz, _ in ticks], [text for _, text in ticks])


def _draw_lanes(axes: Any, labels: Sequence[str], events: Sequence[Event]) -> None:
    for lane, label in enumerate(labels):
        own = [event for event in events if event.label == label]
        spans = [(event.onset_s, event.offset_s - event.onset_s) for event in own]
        shades = [0.25 + 0.75 * event.confidence for event in own]
        axes.broken_barh(spans, (lane - 0.35, 0.7), color=f"C{lane % 10}", alpha=shades)
    names = [printable(label) for label in labels]
    axes.set_yticks(range(len(labels)), names, parse_math=False)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)
