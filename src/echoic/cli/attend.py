"""`echoic attend`: only these sounds, or all but these."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from echoic.cli._source import Source
from echoic.cli.common import Force, Json, Quiet, Reporter, Verbose


def attend(
    file: Annotated[str, typer.Argument(metavar="IN", help="An audio file, or -.")],
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="OUT", help="The file to write.", show_default=False
        ),
    ],
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="LABEL", help="Keep this sound.")
    ] = None,
    mute: Annotated[
        list[str] | None, typer.Option("--mute", metavar="LABEL", help="Mute this sound.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep only some sounds of a scene, or mute some. Both options may be repeated.

    Same rate, channels and length as the input, sample-aligned.
    """
    from echoic.outputs import check_apart, check_writable
    from echoic.processors.separate import check_labels
    from echoic.runtime import find_model

    if bool(keep) == bool(mute):
        raise typer.BadParameter("give either --keep or --mute")
    if output == "-" and as_json:
        raise typer.BadParameter("-o - and --json both write to standard output")
    wanted = check_labels(keep or mute or (), find_model("hear").labels)
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)

    def work(path: str) -> dict[str, Any]:
        if output != "-":
            check_apart([path], output)
            check_writable(output, force=force)
        source = Source(path)
        with reporter.progress(f"attending {source.name}", total=source.duration_s) as advance:
            write_attended(source, output, wanted, keeps=bool(keep), force=force, advance=advance)
        return {"file": path, "output": output, "keep" if keep else "mute": list(wanted)}

    reporter.each([file], work)


def write_attended(
    source: Source, output: str, labels: tuple[str, ...], *, keeps: bool, force: bool, advance: Any
) -> None:
    """Attend block by block into a file that appears whole or not at all."""
    from echoic.audio import open_writer
    from echoic.processors.separate import separate_blocks

    with open_writer(
        output,
        sample_rate=source.sample_rate,
        channels=source.n_channels,
        frames=source.n_samples,
        force=force,
    ) as writer:
        blocks = source.blocks(advance)
        for signals in separate_blocks(blocks, labels=labels, sample_rate=source.sample_rate):
            writer.write(signals[:-1].sum(axis=0) if keeps else signals[-1])
