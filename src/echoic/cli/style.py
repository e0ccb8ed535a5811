"""`echoic style`: transfer the style of one sound to another."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from echoic.cli._inputs import STDIN
from echoic.cli.common import (
    Force,
    Json,
    Quiet,
    Reporter,
    Verbose,
    check_sound_name,
    import_extra,
    split_commas,
)
from echoic.outputs import InputFiles

METHOD, PICTURE_STRENGTH = "hearing", 0.5
PREVIEW_S, PREVIEW_STEPS = 3.0, 60
TEXTURE_S = 5.0
MAX_SEED = 2**32 - 1
PAGE_SUFFIXES = {".html", ".htm"}
RUNNERS = {
    "sound": ("files", "restyle_file"),
    "texture": ("files", "texture_file"),
    "picture": ("pictures", "restyle_picture_file"),
    "page": ("comparing", "restyle_and_report"),
}
PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg"}
WORDS_FOR = {
    "sound": "a sound restyled by another",
    "texture": "a texture",
    "picture": "a picture",
}
OWN_OPTIONS = {
    "sound": {"--method", "--strength", "--domain", "--network", "--only", "--report", "--compare"},
    "texture": {"--seconds"},
    "picture": {"--strength"},
}


Sounds = Annotated[
    list[str],
    typer.Argument(
        metavar="CONTENT STYLE",
        help="Whose course is kept, and whose sound is taken; only STYLE with --texture. "
        "Two pictures work as well; the result has at most 512 pixels a side.",
        show_default=False,
    ),
]
Output = Annotated[
    str,
    typer.Option("-o", "--output", metavar="OUT", help="The file to write.", show_default=False),
]
Method = Annotated[
    str | None,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="hearing (default), gatys, mcdermott, ulyanov, vocoder, … (docs/style.md).",
        show_default=False,
    ),
]
Strength = Annotated[
    float | None,
    typer.Option(
        "--strength",
        min=0.0,
        max=1.0,
        help="0: the content's rhythm in full, in the style's sound; 1: all style; default 0.5. "
        "Not for grinstein, mcdermott and musaicing.",
        show_default=False,
    ),
]
Domain = Annotated[
    str | None,
    typer.Option(
        "--domain",
        metavar="DOMAIN",
        help="waveform, or published: a picture of the sound, then phase retrieval. "
        "Default: as the method was published. Not for musaicing and the vocoders; published "
        "only for methods that were.",
        show_default=False,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        help="Evaluations of the losses; not for musaicing and the vocoders.",
        show_default=False,
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="FILE",
        help="Learned weights instead of random ones, of echoic train style-picture or "
        "style-channels; for gatys, li-…, verma-smith, wyse and wyse-image.",
        show_default=False,
    ),
]
Texture = Annotated[
    bool, typer.Option("--texture", help="Synthesise a texture; there is no content.")
]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--seconds", min=0.5, help="Length of the texture; default 5.", show_default=False
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="LABEL",
        help="Restyle this sound of the scene, and leave the rest.",
        show_default=False,
    ),
]
Report = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Also write a page: players, cochleagrams, losses, the trade-off.",
        show_default=False,
    ),
]
Compare = Annotated[
    list[str] | None,
    typer.Option(
        "--compare",
        metavar="METHOD,…",
        help="Further methods to show on the page.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Job:
    """The parsed request.

    Attributes:
        kind: "sound", "texture" or "picture".
        inputs: Content and style, or the style of a texture.
        output: The file to write.
        how: Options of the method.
        where: Options for the part of the sound to make: its length and label.
        page: Options of the report page; empty without one.
    """

    kind: str
    inputs: list[str]
    output: str
    how: dict[str, Any]
    where: dict[str, Any]
    page: dict[str, Any]


def style(
    inputs: Sounds,
    output: Output,
    method: Method = None,
    strength: Strength = None,
    domain: Domain = None,
    steps: Steps = None,
    network: Network = None,
    texture: Texture = False,
    seconds: Seconds = None,
    only: Only = None,
    report: Report = None,
    compare: Compare = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only 3 s, and quickly.")] = False,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=MAX_SEED, help="Of all that is random.")
    ] = 0,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Transfer the style of one sound to another; needs echoic[train].

    The output has the rate, channels and length of CONTENT; a texture has one channel
    at STYLE's rate. Ctrl-C keeps the best result so far, and completes it with the vocoder.
    """
    kind = _kind_of(inputs, output, texture=texture)
    given = {
        "--method": method,
        "--strength": strength,
        "--domain": domain,
        "--network": network,
        "--only": only,
        "--report": report,
        "--compare": compare,
        "--seconds": seconds,
    }
    for name, value in given.items():
        if value is not None and name not in OWN_OPTIONS[kind]:
            raise typer.BadParameter(f"{name} does not apply to {WORDS_FOR[kind]}")
    how: dict[str, Any] = {"n_steps": steps, "seed": seed}
    where: dict[str, Any] = {}
    preview_s = PREVIEW_S if preview else None
    if kind == "texture":
        where = {"seconds": seconds or preview_s or TEXTURE_S}
    if kind == "picture":
        how["strength"] = PICTURE_STRENGTH if strength is None else strength
    if kind == "sound":
        how |= {"strength": strength, "method": method or METHOD}
        how |= {"domain": domain, "network": network}
        where = {"only": only, "seconds": preview_s}
    if kind != "picture":
        check_sound_name(output)
    page = _page_asked(report, split_commas(compare), output=output)
    if list(inputs).count(STDIN) > 1:
        raise typer.BadParameter("standard input (-) can be read only once")
    if kind == "sound":
        _check_how(how, only=only, compare=page.get("compare", ()))
    if preview and steps is None:
        how["n_steps"] = PREVIEW_STEPS
    job = Job(kind, inputs, output, how, where, page)
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    reporter.each(inputs[:1], lambda _content, reporter: restyle(job, reporter, force=force))


