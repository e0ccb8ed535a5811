"""The HTML report of a style transfer: inputs, results, losses and trade-off.

Content, style and the result of every method are listed as sounds to compare, followed by a
table of figures, the trade-off between style and content, and the losses over evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from echoic.errors import ParameterError
from echoic.report.outcome import Point, Result, charts_html, table_html
from echoic.report.sounds import Shown, write_sounds_page

_STYLE = 1  # its index on the page


def write_transfer_page(
    path: Path,
    *,
    content: tuple[str, Path],
    style: tuple[str, Path],
    results: Sequence[Result],
    asked: Mapping[str, object],
    vocoder: Sequence[Point] = (),
    trade_off_note: str = "",
    force: bool = False,
) -> None:
    """Write the page.

    Args:
        path: The page, written atomically.
        content: Its name, and the file that was restyled.
        style: Its name, and the file of the part that the methods were given.
        results: One per method, at least one.
        asked: Settings of the transfer, {name: value}.
        vocoder: The control of the trade-off chart, in order of depth.
        trade_off_note: How style likeness was judged, or why there is no trade-off curve.
        force: Whether an existing page may be replaced.

    Raises:
        ParameterError: There is no result.
        FileError: The page cannot be written.
        AudioError: A sound cannot be read.
    """
    if not results:
        raise ParameterError("results is empty: there is nothing to show")
    given = [Shown("content", *content), Shown("style", *style)]
    figures = (
        '<section class="figures" aria-labelledby="figures-title">'
        f'<h2 id="figures-title">What was done</h2>{table_html(results)}</section>'
    )
    write_sounds_page(
        path,
        kicker="Style transfer by echoic",
        title=f"{content[0]} in the style of {style[0]}",
        sounds=[*given, *(Shown(one.method, one.summary, one.sound) for one in results)],
        chosen=len(given),
        n_given=len(given),
        facts=asked,
        own_scale=[_STYLE],  # a style's level is lost in a transfer
        below=figures + charts_html(results, vocoder, trade_off_note),
        force=force,
    )
