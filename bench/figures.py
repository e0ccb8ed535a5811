"""The machine that a bench runs on, and `--json FILE`: its figures as flat keys and values."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from pathlib import Path


def machine() -> str:
    """The model of the processor, as far as the system tells it, and what runs on it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        lines = []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    model = told.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in told:
        model += f" (family {told['cpu family']}, model {told['model']})"
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def write_figures(path: Path | None, figures: Mapping[str, float | str | None]) -> None:
    """Write the machine and the figures as JSON if a path is given; non-finite values as null."""
    if path is None:
        return
    finite = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in {"machine": machine(), **figures}.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(finite, indent=2) + "\n", encoding="utf-8")
