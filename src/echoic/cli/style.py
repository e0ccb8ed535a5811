"""`echoic style`: let one sound take on the sound of another."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from echoic.cli.common import Force, Json, Quiet, Reporter, Verbose

PREVIEW_S, PREVIEW_STEPS = 3.0, 60
TEXTURE_S = 5.0


def style(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="CONTENT STYLE",
            help="Whose course is kept, and whose sound is taken; only STYLE with --texture.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="OUT", help="The file to write.", show_default=False
        ),
    ],
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="METHOD",
            help="hearing, gatys, mcdermott, ulyanov, vocoder, … (docs/style.md).",
        ),
    ] = "hearing",
    strength: Annotated[
        float, typer.Option("--strength", min=0.0, max=1.0, help="0: content, 1: all style.")
    ] = 0.5,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain",
            metavar="DOMAIN",
            help="waveform, or published: a picture of the sound, then phase retrieval. "
            "Default: as the method was published.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", min=1, help="Evaluations of the losses.", show_default=False),
    ] = None,
    texture: Annotated[
        bool, typer.Option("--texture", help="Synthesise a texture; there is no content.")
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds", min=0.5, help="Length of the texture; default 5.", show_default=False
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--only",
            metavar="LABEL",
            help="Restyle this sound of the scene, and leave the rest.",
            show_default=False,
        ),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only 3 s, and quickly.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is random.")] = 0,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Transfer the style of one sound to another; needs echoic[train].

    Same rate, channels and length as CONTENT; a texture has one channel at STYLE's
    rate. Ctrl-C keeps the best so far.
    """
    from echoic.outputs import check_writable

    _check(inputs, texture=texture, seconds=seconds, only=only)
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    n_steps = PREVIEW_STEPS if preview and steps is None else steps
    shared = {"n_steps": n_steps, "seed": seed, "force": force}

    def work(path: str) -> dict[str, Any]:
        check_writable(output, force=force)
        files = _import_files()
        record: dict[str, Any] = {"content": path, "style": inputs[-1], "output": output}
        if texture:
            record = {"style": path, "output": output, "texture": True}
        with reporter.progress(
            "texture" if texture else f"style by {method}", total=1.0
        ) as advance:
            if texture:
                length_s = PREVIEW_S if preview else seconds or TEXTURE_S
                done = files.texture_file(path, output, seconds=length_s, advance=advance, **shared)
            else:
                done = files.restyle_file(
                    path,
                    inputs[1],
                    output,
                    only=only,
                    method=method,
                    strength=strength,
                    domain=domain,
                    seconds=PREVIEW_S if preview else None,
                    advance=advance,
                    **shared,
                )
                record |= {"method": method, "strength": strength, "only": only}
        if done.interrupted:
            reporter.note(f"{output}: stopped early; the best so far was written")
        return {
            **record,
            "seed": seed,
            "evaluations": done.n_evaluations,
            "loss": done.loss,
            "interrupted": done.interrupted,
            "cpu_s": round(done.elapsed_s, 2),
        }

    reporter.each(inputs[:1], work)


def _check(inputs: list[str], *, texture: bool, seconds: float | None, only: str | None) -> None:
    wanted = ("STYLE",) if texture else ("CONTENT", "STYLE")
    if len(inputs) != len(wanted):
        raise typer.BadParameter(f"give {' and '.join(wanted)}, not {len(inputs)} files")
    if texture and only is not None:
        raise typer.BadParameter("--texture has no scene for --only")
    if not texture and seconds is not None:
        raise typer.BadParameter("--seconds belongs to --texture")


def _import_files() -> Any:
    from importlib import import_module

    from echoic.errors import MissingExtraError

    try:
        return import_module("echoic.style.files")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{error.name} is not installed: pip install 'echoic[train]'"
        ) from error
