"""The lanes of the page: the events and the stem of every label on one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from echoic.events import Event
from echoic.labels import REST
from echoic.report.axes import clock_text
from echoic.report.markup import as_html, color_of, link
from echoic.report.tracks import N_CURVE_POINTS, Copy, Track, curve_path, load_tracks


@dataclass(frozen=True, eq=False)
class Lane:
    """One label with its events and its stem.

    Attributes:
        index: 0 for the mixture, then counted from 1.
        label: The label; "mixture" for index 0.
        events: Of this label; empty for the mixture.
        path: The audio file, if there is one.
        track: The loaded sound, if there is one.
        key: The digit key that solos it, or "".
    """

    index: int
    label: str
    events: Sequence[Event]
    path: Path | None
    track: Track | None
    key: str

    @property
    def is_mixture(self) -> bool:
        """Whether this is the lane of the mixture."""
        return self.index == 0

    @property
    def element_id(self) -> str:
        """The id of its HTML element."""
        return f"lane-{self.index}"

    @property
    def copy(self) -> Copy | None:
        """The embedded sound, if there is one."""
        return self.track.copy if self.track else None

    @property
    def color(self) -> str:
        """CSS colour that works in the light and the dark theme."""
        if self.is_mixture or self.label == REST:
            return "var(--faint)"
        return color_of(self.index - 1)


def collect_lanes(
    events: Sequence[Event], stems: Mapping[str, Path], original: Path | None
) -> list[Lane]:
    """Lanes of the mixture, then of every label with a stem or events; the residual is last."""
    labels = list(dict.fromkeys([*stems, *(event.label for event in events)]))
    labels.sort(key=lambda label: label == REST)
    mixture, loaded = load_tracks(list(stems.values()), original)
    tracks = dict(zip(stems, loaded, strict=True))
    keys = dict(zip((label for label in labels if label in stems), "123456789", strict=False))
    lanes = [Lane(0, "mixture", (), original, mixture, "0")]
    for index, label in enumerate(labels, start=1):
        own = [event for event in events if event.label == label]
        track, key = tracks.get(label), keys.get(label, "")
        lanes.append(Lane(index, label, own, stems.get(label), track, key))
    return lanes


def is_playable(lane: Lane, lanes: Sequence[Lane]) -> bool:
    """Whether the page embeds its sound; the mixture may also be played as the sum of the stems."""
    return lane.copy is not None or (lane.is_mixture and any(one.copy for one in lanes))


def lane_html(lane: Lane, lanes: Sequence[Lane], folder: Path, duration_s: float) -> str:
    """One row of the page: name, buttons, events and level curve."""
    hint = ""
    if lane.is_mixture:
        hint = "everything together"
    elif lane.label == REST:
        hint = "what was left"
    curve = _curve_html(lane, lanes)
    spans = "".join(_event_html(event, duration_s) for event in lane.events)
    return (
        f'<div class="row" id="{lane.element_id}" style="--hue:{lane.color}">'
        f'<div class="head"><div class="name">{as_html(lane.label)}</div>'
        f'<div class="hint">{hint}</div>{_controls_html(lane, lanes, folder)}</div>'
        f'<div class="lane" data-seek>{curve}{spans}</div></div>'
    )


def _controls_html(lane: Lane, lanes: Sequence[Lane], folder: Path) -> str:
    name = as_html(lane.label)
    parts = []
    if is_playable(lane, lanes):
        parts += [
            f'<button type="button" data-does="{does.lower()}" aria-pressed="false" '
            f'aria-label="{does} {name}">{does}</button>'
            for does in (["Solo"] if lane.is_mixture else ["Solo", "Mute"])
        ]
        if lane.key:
            parts.append(f'<kbd title="This key solos {name}">{lane.key}</kbd>')
    if lane.path is not None and not lane.is_mixture:
        url = link(lane.path, folder)
        parts.append(
            f'<a href="{url}" download aria-label="Download {name}">'
            f"{as_html(lane.path.suffix[1:].upper())}</a>"
        )
    return f'<div class="controls">{"".join(parts)}</div>'


def _curve_html(lane: Lane, lanes: Sequence[Lane]) -> str:
    """The level curve as SVG, on a scale common to all lanes."""
    if lane.track is None:
        return ""
    loudest = [np.max(one.track.level_db) for one in lanes if one.track is not None]
    highest_db = float(np.max(loudest))
    path = curve_path(lane.track.level_db, highest_db if np.isfinite(highest_db) else 0.0)
    return (
        f'<svg viewBox="0 0 {N_CURVE_POINTS} 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="{path}"/></svg>'
    )


def _event_html(event: Event, duration_s: float) -> str:
    left = 100 * min(max(event.onset_s / duration_s, 0), 1)
    right = 100 * min(max(event.offset_s / duration_s, 0), 1)
    words = as_html(
        f"{event.label}, {clock_text(event.onset_s, 2)} to {clock_text(event.offset_s, 2)}, "
        f"confidence {event.confidence:.0%}"
    )
    opacity = 0.25 + 0.75 * event.confidence
    return (
        f'<span class="event" role="img" title="{words}" aria-label="{words}" '
        f'style="left:{left:.3f}%;width:{max(right - left, 0):.3f}%;opacity:{opacity:.2f}"></span>'
    )


def event_table_html(events: Sequence[Event]) -> str:
    """Table of all events, sorted by onset; each onset is a button that seeks to it."""
    if not events:
        return "<p>No known sound was heard.</p>"
    head = "<tr><th>Sound</th><th>Onset (s)</th><th>Offset (s)</th><th>Confidence</th></tr>"
    body = "\n".join(
        f'<tr><th scope="row">{as_html(event.label)}</th>'
        f'<td><button type="button" data-does="jump" data-at="{event.onset_s:.3f}" '
        f'title="Go there">{event.onset_s:.2f}</button></td>'
        f"<td>{event.offset_s:.2f}</td><td>{event.confidence:.0%}</td></tr>"
        for event in sorted(events, key=lambda event: (event.onset_s, event.label))
    )
    return (
        '<div class="scroller" tabindex="0" role="region" aria-labelledby="events-title">'
        f"<table><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )
