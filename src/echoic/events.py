"""Events: a label, and from when to when it sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BRIDGE_S = 0.4
"""Gaps shorter than this lie within one event."""


@dataclass(frozen=True)
class Event:
    """One sound in time.

    Attributes:
        label: What sounds.
        onset_s: Where it starts, in seconds from the beginning of the file.
        offset_s: Where it ends.
        confidence: 0 to 1; 1 for a true event.
    """

    label: str
    onset_s: float
    offset_s: float
    confidence: float = 1.0


def to_csv(events: Sequence[Event]) -> str:
    """Comma-separated text with a header, one event a line.

    Example:
        >>> print(to_csv([Event("rain", 0.5, 2.0, 0.9)]), end="")
        label,onset_s,offset_s,confidence
        rain,0.500,2.000,0.900
    """
    rows = [f"{e.label},{e.onset_s:.3f},{e.offset_s:.3f},{e.confidence:.3f}" for e in events]
    return "\n".join(["label,onset_s,offset_s,confidence", *rows]) + "\n"


def to_audacity(events: Sequence[Event]) -> str:
    r"""Label track as Audacity imports it: onset, offset, label, tab-separated.

    Example:
        >>> to_audacity([Event("rain", 0.5, 2.0)])
        '0.500000\t2.000000\train\n'
    """
    return "".join(f"{e.onset_s:.6f}\t{e.offset_s:.6f}\t{e.label}\n" for e in events)
