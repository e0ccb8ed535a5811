"""Write a hearing to a folder: events, stems, picture, page."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from echoic.audio import open_writers
from echoic.audio.codings import choose_format
from echoic.ear.design import N_BANDS, design_listening
from echoic.ear.frontend import HOP_S
from echoic.errors import EchoicWarning, ParameterError
from echoic.events import Event, to_audacity, to_csv
from echoic.labels import REST
from echoic.pipeline.hear import FirstPass, heard_labels, separate
from echoic.pipeline.sound import NamedSound, Wave, conditioning_of, ignore_progress
from echoic.pipeline.spool import Spool
from echoic.report.meter import ColumnMeter
from echoic.streaming import FrameClock

PARTS = ("events", "stems", "picture", "page")
STEM_SUBTYPES = {"wav": "FLOAT", "flac": "PCM_24"}


def check_parts(parts: Collection[str] | None) -> Collection[str]:
    """Validate the parts of a hearing to be written; all of them if None.

    Raises:
        ParameterError: an unknown part, or none at all.
    """
    if parts is None:
        return PARTS
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        named = repr(unknown[0]) if unknown else "no part"
        raise ParameterError(f"{named} is not one of {', '.join(PARTS)}")
    return parts


def lacking_parts(
    folder: Path, record: Mapping[str, Any], parts: Collection[str], stem_format: str
) -> list[str]:
    """Name the requested parts that are missing from a hearing written earlier.

    Args:
        folder: Folder of the hearing.
        record: Contents of its `events.json`.
        parts: Requested parts, of `PARTS`.
        stem_format: Requested file suffix of the stems.
    """
    files = {
        "events": ["events.csv", "events.txt"],
        "stems": [f"stems/{label}.{stem_format}" for label in (*record["stems"], REST)],
        "picture": ["cochleagram.png"],
        "page": ["report.html"],
    }
    return [
        f"{stem_format} stems" if part == "stems" else part
        for part in PARTS
        if part in parts and not all((folder / name).is_file() for name in files[part])
    ]


def hear_into(
    folder: Path,
    sound: NamedSound,
    first_pass: FirstPass,
    *,
    parts: Collection[str] = PARTS,
    stem_format: str = "wav",
    advance: Callable[[float], None] = ignore_progress,
) -> dict[str, Any]:
    """Hear a sound and write the hearing to an empty folder.

    Args:
        folder: An existing folder. Nothing is written elsewhere; an unnamed temporary file
            is in it too.
        sound: Read twice, or once without stems; its file once more for the page.
        first_pass: The model, labels and thresholds.
        parts: Parts to write, of `PARTS`; `events.json` is always written.
        stem_format: File suffix of the stems; "flac" stores 24 bits and clips.
        advance: Progress callback, called with the seconds done; with stems their total is
            twice the duration.

    Returns:
        The contents of `events.json`.

    Raises:
        AudioError: the sound cannot be read, or the stem format does not support its
            channels and rate.
    """
    if "stems" in parts:  # fail before any long work
        choose_format(
            folder / f"stems/{REST}.{stem_format}",
            sound.sample_rate,
            sound.n_channels,
            sound.n_samples,
            STEM_SUBTYPES[stem_format],
        )
    started = time.monotonic()
    n_frames = FrameClock(sample_rate=sound.sample_rate, hop_s=HOP_S).n_frames(sound.n_samples)
    meter = ColumnMeter(max(n_frames, 1), n_bands=N_BANDS)
    stems: dict[str, str] = {}
    with Spool(folder) if "stems" in parts else nullcontext() as places:
        conditioning = conditioning_of(sound)
        events = first_pass.listen(
            sound, conditioning, places=places, on_envelope=meter.add, advance=advance
        )
        if places is not None:
            labels = heard_labels(events)
            stems = {label: f"stems/{label}.{stem_format}" for label in (*labels, REST)}
            signals = separate(sound, conditioning, first_pass.model, places, labels, advance)
            write_stems(folder, stems, sound, signals)
    record = {
        "file": sound.path,
        "sample_rate": sound.sample_rate,
        "duration_s": round(sound.duration_s, 6),
        **first_pass.settings,
        "events": [asdict(event) for event in events],
        "stems": stems,
    }
    forms = {"events.json": json.dumps(record, indent=2) + "\n"}
    if "events" in parts:
        forms |= {"events.csv": to_csv(events), "events.txt": to_audacity(events)}
    for name, text in forms.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    write_pictures(folder, sound, record, events, meter, parts, started)
    return record


def write_stems(
    folder: Path,
    stems: dict[str, str],
    sound: NamedSound,
    blocks: Iterable[Wave],
) -> None:
    """Write one file per label, the rest last, from blocks (label + 1, channel, time)."""
    (folder / "stems").mkdir()
    with open_writers(
        [folder / path for path in stems.values()],
        sample_rate=sound.sample_rate,
        channels=sound.n_channels,
        frames=sound.n_samples,
        subtype=STEM_SUBTYPES[Path(stems[REST]).suffix[1:]],
    ) as writers:
        for signals in blocks:
            for writer, signal in zip(writers, signals, strict=True):
                writer.write(signal)


def write_pictures(
    folder: Path,
    sound: NamedSound,
    record: dict[str, Any],
    events: Sequence[Event],
    meter: ColumnMeter,
    parts: Collection[str],
    started: float,
) -> None:
    """Write the cochleagram and the page, if requested."""
    center_hz = design_listening(sample_rate=sound.sample_rate).center_hz
    elapsed_s = time.monotonic() - started
    if "picture" in parts:
        from echoic.report.plots import draw_meter

        png = draw_meter(
            meter,
            center_hz,
            sample_rate=sound.sample_rate,
            duration_s=sound.duration_s,
            title=sound.name,
            events=events,
        )
        (folder / "cochleagram.png").write_bytes(png)
    if "page" in parts:
        from echoic.report.page import write_page

        level_db, heard_hz = meter.heard(center_hz, sample_rate=sound.sample_rate)
        with warnings.catch_warnings():
            # The page reads the sound again; its warnings were issued the first time.
            warnings.simplefilter("ignore", EchoicWarning)
            write_page(
                folder / "report.html",
                source_name=sound.name,
                duration_s=sound.duration_s,
                sample_rate=sound.sample_rate,
                n_channels=sound.n_channels,
                model=record["model"],
                events=events,
                stems={label: folder / path for label, path in record["stems"].items()},
                level_db=level_db,
                center_hz=heard_hz,
                elapsed_s=elapsed_s,
                original=sound.file,
            )
