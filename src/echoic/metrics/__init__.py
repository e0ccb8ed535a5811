"""Metrics of separation and detection.

`separation` compares stems (SI-SDR), `detection` compares events (F1), `calibration`
compares the confidence of events with the fraction of them that is true.
"""

from echoic.metrics.calibration import expected_calibration_error, is_true, reliability
from echoic.metrics.detection import DetectionCounts, event_f1, label_set_f1, segment_f1
from echoic.metrics.separation import si_sdr_db, si_sdr_improvement_db

__all__ = [
    "DetectionCounts",
    "event_f1",
    "expected_calibration_error",
    "is_true",
    "label_set_f1",
    "reliability",
    "segment_f1",
    "si_sdr_db",
    "si_sdr_improvement_db",
]
