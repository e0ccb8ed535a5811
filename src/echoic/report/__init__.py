"""What echoic shows: pictures of sound on the ear's own axes, and pages to open in a browser.

`meter` sums levels up, `axes` and `plots` draw them, `periods` draws correlograms,
pitch and filters. `tracks` prepares sounds for a browser, `markup` puts an HTML file
together: `page` the one about a hearing, `sounds` one of sounds to compare, on which
`transfer` (with `outcome` and `charts`) builds the one about a style transfer. Nothing here
knows a model.
"""

from echoic.report.axes import erb_ticks
from echoic.report.meter import ColumnMeter
from echoic.report.page import write_page
from echoic.report.periods import draw_correlogram, draw_pitch, draw_responses
from echoic.report.plots import draw_cochleagram, paint_levels

__all__ = [
    "ColumnMeter",
    "draw_cochleagram",
    "draw_correlogram",
    "draw_pitch",
    "draw_responses",
    "erb_ticks",
    "paint_levels",
    "write_page",
]
