"""One CSV table of all inputs of a verb."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import typer

from echoic.outputs import InputFiles, fresh_file


@contextmanager
def open_table(
    path: str | None,
    columns: Sequence[str],
    rows: Callable[[Any], Iterable[Sequence[Any]]],
    *,
    inputs: Iterable[str],
    force: bool,
    renew: bool = False,
) -> Iterator[Callable[[Any], None]]:
    """Write the table for `--table`, atomically when the block succeeds.

    Args:
        path: Of the table; None: nothing is written.
        columns: Names of the columns.
        rows: Returns the rows of one record.
        inputs: Input files, which must not be overwritten.
        force: Whether an existing file may be replaced.
        renew: Whether an existing table with the same columns may be replaced.

    Yields:
        A function that adds the rows of a record.

    Raises:
        typer.BadParameter: its suffix is not .csv.
        FileError: it would overwrite an input, or cannot be written.
    """
    if path is None:
        yield lambda _record: None
        return
    if not path.lower().endswith(".csv"):
        raise typer.BadParameter(f"--table {path}: its suffix is not .csv")
    InputFiles(inputs).check_apart(path)
    force = force or (renew and _begins_with(path, columns))
    with (
        fresh_file(path, force=force) as part,
        part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        yield lambda record: writer.writerows(rows(record))


def _begins_with(path: str, columns: Sequence[str]) -> bool:
    """Whether the first line of a file is the header of these columns."""
    if not os.path.isfile(path):  # reading from a named pipe would block
        return False
    with suppress(OSError), open(path, "rb") as file:
        return file.readline(1024).rstrip(b"\r\n") == ",".join(columns).encode()
    return False
