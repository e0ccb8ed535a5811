"""`echoic hear`: sound events with their onsets and offsets, and a stem for each sound."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from echoic.cli._source import Source
from echoic.cli._table import open_table
from echoic.cli._targets import find_folders, made_folders_of
from echoic.cli.common import (
    Force,
    Inputs,
    Jobs,
    Json,
    Quiet,
    Recursive,
    Reporter,
    TableFile,
    Verbose,
    check_replacing,
    split_commas,
)
from echoic.errors import FileError
from echoic.outputs import InputFiles

COLUMNS = ("file", "label", "onset_s", "offset_s", "confidence")


class StemFormat(StrEnum):
    """File formats of stems."""

    WAV = "wav"
    FLAC = "flac"


Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="With one file this is the hearing's folder, with several or a folder of them they "
        "lie in it. "
        "Default: NAME.hearing here.",
        show_default=False,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--labels",
        metavar="LABEL,…",
        help="Listen for these only (`echoic labels` lists them); what else sounds stays in rest.",
        show_default=False,
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="P",
        help="Confidence that an event must reach, 0 to 1, for all labels alike; default: the "
        "model's own for each.",
        show_default=False,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PART,…",
        help="Write only these: events, stems, picture, page. events.json is always written.",
        show_default=False,
    ),
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Leave out what has been heard already with the same model, labels and thresholds; "
        "what was heard with others is an error.",
    ),
]


def hear(
    inputs: Inputs,
    output: Output = None,
    labels: Labels = None,
    threshold: Threshold = None,
    only: Only = None,
    stem_format: Annotated[
        StemFormat, typer.Option("--stem-format", help="flac holds 24 bits, and clips.")
    ] = StemFormat.WAV,
    table: TableFile = None,
    recursive: Recursive = False,
    jobs: Jobs = None,
    skip_existing: SkipExisting = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Detect the sound events of a scene, and separate each sound into a stem.

    Writes a folder with events.json, .csv and .txt (Audacity labels), one stem
    per sound and rest.wav, which add up to the input, cochleagram.png and
    report.html.
    """
    from echoic.pipeline.folder import check_parts
    from echoic.pipeline.hear import settings_of

    check_replacing(force=force, skip_existing=skip_existing)
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    asked: dict[str, Any] = {"labels": split_commas(labels), "threshold": threshold}
    settings_of(**asked)  # reports wrong usage before any work
    parts = check_parts(split_commas(only))
    paths = reporter.expand(inputs, recursive=recursive)
    folders = find_folders(paths, output, ".hearing", given=inputs)
    work = partial(
        hear_one,
        folders=folders,
        read=InputFiles(paths),
        asked=asked,
        written={"parts": parts, "stem_format": stem_format.value},
        skip_existing=skip_existing,
        force=force,
    )
    with made_folders_of(folders, given=inputs):
        reporter.each(
            paths,
            work,
            None if quiet else show_hearing,
            jobs=jobs,
            table=open_table(
                table, COLUMNS, event_rows, inputs=paths, force=force, renew=skip_existing
            ),
        )


def show_hearing(record: dict[str, Any]) -> str:
    """Format a hearing as a text table."""
    lines = [f"{record['file']}  {record['duration_s']:.2f} s"]
    lines += [
        f"  {e['onset_s']:8.2f} {e['offset_s']:8.2f}  {e['label']:<16} {e['confidence']:.2f}"
        for e in record["events"]
    ]
    if not record["events"]:
        lines.append("  no known sound")
    return "\n".join(lines)


def event_rows(record: dict[str, Any]) -> list[list[Any]]:
    """Rows of a hearing for the CSV table, one per event."""
    return [[record["file"], *(event[name] for name in COLUMNS[1:])] for event in record["events"]]


def read_hearing(
    mark: Path, settings: dict[str, Any], parts: Collection[str], stem_format: str
) -> dict[str, Any]:
    """Load the record of an existing hearing.

    Args:
        mark: Its events.json.
        settings: See `settings_of`.
        parts: The parts it must contain, see `check_parts`.
        stem_format: The file suffix that its stems must have.

    Raises:
        FileError: it is not a hearing's record, for example truncated, it was heard with other
            settings, or a part is missing.
    """
    from echoic.pipeline.folder import lacking_parts

    try:
        record: dict[str, Any] = json.loads(mark.read_text(encoding="utf-8"))
        show_hearing(record)
        event_rows(record)
        lacking = lacking_parts(mark.parent, record, parts, stem_format)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FileError(f"{mark.parent}: its {mark.name} is not of a hearing") from error
    if not settings.items() <= record.items():
        found = "heard with another model, other labels or thresholds"
    elif lacking:
        found = f"without {', '.join(lacking)}"
    else:
        return record
    raise FileError(f"{mark.parent}: exists already, {found} (--force hears it again)")


def hear_one(
    path: str,
    reporter: Reporter,
    *,
    folders: Mapping[str, Path],
    read: InputFiles,
    asked: dict[str, Any],
    written: dict[str, Any],
    skip_existing: bool,
    force: bool,
) -> dict[str, Any]:
    """Hear one input and write its folder atomically.

    Args:
        path: The input.
        reporter: Prints notes and progress.
        folders: The output folder of every input.
        read: All inputs, none of which may lie in the folder.
        asked: Labels and threshold, see `settings_of`.
        written: What is written, see `hear_into`.
        skip_existing: Whether an existing hearing with the same settings is loaded instead.
        force: Whether an existing hearing is replaced.
    """
    from echoic.cli._folder import MARK, former_files, fresh_folder
    from echoic.pipeline.folder import hear_into
    from echoic.pipeline.hear import FirstPass, settings_of

    folder = folders[path]
    if skip_existing and (folder / MARK).is_file():
        record = read_hearing(folder / MARK, settings_of(**asked), **written)
        reporter.note(f"{path}: skipped, {folder} exists already")
        return {**record, "skipped": True}
    read.check_apart(folder)
    former_files(folder, force=force)  # before a pipe is read
    source = Source(path)
    n_passes = 2 if "stems" in written["parts"] else 1
    with (
        fresh_folder(folder, force=force) as part,
        reporter.progress(f"hearing {source.name}", total=n_passes * source.duration_s) as advance,
    ):
        return hear_into(part, source, FirstPass(**asked), advance=advance, **written)
