"""Options and helpers that the verbs share: inputs, outputs, errors, progress.

A verb is a file `cli/NAME.py` with a function `NAME`, whose docstring is its
help text. Heavy imports go inside the function, so that `echoic --help` is fast::

    def tag(inputs: Inputs, as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False):
        '''Tag a clip.'''
        reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
        paths = reporter.expand(inputs)          # files, folders and globs -> files and "-"
        reporter.each(paths, work, show)         # exits 1 if one failed

`work(path, reporter)` processes one input and returns its record, a dict or
dataclass (or None: nothing to print); `show(record)` formats it as text, whereas
`--json` prints the record itself. `work` does not catch exceptions: each becomes one
line on standard error, and the other inputs are still processed. Inside `work`,
`with reporter.progress("hearing", total=n) as advance: ... advance(1)` shows a progress
bar on a terminal, `reporter.note(...)` prints a note on standard error. With `jobs` the
inputs are distributed over processes, and `work` must be picklable: a module-level
function, or a `functools.partial` of one. For wrong combinations of options `raise
typer.BadParameter(...)`, exit code 2. Files are written by `echoic.audio.open_writer`
and `echoic.outputs.fresh_file`, with `force`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Annotated

import typer

from echoic.cli._reporter import Reporter

__all__ = [
    "Force",
    "Inputs",
    "Jobs",
    "Json",
    "Quiet",
    "Recursive",
    "Reporter",
    "SkipExisting",
    "TableFile",
    "Verbose",
    "check_replacing",
    "import_extra",
    "split_commas",
]

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="IN...",
        help="Audio files, folders (the audio files in them), globs, or - for standard input.",
        show_default=False,
    ),
]
Recursive = Annotated[
    bool, typer.Option("--recursive", help="Folders stand for what lies deeper in them, too.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Files that are worked on at a time, each by a process of its own; default: as "
        "many as there are cores.",
        show_default=False,
    ),
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Leave out results that exist already, whatever options they were written with.",
    ),
]
TableFile = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="FILE.csv",
        help="Also write one table of all inputs.",
        show_default=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print JSON: one object, or one a line for several inputs."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Show where unexpected errors come from.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist already.")]


def check_replacing(*, force: bool, skip_existing: bool) -> None:
    """Check that existing output is to be either replaced or skipped, not both.

    Raises:
        typer.BadParameter: both are set.
    """
    if force and skip_existing:
        raise typer.BadParameter("--force replaces what --skip-existing leaves: give one of them")


def split_commas(values: Sequence[str] | None) -> list[str] | None:
    """Flatten option values, each of which may be a comma-separated list.

    Example:
        >>> split_commas(["speech,rain", "dog_bark"])
        ['speech', 'rain', 'dog_bark']
    """
    if values is None:
        return None
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def import_extra(module: str) -> ModuleType:
    """Import a module that needs the extra `train`.

    Raises:
        MissingExtraError: a package is not installed.
    """
    from echoic.errors import MissingExtraError

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{error.name} is not installed: pip install 'echoic[train]'"
        ) from error
