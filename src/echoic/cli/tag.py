"""`echoic tag`: the labels of a clip."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from echoic.cli._source import Source
from echoic.cli._table import open_table
from echoic.cli.common import (
    Force,
    Inputs,
    Jobs,
    Json,
    Quiet,
    Recursive,
    Reporter,
    TableFile,
    Verbose,
)

COLUMNS = ("file", "label", "confidence")


def tag(
    inputs: Inputs,
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold",
            metavar="P",
            min=0.0,
            max=1.0,
            help="Leave out labels of less confidence.",
            show_default=False,
        ),
    ] = 0.0,
    table: TableFile = None,
    recursive: Recursive = False,
    jobs: Jobs = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Tag a clip: every label with its confidence, best first."""
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    paths = reporter.expand(inputs, recursive=recursive)
    reporter.each(
        paths,
        partial(tag_one, threshold=threshold),
        show_tags,
        jobs=jobs,
        table=open_table(table, COLUMNS, tag_rows, inputs=paths, force=force),
    )


def tag_one(path: str, reporter: Reporter, *, threshold: float) -> dict[str, Any]:
    """Tag one input."""
    from echoic.pipeline.tag import tag_sound

    source = Source(path)
    with reporter.progress(f"tagging {source.name}", total=source.duration_s) as advance:
        ranked = tag_sound(source, advance=advance)
    return {
        "file": path,
        "tags": [
            {"label": label, "confidence": value} for label, value in ranked if value >= threshold
        ],
    }


def show_tags(record: dict[str, Any]) -> str:
    """Format the tags as text."""
    rows = [f"  {t['label']:<16} {t['confidence']:.3f}" for t in record["tags"]]
    return "\n".join([record["file"], *rows])


def tag_rows(record: dict[str, Any]) -> list[list[Any]]:
    """Rows for the CSV table, one per tag."""
    return [[record["file"], tag["label"], tag["confidence"]] for tag in record["tags"]]
