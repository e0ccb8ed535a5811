"""Export trained networks to the graphs that the runtime loads, and load them back.

Graphs have fixed shapes and explicit state: frames and state in, outputs and next state out.
(The exporter would silently freeze a dynamic time axis.) A network is exported as graphs of
one step and of many steps; the hearing network also as partial graphs with some of its
outputs. All graphs of a network share one weights file. Inputs are `frames`, then `state_0` …;
outputs are the fields of the network's output, then `next_0` …. A partial graph has only the
states that its outputs depend on.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from echoic.nn.hearing import HearingNetwork
from echoic.nn.listener import N_BANDS, N_FEATURES, Block, Listener
from echoic.nn.separator import Separator

CHUNK_STEPS = 64
PARTS = {"detect": ("logits",), "separate": ("places",)}
"""Partial graphs and their outputs: NAME.PART.step.onnx and NAME.PART.chunk.onnx."""
# Smaller tensors stay in the graph: shapes and axes, which are needed to load it.
_SMALLEST_EXTERNAL_BYTES = 1024


def flatten(state: Any) -> list[Tensor]:
    """The tensors of a nested state, depth first."""
    if isinstance(state, Tensor):
        return [state]
    return [tensor for part in state for tensor in flatten(part)]


def unflatten(template: Any, tensors: Iterator[Tensor]) -> Any:
    """Rebuild a state with the template's structure from tensors in the order of `flatten`."""
    if isinstance(template, Tensor):
        return next(tensors)
    parts = [unflatten(part, tensors) for part in template]
    return type(template)(*parts) if hasattr(template, "_fields") else tuple(parts)


class _Flat(nn.Module):
    """Wrap a network so that its state is passed as a flat list of tensors."""

    def __init__(self, network: nn.Module, template: Any) -> None:
        super().__init__()
        self.network = network
        self.template = template

    def forward(self, frames: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        output, after = self.network(frames, unflatten(self.template, iter(state)))
        return *output, *flatten(after)


class _QueryTable(nn.Module):
    """The queries of all labels and the rest, and the query of an example."""

    def __init__(self, network: HearingNetwork) -> None:
        super().__init__()
        self.queries = network.queries

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        of_example = self.queries(embedding)
        return self.queries.labels + 0 * of_example.sum(), of_example


def _export(
    module: nn.Module, arguments: Sequence[Tensor], inputs: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            module.eval(),
            tuple(arguments),
            dynamo=True,
            optimize=False,  # constant folding would lose the names of the weights
            input_names=list(inputs),
            output_names=list(outputs),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    for node in graph.graph.node:
        del node.metadata_props[:]  # source locations: most of the file size
    return graph


def _network_graph(network: nn.Module, n_steps: int) -> onnx.ModelProto:
    """The graph of a network over `n_steps` steps."""
    state = network.init_state(1)  # type: ignore[operator]
    tensors = flatten(state)
    frames = torch.zeros(1, N_FEATURES, N_BANDS, n_steps * int(network.hop))  # type: ignore[arg-type]
    with torch.no_grad():
        output, _ = network(frames, state)
    return _export(
        _Flat(network, state),
        [frames, *tensors],
        ["frames", *(f"state_{k}" for k in range(len(tensors)))],
        [*output._fields, *(f"next_{k}" for k in range(len(tensors)))],
    )


def _only(graph: onnx.ModelProto, results: Sequence[str]) -> onnx.ModelProto:
    """The subgraph that computes the given outputs and the states they depend on."""
    part = onnx.ModelProto()
    part.CopyFrom(graph)
    wanted, n_before = set(results), 0
    while len(wanted) > n_before:  # a state that is read must also be updated
        n_before = len(wanted)
        for node in reversed(graph.graph.node):
            if not wanted.isdisjoint(node.output):
                wanted.update(node.input)
        wanted |= {name.replace("state_", "next_") for name in wanted if name[:6] == "state_"}
    nodes = [node for node in graph.graph.node if not wanted.isdisjoint(node.output)]
    inner = {one.name for one in graph.graph.output if not one.name.startswith("next_")}
    given = wanted - (inner - set(results))  # an unwanted output may feed a wanted one
    for field, kept in (
        ("node", nodes),
        ("input", [one for one in graph.graph.input if one.name in wanted]),
        ("output", [one for one in graph.graph.output if one.name in given]),
        ("initializer", [one for one in graph.graph.initializer if one.name in wanted]),
    ):
        part.graph.ClearField(field)
        getattr(part.graph, field).extend(kept)
    return part


@torch.no_grad()
def _rounded(network: nn.Module) -> nn.Module:
    """Round the weights to float16 precision in place; on the CPU, in evaluation mode."""
    for weight in network.parameters():
        weight.copy_(weight.half())
    return network.cpu().eval()


def _halve(graph: onnx.GraphProto) -> None:
    """Store large float32 weights as float16 where that is exact, each followed by a Cast."""
    casts = []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        half = array.astype(np.float16)
        is_large = array.dtype == np.float32 and array.nbytes >= _SMALLEST_EXTERNAL_BYTES
        if is_large and (half == array).all():
            tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))
            casts.append(
                onnx.helper.make_node(
                    "Cast", [tensor.name], [f"{tensor.name}.float32"], to=onnx.TensorProto.FLOAT
                )
            )
    names = {cast.input[0]: cast.output[0] for cast in casts}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    nodes = [*casts, *graph.node]
    graph.ClearField("node")
    graph.node.extend(nodes)


