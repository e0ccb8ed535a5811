"""One CSV table of all inputs of a verb."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any

import typer

from echoic.outputs import InputFiles, fresh_file

Rows = Callable[[Any], Iterable[Sequence[Any]]]


class Table:
    """A CSV file with the rows of every record, written atomically when the block succeeds.

    Args:
        path: Of the table.
        columns: Names of the columns.
        rows: Returns the rows of one record.
        inputs: Input files, which must not be overwritten.
        force: Whether an existing file may be replaced.
        renew: Whether an existing table with the same columns may be replaced.

    Raises:
        FileError: it would overwrite an input; on entering, it cannot be written.
    """

    def __init__(
        self,
        path: str,
        columns: Sequence[str],
        rows: Rows,
        *,
        inputs: Iterable[str],
        force: bool,
        renew: bool = False,
    ) -> None:
        InputFiles(inputs).check_apart(path)
        self._path, self._columns, self._rows = path, columns, rows
        self._force = force or (renew and _begins_with(path, columns))
        self._stack = ExitStack()

    def __enter__(self) -> Table:
        part = self._stack.enter_context(fresh_file(self._path, force=self._force))
        file = part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        self._writer = csv.writer(self._stack.enter_context(file), lineterminator="\n")
        self._writer.writerow(self._columns)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, record: Any) -> None:
        """Write the rows of one record."""
        self._writer.writerows(self._rows(record))


def _begins_with(path: str, columns: Sequence[str]) -> bool:
    """Whether the first line of a file is the header of these columns."""
    with suppress(OSError), open(path, "rb") as file:
        return file.readline(1024).rstrip(b"\r\n") == ",".join(columns).encode()
    return False


def table_or_none(
    path: str | None,
    columns: Sequence[str],
    rows: Rows,
    *,
    inputs: Iterable[str],
    force: bool,
    renew: bool = False,
) -> Table | None:
    """The table for `--table`; None without it. The other arguments are those of `Table`.

    Raises:
        typer.BadParameter: its suffix is not .csv.
        FileError: it would overwrite an input.
    """
    if path is None:
        return None
    if not path.lower().endswith(".csv"):
        raise typer.BadParameter(f"--table {path}: its suffix is not .csv")
    return Table(path, columns, rows, inputs=inputs, force=force, renew=renew)
