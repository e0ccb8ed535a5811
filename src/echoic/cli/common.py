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

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Annotated

import typer

from echoic.cli._reporter import Reporter
from echoic.errors import EchoicError, MissingExtraError

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
    "as_usage",
    "check_replacing",
    "check_sound_name",
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


@contextmanager
def as_usage(**typed: str) -> Iterator[None]:
    """Report errors that the block raises as wrong usage, in the words of the command line.

    Args:
        typed: Parameter of the library -> the option as it was typed.

    Raises:
        typer.BadParameter: the block has raised an `EchoicError`.

    Example:
        >>> with as_usage(hop_s="--hop-ms 0"):
        ...     raise EchoicError("hop_s=0.0 is not above 0")
        Traceback (most recent call last):
        typer._click.exceptions.BadParameter: --hop-ms 0 is not above 0
    """
    try:
        yield
    except EchoicError as error:
        words = re.sub(r"\b(\w+)=[^\s,]+", lambda found: typed.get(found[1], found[0]), str(error))
        raise typer.BadParameter(words) from error


def check_sound_name(output: str) -> None:
    """Reject the name of an output whose suffix is that of no sound that can be written.

    Raises:
        typer.BadParameter: it is.
    """
    from echoic.audio.codings import check_suffix

    with as_usage():
        check_suffix(output)


def split_commas(values: Sequence[str] | None) -> list[str] | None:
    """Flatten option values, each of which may be a comma-separated list.

    Raises:
        typer.BadParameter: there is nothing between the commas.

    Example:
        >>> split_commas(["speech,rain", "dog_bark"])
        ['speech', 'rain', 'dog_bark']
    """
    if values is None:
        return None
    parts = [part.strip() for value in values for part in value.split(",") if part.strip()]
    if values and not parts:
        raise typer.BadParameter(f"{values[0]!r} lists nothing")
    return parts


def import_extra(module: str) -> ModuleType:
    """Import a module that needs the extra `train`.

    Raises:
        MissingExtraError: a package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{error.name} is not installed: pip install 'echoic[train]'"
        ) from error
