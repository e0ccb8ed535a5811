"""From a trained network to the step graphs that the runtime loads, and back.

A step graph has fixed shapes and explicit state: frame and state in, frame and
state out. (A dynamic time axis would freeze silently in the exporter.) Inputs
are the arguments, then `state_0` … ; outputs the results, then `next_0` … .
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from echoic.ear.frontend import FRAMES_PER_STEP
from echoic.nn.hearing import HearingNetwork, to_steps
from echoic.nn.listener import CODE_SIZE, N_BANDS, N_FEATURES, ListenerState
from echoic.nn.memory import MemoryState


def flatten(state: Any) -> list[Tensor]:
    """The tensors of a nested state, depth first."""
    if isinstance(state, Tensor):
        return [state]
    return [tensor for part in state for tensor in flatten(part)]


class ListenerStep(nn.Module):
    """One step: four ear frames in, code and logits out."""

    def __init__(self, network: HearingNetwork) -> None:
        super().__init__()
        self.listener = network.listener
        self.detect = network.detect

    def forward(self, frames: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Frames (1, 2, band, 4), memory lines, integrators, codes kept for detection."""
        n_lines = self.listener.memory.n_octaves
        before = ListenerState(MemoryState(state[:n_lines]), state[n_lines:-1])
        code, after = self.listener(to_steps(frames), before)
        logits, codes = self.detect(code, state[-1])
        return code, logits, *flatten(after), codes


class GainsStep(nn.Module):
    """One ear frame and the known code in, gains out."""

    def __init__(self, network: HearingNetwork) -> None:
        super().__init__()
        self.gains = network.gains

    def forward(self, frames: Tensor, code: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Frames (1, 2, band, 1), code (1, CODE_SIZE, 1), memory lines."""
        gains, after = self.gains(frames, code, MemoryState(state))
        return gains, *flatten(after)


def _export(
    step: nn.Module,
    inputs: Sequence[tuple[str, Tensor]],
    outputs: Sequence[str],
    state: Sequence[Tensor],
    path: Path,
) -> None:
    n_states = len(state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            step.eval(),
            (*(tensor for _, tensor in inputs), *state),
            dynamo=True,
            optimize=False,  # folded constants would lose the names of the weights
            input_names=[*(name for name, _ in inputs), *(f"state_{k}" for k in range(n_states))],
            output_names=[*outputs, *(f"next_{k}" for k in range(n_states))],
            external_data=False,
            verbose=False,
        )
    assert program is not None
    program.save(path, external_data=False)


def export_hearing(network: HearingNetwork, folder: Path, name: str) -> list[Path]:
    """Write NAME.listener.onnx and NAME.gains.onnx.

    Args:
        network: Trained; put into evaluation mode.
        folder: Takes the two files.
        name: Of the model.
    """
    network = network.cpu().eval()
    fresh = network.init_state(1)
    frames = torch.zeros(1, N_FEATURES, N_BANDS, FRAMES_PER_STEP)
    code = torch.zeros(1, CODE_SIZE, 1)
    listener, gains = folder / f"{name}.listener.onnx", folder / f"{name}.gains.onnx"
    _export(
        ListenerStep(network),
        [("frames", frames)],
        ["code", "logits"],
        flatten((fresh.listener, fresh.detect)),
        listener,
    )
    _export(
        GainsStep(network),
        [("frames", frames[..., :1].contiguous()), ("code", code)],
        ["gains"],
        flatten(fresh.gains),
        gains,
    )
    return [listener, gains]


def load_hearing(network: HearingNetwork, paths: Sequence[Path]) -> HearingNetwork:
    """Read shipped weights back into torch, for fine-tuning.

    Raises:
        KeyError: the graphs lack a parameter of the network.
    """
    stored: dict[str, Tensor] = {}
    for path in paths:
        for initializer in onnx.load(path).graph.initializer:
            array = np.array(numpy_helper.to_array(initializer))
            stored[initializer.name] = torch.from_numpy(array)
    # Only training counts batches; the graphs know nothing of it.
    counts = {n: t for n, t in network.state_dict().items() if n.endswith("num_batches_tracked")}
    wanted = [name for name in network.state_dict() if name not in counts]  # in their order
    network.load_state_dict(counts | {name: stored[name] for name in wanted})
    return network
