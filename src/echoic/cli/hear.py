"""`echoic hear`: what sounds, when, and each sound by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echoic.cli._source import Source, name_results
from echoic.cli.common import Force, Inputs, Json, Quiet, Reporter, Verbose

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
    from echoic.pipeline.folder import hear_into
    from echoic.pipeline.hear import Listener

    with (
        fresh_folder(folder, force=force) as part,
        reporter.progress(f"hearing {source.name}", total=2 * source.duration_s) as advance,
    ):
        return hear_into(part, source, Listener(), advance=advance)
