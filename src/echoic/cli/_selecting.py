"""What `attend` and `denoise` share: a part of every input, and what is left, as files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echoic.cli._inputs import is_one_file
from echoic.cli._source import Source
from echoic.cli._targets import are_there, find_targets
from echoic.cli.common import Reporter, check_replacing
from echoic.outputs import InputFiles, check_writable

if TYPE_CHECKING:
    from echoic.pipeline.selecting import Selects

STDOUT = "-"
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
        help="Also write a page: players and cochleagrams of the input, of what was kept and of "
        "what was left out. With several inputs, a folder.",
        show_default=False,
    ),
]


def select_from_all(
    inputs: Sequence[str],
    make: Callable[[int], Selects],
    reporter: Reporter,
    *,
    output: str,
    rest: str | None,
    report: str | None,
    kicker: str,
    recursive: bool,
    jobs: int | None,
    skip_existing: bool,
    force: bool,
    also_read: Sequence[str] = (),
    also_say: dict[str, Any],
) -> None:
    """Select from every input, and write each result.

    Args:
        inputs: As the user named them.
        make: A sample rate to the processor; picklable.
        reporter: Talks.
        output: File or folder of what is selected.
        rest: File or folder of what is not.
        report: File or folder of the page about it.
        kicker: What such a page is about.
        recursive: Whether folders are gone through.
        jobs: Inputs worked on at a time.
        skip_existing: Whether what is written already is left out.
        force: Whether it is replaced.
        also_read: Files that no output may be.
        also_say: What every record holds, too.

    Raises:
        typer.BadParameter: outputs that cannot be.
        typer.Exit: Code 1, after the last input, if any has failed.
    """
    check_replacing(force=force, skip_existing=skip_existing)
    if output == STDOUT and reporter.as_json:
        raise typer.BadParameter("-o - and --json both write to standard output")
    if rest == STDOUT:
        raise typer.BadParameter("--rest -: must be a file")
    paths = reporter.expand(inputs, recursive=recursive)
    targets, rests = (
        {} if one is None else find_outputs(paths, one, given=inputs) for one in (output, rest)
    )
    pages = {}
    if report is not None:
        pages = find_targets(paths, Path(report), (".html", ".htm"), given=inputs)
    check_distinct({"--output": targets, "--rest": rests, "--report": pages})
    asked = [one for one in (targets, rests, pages) if one]
    if skip_existing:
        paths = [
            path
            for path in paths
            if not are_there(path, [Path(one[path]) for one in asked], reporter)
        ]
    work = partial(
        select_from_one,
        make=make,
        targets=targets,
        rests=rests,
        pages=pages,
        kicker=kicker,
        # What is there in part is written anew.
        force=force or (skip_existing and len(asked) > 1),
        read=InputFiles([*targets, *also_read]),
        also_say=also_say,
    )
    reporter.each(paths, work, jobs=jobs)


def find_outputs(paths: list[str], output: str, *, given: Sequence[str]) -> dict[str, str]:
    """Where each input's result goes.

    Raises:
        typer.BadParameter: several results for one file or for standard output.
    """
    if is_one_file(paths, given) and not os.path.isdir(output):
        return {paths[0]: output}
    if output == STDOUT:
        raise typer.BadParameter(
            "-o -: standard output takes one result, not those of several files or a folder"
        )
    targets = find_targets(paths, Path(output), (".wav",), given=given)
    return {path: str(target) for path, target in targets.items()}


def check_distinct(outputs: Mapping[str, Mapping[str, str | Path]]) -> None:
    """Refuse a file that would be written twice.

    Args:
        outputs: {option: {input: file}}.

    Raises:
        typer.BadParameter: two options name one file.
    """
    first: dict[str, str] = {}
    for option, files in outputs.items():
        for file in files.values():
            other = first.setdefault(os.path.realpath(file), option)
            if other != option:
                raise typer.BadParameter(f"{file}: is both {other} and {option}")


def select_from_one(
    path: str,
    reporter: Reporter,
    *,
    make: Callable[[int], Selects],
    targets: dict[str, str],
    rests: dict[str, str],
    pages: dict[str, Path],
    kicker: str,
    force: bool,
    read: InputFiles,
    also_say: dict[str, Any],
) -> dict[str, Any]:
    """Select from one input, and write what is selected, what is not, and a page about it."""
    from echoic.pipeline.selecting import select_and_report, select_into

    output, rest, page = targets[path], rests.get(path), pages.get(path)
    for one in (output, rest, page):
        if one not in {STDOUT, None}:
            read.check_apart(one)
            check_writable(one, force=force)  # before any long work
    source = Source(path)
    module = make(source.sample_rate)
    work = select_into
    if page is not None:
        asked = {
            name.replace("_", " ").capitalize(): said(value) for name, value in also_say.items()
        }
        work = partial(select_and_report, report=page, kicker=kicker, asked=asked)
    with reporter.progress(source.name, total=source.duration_s) as advance:
        work(output, source, module, rest=rest, force=force, advance=advance)
    written = {"output": output, "rest": rest, "report": page and str(page)}
    return {"file": path} | {name: one for name, one in written.items() if one} | also_say


def said(value: object) -> str:
    """A value as a page says it."""
    return ", ".join(value) if isinstance(value, list) else str(value)
