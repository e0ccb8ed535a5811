"""`echoic train`: train the networks, the shipped ones and the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echoic.cli.common import Json, Quiet, Reporter, Verbose, import_extra

RECIPES = ("denoise", "hear", "style-channels", "style-picture", "unet", "voices")


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help=f"One of: {', '.join(RECIPES)}.")],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Takes checkpoints, log and the finished model; a former run there is "
            "resumed. Default: runs/RECIPE.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", min=1, help="Fewer or more than the recipe's own number."),
    ] = None,
    cooldown: Annotated[
        int,
        typer.Option("--cooldown", min=0, help="Of these steps, the last, with a falling rate."),
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of weights and scenes.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a recipe on the data that ECHOIC_DATA names; needs echoic[train]."""
    if recipe not in RECIPES:
        raise typer.BadParameter(f"recipe {recipe!r} is not one of: {', '.join(RECIPES)}")
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)

    def work(_recipe: str, _reporter: Reporter) -> dict[str, Any]:
        module = import_extra(f"echoic.training.recipes.{recipe.replace('-', '_')}")
        from echoic.training.loop import LoopSettings

        folder = Path(output or f"runs/{recipe}")
        settings = LoopSettings(n_steps=steps or module.N_STEPS, cooldown_steps=cooldown, seed=seed)
        card = module.run(folder, settings, report=reporter.note)
        return {"recipe": recipe, "model": str(card)}

    reporter.each([recipe], work, lambda record: str(record["model"]))
