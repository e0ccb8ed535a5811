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
    from echoic.processors.model import check_labels
    from echoic.runtime import find_model

    if bool(keep) == bool(mute):
        raise typer.BadParameter("give either --keep or --mute")
    if output == "-" and as_json:
        raise typer.BadParameter("-o - and --json both write to standard output")
    wanted = check_labels(keep or mute or (), find_model("hear").labels)
    selection: dict[str, Any] = {"keep" if keep else "mute": wanted}
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)

    def work(path: str, reporter: Reporter) -> dict[str, Any]:
        from echoic.pipeline.attend import attend_into

        if output != "-":
            check_apart([path], output)
            check_writable(output, force=force)
        source = Source(path)
        with reporter.progress(f"attending {source.name}", total=source.duration_s) as advance:
            attend_into(output, source, **selection, force=force, advance=advance)
        return {"file": path, "output": output} | selection

    reporter.each([file], work)