def _share_weights(graphs: Sequence[onnx.ModelProto], path: Path) -> None:
    """Move the weights of all graphs into one file, each stored once."""
    places: dict[str, tuple[int, int]] = {}
    content = bytearray()
    for graph in graphs:
        _halve(graph.graph)
        for tensor in graph.graph.initializer:
            raw = numpy_helper.to_array(tensor).tobytes()
            if len(raw) < _SMALLEST_EXTERNAL_BYTES // 2:
                continue
            if tensor.name not in places:
                places[tensor.name] = (len(content), len(raw))
                content += raw
            offset, length = places[tensor.name]
            assert content[offset : offset + length] == raw, tensor.name
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", path.name), ("offset", offset), ("length", length)):
                tensor.external_data.add(key=key, value=str(value))
    path.write_bytes(content)


def export_hearing(network: HearingNetwork, folder: Path, name: str) -> list[Path]:
    """Write the graphs NAME.KIND.onnx, and NAME.weights for all of them.

    KIND is step, chunk, PART.step and PART.chunk for each of `PARTS`, and queries.

    Args:
        network: Trained network; set to evaluation mode, its weights rounded to float16.
        folder: Output folder.
        name: Model name.
    """
    graphs = _lengths(_rounded(network))
    for length, graph in list(graphs.items()):
        graphs |= {f"{part}.{length}": _only(graph, results) for part, results in PARTS.items()}
    graphs["queries"] = _export(
        _QueryTable(network),
        [torch.zeros(1, network.listener.size)],
        ["embedding"],
        ["labels", "of_example"],
    )
    return _write(graphs, folder, name)


def export_separator(network: Separator, folder: Path, name: str) -> list[Path]:
    """Write NAME.step.onnx and NAME.chunk.onnx, and NAME.weights for both.

    Args:
        network: Trained network; set to evaluation mode, its weights rounded to float16.
        folder: Output folder.
        name: Model name.
    """
    return _write(_lengths(_rounded(network)), folder, name)


def _lengths(network: nn.Module) -> dict[str, onnx.ModelProto]:
    """The graphs of one step and of `CHUNK_STEPS` steps."""
    return {"step": _network_graph(network, 1), "chunk": _network_graph(network, CHUNK_STEPS)}


def _write(graphs: dict[str, onnx.ModelProto], folder: Path, name: str) -> list[Path]:
    weights = folder / f"{name}.weights"
    _share_weights(list(graphs.values()), weights)
    paths = [folder / f"{name}.{kind}.onnx" for kind in graphs]
    for path, graph in zip(paths, graphs.values(), strict=True):
        path.write_bytes(graph.SerializeToString())
    return [*paths, weights]


def load_hearing(network: HearingNetwork, folder: Path, name: str) -> HearingNetwork:
    """Load shipped weights into a torch network, for fine-tuning.

    Raises:
        KeyError: the graphs lack a parameter of the network.
    """
    stored = _stored(folder, name, "step", "queries")
    network.load_state_dict({key: stored[key] for key in network.state_dict()})
    network.detect.confidence.copy_(stored["detect.confidence"])
    return network


def load_separator(network: Separator, folder: Path, name: str) -> Separator:
    """As `load_hearing`, for a separator.

    Raises:
        KeyError: the graphs lack a parameter of the network.
    """
    stored = _stored(folder, name, "step")
    network.load_state_dict({key: stored[key] for key in network.state_dict()})
    return network


def load_listener(listener: Listener, folder: Path, name: str) -> Listener:
    """Load the listener of a shipped network into torch, as a start for another task.

    Blocks that the shipped listener lacks are initialised to add nothing to its output.

    Raises:
        KeyError: the graph lacks a parameter of the listener.
    """
    stored = _stored(folder, name, "step")
    shared = Listener(n_blocks=len({k.split(".")[2] for k in stored if ".blocks." in k}))
    weights = {key: stored[f"listener.{key}"] for key in shared.state_dict()}
    listener.load_state_dict(listener.state_dict() | weights)
    for block in listener.blocks[len(shared.blocks) :]:
        assert isinstance(block, Block)
        for last in (block.along_time.out, block.spread):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
    return listener


def _stored(folder: Path, name: str, *kinds: str) -> dict[str, Tensor]:
    """The weights in the graphs NAME.KIND.onnx, by their torch parameter names."""
    stored: dict[str, Tensor] = {}
    for kind in kinds:
        # `onnx.load` also reads the external weights from the same folder.
        for initializer in onnx.load(folder / f"{name}.{kind}.onnx").graph.initializer:
            array = numpy_helper.to_array(initializer)
            if np.issubdtype(array.dtype, np.floating):
                array = array.astype(np.float32)
            stored[initializer.name.removeprefix("network.")] = torch.from_numpy(array.copy())
    return stored
