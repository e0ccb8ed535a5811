"""The ear: from sound to what the auditory nerve carries, and back.

`design` turns parameters into coefficients, `kernels` runs them, `filterbank`
gives full-rate subbands, `inverse` puts them together again, `haircell`
compresses and adapts, and `ear` composes the hop-rate features.
"""

from echoic.ear.ear import Ear, EarState
from echoic.ear.filterbank import Filterbank, FilterbankState
from echoic.ear.haircell import Adaptation, compress_log, compress_power
from echoic.ear.inverse import Inverse, InverseState

__all__ = [
    "Adaptation",
    "Ear",
    "EarState",
    "Filterbank",
    "FilterbankState",
    "Inverse",
    "InverseState",
    "compress_log",
    "compress_power",
]
