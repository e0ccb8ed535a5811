"""The page about a style transfer: what went in, what came of it, and how it got there.

Content, style and the result of every method stand below one another; then follow the
course of the losses and how much style was won for how much content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from echoic.errors import ParameterError
from echoic.report.outcome import Point, Result, charts_html, table_html
from echoic.report.sounds import Shown, write_sounds_page

_STYLE = 1  # its place on the page


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
        path: The page; complete or not there.
        content: Its name, and the file of what was restyled.
        style: Its name, and the file of what the methods were shown.
        results: One a method, at least one.
        asked: What was asked for, {name: value}.
        vocoder: The control on the trade-off curve, depth after depth.
        trade_off_note: What the curve was judged by, or why there is none.
        force: Whether a page that is there already may be replaced.

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
