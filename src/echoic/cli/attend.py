"""`echoic attend`: only these sounds, all but these, or what sounds like this."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from echoic.cli._source import Source
from echoic.cli.common import Force, Json, Quiet, Reporter, Verbose, split_commas


def attend(
    file: Annotated[str, typer.Argument(metavar="IN", help="An audio file, or -.")],
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="OUT", help="The file to write.", show_default=False
        ),
    ],
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="LABEL,…", help="Keep these sounds.")
    ] = None,
    mute: Annotated[
        list[str] | None, typer.Option("--mute", metavar="LABEL,…", help="Mute these sounds.")
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            "--like",
            metavar="EXAMPLE",
            help="Keep what sounds like this file: a few seconds of a sound alone.",
            show_default=False,
        ),
    ] = None,
    rest: Annotated[
        str | None,
        typer.Option(
            "--rest",
            metavar="FILE",
            help="Also write what was left out; both add up to the input.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep only some sounds of a scene, or mute some; `echoic labels` lists their names.

    Same rate, channels and length as the input, sample-aligned.
    """
    from echoic.outputs import check_apart, check_writable
    from echoic.processors.model import check_labels
    from echoic.runtime import find_model

    asked = {"keep": split_commas(keep), "mute": split_commas(mute), "like": like}
    selection: dict[str, Any] = {name: value for name, value in asked.items() if value}
    if len(selection) != 1:
        raise typer.BadParameter("give one of --keep, --mute and --like")
    if output == "-" and as_json:
        raise typer.BadParameter("-o - and --json both write to standard output")
    if rest in {"-", output}:
        raise typer.BadParameter(f"--rest {rest}: must be a file of its own")
    if not like:
        check_labels(next(iter(selection.values())), find_model("hear").labels)
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    outputs = [path for path in (output, rest) if path not in {"-", None}]

    def work(path: str, reporter: Reporter) -> dict[str, Any]:
        from echoic.pipeline.attend import attend_into

        for one in outputs:
            check_apart([path, *([like] if like else [])], one)
            check_writable(one, force=force)
        source = Source(path)
        options = read_example(like) if like else selection
        with reporter.progress(f"attending {source.name}", total=source.duration_s) as advance:
            attend_into(output, source, **options, rest=rest, force=force, advance=advance)
        left = {} if rest is None else {"rest": rest}
        return {"file": path, "output": output} | left | selection

    reporter.each([file], work)


def read_example(path: str) -> dict[str, Any]:
    """An example as options of `Attend`.

    Raises:
        AudioError: it cannot be read, or nothing sounds in it.
    """
    from echoic.audio import read
    from echoic.errors import AudioError
    from echoic.synthesis.activity import active_spans

    wave, sample_rate = read(path)
    if not active_spans(wave, sample_rate=sample_rate):
        raise AudioError(f"{path}: nothing sounds in it")
    return {"like": wave, "like_sample_rate": sample_rate}
