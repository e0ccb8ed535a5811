"""Raster plots with axes, drawn with Pillow, which is fast to import."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import combining, normalize

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

# Every eighth colour of magma (van der Walt and Smith 2015, CC0): perceptually uniform, and
# readable in grey.
_MAGMA = (
    "0000040303120a0822130d341d114729115a36106b440f7651127c5d177f6a1c81762181832681902a819c2e7f"
    "aa337db73779c43c75d0416fdc4869e75263ef5d5ef56b5cf9795dfc8961fd9869fea772feb67cfec488fed395"
    "fde2a3fcf0b2fcfdbf"
)
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf")
_TEXT_PX, _TICK_PX, _GAP_PX = 20, 7, 6
_SMOOTHING = 4  # oversampling factor for anti-aliased lines
Ticks = Sequence[tuple[float, str]]


class Box(NamedTuple):
    """The rectangle of a panel, in pixels from the upper left, edges included."""

    left: int
    top: int
    right: int
    bottom: int

    def x(self, fraction: float) -> int:
        """Pixel column of a position from 0 (left) to 1 (right)."""
        return self.left + round(fraction * (self.right - self.left))

    def y(self, fraction: float) -> int:
        """Pixel row of a position from 0 (bottom) to 1 (top)."""
        return self.bottom - round(fraction * (self.bottom - self.top))


@lru_cache(maxsize=1)
def magma() -> NDArray[np.uint8]:
    """The colour map, (256, 3), from dark to bright."""
    anchors = np.frombuffer(bytes.fromhex(_MAGMA), np.uint8).reshape(-1, 3)
    place = np.linspace(0, len(anchors) - 1, 256)
    columns = [np.interp(place, np.arange(len(anchors)), anchors[:, k]) for k in range(3)]
    return np.round(np.stack(columns, axis=-1)).astype(np.uint8)


def paint(shade: NDArray[np.floating[Any]]) -> Image:
    """Map values from 0 to 1, (row, column), to an image with the first row at the bottom."""
    from PIL import Image

    index = np.clip(np.round(255 * shade[::-1]), 0, 255).astype(np.uint8)
    return Image.fromarray(magma()[index])


def drawable(text: str) -> str:
    """Reduce text to the characters of the font: diacritics are dropped, others become "?".

    Example:
        >>> drawable("café 猫")
        'cafe ?'
    """
    plain = [c for c in normalize("NFKD", text) if not combining(c)]
    return "".join(c if c.isascii() or c in "·…" else "?" for c in plain)


def text_width_px(words: str) -> int:
    """Width of a text when drawn, in pixels."""
    return round(_font().getlength(drawable(words)))


class Canvas:
    """An RGB image, initially white, with methods to draw panels, axes and text.

    Args:
        width_px: Of the image.
        height_px: Of the image.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        from PIL import Image, ImageDraw

        self.image = Image.new("RGB", (width_px, height_px), "white")
        self._draw = ImageDraw.Draw(self.image)

    def text(self, x: int, y: int, words: str, *, anchor: str = "la") -> None:
        """Draw text at a position; the anchor is one of Pillow's, such as "mm" for the middle."""
        self._draw.text((x, y), drawable(words), fill="black", font=_font(), anchor=anchor)

    def text_up(self, x: int, y: int, words: str) -> None:
        """Draw text rotated to read upwards, centred at a position."""
        from PIL import Image, ImageDraw

        left, top, right, bottom = _font().getbbox(drawable(words))
        size = (round(right - left) + 2, round(bottom - top) + 2)
        paper = Image.new("RGB", size, "white")
        at = (1 - left, 1 - top)
        ImageDraw.Draw(paper).text(at, drawable(words), fill="black", font=_font())
        turned = paper.transpose(Image.Transpose.ROTATE_90)
        self.image.paste(turned, (x - turned.width // 2, y - turned.height // 2))

    def frame(self, box: Box) -> None:
        """Draw the outline of a panel."""
        self._draw.rectangle(box, outline="black")

    def shades(self, box: Box, shade: NDArray[np.floating[Any]]) -> None:
        """Fill a panel with values from 0 to 1, (row, column), the first row at the bottom."""
        from PIL import Image

        size = (box.right - box.left + 1, box.bottom - box.top + 1)
        # Downsample by averaging, upsample by nearest neighbour.
        narrow = (min(size[0], shade.shape[1]), min(size[1], shade.shape[0]))
        painted = paint(shade).resize(narrow, Image.Resampling.BOX)
        self.image.paste(painted.resize(size, Image.Resampling.NEAREST), box[:2])

    def bar(self, box: Box, start: float, stop: float, color: str, *, strength: float = 1) -> None:
        """Fill a panel from `start` to `stop` of its width (0 to 1); `strength` 0 is white."""
        from PIL import Image, ImageColor

        ink = Image.new("RGB", (1, 1), ImageColor.getrgb(color))
        mixed = Image.blend(Image.new("RGB", (1, 1), "white"), ink, strength).getpixel((0, 0))
        self._draw.rectangle((box.x(start), box.top, box.x(stop), box.bottom), fill=mixed)

    def line(self, box: Box, points: NDArray[np.floating[Any]], color: str, *, width: int) -> None:
        """Draw a line through points (n, 2), each 0 to 1, within a panel; NaN interrupts it."""
        from PIL import Image, ImageDraw

        size = np.array([box.right - box.left, box.bottom - box.top]) * _SMOOTHING
        mask = Image.new("L", (int(size[0]), int(size[1])), 0)
        pen = ImageDraw.Draw(mask)
        places = np.stack([points[:, 0], 1 - points[:, 1]], axis=1) * size
        breaks = np.flatnonzero(~np.isfinite(places).all(axis=1))
        for part in np.split(places, breaks):
            kept = part[np.isfinite(part).all(axis=1)]
            if len(kept) > 1:
                pen.line([(x, y) for x, y in kept], fill=255, width=width * _SMOOTHING)
        mask = mask.reduce(_SMOOTHING)
        self.image.paste(color, box[:2], mask)

    def ticks_left(self, box: Box, ticks: Ticks, label: str = "") -> None:
        """Draw ticks, at positions from 0 to 1, on the left edge of a panel."""
        self._ticks_beside(box, box.left, -1, ticks, label)

    def ticks_right(self, box: Box, ticks: Ticks, label: str = "") -> None:
        """Draw ticks, at positions from 0 to 1, on the right edge of a panel."""
        self._ticks_beside(box, box.right, 1, ticks, label)

    def _ticks_beside(self, box: Box, edge: int, away: int, ticks: Ticks, label: str) -> None:
        """Draw ticks, their text and the label beside an edge; `away` is −1 (left) or 1 (right)."""
        reach = 0
        for place, words in ticks:
            y, tip = box.y(place), edge + away * _TICK_PX
            self._draw.line((min(edge, tip), y, max(edge, tip), y), fill="black")
            self.text(tip + away * _GAP_PX, y, words, anchor="lm" if away > 0 else "rm")
            reach = max(reach, text_width_px(words))
        if label:
            x = edge + away * (_TICK_PX + 2 * _GAP_PX + reach + _TEXT_PX // 2)
            self.text_up(x, (box.top + box.bottom) // 2, label)

    def ticks_below(self, box: Box, ticks: Ticks, label: str = "") -> None:
        """Draw ticks, at positions from 0 to 1, on the lower edge of a panel."""
        for place, words in ticks:
            x = box.x(place)
            self._draw.line((x, box.bottom, x, box.bottom + _TICK_PX), fill="black")
            self.text(x, box.bottom + _TICK_PX + _GAP_PX, words, anchor="ma")
        if label:
            y = box.bottom + _TICK_PX + 2 * _GAP_PX + _TEXT_PX
            self.text((box.left + box.right) // 2, y, label, anchor="ma")

    def shade_bar(self, beside: Box, ticks: Ticks, label: str) -> None:
        """Draw a colour bar on the right of a panel."""
        bar = Box(beside.right + 25, beside.top, beside.right + 55, beside.bottom)
        self.shades(bar, np.linspace(0, 1, 256)[:, np.newaxis])
        self.frame(bar)
        self.ticks_right(bar, ticks, label)

    def png(self) -> bytes:
        """Encode as PNG; equal pictures give equal bytes."""
        return as_png(self.image)


def as_png(image: Image) -> bytes:
    """Encode an image as PNG; zlib only matches runs, which here is as small and faster."""
    png = BytesIO()
    image.save(png, "PNG", compress_type=zlib.Z_RLE)
    return png.getvalue()


@lru_cache(maxsize=1)
def _font() -> FreeTypeFont | ImageFont:
    """Pillow's built-in font."""
    from PIL import ImageFont

    return ImageFont.load_default(_TEXT_PX)
