"""An ONNX graph of fixed shapes with explicit state: frames and state in, results and state out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ModelError

# onnxruntime keeps a telemetry database in the user's cache and sends it to its vendor, unless
# this is set before its first import. Nothing leaves this machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


class GraphState(NamedTuple):
    """The state tensors of a graph, in graph order."""

    tensors: tuple[NDArray[np.float32], ...]


class Graph:
    """Run an ONNX graph, a fixed number of steps per call.

    Inputs named `state_0` … and outputs named `next_0` … are the state; the
    others are arguments and results, in graph order. One thread: a call is too
    small to parallelise.

    Args:
        path: The graph; the weights file that it refers to lies beside it.

    Raises:
        ModelError: a file is missing or not such a graph.
    """

    def __init__(self, path: Path) -> None:
        """Load the graph."""
        import onnxruntime

        onnxruntime.disable_telemetry_events()  # if it has been imported before
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's dozen exception classes share no base
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"{path}: cannot be loaded: {words}") from error
        self._path = path
        inputs = self._session.get_inputs()
        self._arguments = {i.name: tuple(i.shape) for i in inputs if not _is_state(i.name)}
        self._states = {i.name: tuple(i.shape) for i in inputs if _is_state(i.name)}
        outputs = {o.name: tuple(o.shape) for o in self._session.get_outputs()}
        self._shapes = {
            name: shape for name, shape in outputs.items() if not name.startswith("next_")
        }
        self.results = tuple(self._shapes)
        self._init = GraphState(
            tuple(np.zeros(shape, np.float32) for shape in self._states.values())
        )
        if len(outputs) - len(self.results) != len(self._states):
            raise ModelError(f"{path}: {len(self._states)} states go in, but not as many come out")

    def __reduce__(self) -> tuple[type[Graph], tuple[Path]]:
        """Load the file anew for copies and pickles, which a session of onnxruntime refuses."""
        return Graph, (self._path,)

    def argument_shape(self, name: str) -> tuple[int, ...]:
        """Shape of an argument."""
        return self._arguments[name]

    def result_shape(self, name: str) -> tuple[int, ...]:
        """Shape of a result."""
        return self._shapes[name]

    def init_state(self) -> GraphState:
        """Initial state, all zeros."""
        return self._init

    def __call__(
        self, *arguments: NDArray[np.float32], state: GraphState
    ) -> tuple[list[NDArray[np.float32]], GraphState]:
        """Run the graph once; return the results and the new state."""
        feed = dict(zip(self._arguments, arguments, strict=True))
        feed.update(zip(self._states, state.tensors, strict=True))
        outputs = self._session.run(None, feed)
        n_results = len(self.results)
        return outputs[:n_results], GraphState(tuple(outputs[n_results:]))


def _is_state(name: str) -> bool:
    return name.startswith("state_")
