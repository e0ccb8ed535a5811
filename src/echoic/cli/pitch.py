"""`echoic pitch`: F0 over time."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from echoic.cli._source import Source
from echoic.cli._table import open_table
from echoic.cli._targets import exist_already, find_targets, made_folders_of
from echoic.cli.common import (
    Force,
    Inputs,
    Jobs,
    Json,
    Quiet,
    Recursive,
    Reporter,
    SkipExisting,
    TableFile,
    Verbose,
    as_usage,
    check_replacing,
)
from echoic.outputs import InputFiles, fresh_file

COLUMNS = ("file", "time_s", "f0_hz", "voicing")

Picture = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Also draw it: a .png; with several inputs, a folder.",
        show_default=False,
    ),
]


def pitch(
    inputs: Inputs,
    output: Picture = None,
    low_hz: Annotated[float, typer.Option(help="Lowest fundamental, 20 or more.")] = 50.0,
    high_hz: Annotated[float, typer.Option(help="Highest fundamental, up to 1000.")] = 600.0,
    hop_ms: Annotated[float, typer.Option(min=1, max=30, help="Milliseconds a frame.")] = 10.0,
    table: TableFile = None,
    recursive: Recursive = False,
    jobs: Jobs = None,
    skip_existing: SkipExisting = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Estimate the pitch: F0 and voicing over time, from the correlogram.

    One line per frame: the time of its centre in seconds, F0 in Hz (- where no pitch
    is found) and voicing, 0 to 1. With --json, F0 is null where no pitch is found.
    Several channels are averaged, inverted ones turned first. -o draws F0 on the
    summary correlogram.
    """
    from echoic.ear import Pitch

    check_replacing(force=force, skip_existing=skip_existing)
    if skip_existing and output is None:
        raise typer.BadParameter("--skip-existing needs -o: nothing else is written")
    if skip_existing and table is not None:
        raise typer.BadParameter("--table needs every input: leave out --skip-existing")
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    settings: dict[str, Any] = {"low_f0_hz": low_hz, "high_f0_hz": high_hz, "hop_s": hop_ms / 1000}
    with as_usage(low_f0_hz=f"--low-hz {low_hz:g}", high_f0_hz=f"--high-hz {high_hz:g}"):
        Pitch(sample_rate=16_000, **settings)  # before any work
    paths = reporter.expand(inputs, recursive=recursive)
    targets = find_targets(paths, output, (".png",), given=inputs) if output else {}
    work = partial(
        pitch_of_one,
        targets=targets,
        read=InputFiles(targets),
        settings=settings,
        skip_existing=skip_existing,
        force=force,
    )
    with made_folders_of(targets, given=inputs):
        reporter.each(
            paths,
            work,
            show_pitch,
            jobs=jobs,
            table=open_table(table, COLUMNS, pitch_rows, inputs=paths, force=force),
        )


def pitch_of_one(
    path: str,
    reporter: Reporter,
    *,
    targets: dict[str, Path],
    read: InputFiles,
    settings: dict[str, Any],
    skip_existing: bool,
    force: bool,
) -> dict[str, Any]:
    """Estimate the pitch of one input, and draw it if it has a target."""
    from echoic.ear import Pitch
    from echoic.errors import AudioError, ParameterError
    from echoic.pipeline.pitch import track_pitch

    target = targets.get(path)
    if target is not None:
        if skip_existing and exist_already(path, [target], reporter):
            return {"file": path, "output": target, "skipped": True}
        read.check_output(target, force=force)
    source = Source(path)
    with reporter.progress(f"hearing {source.name}", total=source.duration_s) as advance:
        try:
            track = track_pitch(source, Pitch(sample_rate=source.sample_rate, **settings), advance)
        except ParameterError as error:  # due to this file, not to the options
            raise AudioError(f"{path}: {error}") from error
    written: dict[str, Any] = {}
    if target is not None:
        with fresh_file(target, force=force) as part:
            part.write_bytes(track.draw(title=Path(path).name))
        reporter.note(f"{path}: wrote {target}")
        written = {"output": target}
    return {
        "file": path,
        **written,
        "sample_rate": source.sample_rate,
        "hop_s": track.hop_s,
        "f0_hz": [round(float(hz), 2) if hz > 0 else None for hz in track.f0_hz],
        "voicing": [round(float(value), 3) for value in track.voicing],
    }


def pitch_rows(record: dict[str, Any]) -> list[list[Any]]:
    """Rows for the CSV table, one per frame."""
    frames = zip(record["f0_hz"], record["voicing"], strict=True)
    return [
        [record["file"], round((k + 0.5) * record["hop_s"], 6), f0_hz, voicing]
        for k, (f0_hz, voicing) in enumerate(frames)
    ]


def show_pitch(record: dict[str, Any]) -> str:
    """Format the frames as text; nothing for an input that was skipped."""
    if "f0_hz" not in record:
        return ""
    rows = [
        f"  {time_s:9.4f}  {'-' if f0_hz is None else format(f0_hz, '.2f'):>8}  {voicing:.3f}"
        for _, time_s, f0_hz, voicing in pitch_rows(record)
    ]
    return "\n".join([record["file"], *rows])
