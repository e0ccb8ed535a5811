"""The test signal of `bench/ear.py` and its parts: speech in pink noise."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echoic import audio
from echoic.synthesis import babble, pink_noise

SNR_DB, LEVEL_DBFS = 5.0, -23.0

Wave = NDArray[np.float32]


def with_noise(speech: Wave, rng: np.random.Generator, sample_rate: int) -> Wave:
    """Add pink noise SNR_DB below the speech, up to Nyquist."""
    level_dbfs = 10 * np.log10(np.mean(np.square(speech, dtype=np.float64))) - SNR_DB
    duration_s = speech.size / sample_rate
    return speech + pink_noise(
        duration_s, sample_rate=sample_rate, rng=rng, level_dbfs=float(level_dbfs)
    )


def synthetic_speech(duration_s: float, rng: np.random.Generator, sample_rate: int) -> Wave:
    """One talker of `echoic.synthesis`."""
    return babble(duration_s, sample_rate=sample_rate, rng=rng, n_talkers=1, level_dbfs=LEVEL_DBFS)


def readers(n_utterances: int) -> list[Wave]:
    """Utterances of the dev readers, (time,) at 16 kHz; none without recordings."""
    if not os.environ.get("ECHOIC_DATA"):
        return []
    paths = sorted(Path(os.environ["ECHOIC_DATA"], "librispeech-mini", "dev").rglob("*.flac"))
    chosen = paths[:: max(1, len(paths) // n_utterances)][:n_utterances]
    return [audio.read(path)[0].mean(axis=0) for path in chosen]


def read_speech(n_utterances: int = 10) -> Wave | None:
    """Concatenated utterances of the dev readers, (time,) at 16 kHz; None without recordings."""
    found = readers(n_utterances)
    return np.concatenate(found) if found else None
