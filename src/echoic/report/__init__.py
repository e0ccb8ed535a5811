"""What echoic shows: pictures of sound on the ear's own axes, and the page about a hearing.

`meter` sums levels up, `axes` and `plots` draw them, `tracks` prepares stems
for a browser, `page` puts one HTML file together. Nothing here knows a model.
"""

from echoic.report.axes import erb_ticks
from echoic.report.meter import ColumnMeter
from echoic.report.page import write_page
from echoic.report.plots import draw_cochleagram, paint_levels

__all__ = [
    "ColumnMeter",
    "draw_cochleagram",
    "erb_ticks",
    "paint_levels",
    "write_page",
]
