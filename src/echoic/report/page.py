"""The HTML report of a hearing: cochleagram, events, and a synchronised player of all stems.

Its templates are `page.html`, `page.css` and `page.js` beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.events import Event
from echoic.outputs import fresh_file
from echoic.report.lanes import (
    Lane,
    collect_lanes,
    event_table_html,
    is_playable,
    lane_html,
)
from echoic.report.markup import (
    as_html,
    fill_page,
    link,
    picture_fields,
    sound_data,
    sound_facts,
    time_ticks_html,
)
from echoic.report.tracks import NOT_PLAYED


def write_page(
    path: Path,
    *,
    source_name: str,
    duration_s: float,
    sample_rate: int,
    n_channels: int,
    model: str,
    events: Sequence[Event],
    stems: Mapping[str, Path],
    level_db: NDArray[np.floating[Any]],
    center_hz: NDArray[np.floating[Any]],
    elapsed_s: float,
    original: Path | None,
    force: bool = False,
) -> None:
    """Write the page: cochleagram, events, and a synchronised player of all stems.

    Sounds are embedded as FLAC if together they last at most ten minutes and take
    at most 48 MB, at sample rates that FLAC supports; otherwise the page only links to
    the files. Links are relative: to the stems, and to `events.json` and `events.csv`
    if they lie beside the page.

    Args:
        path: The page, written atomically.
        source_name: Name of the recording, for the title.
        duration_s: Of the recording.
        sample_rate: Hz, of the recording.
        n_channels: Of the recording; above two the page plays their mean.
        model: Name of the model.
        events: Detected events; may be empty.
        stems: Label to audio file, in the order of the lanes; all of the same rate, channels
            and length.
        level_db: Levels for the picture, spanning the whole duration.
        center_hz: Centres of the bands, evenly spaced on the ERB-rate scale.
        elapsed_s: Processing time of the hearing.
        original: The recording, if it is a file that can be read again; without it the
            sum of the stems is played, or nothing if there are no stems either.
        force: Whether an existing page may be replaced.

    Shape:
        level_db (band, column); center_hz (band,).

    Raises:
        ParameterError: The duration is not positive, shapes do not agree, the
            centres are uneven, or the stems differ in rate, channels or length.
        FileError: The page cannot be written.
        AudioError: A stem cannot be read.
    """
    if not duration_s > 0 or level_db.shape[:1] != center_hz.shape or not level_db.size:
        raise ParameterError(
            f"duration_s={duration_s}, level_db {level_db.shape}, center_hz {center_hz.shape}: "
            "need a duration above 0, (band, column) and (band,)"
        )
    lanes = collect_lanes(events, stems, original)
    fields = {
        "time_ticks": time_ticks_html(duration_s),
        "rows": "\n".join(lane_html(lane, lanes, path.parent, duration_s) for lane in lanes),
        "events": event_table_html(events),
        "downloads": _downloads(lanes, path.parent),
        "notes": _notes(lanes, n_channels),
        **picture_fields(level_db, center_hz),
    }
    speed = f"{duration_s / elapsed_s:.3g} × real time" if elapsed_s > 0 else "not measured"
    facts = sound_facts(duration_s, sample_rate, n_channels) | {"Model": model, "Speed": speed}
    words = fill_page(
        "page",
        kicker="What echoic heard in",
        title=source_name,
        facts=facts,
        data=_data(lanes, duration_s),
        fields=fields,
    )
    with fresh_file(path, force=force) as part:
        part.write_text(words, encoding="utf-8")


def _data(lanes: Sequence[Lane], duration_s: float) -> dict[str, Any]:
    """The data for the script."""
    tracks = [
        {"row": lane.element_id, "mixture": lane.is_mixture, **sound_data(lane.copy)}
        for lane in lanes
        if is_playable(lane, lanes)
    ]
    return {"duration_s": duration_s, "tracks": tracks}


def _downloads(lanes: Sequence[Lane], folder: Path) -> str:
    links = [
        f'<a href="{name}" download>{name}</a>'
        for name in ("events.json", "events.csv")
        if (folder / name).exists()
    ]
    links += [
        f'<a href="{link(lane.path, folder)}" download>{as_html(lane.path.name)}</a>'
        for lane in lanes
        if lane.path is not None and not lane.is_mixture
    ]
    return "Beside this page: " + " · ".join(links)


def _notes(lanes: Sequence[Lane], n_channels: int) -> str:
    """Notes on what the page plays, or why it plays nothing."""
    if all(lane.path is None for lane in lanes):
        return "<p>There is nothing to play: no stems were written, and the sound is no file.</p>"
    if not any(is_playable(lane, lanes) for lane in lanes):
        return f"<p>{NOT_PLAYED}; the links lead to the files.</p>"
    keys = "<p>Keys: space plays and pauses, ← and → move by 1 s (with shift 10 s), "
    keys += "1 to 9 solo a sound, 0 the mixture.</p>"
    coding = "<p>This page plays copies of 16 bits; the files beside it are exact.</p>"
    if n_channels > 2:
        coding += f"<p>The sound has {n_channels} channels; this page plays their mean.</p>"
    return keys + coding
