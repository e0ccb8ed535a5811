"""The verbs end to end: files written, output printed, bad input."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import Result
from echoic import audio
from echoic.errors import ParameterError
from echoic.events import Event
from echoic.pipeline.cochleagram import cochleagram
from echoic.pipeline.hear import settings_of
from echoic.processors import ApplyMasks
from echoic.runtime import find_model

LABELS = find_model("hear").labels

folder_module = import_module("echoic.pipeline.folder")

RATE = 16_000
FILES = {"events.json", "events.csv", "events.txt", "stems", "cochleagram.png", "report.html"}
EVENTS = [Event("speech", 0.04, 0.2, 0.9), Event("rain", 0.1, 0.24, 0.6)]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def hearing(monkeypatch):
    """Decide which events are heard, whatever the weights of the day say."""

    def hear_these(events: list[Event]) -> None:
        listen = folder_module.FirstPass.listen

        def pretend(listener, *args: object, **options: object) -> list[Event]:
            listen(listener, *args, **options)
            return events

        monkeypatch.setattr(folder_module.FirstPass, "listen", pretend)

    return hear_these


def noise(n_samples: int = 4_001, n_channels: int = 1, seed: int = 0) -> np.ndarray:
    wave = np.random.default_rng(seed).standard_normal((n_channels, n_samples))
    return (0.1 * wave).astype(np.float32)


def write(path: Path, wave: np.ndarray | None = None, rate: int = RATE) -> Path:
    audio.write(path, noise() if wave is None else wave, sample_rate=rate)
    return path


def pipe(monkeypatch, path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below, hidden ones too, by its path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def one_line_on(result: Result, code: int, *words: str) -> None:
    """It failed, and said so in one line."""
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("echoic: ")
    assert result.err.endswith("\n")
    assert result.err.count("\n") == 1, result.err
    for word in words:
        assert word in result.err


# --- hear -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "n_channels"), [(16_000, 1), (44_100, 2)])
def test_hear_writes_all_that_it_promises(run, here, hearing, rate, n_channels):
    hearing(EVENTS)
    wave = noise(round(0.25 * rate), n_channels)
    write(here / "a.wav", wave, rate)
    code, out, err = run("hear", "a.wav")
    assert (code, err) == (0, "")
    for word in ("a.wav", "0.25 s", "speech", "rain", "0.90"):
        assert word in out
    folder = here / "a.hearing"
    assert {path.name for path in here.iterdir()} == {"a.wav", "a.hearing"}
    assert {path.name for path in folder.iterdir()} == FILES

    record = json.loads((folder / "events.json").read_text())
    stems = {label: f"stems/{label}.wav" for label in ("speech", "rain", "rest")}
    assert record == {
        "file": "a.wav",
        "sample_rate": rate,
        "duration_s": wave.shape[1] / rate,
        "model": "hear",
        "model_version": find_model("hear").version,
        "threshold": find_model("hear").threshold,
        "events": [
            {"label": "speech", "onset_s": 0.04, "offset_s": 0.2, "confidence": 0.9},
            {"label": "rain", "onset_s": 0.1, "offset_s": 0.24, "confidence": 0.6},
        ],
        "stems": stems,
    }
    assert {f"stems/{path.name}" for path in (folder / "stems").iterdir()} == set(stems.values())
    total = np.zeros(wave.shape)
    for path in stems.values():
        found = audio.info(folder / path)
        assert (found.format, found.subtype) == ("WAV", "FLOAT")
        assert (found.sample_rate, found.channels, found.frames) == (rate, *wave.shape)
        total += audio.read(folder / path)[0]
    assert np.abs(total - wave).max() <= 10 ** (-90 / 20) * np.abs(wave).max()

    rows = list(csv.DictReader((folder / "events.csv").read_text().splitlines()))
    assert [row["label"] for row in rows] == ["speech", "rain"]
    assert float(rows[1]["offset_s"]) == 0.24
    assert (folder / "events.txt").read_text().splitlines()[0].split("\t") == [
        "0.040000",
        "0.200000",
        "speech",
    ]
    assert (folder / "cochleagram.png").read_bytes().startswith(b"\x89PNG")
    assert "</html>" in (folder / "report.html").read_text(encoding="utf-8")


def test_pictures_end_at_nyquist(run, here, hearing, monkeypatch):
    hearing(EVENTS)
    drawn: list[float] = []

    def draw(level_db: np.ndarray, center_hz: np.ndarray, *_: object, **__: object) -> bytes:
        assert len(level_db) == len(center_hz)
        drawn.append(center_hz[-1])
        return b"a picture"

    monkeypatch.setattr("echoic.report.plots.draw_cochleagram", draw)
    write(here / "a.wav", rate=8_000)
    assert run("hear", "a.wav").code == 0
    assert run("cochleagram", "a.wav", "-o", "a.png", "-q").code == 0
    assert cochleagram(noise(), sample_rate=8_000).draw() == b"a picture"
    assert len(drawn) == 3
    assert all(3_500 < hz < 4_000 for hz in drawn)
    page = (here / "a.hearing/report.html").read_text(encoding="utf-8")
    assert "7600" not in page.split("<script")[0]


@pytest.mark.parametrize("rate", [65_537, 191_999])
def test_hear_at_a_rate_that_flac_does_not_hold(run, here, hearing, rate):
    """The page embeds FLAC: its refusal lost the hearing."""
    hearing(EVENTS)
    write(here / "a.wav", rate=rate)
    assert run("hear", "a.wav", "-q") == (0, "", "")
    page = (here / "a.hearing/report.html").read_text(encoding="utf-8")
    assert "FLAC does not hold their sample rate" in page


@pytest.mark.parametrize(("rate", "n_channels"), [(88_201, 1), (RATE, 9)])
def test_stems_that_flac_does_not_hold_are_refused_at_once(
    run, here, monkeypatch, rate, n_channels
):
    def listen(*_: object, **__: object) -> None:
        raise AssertionError("heard before the stems were tried")

    monkeypatch.setattr(folder_module.FirstPass, "listen", listen)
    write(here / "a.wav", noise(n_channels=n_channels), rate)
    done = run("hear", "a.wav", "--stem-format", "flac")
    one_line_on(done, 1, "a.hearing/stems/rest.flac: cannot be written: FLAC holds")
    assert [path.name for path in here.iterdir()] == ["a.wav"]


def test_hear_with_the_shipped_network(run, here):
    wave = noise(2 * RATE)
    write(here / "a.flac", wave)
    code, out, _ = run("hear", "--json", "-q", "--threshold", "0.0001", "a.flac")
    assert code == 0
    record = json.loads(out)
    assert len(record["stems"]) > 1
    assert record == json.loads((here / "a.hearing/events.json").read_text())
    heard = {event["label"] for event in record["events"]}
    assert set(record["stems"]) == heard | {"rest"}
    assert heard <= set(LABELS)
    stems = [audio.read(here / "a.hearing" / path)[0] for path in record["stems"].values()]
    exact = audio.read(here / "a.flac")[0]
    np.testing.assert_allclose(np.sum(stems, axis=0), exact, atol=1e-6)


def test_hear_json_is_an_object_or_one_a_line(run, here, hearing):
    hearing(EVENTS[:1])
    for name in ("a.wav", "b.wav"):
        write(here / name)
    code, out, err = run("hear", "--json", "a.wav", "-o", "one")
    assert (code, err) == (0, "")
    assert json.loads(out)["events"][0]["label"] == "speech"
    assert {path.name for path in (here / "one").iterdir()} == FILES  # -o names the folder itself
    code, out, _ = run("hear", "--json", "a.wav", "b.wav", "-o", "both")
    assert code == 0
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["a.wav", "b.wav"]
    assert {path.name for path in (here / "both").iterdir()} == {"a.hearing", "b.hearing"}
    assert {path.name for path in (here / "both/b.hearing").iterdir()} == FILES


def test_hear_says_so_when_it_knows_nothing(run, here, hearing):
    hearing([])
    write(here / "a.wav")
    assert "no known sound" in run("hear", "a.wav").out
    assert [path.name for path in (here / "a.hearing/stems").iterdir()] == ["rest.wav"]
    assert (here / "a.hearing/events.txt").read_text() == ""


def test_hear_overwrites_nothing_unless_forced(run, here, hearing):
    hearing(EVENTS)
    write(here / "a.wav")
    assert run("hear", "a.wav").code == 0
    before = contents(here)
    hearing([Event("music", 0.0, 0.2, 0.5)])
    one_line_on(run("hear", "a.wav"), 1, "a.wav: ", "a.hearing: exists already")
    assert contents(here) == before
    assert run("hear", "a.wav", "--force").code == 0
    stems = {path.name for path in (here / "a.hearing/stems").iterdir()}
    assert stems == {"music.wav", "rest.wav"}  # none left from the previous run
    assert {path.name for path in here.iterdir()} == {"a.wav", "a.hearing"}


@pytest.mark.parametrize("others", [["notes.txt"], ["events.json", "thesis.txt"], ["stems/a.doc"]])
def test_hear_never_replaces_a_folder_with_other_things(run, here, hearing, others):
    hearing(EVENTS)
    write(here / "a.wav")
    for name in ("events.json", *others) if others[0].startswith("stems") else others:
        path = here / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("of great value")
    before = contents(here)
    for force in ((), ("--force",)):
        one_line_on(run("hear", "a.wav", "-o", "mine", *force), 1, "a.wav: mine: ")
        assert contents(here) == before


def test_hear_fills_an_empty_folder(run, here, hearing):
    hearing(EVENTS)
    write(here / "a.wav")
    (here / "mine").mkdir()
    assert run("hear", "a.wav", "-o", "mine").code == 0
    assert {path.name for path in (here / "mine").iterdir()} == FILES


def test_hear_does_not_write_two_inputs_into_one_folder(run, here, hearing):
    hearing(EVENTS)
    (here / "sub").mkdir()
    write(here / "a.wav")
    write(here / "sub" / "a.wav")
    code, _, err = run("hear", "a.wav", "sub/a.wav", "--force")
    assert code == 2
    assert "two inputs have the same name" in err
    assert {path.name for path in here.iterdir()} == {"a.wav", "sub"}


def test_results_of_inputs_with_one_stem_keep_their_suffixes(run, here, hearing):
    hearing(EVENTS)
    for name in ("a.wav", "a.flac", "b.wav"):
        write(here / name)
    assert run("hear", ".", "-o", "out").code == 0
    assert {path.name for path in (here / "out").iterdir()} == {
        "a.wav.hearing",
        "a.flac.hearing",
        "b.hearing",
    }


@pytest.fixture
def interrupted(monkeypatch):
    """Press Ctrl-C, from now on, when the first block has been taken apart."""
    take_apart = ApplyMasks.__call__

    def press(self, wave, masks, state=None):
        if state is not None:
            raise KeyboardInterrupt
        return take_apart(self, wave, masks, state)

    return lambda: monkeypatch.setattr(ApplyMasks, "__call__", press)


def test_ctrl_c_leaves_nothing_behind(run, here, hearing, interrupted):
    hearing(EVENTS)
    write(here / "a.wav", noise(30_000))  # more than one block
    assert run("hear", "a.wav", "-o", "former").code == 0
    before = contents(here)
    interrupted()
    for args in (
        ("hear", "a.wav"),
        ("hear", "a.wav", "-o", "former", "--force"),
        ("attend", "a.wav", "--keep", "rain", "-o", "b.wav"),
    ):
        code, out, err = run(*args)
        assert (code, out) == (130, "")
        assert "Traceback" not in err
        assert contents(here) == before
        assert {path.name for path in here.iterdir()} == {"a.wav", "former"}


# --- attend -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "n_channels"), [(8_000, 1), (48_000, 2)])
def test_attend_keeps_the_shape_and_what_is_selected_and_the_rest_add_up(
    run, here, rate, n_channels
):
    wave = noise(round(0.25 * rate), n_channels)
    write(here / "a.wav", wave, rate)
    labels = ("rain", "speech")
    for option in ("--keep", "--mute"):
        chosen = [word for label in labels for word in (option, label)]
        files = [f"{name}{option}.wav" for name in ("selected", "rest")]
        code, out, err = run("attend", "a.wav", *chosen, "-o", files[0], "--rest", files[1])
        assert (code, out, err) == (0, "", "")
        for file in files:
            found = audio.info(here / file)
            assert (found.sample_rate, found.channels, found.frames) == (rate, *wave.shape)
            assert found.subtype == "FLOAT"
        selected, rest = (audio.read(here / file)[0] for file in files)
        np.testing.assert_allclose(selected + rest, wave, atol=1e-6)


def test_attend_writes_what_it_leaves_out_and_both_add_up(run, here):
    wave = noise(n_channels=2)
    write(here / "a.wav", wave)
    code, _, err = run("attend", "a.wav", "--mute", "rain,speech", "-o", "b.wav", "--rest", "c.wav")
    assert (code, err) == (0, "")
    kept, left = (audio.read(here / name)[0] for name in ("b.wav", "c.wav"))
    np.testing.assert_allclose(kept + left, wave, atol=1e-6)
    assert run("attend", "a.wav", "--mute", "rain", "-o", "d.wav", "--rest", "d.wav").code == 2
    one_line_on(
        run("attend", "a.wav", "--mute", "rain", "-o", "d.wav", "--rest", "b.wav"), 1, "b.wav"
    )
    assert not (here / "d.wav").exists()


def test_an_example_must_sound(run, here):
    write(here / "a.wav")
    write(here / "silent.wav", np.zeros((1, 4_000), np.float32))
    for example, words in (("silent.wav", "nothing sounds"), ("missing.wav", "no such file")):
        one_line_on(run("attend", "a.wav", "--like", example, "-o", "b.wav"), 1, example, words)
    one_line_on(run("attend", "a.wav", "--like", "silent.wav", "-o", "silent.wav", "--force"), 1)
    assert not (here / "b.wav").exists()


def test_attend_says_when_hardly_anything_is_kept(run, here):
    click = np.full(100, 0.1, np.float32)  # over before the first mask is known
    audio.write("click.wav", click, sample_rate=RATE)
    for verb in (("attend", "--keep", "speech"), ("denoise",)):
        code, _, err = run(*verb, "click.wav", "-o", "b.wav", "--force")
        assert code == 0
        assert re.fullmatch(
            r"echoic: click.wav: hardly anything was kept: -\d+ dB of what went in\n", err
        )
    assert run("attend", "--mute", "speech", "click.wav", "-o", "b.wav", "--force").err == ""
    assert run("denoise", "-q", "click.wav", "-o", "b.wav", "--force").err == ""


def test_attend_prints_a_record_when_asked(run, here):
    write(here / "a.wav")
    code, out, _ = run("attend", "a.wav", "--mute", "rain", "-o", "b.wav", "--json")
    assert code == 0
    assert json.loads(out) == {"file": "a.wav", "output": "b.wav", "mute": ["rain"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give one of --keep, --mute"),
        (("--keep", "rain", "--like", "a.wav"), "give one of --keep, --mute"),
        (("--keep", "rain", "--mute", "speech"), "give one of --keep, --mute"),
        (("--keep", "moose"), "unknown label 'moose'; known: dog_bark"),
        (("--mute", "rain", "--mute", "rest"), "unknown label 'rest'"),
        (("--mute", "rain", "--mute", "rain"), "twice"),
    ],
)
def test_attend_to_what_cannot_be_is_wrong_usage(run, here, options, words):
    write(here / "a.wav")
    code, out, err = run("attend", "a.wav", "-o", "b.wav", *options)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert not (here / "b.wav").exists()


# --- tag, models, cochleagram, train ----------------------------------------------------------


def test_tag_names_every_label_best_first(run, here):
    for name in ("a.wav", "b.wav"):
        write(here / name)
    code, out, err = run("tag", "--json", "a.wav")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert set(record) == {"file", "tags"}
    assert all(set(tag) == {"label", "confidence"} for tag in record["tags"])
    assert sorted(tag["label"] for tag in record["tags"]) == sorted(LABELS)
    confidence = [tag["confidence"] for tag in record["tags"]]
    assert confidence == sorted(confidence, reverse=True)
    code, out, _ = run("tag", "--json", "a.wav", "b.wav")
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["a.wav", "b.wav"]
    lines = run("tag", "a.wav").out.splitlines()
    assert lines[0] == "a.wav"
    assert [line.split()[0] for line in lines[1:]] == [tag["label"] for tag in record["tags"]]


def test_models_shows_cards(run):
    code, out, err = run("models", "--json", "hear")
    assert (code, err) == (0, "")
    card = json.loads(out)
    assert (card["name"], card["labels"]) == ("hear", list(LABELS))
    assert {"version", "task", "threshold", "graphs", "n_parameters", "about"} <= set(card)
    assert "folder" not in card  # a local path is not part of the card
    for args in (("models",), ("models", "hear")):
        text = run(*args).out
        for word in ("hear", "million parameters", "MB", "speech"):
            assert word in text


def test_labels_are_listed_one_a_line_in_the_order_of_the_card(run):
    assert run("labels") == (0, "\n".join(LABELS) + "\n", "")
    assert json.loads(run("labels", "--json").out) == {"model": "hear", "labels": list(LABELS)}
    one_line_on(run("labels", "--model", "herring"), 1, "herring", "known: ", "hear")


def test_models_that_are_not_there(run):
    one_line_on(run("models", "herring"), 1, "herring", "known: ", "hear")
    code, out, err = run("models", "--json", "herring", "hear")
    assert (code, err.count("\n")) == (1, 1)
    assert json.loads(out)["name"] == "hear"


@pytest.mark.parametrize("suffix", ["png", "npz"])
def test_cochleagram_writes_one_file(run, here, suffix):
    write(here / "a.wav", noise(n_channels=2))
    code, out, _ = run("cochleagram", "a.wav", "-o", f"a.{suffix}", "--json")
    assert code == 0
    record = json.loads(out)
    assert (record["file"], record["output"]) == ("a.wav", f"a.{suffix}")
    assert (record["n_bands"], record["n_frames"], record["hop_s"]) == (64, 100, 0.0025)
    if suffix == "png":
        assert (here / "a.png").read_bytes().startswith(b"\x89PNG")
        return
    with np.load(here / "a.npz") as numbers:
        assert numbers["envelope"].shape == (64, 100)
        assert numbers["center_hz"].shape == (64,)
        assert (numbers["hop_s"], numbers["sample_rate"]) == (0.0025, RATE)


def test_train_says_what_it_needs(run, here, monkeypatch):
    monkeypatch.delenv("ECHOIC_DATA", raising=False)
    code, out, err = run("train", "herring")
    assert (code, out) == (2, "")
    assert "recipe 'herring' is not one of: denoise, hear, style-channels, " in err
    one_line_on(run("train", "hear"), 1, "hear: ECHOIC_DATA is not set")
    monkeypatch.setenv("ECHOIC_DATA", str(here))
    one_line_on(run("train", "hear"), 1, "splits.csv")
    assert list(here.iterdir()) == []


# --- standard input ---------------------------------------------------------------------------


def test_verbs_read_standard_input(run, here, tmp_path, monkeypatch, hearing):
    hearing(EVENTS)
    wave = noise(n_channels=2)
    path = write(tmp_path / "a.wav", wave)
    pipe(monkeypatch, path)
    code, out, _ = run("hear", "-", "--json")
    assert code == 0
    assert json.loads(out)["file"] == "-"
    stems = (here / "stdin.hearing/stems").iterdir()
    np.testing.assert_allclose(sum(audio.read(stem)[0] for stem in stems), wave, atol=1e-6)
    pipe(monkeypatch, path)
    assert run("hear", "-", "-o", "h", "--only", "page").code == 0
    assert "There is nothing to play" in (here / "h/report.html").read_text()
    pipe(monkeypatch, path)
    code, out, _ = run("tag", "-", "--json")
    assert (code, json.loads(out)["file"]) == (0, "-")
    pipe(monkeypatch, path)
    assert run("attend", "-", "--keep", "rain", "-o", "b.wav").code == 0
    assert audio.read(here / "b.wav")[0].shape == wave.shape


# --- bad input --------------------------------------------------------------------------------


def as_bytes(content: bytes):
    return lambda path: path.write_bytes(content)


def cut_short(path: Path) -> None:
    write(path)
    path.write_bytes(path.read_bytes()[:-100])


def with_nan(path: Path) -> None:
    wave = noise()[0]
    wave[100:103] = np.nan
    soundfile.write(path, wave, RATE, subtype="FLOAT")


# Kind of bad file -> how it is made, and the words of the error.
UNREADABLE = {
    "missing": (lambda path: None, "no such file"),
    "empty": (as_bytes(b""), "is empty"),
    "truncated": (cut_short, "is truncated"),
    "text": (as_bytes(b"dear diary"), "a text file"),
    "folder without sound": (Path.mkdir, "holds no audio files"),
}
# Kind of unusual but valid file -> how it is made, and its numbers of channels and samples.
ODD = {
    "silence": (lambda path: write(path, np.zeros((1, 4_001))), (1, 4_001)),
    "NaN": (with_nan, (1, 4_001)),
    "one sample": (lambda path: write(path, noise(1)), (1, 1)),
    "7 channels": (lambda path: write(path, noise(n_channels=7)), (7, 4_001)),
    "clipping": (lambda path: write(path, 30 * noise()), (1, 4_001)),
}
# Verb -> its arguments, and the name of the file or folder that it writes, if any.
VERBS = {
    "hear": (("hear", "bad.wav", "-o", "out"), "out"),
    "attend": (("attend", "bad.wav", "--mute", "rain", "-o", "out.wav"), "out.wav"),
    "tag": (("tag", "bad.wav"), ""),
    "cochleagram": (("cochleagram", "bad.wav", "-o", "out.png"), "out.png"),
    "pitch": (("pitch", "bad.wav", "-o", "out.png"), "out.png"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_one_line(run, here, verb, what):
    make, words = UNREADABLE[what]
    make(here / "bad.wav")
    before = sorted(here.iterdir())
    one_line_on(run(*VERBS[verb][0]), 1, "bad.wav: ", words)
    assert sorted(here.iterdir()) == before


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("what", ODD)
def test_odd_sounds_are_heard(run, here, verb, what):
    make, shape = ODD[what]
    make(here / "bad.wav")
    args, target = VERBS[verb]
    result = run(*args)
    if verb in ("cochleagram", "pitch") and what == "one sample":
        one_line_on(result, 1, "bad.wav: ", "shorter than one frame")
        assert not (here / target).exists()
        return
    assert result.code == 0, result.err
    notes = [line for line in result.err.splitlines() if "wrote" not in line]
    if what == "NaN":
        assert notes == ["echoic: bad.wav: 3 samples are NaN or infinite; they are replaced by 0"]
    else:
        assert notes == []
    if verb == "hear":
        assert audio.read(here / "out/stems/rest.wav")[0].shape == shape
        assert {path.name for path in (here / "out").iterdir()} == FILES
    elif verb == "attend":
        assert audio.read(here / "out.wav")[0].shape == shape


@pytest.mark.parametrize("verb", [verb for verb, (_, target) in VERBS.items() if target])
def test_what_cannot_be_written_is_one_line(run, here, verb):
    write(here / "bad.wav")
    (here / "file").write_text("not a folder")
    args, target = VERBS[verb]
    before = contents(here)
    blocked = [f"file/{word}" if word == target else word for word in args]
    one_line_on(run(*blocked), 1, "bad.wav: ", f"file/{target}: cannot be written")
    assert contents(here) == before


@pytest.mark.parametrize("verb", [verb for verb, (_, target) in VERBS.items() if target])
def test_nothing_is_overwritten_unless_forced(run, here, verb):
    write(here / "bad.wav")
    args, target = VERBS[verb]
    assert run(*args).code == 0
    before = contents(here)
    one_line_on(run(*args), 1, "bad.wav: ", f"{target}: exists already")
    assert contents(here) == before
    write(here / "other.wav", noise(seed=1) * 0.1)
    (here / "other.wav").replace(here / "bad.wav")
    assert run(*args, "--force").code == 0
    assert contents(here).keys() == before.keys()
    name = "out/stems/rest.wav" if verb == "hear" else target
    assert contents(here)[name] != before[name]


@pytest.mark.parametrize("verb", ["hear", "tag", "cochleagram", "pitch"])
def test_one_bad_input_stops_no_other(run, here, verb):
    write(here / "a.wav")
    (here / "bad.wav").write_bytes(b"dear diary")
    write(here / "c.wav")
    names = ["a.wav", "bad.wav", "c.wav"]
    args = [verb, *names, "--json", "-q", *([] if verb == "tag" else ["-o", "out"])]
    code, out, err = run(*args)
    assert code == 1
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["a.wav", "c.wav"]
    assert err.count("\n") == 1
    assert err.startswith("echoic: bad.wav: ")
    pictures = ["a.png", "c.png"]
    written = {"hear": ["a.hearing", "c.hearing"], "cochleagram": pictures, "pitch": pictures}
    out_names = sorted(path.name for path in here.glob("out/*"))
    assert out_names == written.get(verb, [])


@pytest.mark.parametrize("verb", VERBS)
def test_wrong_usage_is_2_and_no_traceback(run, here, verb):
    code, out, err = run(*VERBS[verb][0], "--loudly")
    assert (code, out) == (2, "")
    assert "--loudly" in err
    assert "Traceback" not in err


def test_labels_to_hear_may_be_one_or_a_generator():
    asked = ("rain", "wind")
    assert tuple(settings_of(labels=iter(asked), threshold=None)["threshold"]) == asked
    assert tuple(settings_of(labels="rain", threshold=None)["threshold"]) == ("rain",)
    with pytest.raises(ParameterError, match="labels is empty"):
        settings_of(labels=iter(()), threshold=None)