def restyle(job: Job, reporter: Reporter, *, force: bool) -> dict[str, Any]:
    """Run a job and return its record."""
    read = InputFiles(job.inputs)
    for file in (job.output, *([job.page["report"]] if job.page else [])):
        read.check_output(file, force=force)
    run = _imported(*RUNNERS["page" if job.page else job.kind])
    settings, how, page = job.how, job.how, job.page
    if job.kind == "sound":
        asked = _imported("styling", "How")(**job.how)
        one = asked.by(asked.method)
        how, settings = {"how": one}, one.settings()
        if page:
            page = page | {"compare": [asked.by(name) for name in page["compare"]]}
    options = {**how, **job.where, **page, "force": force}
    with reporter.progress(f"style: {job.how.get('method', job.kind)}", total=1) as advance:
        done = run(*job.inputs, job.output, **options, advance=advance)
    compared = done if job.page else {}
    done = compared.pop(job.how["method"]) if job.page else done
    if any(one.interrupted for one in (done, *compared.values())):
        reporter.note(f"{job.output}: stopped early; the best so far was written")
    record = {
        "kind": job.kind,
        **dict(zip(("style", "content"), reversed(job.inputs), strict=False)),
        "output": job.output,
        **settings,
        **job.where,
        **_figures(done),
    }
    if job.page:
        record["report"] = str(job.page["report"])
        record["compared"] = {name: _figures(one) for name, one in compared.items()}
    return record


def _figures(done: Any) -> dict[str, Any]:
    """The cost and the final loss of a method, for the record."""
    return {
        "evaluations": done.n_evaluations,
        "loss": done.loss,
        "interrupted": done.interrupted,
        "cpu_s": round(done.elapsed_s, 2),
    }


def _kind_of(inputs: list[str], output: str, *, texture: bool) -> str:
    """Determine the kind of job: "sound", "texture" or "picture".

    Raises:
        typer.BadParameter: the wrong number of files, or sounds mixed with pictures.
    """
    wanted = ("STYLE",) if texture else ("CONTENT", "STYLE")
    if len(inputs) != len(wanted):
        raise typer.BadParameter(f"give {' and '.join(wanted)}, not {len(inputs)} files")
    pictures = [Path(path).suffix.lower() in PICTURE_SUFFIXES for path in (*inputs, output)]
    if any(pictures) and (texture or not all(pictures)):
        raise typer.BadParameter("a picture takes its style from a picture, and gives a picture")
    return "picture" if any(pictures) else "texture" if texture else "sound"


def _page_asked(report: str | None, compare: list[str] | None, *, output: str) -> dict[str, Any]:
    """Options of the report page; empty without one.

    Raises:
        typer.BadParameter: --compare without --report, or a report file that is not .html
            or is also the output.
    """
    if report is None:
        if compare is not None:
            raise typer.BadParameter("--compare shows methods on a page: name one with --report")
        return {}
    if Path(report).suffix.lower() not in PAGE_SUFFIXES:
        raise typer.BadParameter(f"--report {report}: its suffix is not .html")
    if os.path.realpath(report) == os.path.realpath(output):
        raise typer.BadParameter(f"{report} is both --output and --report")
    return {"report": Path(report), "compare": compare or []}


def _check_how(how: Mapping[str, Any], *, only: str | None, compare: Sequence[str]) -> None:
    """Validate the settings before any file is read.

    Raises:
        ParameterError: an unknown method or domain, a value out of range, or a setting that the
            method does not have.
        LabelError: an unknown label.
        MissingExtraError: torch is not installed.
    """
    if only is not None:
        from echoic.processors.model import check_labels
        from echoic.runtime import find_model

        check_labels([only], find_model("hear").labels)
    asked = _imported("styling", "How")(**how)
    asked.check()
    for name in compare:
        asked.by(name).check()


def _imported(module: str, name: str) -> Any:
    """Import a name from `echoic.style`, which needs torch.

    Raises:
        MissingExtraError: a module is not installed.
    """
    return getattr(import_extra(f"echoic.style.{module}"), name)
