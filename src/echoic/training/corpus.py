"""The training recordings, and those held out for validation and calibration."""

from __future__ import annotations

from pathlib import Path

from echoic.training.data import (
    Recordings,
    is_kept_aside,
    load_clips,
    load_files,
    recording_of,
)
from echoic.training.hard_negatives import make_hard_negatives
from echoic.training.music import render_collection
from echoic.training.synthetic import synthesise

_N_MUSIC_PIECES, _N_SYNTHETIC, _N_OTHER, _N_CHANGED, _SEED = 160, 32, 160, 10, 20
SOURCES = (
    "ESC-10 folds 1-3 and clips of ESC-50 folds 1-3 that are CC0 or CC BY (Piczak 2015), "
    "LibriSpeech train-clean-100, one utterance of each of 251 readers (CC BY 4.0), Free Spoken "
    "Digit Dataset, one take (CC BY-SA 4.0), Donate-a-cry (ODbL 1.0), effects, speech and music "
    "of open games, applications and educational programs (CC0, public domain, CC BY, CC BY-SA), "
    "ambient recordings (CC0, public domain, CC BY and Pixabay Content License), rooms (CC0, "
    "CC BY), music rendered with FluidR3 GM (MIT), synthesised sounds; some of it share-alike"
)


def is_used(file: str) -> bool:
    """Leave out all but one take of spoken digits: 6 speakers must not outweigh 251 readers."""
    return not file.startswith("fsdd/") or file.endswith("_5.wav")


def kept_recordings(*, unsure_as_other: bool = False) -> Recordings:
    """Recordings for validation and calibration: a tenth of those of the train split."""
    return Recordings(
        load_clips(
            "train",
            keep=lambda file: is_used(file) and is_kept_aside(recording_of(file)),
            unsure_as_other=unsure_as_other,
        )
    )


def training_recordings(folder: Path, *, unsure_as_other: bool = False) -> Recordings:
    """Recordings for training, with rendered music, hard negatives and synthesised sounds."""
    used = load_clips(
        "train",
        keep=lambda file: is_used(file) and not is_kept_aside(recording_of(file)),
        unsure_as_other=unsure_as_other,
    )
    pieces = render_collection(folder / "music", n_pieces=_N_MUSIC_PIECES, seed=_SEED)
    used += load_files(pieces, "music")
    used += make_hard_negatives(Recordings(used), n_clips=_N_CHANGED, seed=_SEED)
    used += synthesise(n_clips=_N_SYNTHETIC, n_other=_N_OTHER, seed=_SEED)
    return Recordings(used)
