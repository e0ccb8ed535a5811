"""One CSV table over all inputs of a verb."""

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
    """Rows of every record in one file, which appears whole when the block has succeeded.

    Args:
        path: Of the table.
        columns: Their names.
        rows: One record to its rows.
        inputs: What is read, and must not be written over.
        force: Whether a file that is there already may be replaced.
        renew: Whether a table of these columns that is there already may be.

    Raises:
        FileError: it would take an input away; on entering, it cannot be written.
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
    """Whether a file's first line names these columns."""
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
    """The table that `--table` names, if it does; the other arguments as of `Table`.

    Raises:
        typer.BadParameter: it is no .csv.
        FileError: it would take an input away.
    """
    if path is None:
        return None
    if not path.lower().endswith(".csv"):
        raise typer.BadParameter(f"--table {path}: its suffix is not .csv")
    return Table(path, columns, rows, inputs=inputs, force=force, renew=renew)
