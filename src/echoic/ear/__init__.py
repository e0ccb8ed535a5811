"""The ear: from sound to what the auditory nerve carries, and back.

`design` turns parameters into coefficients, `kernels` runs them, `filterbank`
gives full-rate subbands, `inverse` puts them together again, `haircell` rectifies
and compresses, `nerve` adapts, `ear` composes the hop-rate features, `frontend` is
the ear as networks use it, `correlogram` says what repeats itself, and `pitch` how
often.
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
