"""`echoic tag`: what is in a clip."""

from __future__ import annotations

from typing import Any

from echoic.cli._source import Source
from echoic.cli.common import Inputs, Json, Quiet, Reporter, Verbose


def tag(
    inputs: Inputs, as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Say what is in a clip: every label with its confidence, best first."""
    from echoic.pipeline.tag import tag_sound

    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    paths = reporter.expand(inputs)

    def work(path: str) -> dict[str, Any]:
        source = Source(path)
        with reporter.progress(f"tagging {source.name}", total=source.duration_s) as advance:
            ranked = tag_sound(source, advance=advance)
        return {
            "file": path,
            "tags": [{"label": label, "confidence": value} for label, value in ranked],
        }

    def show(record: dict[str, Any]) -> str:
        rows = [f"  {t['label']:<15} {t['confidence']:.3f}" for t in record["tags"]]
        return "\n".join([record["file"], *rows])

    reporter.each(paths, work, show)
