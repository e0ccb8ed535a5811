"""`echoic models`: the shipped models with their cards."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from echoic.cli.common import Json, Quiet, Reporter, Verbose


def models(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Show these only.", show_default=False),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show the shipped models: their task, training data, scores and limits."""
    from echoic.runtime import find_model, list_models

    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    wanted = names or [card.name for card in list_models()]

    def work(name: str, _reporter: Reporter) -> dict[str, Any]:
        card = asdict(find_model(name))
        del card["folder"]
        return card

    def show(card: dict[str, Any]) -> str:
        n_bytes = sum(graph["bytes"] for graph in card["graphs"].values())
        lines = [
            f"{card['name']} {card['version']}: {card['task']}",
            f"  {card['n_parameters'] / 1e6:.2f} million parameters, {n_bytes / 1e6:.1f} MB",
        ]
        if card["labels"]:
            lines.append(f"  labels: {' '.join(card['labels'])}")
        lines += [f"  {title}: {words}" for title, words in card["about"].items()]
        return "\n".join(lines)

    reporter.each(wanted, work, show)
