"""Sound events: a label with onset and offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BRIDGE_S = 0.4
"""Gaps shorter than this, in seconds, are bridged: they lie within one event."""


@dataclass(frozen=True)
class Event:
    """One sound event.

    Attributes:
        label: Label of the sound.
        onset_s: Start, in seconds from the beginning of the file.
        offset_s: End, in seconds from the beginning of the file.
        confidence: 0 to 1; 1 for a true event.
    """

    label: str
    onset_s: float
    offset_s: float
    confidence: float = 1.0


def to_csv(events: Sequence[Event]) -> str:
    """Format events as CSV with a header, one event per line.

    Example:
        >>> print(to_csv([Event("rain", 0.5, 2.0, 0.9)]), end="")
        label,onset_s,offset_s,confidence
        rain,0.500,2.000,0.900
    """
    rows = [f"{e.label},{e.onset_s:.3f},{e.offset_s:.3f},{e.confidence:.3f}" for e in events]
    return "\n".join(["label,onset_s,offset_s,confidence", *rows]) + "\n"


def to_audacity(events: Sequence[Event]) -> str:
    r"""Format events as an Audacity label track: onset, offset, label, tab-separated.

    Example:
        >>> to_audacity([Event("rain", 0.5, 2.0)])
        '0.500000\t2.000000\train\n'
    """
    return "".join(f"{e.onset_s:.6f}\t{e.offset_s:.6f}\t{e.label}\n" for e in events)
