"""How well sounds were taken apart and found.

`separation` compares stems (SI-SDR), `detection` compares events (F1).
"""

from echoic.metrics.detection import DetectionCounts, event_f1, label_set_f1, segment_f1
from echoic.metrics.separation import si_sdr_db, si_sdr_improvement_db

__all__ = [
    "DetectionCounts",
    "event_f1",
    "label_set_f1",
    "segment_f1",
    "si_sdr_db",
    "si_sdr_improvement_db",
]
