"""The page about a style transfer: what went in, what came of it, and how it got there.

Content, style and the result of every method have a player and a cochleagram on true axes;
below stand the course of the losses and how much style was won for how much content.
`transfer.html`, `transfer.css` and `transfer.js` lie beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echoic import audio
from echoic.ear import Ear
from echoic.errors import ParameterError
from echoic.outputs import fresh_file
from echoic.report.axes import clock_text
from echoic.report.markup import (
    as_html,
    color_of,
    facts_html,
    fill_page,
    picture_fields,
    sound_data,
    time_ticks_html,
)
from echoic.report.meter import ColumnMeter
from echoic.report.outcome import Point, Result, charts_html, table_html
from echoic.report.tracks import MAX_EMBEDDED_BYTES, MAX_EMBEDDED_S, Copy, encode_flac

N_COLUMNS, N_BANDS, HIGH_HZ = 1200, 80, 16_000.0
_BLOCK_SAMPLES = 1 << 18


@dataclass(frozen=True, eq=False)
class _Lane:
    """A sound with its picture."""

    index: int
    name: str
    hint: str
    duration_s: float
    level_db: NDArray[np.float64]
    center_hz: NDArray[np.float64]
    copy: Copy | None

    @property
    def element_id(self) -> str:
        return f"lane-{self.index}"


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

    Sounds are embedded as FLAC while everything together lasts at most ten
    minutes and takes at most 48 MB.

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
    named = [("content", content[0], content[1]), ("style", style[0], style[1])]
    named += [(result.method, result.summary, result.sound) for result in results]
    lanes = _lanes(named)
    about = audio.info(content[1])
    facts = {
        **asked,
        "Duration": clock_text(about.duration_s, 1),
        "Sample rate": f"{about.sample_rate / 1000:g} kHz",
        "Channels": about.channels,
    }
    chosen = lanes[2]  # the first result
    # The style's level is lost in a transfer: the other pictures share theirs.
    highest_db = max(float(np.max(lane.level_db)) for lane in lanes if lane is not lanes[1])
    shared_db = highest_db if np.isfinite(highest_db) else None
    fields = {
        "content": as_html(content[0]),
        "style_name": as_html(style[0]),
        "facts": facts_html(facts),
        "duration_s": f"{chosen.duration_s:.6f}",
        "rows": "\n".join(
            _lane_html(lane, None if lane is lanes[1] else shared_db) for lane in lanes
        ),
        "table": table_html(results),
        "charts": charts_html(results, vocoder, trade_off_note),
        "notes": _notes_html(lanes, about.channels),
    }
    tracks = [
        {
            "row": lane.element_id,
            "duration_s": lane.duration_s,
            "chosen": lane is chosen,
            **sound_data(lane.copy),
        }
        for lane in lanes
    ]
    words = fill_page(
        "transfer",
        title=f"{content[0]} in the style of {style[0]}",
        data={"duration_s": chosen.duration_s, "tracks": tracks},
        fields=fields,
    )
    with fresh_file(path, force=force) as part:
        part.write_text(words, encoding="utf-8")


def _lanes(named: Sequence[tuple[str, str, Path]]) -> list[_Lane]:
    """Every sound heard by the ear; all are embedded, or none."""
    durations_s = [audio.info(path).duration_s for _, _, path in named]
    copies: list[Copy | None] = [None] * len(named)
    if sum(durations_s) <= MAX_EMBEDDED_S:
        encoded = [encode_flac(path) for _, _, path in named]
        if sum(len(copy.flac) for copy in encoded) <= MAX_EMBEDDED_BYTES:
            copies = [*encoded]
    return [
        _Lane(index, name, hint, duration_s, *_heard(path), copy)
        for index, ((name, hint, path), duration_s, copy) in enumerate(
            zip(named, durations_s, copies, strict=True)
        )
    ]


def page_ear(sample_rate: float) -> Ear:
    """The ear behind the pictures.

    Raises:
        ParameterError: no ear has this sample rate.
    """
    high_hz = min(HIGH_HZ, 0.475 * sample_rate)
    return Ear(sample_rate=sample_rate, n_bands=N_BANDS, high_hz=high_hz)


def _heard(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Levels (band, column), of the summed power of all channels, and centres of the bands."""
    about = audio.info(path)
    ear = page_ear(about.sample_rate)
    meter = ColumnMeter(ear.clock.n_frames(about.frames), N_COLUMNS, n_bands=N_BANDS)
    state = None
    for block in audio.blocks(path, _BLOCK_SAMPLES):
        frames, state = ear(block, state)
        meter.add(np.sqrt(np.sum(np.square(frames), axis=0)))
    return meter.level_db(), ear.center_hz


def _lane_html(lane: _Lane, highest_db: float | None) -> str:
    """Name and button, the cochleagram, and its own axis of time."""
    fields = picture_fields(lane.level_db, lane.center_hz, highest_db=highest_db)
    name, key = as_html(lane.name), lane.index + 1
    listen = ""
    if lane.copy is not None:
        listen = (
            '<div class="controls"><button type="button" data-does="listen" aria-pressed="false" '
            f'aria-label="Listen to {name}">Listen</button>'
            + (f'<kbd title="This key chooses {name}">{key}</kbd>' if key <= 9 else "")
            + "</div>"
        )
    scale = (
        '<div class="scale" role="img" aria-label="Brightness from {low_db} to {high_db} decibels">'
        '<span>{low_db}</span><i style="background:linear-gradient(to right,{colors})"></i>'
        "<span>{high_db} dB</span></div>"
    ).format(**fields)
    picture = (
        '<div class="lane picture" data-seek><img src="data:image/png;base64,{picture}" '
        'alt="Cochleagram of {name}: level over time and centre frequency, {low_hz} to '
        '{high_hz} Hz">{frequency_ticks}</div>'
    ).format(name=name, **fields)
    return (
        f'<div class="row" id="{lane.element_id}" style="--hue:{_color(lane.index)}">'
        f'<div class="head"><div class="name">{name}</div>'
        f'<div class="hint">{as_html(lane.hint)}</div>{listen}{scale}</div>{picture}</div>'
        '<div class="row times" aria-hidden="true"><div class="head"></div>'
        f'<div class="lane">{time_ticks_html(lane.duration_s)}</div></div>'
    )


def _color(index: int) -> str:
    return "var(--faint)" if index < 2 else color_of(index - 2)


def _notes_html(lanes: Sequence[_Lane], n_channels: int) -> str:
    if all(lane.copy is None for lane in lanes):
        return (
            f"<p>The sounds together last more than {MAX_EMBEDDED_S / 60:.0f} minutes or take "
            f"more than {MAX_EMBEDDED_BYTES >> 20} MB, too much to be played within this page.</p>"
        )
    words = "<p>Keys: space plays and pauses, ← and → move by 1 s (with shift 10 s), 1 to 9 choose "
    words += "what is heard, at the same place. Copies of 16 bits are played.</p>"
    if n_channels > 2:
        words += f"<p>The content has {n_channels} channels; this page plays their mean.</p>"
    return words
