"""Networks, defined once in torch as step functions with explicit state.

`memory` is the echoic memory, `listener` the encoder that walks over it,
`heads` what its code is asked for, `hearing` the three composed, and `export`
writes the step graphs that the runtime loads. Time is the last axis, as in
the runtime; batch comes first.
"""
