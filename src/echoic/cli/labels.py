"""`echoic labels`: the labels that a model knows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from echoic.cli.common import Json, Quiet, Reporter, Verbose


def labels(
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="Whose labels.", show_default=True)
    ] = "hear",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the labels that a model knows, one per line."""
    from echoic.errors import ModelError
    from echoic.runtime import find_model

    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)

    def work(name: str, _reporter: Reporter) -> dict[str, Any]:
        known = find_model(name).labels
        if not known:
            raise ModelError(f"model {name!r} has no labels")
        return {"model": name, "labels": list(known)}

    reporter.each([model], work, lambda record: "\n".join(record["labels"]))
