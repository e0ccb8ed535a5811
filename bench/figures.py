"""The output of `--json FILE`: the figures of a bench as flat keys and values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path


def write_figures(path: Path | None, figures: Mapping[str, float | None]) -> None:
    """Write the figures as JSON if a path is given; non-finite values become null."""
    if path is None:
        return
    finite = {
        key: None if value is None or not math.isfinite(value) else value
        for key, value in figures.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(finite, indent=2) + "\n", encoding="utf-8")
