"""`echoic train`: train the networks, the shipped ones and the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echoic.cli.common import Json, Quiet, Reporter, Verbose, import_extra

SHIPPED = ("denoise", "hear", "voices")
MAX_RATE = 0.1
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
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="Learning rate; default 0.001.", show_default=False),
    ] = None,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Start from the shipped weights, not from new ones.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a recipe on the data that ECHOIC_DATA names; needs echoic[train]."""
    if recipe not in RECIPES:
        raise typer.BadParameter(f"recipe {recipe!r} is not one of: {', '.join(RECIPES)}")
    if fine_tune and recipe not in SHIPPED:
        raise typer.BadParameter(f"--fine-tune: no weights of {recipe} are shipped")
    if rate is not None and not 0 < rate <= MAX_RATE:
        raise typer.BadParameter(f"--rate {rate:g} is not above 0 and at most {MAX_RATE:g}")
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)

    def work(_recipe: str, _reporter: Reporter) -> dict[str, Any]:
        module = import_extra(f"echoic.training.recipes.{recipe.replace('-', '_')}")
        from echoic.training.loop import LoopSettings

        folder = Path(output or f"runs/{recipe}")
        settings = LoopSettings(
            n_steps=steps or module.N_STEPS,
            cooldown_steps=cooldown,
            learning_rate=LoopSettings.learning_rate if rate is None else rate,
            seed=seed,
            fine_tune=fine_tune,
        )
        card = module.run(folder, settings, report=reporter.note)
        return {"recipe": recipe, "model": str(card)}

    reporter.each([recipe], work, lambda record: str(record["model"]))
