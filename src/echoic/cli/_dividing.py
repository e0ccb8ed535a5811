"""Common parts of `attend`, `denoise` and `voices`: divide every input into parts, as files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echoic.cli._inputs import is_one_file
from echoic.cli._source import Source, SourceOnce
from echoic.cli._targets import (
    STDOUT,
    exist_already,
    find_targets,
    made_folders,
    made_folders_of,
)
from echoic.cli.common import Reporter, check_replacing, check_sound_name
from echoic.outputs import InputFiles

if TYPE_CHECKING:
    from echoic.pipeline.dividing import Divides

_HARDLY_ANYTHING_DB = -30.0
_OPTIONS = {"kept": "output", "left out": "rest"}  # the option that names a part's file
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="The file to write, or - for a WAV on standard output; with several inputs, a folder.",
        show_default=False,
    ),
]
Rest = Annotated[
    str | None,
    typer.Option(
        "--rest",
        metavar="FILE",
        help="Also write what was left out; both add up to the input. With several inputs, "
        "a folder.",
        show_default=False,
    ),
]

Report = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Also write a page: players and cochleagrams of the input and of its parts. "
        "With several inputs, a folder.",
        show_default=False,
    ),
]


def select_from_all(
    inputs: Sequence[str],
    make: Callable[[int, float], Divides],
    reporter: Reporter,
    *,
    output: str,
    rest: str | None,
    recursive: bool,
    **options: Any,
) -> None:
    """Divide every input into what is kept and what is left out.

    Args:
        inputs: The arguments as typed.
        make: As for `divide_all`.
        reporter: Prints notes and progress.
        output: File or folder for what is kept.
        rest: File or folder for what is left out; None: not written.
        recursive: Whether subfolders are searched, too.
        options: Further arguments of `divide_all`.

    Raises:
        typer.BadParameter: the outputs are invalid or contradictory.
        typer.Exit: Code 1, after the last input, if any has failed.
    """
    check_replacing(force=options["force"], skip_existing=options["skip_existing"])
    if output == STDOUT and reporter.as_json:
        raise typer.BadParameter("-o - and --json both write to standard output")
    if rest == STDOUT:
        raise typer.BadParameter("--rest -: must be a file")
    paths = reporter.expand(inputs, recursive=recursive)
    files = {"kept": find_outputs(paths, output, given=inputs)}
    if rest is not None:
        files["left out"] = find_outputs(paths, rest, given=inputs)
    with made_folders_of(*files.values(), given=inputs):
        divide_all(paths, make, reporter, files=files, given=inputs, **options)


def divide_all(
    paths: list[str],
    make: Callable[[int, float], Divides],
    reporter: Reporter,
    *,
    files: Mapping[str, Mapping[str, str]],
    given: Sequence[str],
    folders: Mapping[str, Path] | None = None,
    report: str | None,
    kicker: str,
    jobs: int | None,
    skip_existing: bool,
    force: bool,
    also_read: Sequence[str] = (),
    also_say: Mapping[str, Any],
) -> None:
    """Divide every input and write the parts.

    Args:
        paths: The inputs.
        make: Creates the processor for a sample rate and a look-ahead in s; picklable.
        reporter: Prints notes and progress.
        files: {part: {input: file}}, of the requested parts.
        given: The arguments as typed.
        folders: {input: folder}, of folders to create for the parts.
        report: File or folder for the pages; None: not written.
        kicker: Subject of the pages.
        jobs: Number of inputs processed in parallel; None: the number of cores.
        skip_existing: Whether existing outputs are skipped.
        force: Whether existing outputs are replaced.
        also_read: Further inputs, which no output may overwrite.
        also_say: Further fields of every record and page.

    Raises:
        typer.BadParameter: the outputs are invalid or contradictory.
        typer.Exit: Code 1, after the last input, if any has failed.
    """
    pages: dict[str, Path] = {}
    if report is not None:
        pages = find_targets(paths, Path(report), (".html", ".htm"), given=given)
    named = {f"--{_OPTIONS.get(part, part)}": own for part, own in files.items()}
    check_distinct({**named, "--report": pages})
    work = partial(
        divide_one,
        make=make,
        files=files,
        folders=folders or {},
        pages=pages,
        kicker=kicker,
        skip_existing=skip_existing,
        force=force,
        read=InputFiles([*paths, *also_read]),
        also_say=also_say,
    )
    with made_folders_of(pages, given=given):
        reporter.each(paths, work, jobs=jobs)


def find_outputs(paths: list[str], output: str, *, given: Sequence[str]) -> dict[str, str]:
    """Return the output of each input.

    Raises:
        typer.BadParameter: several results for one file or for standard output, or a suffix that
            is none of a sound.
    """
    if is_one_file(paths, given) and not os.path.isdir(output):
        if output != STDOUT:
            check_sound_name(output)
        return {paths[0]: output}
    if output == STDOUT:
        raise typer.BadParameter(
            "-o -: standard output takes one result, not those of several files or a folder"
        )
    targets = find_targets(paths, Path(output), (".wav",), given=given)
    return {path: str(target) for path, target in targets.items()}


def check_distinct(outputs: Mapping[str, Mapping[str, str | Path]]) -> None:
    """Reject outputs of which two are the same file.

    Args:
        outputs: {option: {input: file}}.

    Raises:
        typer.BadParameter: two options name the same file.
    """
    first: dict[str, str] = {}
    for option, files in outputs.items():
        for file in files.values():
            other = first.setdefault(os.path.realpath(file), option)
            if other != option:
                raise typer.BadParameter(f"{file}: is both {other} and {option}")


def divide_one(
    path: str,
    reporter: Reporter,
    *,
    make: Callable[[int, float], Divides],
    files: Mapping[str, Mapping[str, str]],
    folders: Mapping[str, Path],
    pages: Mapping[str, Path],
    kicker: str,
    skip_existing: bool,
    force: bool,
    read: InputFiles,
    also_say: Mapping[str, Any],
) -> dict[str, Any]:
    """Divide one input, write the parts and the page that are asked for, and return the record."""
    own, page = {part: found[path] for part, found in files.items()}, pages.get(path)
    written = {_OPTIONS.get(part, part): file for part, file in own.items()}
    record = {"file": path, **written, **({"report": str(page)} if page else {})}
    if skip_existing:  # write only the missing files
        if exist_already(path, [*own.values(), *([page] if page else [])], reporter):
            return {**record, "skipped": True}
        own = {part: file for part, file in own.items() if not os.path.isfile(file)}
        page = None if page is not None and os.path.isfile(page) else page
    from echoic.pipeline.dividing import divide_and_report, divide_into
    from echoic.processors.masks import WHOLE_LOOK_AHEAD_S

    with made_folders(folders[path]) if path in folders else nullcontext():
        for one in (*own.values(), page):
            if one not in {STDOUT, None}:
                read.check_output(one, force=force)
        source: SourceOnce
        if page is None:
            source = SourceOnce(path)
            work = partial(divide_into, own.items(), source)
        else:
            source = Source(path)
            asked = {
                name.replace("_", " ").capitalize(): said(value) for name, value in also_say.items()
            }
            work = partial(
                divide_and_report, own.items(), source, report=page, kicker=kicker, asked=asked
            )
        with source.held(), reporter.progress(source.name, total=source.duration_s) as advance:
            module = make(source.sample_rate, 0.0 if source.is_live else WHOLE_LOOK_AHEAD_S)
            levels_db = work(module, force=force, advance=advance)
    kept_db = levels_db.get("kept", 0.0)
    if kept_db < _HARDLY_ANYTHING_DB:
        reporter.note(f"{path}: hardly anything was kept: {kept_db:.0f} dB of what went in")
    return {**record, **also_say}


def said(value: object) -> str:
    """Format a value for the page."""
    return ", ".join(value) if isinstance(value, list) else str(value)
