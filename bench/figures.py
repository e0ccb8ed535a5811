"""What `--json FILE` writes: the figures of a bench as flat keys and values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path


def write_figures(path: Path | None, figures: Mapping[str, float | None]) -> None:
    """Write figures where a file is asked for; what is no finite number is null."""
    if path is None:
        return
    finite = {
        key: None if value is None or not math.isfinite(value) else value
        for key, value in figures.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(finite, indent=2) + "\n", encoding="utf-8")
