"""Output paths of the inputs, and the folders for them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from echoic.cli._inputs import AUDIO_SUFFIXES, is_one_file
from echoic.cli._source import name_results
from echoic.errors import FileError
from echoic.outputs import describe_os_error

if TYPE_CHECKING:
    from echoic.cli.common import Reporter

STDOUT = "-"


def find_targets(
    paths: list[str],
    output: Path,
    suffixes: Sequence[str],
    *,
    suffix: str | None = None,
    given: Sequence[str],
) -> dict[str, Path]:
    """Return the output path of each input: `output`, or a file in it if it is a folder.

    Args:
        paths: The inputs.
        output: A file for one input, a folder for several and for those of a folder.
        suffixes: Allowed suffixes; the first is the default in a folder.
        suffix: The requested suffix, if any.
        given: The arguments as typed.

    Raises:
        typer.BadParameter: The suffix is unknown or contradicts the requested one,
            a folder is needed and a file named, or two results would have the same name.
    """
    if not paths:
        return {}
    if is_one_file(paths, given) and not os.path.isdir(output):
        if output.suffix.lower() not in suffixes:
            wanted = " nor ".join(suffixes)
            raise typer.BadParameter(
                f"{output}: its suffix is {'neither' if len(suffixes) > 1 else 'not'} {wanted}"
            )
        if suffix not in (None, output.suffix.lower()):
            raise typer.BadParameter(f"{output}: its suffix is not {suffix}")
        return {paths[0]: output}
    names = name_results(paths, suffix or suffixes[0], given=given)
    check_folder_name(output, suffixes, needed_by="several inputs, or those of a folder, need")
    return {path: output / name for path, name in names.items()}


def find_folders(
    paths: Sequence[str], output: str | None, suffix: str, *, given: Sequence[str]
) -> dict[str, Path]:
    """Map each input to its output folder: the output itself for one file, else a folder in it.

    Args:
        paths: The inputs.
        output: As typed; None: the current folder.
        suffix: Of the folders' names, after those of the inputs.
        given: The arguments as typed.

    Raises:
        typer.BadParameter: a file is named, or two results would have the same name.
    """
    if output is not None:
        check_folder_name(Path(output), needed_by="the results need")
    if output is not None and is_one_file(paths, given):
        return dict.fromkeys(paths, Path(output))
    names = name_results(paths, suffix, given=given)
    return {path: Path(output or "") / name for path, name in names.items()}


def check_folder_name(output: Path, suffixes: Sequence[str] = (), *, needed_by: str) -> None:
    """Reject a file where a folder is needed: the name of none, or one that only a file has.

    Args:
        output: As typed.
        suffixes: Of files, besides those of sounds.
        needed_by: What needs a folder, with the verb.

    Raises:
        typer.BadParameter: it is no folder, and exists, is standard output, or has such a suffix.
    """
    if os.path.isdir(output):
        return
    names_file = output.suffix.lower() in {*AUDIO_SUFFIXES, *suffixes}
    if names_file or str(output) == STDOUT or os.path.exists(output):
        raise typer.BadParameter(f"{output}: names no folder; {needed_by} one")


def exist_already(path: str, files: Sequence[str | Path], reporter: Reporter) -> bool:
    """Whether all results of an input exist already, which a note then says.

    Args:
        path: The input.
        files: Its results.
        reporter: Prints the note.
    """
    if not all(os.path.isfile(file) for file in files):
        return False
    exist = "exist" if len(files) > 1 else "exists"
    reporter.note(f"{path}: skipped, {' and '.join(map(str, files))} {exist} already")
    return True


@contextmanager
def made_folders(*folders: Path) -> Iterator[None]:
    """Create folders and their parents; if the block raises, remove those that are new and empty.

    Raises:
        FileError: one cannot be created.
    """
    new: list[Path] = []  # the deepest first
    try:
        for folder in folders:
            new = [one for one in (folder, *folder.parents) if not os.path.lexists(one)] + new
            try:
                if not os.path.isdir(folder):
                    folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                words = describe_os_error(error)
                raise FileError(f"{folder}: cannot be made: {words}") from error
        yield
    except BaseException:
        for one in new:
            with suppress(OSError):
                one.rmdir()
        raise


def made_folders_of(
    *outputs: Mapping[str, str | Path], given: Sequence[str]
) -> AbstractContextManager[None]:
    """As `made_folders`, for the outputs of several inputs; not for those of a single file.

    Args:
        outputs: {input: file or folder}, one mapping per kind of output.
        given: The arguments as typed.
    """
    several = [files for files in outputs if not is_one_file([*files], given)]
    return made_folders(*{Path(file).parent for files in several for file in files.values()})
