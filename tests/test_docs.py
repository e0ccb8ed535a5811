"""Runs the programs in docs/ as they are; those of peers where the peers are installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echoic import audio
from echoic.synthesis import pink_noise

DOCS = Path(__file__).resolve().parent.parent / "docs"


def programs(name: str, heading: str) -> list[str]:
    """The Python programs under a heading of a document, in order."""
    text = (DOCS / name).read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def run(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(program, "document", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def street(tmp_path, monkeypatch) -> None:
    """Two seconds of something, where the documents' programs look for it."""
    noise = pink_noise(2.0, sample_rate=16_000, rng=np.random.default_rng(0))
    audio.write(tmp_path / "street.wav", np.stack([noise, noise]), sample_rate=16_000)
    monkeypatch.chdir(tmp_path)


PEERS = {"librosa": "librosa", "torchaudio": "torchaudio", "nnAudio": "nnAudio.features"}


@pytest.mark.parametrize("peer", PEERS)
def test_the_ear_takes_the_place_of_a_mel_spectrogram(peer):
    _, ours = programs("from-mel-to-ear.md", peer)
    names = run(ours)
    features = names["features"]
    assert features.shape[-2:] == (64, 200 if peer == "librosa" else 100)
    if peer == "torchaudio":
        assert names["wave"].grad.abs().sum() > 0


def test_the_program_of_the_readme(tmp_path):
    (tmp_path / "examples").mkdir()
    (tmp_path / "street.wav").rename(tmp_path / "examples/street.wav")
    (program,) = programs("../README.md", "What it does")
    names = run(program)
    assert names["speech"].shape == names["wave"].shape
    assert names["frames"].shape == (2, 64, 0)  # of the last seven samples


@pytest.mark.filterwarnings("ignore")  # the peers' own warnings
@pytest.mark.parametrize("peer", PEERS)
def test_the_shape_is_that_of_the_peer(peer):
    try:
        pytest.importorskip(PEERS[peer])
    except OSError as error:  # built for another torch
        pytest.skip(f"{peer} does not load: {error}")
    theirs, ours = (run(program)["features"] for program in programs("from-mel-to-ear.md", peer))
    assert theirs.shape[:-1] == ours.shape[:-1]
    assert theirs.shape[-1] - ours.shape[-1] in (0, 1)


def test_the_pictures_of_the_ear_are_drawn(tmp_path):
    (program,) = programs("ear.md", "Pictures")
    run(program)
    for name in ("responses.png", "correlogram.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["ear.md", "from-mel-to-ear.md"])
def test_documents_are_found_from_the_readme(name):
    assert f"docs/{name}" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
