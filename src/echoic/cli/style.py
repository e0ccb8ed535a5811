"""`echoic style`: let one sound take on the sound of another."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from echoic.cli.common import Force, Json, Quiet, Reporter, Verbose

PREVIEW_S, PREVIEW_STEPS = 3.0, 100


def style(
    content: Annotated[str, typer.Argument(metavar="CONTENT", help="Whose course is kept.")],
    style: Annotated[str, typer.Argument(metavar="STYLE", help="Whose sound is taken.")],
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
    preview: Annotated[bool, typer.Option("--preview", help="Only 3 s, and quickly.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is random.")] = 0,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Transfer the style of one sound to another; needs echoic[train].

    Same rate, channels and length as CONTENT. Ctrl-C keeps the best so far.
    """
    from importlib import import_module

    from echoic.errors import MissingExtraError
    from echoic.outputs import check_writable

    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)

    def work(path: str) -> dict[str, Any]:
        check_writable(output, force=force)
        try:
            files = import_module("echoic.style.files")
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"{error.name} is not installed: pip install 'echoic[train]'"
            ) from error
        with reporter.progress(f"styling by {method}", total=1.0) as advance:
            done = files.restyle_file(
                path,
                style,
                output,
                method=method,
                strength=strength,
                domain=domain,
                n_steps=PREVIEW_STEPS if preview and steps is None else steps,
                seconds=PREVIEW_S if preview else None,
                seed=seed,
                force=force,
                advance=advance,
            )
        if done.interrupted:
            reporter.note(f"{output}: stopped early; the best so far was written")
        return {
            "content": path,
            "style": style,
            "output": output,
            "method": method,
            "strength": strength,
            "seed": seed,
            "evaluations": done.n_evaluations,
            "loss": done.loss,
            "interrupted": done.interrupted,
            "cpu_s": round(done.elapsed_s, 2),
        }

    reporter.each([content], work)
