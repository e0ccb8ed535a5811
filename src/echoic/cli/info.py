"""`echoic info`: the format of an audio file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from echoic.audio import AudioInfo


COLUMNS = ("path", "format", "subtype", "sample_rate", "channels", "frames", "duration_s")


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

    def show(found: AudioInfo) -> str:
        channels = "1 channel " if found.channels == 1 else f"{found.channels} channels"
        return (
            f"{found.path:<{width}}  {found.format:<4} {found.subtype:<14} "
            f"{found.sample_rate:>6} Hz  {channels}  {found.duration_s:>10.3f} s  "
            f"{found.frames:>10} {'sample' if found.frames == 1 else 'samples'}"
        )

    def rows(found: AudioInfo) -> list[list[Any]]:
        return [[getattr(found, name) for name in COLUMNS]]

    reporter.each(
        paths,
        lambda path, _reporter: read_info(path),
        show,
        table=open_table(table, COLUMNS, rows, inputs=paths, force=force),
    )
