"""From a trained network to a model that ships: graphs, size, hash, card."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from echoic.ear.frontend import SPECIFICATION
from echoic.nn.export import export_hearing
from echoic.nn.hearing import HearingNetwork
from echoic.outputs import fresh_file
from echoic.runtime.models import Card, fingerprint


def package_hearing(
    network: HearingNetwork,
    folder: Path,
    *,
    name: str,
    version: str,
    task: str,
    labels: tuple[str, ...],
    look_ahead_s: float,
    threshold: dict[str, float],
    about: dict[str, Any],
) -> Path:
    """Write the graphs and the card that lists them; return the card's path."""
    folder.mkdir(parents=True, exist_ok=True)
    graphs = export_hearing(network, folder, name)
    card = Card(
        name=name,
        version=version,
        task=task,
        kind="labels",
        front_end=SPECIFICATION,
        labels=labels,
        look_ahead_s=look_ahead_s,
        threshold=threshold,
        graphs={path.name: fingerprint(path.read_bytes()) for path in graphs},
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
        about=about,
    )
    fields = dataclasses.asdict(card)
    del fields["folder"]
    path = folder / f"{name}.json"
    with fresh_file(path, force=True) as beside:
        beside.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    return path
