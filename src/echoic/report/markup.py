"""Common parts of all HTML reports: each is one file that loads nothing else.

It opens from disk; a content security policy restricts the browser to the page's own
script, and names and labels are escaped. `frame.html` encloses the HTML of a page,
`transport.js` plays sounds on one clock and precedes the script of the page.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from echoic.report.axes import (
    band_edges_erb,
    clock_text,
    level_range_db,
    printable,
    time_ticks,
)
from echoic.report.canvas import magma
from echoic.report.plots import RANGE_DB, frequency_ticks, paint_levels
from echoic.report.tracks import Copy

# Neighbours differ much in hue; colour carries no meaning beyond the names of the lanes.
_HUES = (28, 205, 145, 330, 265, 60, 180, 0, 95, 235, 300, 45)


def fill_page(
    name: str,
    *,
    kicker: str,
    title: str,
    facts: Mapping[str, object],
    data: Mapping[str, Any],
    fields: Mapping[str, object],
) -> str:
    """Assemble a page from its templates.

    Args:
        name: Base name of its files, such as "page" for `page.html` and `page.js`; `NAME.css`
            is added to the style that all pages share.
        kicker: Subject of the page, above the title.
        title: Any text.
        facts: {name: value}, below the title.
        data: JSON data for the script; `duration_s` is the initial duration of the player.
        fields: HTML for the placeholders of `NAME.html`.
    """
    script = "\n" + _asset("transport.js") + "\n" + _asset(f"{name}.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    extra = "" if name == "page" else _asset(f"{name}.css")
    return Template(_asset("frame.html")).substitute(
        kicker=as_html(kicker),
        title=as_html(title),
        facts=facts_html(facts),
        duration_s=f"{data['duration_s']:.6f}",
        style=_asset("page.css") + extra,
        script=script,
        script_hash=f"sha256-{digest}",
        body=Template(_asset(f"{name}.html")).substitute(fields),
        # Escaped so that the JSON cannot close its script element.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def _asset(name: str) -> str:
    return resources.files("echoic.report").joinpath(name).read_text(encoding="utf-8")


def as_html(words: object) -> str:
    """Escape any text for HTML content and quoted attributes.

    Example:
        >>> as_html('<b title="x">')
        '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(printable(str(words)), quote=True)


def link(path: Path, folder: Path) -> str:
    """A relative URL from a folder to a file, for an HTML attribute.

    Example:
        >>> link(Path("out/stems/a b.wav"), Path("out"))
        'stems/a%20b.wav'
    """
    return quote(os.fsencode(Path(os.path.relpath(path, folder)).as_posix()))


def color_of(index: int) -> str:
    """CSS colour for the lane of an index that works in the light and the dark theme."""
    return f"hsl({_HUES[index % len(_HUES)]} 62% var(--depth))"


def sound_data(copy: Copy | None) -> dict[str, str | float]:
    """A sound as data for the script; empty if it is not embedded."""
    if copy is None:
        return {}
    return {"sound": base64.b64encode(copy.flac).decode(), "full_scale": copy.gain}


def facts_html(facts: Mapping[str, object]) -> str:
    """Names and values as the content of a `<dl class="facts">`."""
    return "".join(
        f"<div><dt>{as_html(name)}</dt><dd>{as_html(value)}</dd></div>"
        for name, value in facts.items()
    )


def sound_facts(duration_s: float, sample_rate: int, n_channels: int) -> dict[str, object]:
    """The facts about a sound that every page shows."""
    return {
        "Duration": clock_text(duration_s, 1),
        "Sample rate": f"{sample_rate / 1000:g} kHz",
        "Channels": n_channels,
    }


def picture_fields(
    level_db: NDArray[np.floating[Any]],
    center_hz: NDArray[np.floating[Any]],
    *,
    highest_db: float | None = None,
) -> dict[str, str]:
    """Template fields of a cochleagram: the image without axes, ticks in HTML, ranges and colours.

    Args:
        level_db: Levels, (band, column).
        center_hz: Centres of the bands, evenly spaced on the ERB-rate scale.
        highest_db: The brightest level; None: the maximum of `level_db`.
    """
    low_erb, high_erb = band_edges_erb(center_hz)
    low_db, high_db = level_range_db(level_db, RANGE_DB, highest_db=highest_db)
    ticks = frequency_ticks(center_hz, min_gap_erb=0.06 * (high_erb - low_erb))
    return {
        "picture": base64.b64encode(paint_levels(level_db, highest_db=highest_db)).decode(),
        "frequency_ticks": "".join(
            f'<span class="tick" aria-hidden="true" style="bottom:{place:.2%}">{label}</span>'
            for place, label in ticks
        ),
        "low_hz": f"{center_hz[0]:.0f}",
        "high_hz": f"{center_hz[-1]:.0f}",
        "low_db": minus(f"{low_db:.0f}"),
        "high_db": minus(f"{high_db:.0f}"),
        "colors": ",".join(
            f"#{bytes(color).hex()}" for color in magma()[np.linspace(0, 255, 9).astype(int)]
        ),
    }


def minus(number: str) -> str:
    """Replace the hyphen of a number by a minus sign."""
    return number.replace("-", "−")


def time_ticks_html(duration_s: float) -> str:
    """Time ticks, labelled on the right; near the right edge on the left, to avoid overflow."""
    parts = []
    for time_s, label in time_ticks(duration_s):
        percent = 100 * time_s / duration_s
        kind = "tick last" if percent > 92 else "tick"
        parts.append(f'<span class="{kind}" style="left:{percent:.3f}%">{label}</span>')
    return "".join(parts)
