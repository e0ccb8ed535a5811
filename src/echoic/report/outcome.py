"""Results of a style transfer as a table and charts: losses, cost, and the trade-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from echoic.report.charts import Line, chart_svg
from echoic.report.markup import as_html, color_of, minus


class Point(NamedTuple):
    """The position of a result between content and style.

    Attributes:
        depth: How far the content's envelopes are kept, dB per dB.
        gap: Fraction of the distance between content and style that is closed, up to 1.
        passes: Whether the result is neither a mixture nor a copy.
    """

    depth: float
    gap: float
    passes: bool


@dataclass(frozen=True)
class Result:
    """The result of one method.

    Attributes:
        method: Name of the method.
        summary: Description in one line.
        sound: The audio file.
        losses: Of every window and evaluation, {term: weighted loss}; empty for methods that do
            not optimise.
        loss: Of the sound, the mean over windows; None where nothing was optimised.
        cpu_s: CPU time in seconds.
        interrupted: Whether it was stopped early.
        point: Its point in the trade-off chart, if there is one.
    """

    method: str
    summary: str
    sound: Path
    losses: Sequence[Sequence[Mapping[str, float]]]
    loss: float | None
    cpu_s: float
    interrupted: bool = False
    point: Point | None = None

    def course(self) -> list[dict[str, float]]:
        """The losses of every evaluation, averaged over the windows that reached it.

        Terms may differ between rounds; a term that a window does not have counts as 0.
        """
        rows = [
            [window[k] for window in self.losses if k < len(window)]
            for k in range(max(map(len, self.losses), default=0))
        ]
        return [
            {name: sum(losses.get(name, 0.0) for losses in row) / len(row) for name in _terms(row)}
            for row in rows
        ]


def _terms(losses: Sequence[Mapping[str, float]]) -> list[str]:
    """The names of all terms, in order of first appearance."""
    return list(dict.fromkeys(name for terms in losses for name in terms))


def table_html(results: Sequence[Result]) -> str:
    """The table of figures, one row per method."""
    heads = ["Method", "Evaluations", "Loss at first", "Loss of the result", "CPU (s)"]
    heads += ["Depth (dB/dB)", "Gap closed", "Gates"]
    rows = "".join(
        f'<tr><th scope="row">{as_html(result.method)}</th>'
        + "".join(f"<td>{as_html(value)}</td>" for value in _figures(result))
        + "</tr>"
        for result in results
    )
    return (
        '<div class="scroller" tabindex="0" role="region" aria-labelledby="figures-title"><table>'
        f"<thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _figures(result: Result) -> tuple[str, ...]:
    course = result.course()
    first = _loss_text(sum(course[0].values()) if course else None)
    point = result.point
    placed = ["–", "–", "–"]
    if point is not None:
        gates = "passed" if point.passes else "a mixture or a copy"
        placed = [*(minus(f"{round(x, 2) + 0.0:.2f}") for x in point[:2]), gates]
    n_evaluations = sum(len(window) for window in result.losses)
    evaluations = f"{n_evaluations}{', stopped early' if result.interrupted else ''}"
    return (evaluations, first, _loss_text(result.loss), f"{result.cpu_s:.1f}", *placed)


def _loss_text(loss: float | None) -> str:
    if loss is None:
        return "–"
    return f"{loss:,.0f}" if loss >= 1000 else f"{loss:.4g}"


def charts_html(results: Sequence[Result], vocoder: Sequence[Point], trade_off_note: str) -> str:
    """The trade-off chart, if there are points, and the loss chart of every method with losses."""
    figures = [_losses_html(result) for result in results]
    placed = [
        Line(
            result.method,
            [(result.point.depth, result.point.gap)],
            color_of(index),
            joined=False,
            hollow=not result.point.passes,
        )
        for index, result in enumerate(results)
        if result.point is not None
    ]
    if placed or vocoder:
        swept = [(point.depth, point.gap) for point in vocoder]
        chart = chart_svg(
            [Line("vocoder, swept", swept, "var(--faint)"), *placed],
            title="Trade-off: how much of the gap to the style is closed over the depth kept",
            x_label="content kept: depth (dB per dB)",
            y_label="gap to the style closed",
        )
        words = (
            "The vocoder learns nothing: a method is better than it if above its line. Rings are "
            f"mixtures or copies. {trade_off_note}"
        )
        figures.insert(0, _figure_html("Style against content", chart, words))
    elif trade_off_note:
        figures.insert(0, f"<p>{as_html(trade_off_note)}</p>")
    return f'<section class="charts" aria-label="Charts">{"".join(figures)}</section>'


def _losses_html(result: Result) -> str:
    """The loss chart of one method; empty if it has no losses to draw."""
    course = result.course()
    totals = [sum(losses.values()) for losses in course]
    if not any(np.isfinite(total) and total > 0 for total in totals):
        return ""
    terms = _terms(course)
    lines = [Line("sum", list(enumerate(totals, start=1)), "var(--ink)")]
    lines += [
        Line(
            name,
            list(enumerate((losses.get(name, np.nan) for losses in course), 1)),
            color_of(index),
        )
        for index, name in enumerate(terms)
        if len(terms) > 1
    ]
    title = f"Losses of {result.method}"
    chart = chart_svg(lines, title=title, x_label="evaluation", y_label="weighted loss", log_y=True)
    words = "Every evaluation, those of the line search among them."
    if len(result.losses) > 1:
        words += f" Means of {len(result.losses)} windows of the content."
    return _figure_html(title, chart, words)


def _figure_html(title: str, chart: str, words: str) -> str:
    return (
        f"<figure><h2>{as_html(title)}</h2>{chart}<figcaption>{as_html(words)}</figcaption>"
        "</figure>"
    )
