"""An HTML page to compare sounds: one row each, with a button to listen and a cochleagram.

One sound plays at a time; switching keeps the position. Its templates are `sounds.html`,
`sounds.css` and `sounds.js` beside this file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.audio import Recording, info
from echoic.ear import Ear
from echoic.outputs import FileSet, fresh_file
from echoic.report.markup import (
    as_html,
    color_of,
    fill_page,
    picture_fields,
    sound_data,
    sound_facts,
    time_ticks_html,
)
from echoic.report.meter import ColumnMeter
from echoic.report.tracks import NOT_PLAYED, Copy, copies_of

N_COLUMNS, N_BANDS, HIGH_HZ = 1200, 80, 16_000.0
_BLOCK_SAMPLES = 1 << 18


class Shown(NamedTuple):
    """A sound on the page: its name, a one-line description, and the file."""

    name: str
    hint: str
    file: Path


@dataclass(frozen=True, eq=False)
class _Lane:
    """A sound with its cochleagram."""

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


def write_sounds_page(
    path: Path,
    *,
    kicker: str,
    title: str,
    sounds: Sequence[Shown],
    chosen: int,
    n_given: int,
    facts: Mapping[str, object],
    own_scale: Collection[int] = (),
    below: str = "",
    force: bool = False,
    together: FileSet | None = None,
) -> None:
    """Write the page.

    Sounds are embedded as FLAC if together they last at most ten minutes and take
    at most 48 MB, at sample rates that FLAC supports.

    Args:
        path: The page, written atomically.
        kicker: Subject of the page, above the title.
        title: Any text.
        sounds: In the order of the page.
        chosen: Index of the sound that is selected initially.
        n_given: Number of inputs, which come first; the other sounds are results.
        facts: {name: value}; duration, rate and channels of the first sound are added.
        own_scale: Indices of sounds on a level scale of their own, not comparable with the others.
        below: HTML that follows.
        force: Whether an existing page may be replaced.
        together: The set of files that it appears with; None: alone.

    Raises:
        FileError: The page cannot be written.
        AudioError: A sound cannot be read.
        ParameterError: The ear does not support the sample rate of a sound.
    """
    lanes = _lanes(sounds)
    about = info(sounds[0].file)
    highest_db = max(float(np.max(lane.level_db)) for lane in lanes if lane.index not in own_scale)
    shared_db = highest_db if np.isfinite(highest_db) else None
    fields = {
        "rows": "\n".join(
            _lane_html(
                lane,
                color="var(--faint)" if lane.index < n_given else color_of(lane.index - n_given),
                highest_db=None if lane.index in own_scale else shared_db,
            )
            for lane in lanes
        ),
        "below": below,
        "notes": _notes_html(lanes, about.channels),
    }
    tracks = [
        {
            "row": lane.element_id,
            "duration_s": lane.duration_s,
            "chosen": lane.index == chosen,
            **sound_data(lane.copy),
        }
        for lane in lanes
    ]
    words = fill_page(
        "sounds",
        kicker=kicker,
        title=title,
        facts={**facts, **sound_facts(about.duration_s, about.sample_rate, about.channels)},
        data={"duration_s": lanes[chosen].duration_s, "tracks": tracks},
        fields=fields,
    )
    with fresh_file(path, force=force, together=together) as part:
        part.write_text(words, encoding="utf-8")


def _lanes(sounds: Sequence[Shown]) -> list[_Lane]:
    """Compute the cochleagram of every sound; either all are embedded or none."""
    files = [Recording(path) for _, _, path in sounds]
    return [
        _Lane(index, name, hint, file.duration_s, *_heard(file), copy)
        for index, ((name, hint, _), file, copy) in enumerate(
            zip(sounds, files, copies_of(files), strict=True)
        )
    ]


def page_ear(sample_rate: float) -> Ear:
    """Create the ear for the cochleagrams.

    Raises:
        ParameterError: the ear does not support this sample rate.
    """
    high_hz = min(HIGH_HZ, 0.475 * sample_rate)
    return Ear(sample_rate=sample_rate, n_bands=N_BANDS, high_hz=high_hz)


def _heard(file: Recording) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Levels (band, column) of the power summed over channels, and centres of the bands."""
    ear = page_ear(file.sample_rate)
    meter = ColumnMeter(max(ear.clock.n_frames(file.n_samples), 1), N_COLUMNS, n_bands=N_BANDS)
    state = None
    for block in file.blocks(_BLOCK_SAMPLES):
        frames, state = ear(block, state)
        meter.add(np.sqrt(np.sum(np.square(frames), axis=0)))
    return meter.level_db(), ear.center_hz


def _lane_html(lane: _Lane, *, color: str, highest_db: float | None) -> str:
    """One row of the page: name, button, cochleagram, and its time axis."""
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
        f'<div class="row" id="{lane.element_id}" style="--hue:{color}">'
        f'<div class="head"><div class="name">{name}</div>'
        f'<div class="hint">{as_html(lane.hint)}</div>{listen}{scale}</div>{picture}</div>'
        '<div class="row times" aria-hidden="true"><div class="head"></div>'
        f'<div class="lane">{time_ticks_html(lane.duration_s)}</div></div>'
    )


def _notes_html(lanes: Sequence[_Lane], n_channels: int) -> str:
    if all(lane.copy is None for lane in lanes):
        return f"<p>{NOT_PLAYED}.</p>"
    words = "<p>Keys: space plays and pauses, ← and → move by 1 s (with shift 10 s), 1 to 9 choose "
    words += "what is heard, at the same place. Copies of 16 bits are played.</p>"
    if n_channels > 2:
        words += f"<p>There are {n_channels} channels; this page plays their mean.</p>"
    return words
