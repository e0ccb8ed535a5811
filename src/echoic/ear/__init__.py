"""The ear: from the waveform to auditory-nerve features, and back.

`design` computes filter coefficients, `kernels` holds the compiled loops, `filterbank`
computes full-rate subbands, `inverse` resynthesises the waveform from them, `haircell`
rectifies and compresses, `nerve` adapts, `ear` computes the hop-rate features,
`frontend` is the input of the networks, `correlogram` measures periodicity, and `pitch`
estimates F0.
"""

from echoic.ear.correlogram import Correlogram, CorrelogramState, SummaryCorrelogram
from echoic.ear.ear import Ear, EarState
from echoic.ear.filterbank import Filterbank, FilterbankState
from echoic.ear.frontend import FrontEnd, FrontEndState
from echoic.ear.haircell import (
    Adaptation,
    HairCell,
    HairCellState,
    compress_log,
    compress_power,
)
from echoic.ear.inverse import Inverse, InverseState, invert_exactly
from echoic.ear.nerve import Nerve, NerveState
from echoic.ear.pitch import Pitch, Pitched, PitchState

__all__ = [
    "Adaptation",
    "Correlogram",
    "CorrelogramState",
    "Ear",
    "EarState",
    "Filterbank",
    "FilterbankState",
    "FrontEnd",
    "FrontEndState",
    "HairCell",
    "HairCellState",
    "Inverse",
    "InverseState",
    "Nerve",
    "NerveState",
    "Pitch",
    "PitchState",
    "Pitched",
    "SummaryCorrelogram",
    "compress_log",
    "compress_power",
    "invert_exactly",
]
