"""`echoic hear`: what sounds, when, and each sound by itself."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echoic.cli._source import Source, name_results
from echoic.cli.common import Force, Inputs, Json, Quiet, Reporter, Verbose
from echoic.errors import EchoicWarning

if TYPE_CHECKING:
    from echoic.audio import Wave
    from echoic.events import Event
    from echoic.report.meter import ColumnMeter

Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="With one input this is the hearing's folder, with several they lie in it. "
        "Default: NAME.hearing here.",
        show_default=False,
    ),
]


def hear(
    inputs: Inputs,
    output: Output = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Hear a scene: what sounds, when, and each sound by itself.

    Writes a folder with events.json, .csv and .txt (Audacity labels), one stem
    a sound and rest.wav, which add up to the input, cochleagram.png and
    report.html.
    """
    from echoic.outputs import check_apart

    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    paths = reporter.expand(inputs)
    names = name_results(paths, ".hearing")

    def work(path: str) -> dict[str, Any]:
        folder = Path(names[path])
        if output is not None:
            folder = Path(output) if len(paths) == 1 else Path(output) / folder
        check_apart(paths, folder)
        return hear_source(Source(path), folder, force=force, reporter=reporter)

    reporter.each(paths, work, None if quiet else show_hearing)


def show_hearing(record: dict[str, Any]) -> str:
    """A hearing as a table for people."""
    lines = [f"{record['file']}  {record['duration_s']:.2f} s"]
    lines += [
        f"  {e['onset_s']:8.2f} {e['offset_s']:8.2f}  {e['label']:<15} {e['confidence']:.2f}"
        for e in record["events"]
    ]
    if not record["events"]:
        lines.append("  no known sound")
    return "\n".join(lines)


def hear_source(source: Source, folder: Path, *, force: bool, reporter: Reporter) -> dict[str, Any]:
    """Hear one input into its folder, which appears whole or not at all."""
    from echoic.cli._folder import fresh_folder
    from echoic.ear.frontend import HOP_S
    from echoic.processors.hear import hear_events, heard_labels
    from echoic.report.meter import ColumnMeter
    from echoic.streaming import FrameClock

    started = time.monotonic()
    rate = source.sample_rate
    n_frames = FrameClock(sample_rate=rate, hop_s=HOP_S).n_frames(source.n_samples)
    meter = ColumnMeter(max(n_frames, 1), n_bands=64)
    with (
        fresh_folder(folder, force=force) as part,
        reporter.progress(f"hearing {source.name}", total=2 * source.duration_s) as advance,
    ):
        events = hear_events(
            metered(source, meter, advance), sample_rate=rate, duration_s=source.duration_s
        )
        stems = write_stems(source, part, heard_labels(events), advance)
        record = {
            "file": source.path,
            "sample_rate": rate,
            "duration_s": round(source.duration_s, 6),
            "model": "hear",
            "events": [asdict(event) for event in events],
            "stems": stems,
        }
        elapsed_s = time.monotonic() - started
        write_results(source, part, record, events, meter, elapsed_s=elapsed_s)
    return record


def metered(source: Source, meter: ColumnMeter, advance: Callable[[float], None]) -> Iterator[Wave]:
    """The blocks of the source, their cochleagram taken on the way."""
    import numpy as np

    from echoic.ear import Ear
    from echoic.ear.frontend import HOP_S

    ear = Ear(sample_rate=source.sample_rate, hop_s=HOP_S)
    state = None
    for block in source.blocks(advance):
        envelope, state = ear(block, state)
        meter.add(np.sqrt(np.square(envelope).sum(axis=0)))
        yield block


def write_stems(
    source: Source, folder: Path, labels: Sequence[str], advance: Callable[[float], None]
) -> dict[str, str]:
    """Write one float WAV a label and rest.wav; return label -> path within the folder."""
    from echoic.audio import open_writer
    from echoic.labels import REST
    from echoic.processors.separate import separate_blocks

    stems = {label: f"stems/{label}.wav" for label in (*labels, REST)}
    (folder / "stems").mkdir()
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                open_writer(
                    folder / path,
                    sample_rate=source.sample_rate,
                    channels=source.n_channels,
                    frames=source.n_samples,
                    subtype="FLOAT",
                )
            )
            for path in stems.values()
        ]
        blocks = source.blocks(advance)
        for signals in separate_blocks(blocks, labels=labels, sample_rate=source.sample_rate):
            for writer, signal in zip(writers, signals, strict=True):
                writer.write(signal)
    return stems


def write_results(
    source: Source,
    folder: Path,
    record: dict[str, Any],
    events: Sequence[Event],
    meter: ColumnMeter,
    *,
    elapsed_s: float,
) -> None:
    """Write the events in three forms, the picture and the page."""
    from echoic.ear.design import design_listening
    from echoic.events import to_audacity, to_csv
    from echoic.report.page import write_page
    from echoic.report.plots import draw_cochleagram

    text = {"encoding": "utf-8", "newline": "\n"}
    (folder / "events.json").write_text(json.dumps(record, indent=2) + "\n", **text)
    (folder / "events.csv").write_text(to_csv(events), **text)
    (folder / "events.txt").write_text(to_audacity(events), **text)
    center_hz = design_listening(sample_rate=source.sample_rate).center_hz
    level_db = meter.level_db()
    draw_cochleagram(
        level_db,
        center_hz,
        source.duration_s,
        title=source.name,
        path=folder / "cochleagram.png",
        events=events,
    )
    with warnings.catch_warnings():
        # The page reads the sound again; what is odd about it has been said.
        warnings.simplefilter("ignore", EchoicWarning)
        write_page(
            folder / "report.html",
            source_name=source.name,
            duration_s=source.duration_s,
            sample_rate=source.sample_rate,
            n_channels=source.n_channels,
            model=record["model"],
            events=events,
            stems={label: folder / path for label, path in record["stems"].items()},
            level_db=level_db,
            center_hz=center_hz,
            elapsed_s=elapsed_s,
            original=source.file,
        )
