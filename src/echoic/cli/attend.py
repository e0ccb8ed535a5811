"""`echoic attend`: keep or mute sounds by label, or keep what sounds like an example."""

from __future__ import annotations

import os
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echoic.cli._dividing import Output, Report, Rest, select_from_all
from echoic.cli._inputs import STDIN
from echoic.cli.common import (
    Force,
    Inputs,
    Jobs,
    Json,
    Quiet,
    Recursive,
    Reporter,
    SkipExisting,
    Verbose,
    split_commas,
)

if TYPE_CHECKING:
    from echoic.processors.attend import Attend


def attend(
    inputs: Inputs,
    output: Output,
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
            help="Keep what sounds like this file: a few seconds of a sound alone. Of a voice, "
            "keep that talker.",
            show_default=False,
        ),
    ] = None,
    rest: Rest = None,
    report: Report = None,
    recursive: Recursive = False,
    jobs: Jobs = None,
    skip_existing: SkipExisting = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep only some sounds of a scene, or mute some; `echoic labels` lists their names.

    The output has the rate, channels and length of the input, sample-aligned.
    """
    from echoic.processors.model import check_labels
    from echoic.runtime import find_model

    asked = {"keep": split_commas(keep), "mute": split_commas(mute), "like": like}
    selection: dict[str, Any] = {name: value for name, value in asked.items() if value}
    if len(selection) != 1:
        raise typer.BadParameter("give one of --keep, --mute and --like")
    is_pipe = like is not None and (like == STDIN or Path(like).is_fifo())
    if is_pipe and not (len(inputs) == 1 and os.path.isfile(inputs[0])):
        raise typer.BadParameter(f"--like needs a file: {like} can be read once, for one input")
    if not like:
        check_labels(next(iter(selection.values())), find_model("hear").labels)
    select_from_all(
        inputs,
        partial(make_attend, selection),
        Reporter(as_json=as_json, quiet=quiet, verbose=verbose),
        output=output,
        rest=rest,
        report=report,
        kicker="Attention by echoic",
        recursive=recursive,
        jobs=jobs,
        skip_existing=skip_existing,
        force=force,
        also_read=[like] if like else [],
        also_say=selection,
    )


def make_attend(selection: dict[str, Any], sample_rate: int, look_ahead_s: float) -> Attend:
    """Create the processor for a sample rate and a look-ahead."""
    from echoic.processors.attend import Attend

    options = read_example(selection["like"]) if "like" in selection else selection
    return Attend(sample_rate=sample_rate, look_ahead_s=look_ahead_s, **options)


@lru_cache(maxsize=1)  # shared by all inputs
def read_example(path: str) -> dict[str, Any]:
    """Load an example; return it as options of `Attend`.

    Raises:
        AudioError: it cannot be read, or nothing sounds in it.
    """
    from echoic.audio import read
    from echoic.errors import AudioError, ParameterError
    from echoic.processors.example import check_example

    wave, sample_rate = read(path)
    try:
        check_example(wave, sample_rate=sample_rate)
    except ParameterError as error:
        raise AudioError(f"{path}: {error}") from error
    return {"like": wave, "like_sample_rate": sample_rate}
