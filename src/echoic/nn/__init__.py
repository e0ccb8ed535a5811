"""Networks, defined once in torch as step functions with explicit state.

`ear` is a differentiable version of the runtime's ear, built on the filters of `gammatone`.
`memory` is the echoic memory, `listener` the encoder that reads it, `heads` the output heads,
`hearing` the network composed of these, and `export` writes the step graphs that the runtime
loads. Batch comes first. Waves and ear frames have time last, as in the runtime; what the networks
compute from them has steps second, (batch, step, ...).
"""

from echoic.nn.ear import Ear, Filterbank

__all__ = ["Ear", "Filterbank"]
