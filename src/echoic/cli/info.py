"""`echoic info`: the format of an audio file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from echoic.cli._table import open_table
from echoic.cli.common import (
    Force,
    Inputs,
    Json,
    Quiet,
    Recursive,
    Reporter,
    TableFile,
    Verbose,
)

COLUMNS = ("file", "format", "subtype", "sample_rate", "channels", "frames", "duration_s")


def info(
    inputs: Inputs,
    table: TableFile = None,
    recursive: Recursive = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what a file is: container, coding, sample rate, channels, length."""
    from echoic.audio import info as read_info

    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    paths = reporter.expand(inputs, recursive=recursive)
    width = max(map(len, paths), default=0)

    def work(path: str, _reporter: Reporter) -> dict[str, Any]:
        found = asdict(read_info(path))
        return {"file": found.pop("path"), **found}

    def show(found: Mapping[str, Any]) -> str:
        n_channels, n_samples = found["channels"], found["frames"]
        channels = "1 channel " if n_channels == 1 else f"{n_channels} channels"
        return (
            f"{found['file']:<{width}}  {found['format']:<4} {found['subtype']:<14} "
            f"{found['sample_rate']:>6} Hz  {channels}  {found['duration_s']:>10.3f} s  "
            f"{n_samples:>10} {'sample' if n_samples == 1 else 'samples'}"
        )

    def rows(found: Mapping[str, Any]) -> list[list[Any]]:
        return [[found[name] for name in COLUMNS]]

    reporter.each(
        paths,
        work,
        show,
        table=open_table(table, COLUMNS, rows, inputs=paths, force=force),
    )
