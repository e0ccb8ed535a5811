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
    from echoic.runtime import find_model

    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)

    def work(name: str, _reporter: Reporter) -> dict[str, Any]:
        return {"model": name, "labels": list(find_model(name).labels)}

    reporter.each([model], work, lambda record: "\n".join(record["labels"]))
