"""echoic: machine hearing modelled on human hearing.

The names below are imported on first use, so that `import echoic` is fast and
loads nothing that is not needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from echoic.audio import info, read, write
    from echoic.ear import Correlogram, Ear, Filterbank, Inverse, Pitch, SummaryCorrelogram
    from echoic.errors import (
        AudioError,
        AudioWarning,
        EchoicError,
        EchoicWarning,
        FileError,
        LabelError,
        MissingExtraError,
        ModelError,
        ParameterError,
    )
    from echoic.events import Event
    from echoic.pipeline import (
        Cochleagram,
        Hearing,
        PitchTrack,
        attend,
        cochleagram,
        denoise,
        hear,
        pitch,
        stream,
        tag,
        voices,
    )

__version__ = "0.1.0"

_HOME = {
    "read": "echoic.audio",
    "write": "echoic.audio",
    "info": "echoic.audio",
    "hear": "echoic.pipeline",
    "attend": "echoic.pipeline",
    "denoise": "echoic.pipeline",
    "voices": "echoic.pipeline",
    "tag": "echoic.pipeline",
    "pitch": "echoic.pipeline",
    "cochleagram": "echoic.pipeline",
    "stream": "echoic.pipeline",
    "Cochleagram": "echoic.pipeline",
    "Hearing": "echoic.pipeline",
    "PitchTrack": "echoic.pipeline",
    "Event": "echoic.events",
    "Ear": "echoic.ear",
    "Filterbank": "echoic.ear",
    "Inverse": "echoic.ear",
    "Correlogram": "echoic.ear",
    "SummaryCorrelogram": "echoic.ear",
    "Pitch": "echoic.ear",
    "EchoicError": "echoic.errors",
    "EchoicWarning": "echoic.errors",
    "AudioError": "echoic.errors",
    "AudioWarning": "echoic.errors",
    "FileError": "echoic.errors",
    "LabelError": "echoic.errors",
    "MissingExtraError": "echoic.errors",
    "ModelError": "echoic.errors",
    "ParameterError": "echoic.errors",
}
_PARTS = (
    "audio",
    "ear",
    "errors",
    "events",
    "labels",
    "metrics",
    "pipeline",
    "processors",
    "report",
    "runtime",
    "streaming",
    "synthesis",
    "units",
)
_PARTS_WITH_TORCH = ("nn", "style")  # not in `dir`: what lists all members would load torch

__all__ = [
    "AudioError",
    "AudioWarning",
    "Cochleagram",
    "Correlogram",
    "Ear",
    "EchoicError",
    "EchoicWarning",
    "Event",
    "FileError",
    "Filterbank",
    "Hearing",
    "Inverse",
    "LabelError",
    "MissingExtraError",
    "ModelError",
    "ParameterError",
    "Pitch",
    "PitchTrack",
    "SummaryCorrelogram",
    "attend",
    "cochleagram",
    "denoise",
    "hear",
    "info",
    "pitch",
    "read",
    "stream",
    "tag",
    "voices",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _PARTS or name in _PARTS_WITH_TORCH:
        return import_module(f"echoic.{name}")  # which makes it an attribute
    if name not in _HOME:
        raise AttributeError(f"module 'echoic' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_PARTS})
