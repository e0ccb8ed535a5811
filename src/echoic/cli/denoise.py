"""`echoic denoise`: remove noise from speech."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from echoic.cli._dividing import Output, Report, Rest, select_from_all
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
)

if TYPE_CHECKING:
    from echoic.processors.denoise import Denoise


def denoise(
    inputs: Inputs,
    output: Output,
    floor_db: Annotated[
        float | None,
        typer.Option(
            "--floor-db",
            metavar="DB",
            help="Turn noise down by so much only, such as -20: what is left sounds natural. "
            "Default: all the way.",
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
    """Remove the noise from a recording, keeping the speech of one or several talkers.

    The output has the rate, channels and length of the input, sample-aligned.
    """
    if floor_db is not None and not floor_db < 0:
        raise typer.BadParameter(f"--floor-db {floor_db:g}: is not below 0")
    select_from_all(
        inputs,
        partial(make_denoise, floor_db),
        Reporter(as_json=as_json, quiet=quiet, verbose=verbose),
        output=output,
        rest=rest,
        report=report,
        kicker="Denoised by echoic",
        recursive=recursive,
        jobs=jobs,
        skip_existing=skip_existing,
        force=force,
        also_say={} if floor_db is None else {"floor_db": floor_db},
    )


def make_denoise(floor_db: float | None, sample_rate: int, look_ahead_s: float) -> Denoise:
    """Create the processor for a sample rate and a look-ahead."""
    from echoic.processors.denoise import Denoise

    return Denoise(sample_rate=sample_rate, floor_db=floor_db, look_ahead_s=look_ahead_s)
