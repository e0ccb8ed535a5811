"""Plots of sound on ERB-rate axes, and self-contained HTML reports.

`meter` averages band power into columns; `axes`, `canvas` and `plots` draw cochleagrams,
`periods` draws correlograms, pitch and filter responses. `tracks` prepares sounds for a browser,
`markup` assembles an HTML file: `page` (with `lanes`) the report of a hearing, `sounds` a page of
sounds to compare, on which `transfer` (with `outcome` and `charts`) builds the report of a style
transfer. Nothing here depends on a model.
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
