"""`echoic voices`: separate two talkers and the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from echoic.cli._dividing import Report, divide_all
from echoic.cli._targets import find_folders, made_folders_of
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
    check_replacing,
)

if TYPE_CHECKING:
    from echoic.processors.voices import Voices


def voices(
    inputs: Inputs,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="The folder to write into; with several inputs or a folder of them, each gets a "
            "folder NAME.voices in it.",
            show_default=False,
        ),
    ],
    report: Report = None,
    recursive: Recursive = False,
    jobs: Jobs = None,
    skip_existing: SkipExisting = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Separate two talkers.

    Writes voice-1.wav, voice-2.wav and background.wav, which add up to the input and have its
    rate, channels and length, sample-aligned.
    """
    from echoic.processors.voices import Voices

    check_replacing(force=force, skip_existing=skip_existing)
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    paths = reporter.expand(inputs, recursive=recursive)
    folders = find_folders(paths, output, ".voices", given=inputs)
    with made_folders_of(folders, given=inputs):
        divide_all(
            paths,
            make_voices,
            reporter,
            files={
                part: {path: str(folder / f"{part}.wav") for path, folder in folders.items()}
                for part in Voices.parts
            },
            given=inputs,
            folders=folders,
            report=report,
            kicker="Two talkers by echoic",
            jobs=jobs,
            skip_existing=skip_existing,
            force=force,
            also_say={},
        )


def make_voices(sample_rate: int, look_ahead_s: float) -> Voices:
    """Create the processor for a sample rate and a look-ahead."""
    from echoic.processors.voices import Voices

    return Voices(sample_rate=sample_rate, look_ahead_s=look_ahead_s)
