"""A step graph: one frame and a state in, one frame and a state out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ModelError

# onnxruntime keeps a database under the user's cache and sends it to its makers, unless this
# is set before it is first imported. What is heard here stays here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


class GraphState(NamedTuple):
    """The graph's own state tensors, in its order."""

    tensors: tuple[NDArray[np.float32], ...]


class StepGraph:
    """Run an ONNX graph of fixed shapes, one step a call.

    Inputs named `state_0` … and outputs named `next_0` … are the state; the
    others are arguments and results, in the graph's order. One thread: a step
    is too small to share out.

    Args:
        path: The graph.

    Raises:
        ModelError: the file is missing or not such a graph.
    """

    def __init__(self, path: Path) -> None:
        """Load the graph."""
        import onnxruntime

        onnxruntime.disable_telemetry_events()  # where another has imported it before
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has a dozen exception classes and no base
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"{path}: cannot be loaded: {words}") from error
        inputs = self._session.get_inputs()
        self._arguments = [i.name for i in inputs if not i.name.startswith("state_")]
        self._states = [i.name for i in inputs if i.name.startswith("state_")]
        self._state_shapes = [tuple(i.shape) for i in inputs if i.name in self._states]
        self._result_shapes = {o.name: tuple(o.shape) for o in self._session.get_outputs()}
        names = list(self._result_shapes)
        self.n_results = sum(not name.startswith("next_") for name in names)
        if len(names) - self.n_results != len(self._states):
            raise ModelError(f"{path}: {len(self._states)} states go in, but not as many come out")

    def init_state(self) -> GraphState:
        """The state before any sound."""
        return GraphState(tuple(np.zeros(shape, np.float32) for shape in self._state_shapes))

    def result_shape(self, name: str) -> tuple[int, ...]:
        """Shape of a result."""
        return self._result_shapes[name]

    def __call__(
        self, *arguments: NDArray[np.float32], state: GraphState
    ) -> tuple[list[NDArray[np.float32]], GraphState]:
        """Take one step."""
        feed = dict(zip(self._arguments, arguments, strict=True))
        feed.update(zip(self._states, state.tensors, strict=True))
        outputs = self._session.run(None, feed)
        return outputs[: self.n_results], GraphState(tuple(outputs[self.n_results :]))
