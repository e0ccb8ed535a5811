"""Networks, defined once in torch as step functions with explicit state.

`ear` is the runtime's ear with gradients, on filters from `gammatone`. `memory` is the
echoic memory, `listener` the encoder that walks over it, `heads` what its code is asked
for, `hearing` the three composed, and `export` writes the step graphs that the runtime
loads. Time is the last axis, as in the runtime; batch comes first.
"""

from echoic.nn.ear import Ear, Filterbank

__all__ = ["Ear", "Filterbank"]
