"""Package a trained network as a model to ship: graphs, and a card with size and hash of each."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from echoic.ear.frontend import SPECIFICATION
from echoic.nn.export import export_hearing, export_separator
from echoic.nn.hearing import HearingNetwork
from echoic.nn.separator import Separator
from echoic.outputs import fresh_file
from echoic.runtime.models import Card, fingerprint


def package(network: HearingNetwork | Separator, folder: Path, **fields: Any) -> Path:
    """Write the graphs and the card that lists them; return the card's path.

    Args:
        network: Trained network.
        folder: Output folder; created if it does not exist.
        fields: Fields of the `Card`, except those that follow from the network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = fields["name"]
    if isinstance(network, HearingNetwork):
        graphs = export_hearing(network, folder, name)
    else:
        graphs = export_separator(network, folder, name)
    card = Card(
        front_end=SPECIFICATION,
        graphs={path.name: fingerprint(path.read_bytes()) for path in graphs},
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
        **fields,
    )
    written = dataclasses.asdict(card)
    del written["folder"]
    path = folder / f"{name}.json"
    with fresh_file(path, force=True) as beside:
        beside.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return path
