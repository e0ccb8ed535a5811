"""The pictures, the HTML page, and `echoic cochleagram`."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose
from PIL import Image

from echoic import audio
from echoic.audio import Recording
from echoic.ear import Ear
from echoic.ear.design import design_listening
from echoic.errors import FileError, ParameterError
from echoic.events import Event
from echoic.report import ColumnMeter, draw_cochleagram, erb_ticks, paint_levels, write_page
from echoic.report.axes import band_edges_erb, clock_text, level_range_db, printable, time_ticks
from echoic.report.tracks import MAX_EMBEDDED_S, encode_flac
from echoic.units import hz_to_erb_rate
from pages import Tags

RATE = 16_000
CENTER_HZ = design_listening(sample_rate=RATE).center_hz


def png_pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


# --- axes ---------------------------------------------------------------------------------------


def test_ticks_lie_where_their_frequency_does():
    low_erb, high_erb = band_edges_erb(CENTER_HZ)
    for hz, label in erb_ticks(CENTER_HZ[0], CENTER_HZ[-1]):
        assert float(label.replace("k", "000")) == hz
        row = (hz_to_erb_rate(hz) - low_erb) / (high_erb - low_erb) * len(CENTER_HZ) - 0.5
        assert_allclose(np.interp(hz, CENTER_HZ, np.arange(64)), row, atol=0.03)


def test_ticks_keep_their_distance():
    labels = [label for _, label in erb_ticks(10, 96_000, min_gap_erb=2.0)]
    assert labels == ["10", "100", "200", "500", "1k", "2k", "5k", "10k", "20k", "50k"]


def test_uneven_centres_are_refused():
    with pytest.raises(ParameterError, match="evenly on the ERB-rate scale"):
        band_edges_erb(np.array([100.0, 200.0, 300.0, 5000.0]))
    assert_allclose(np.diff(band_edges_erb(np.array([440.0]))), 1.0)


@pytest.mark.parametrize("duration_s", [1e-3, 0.07, 1.0, 9.99, 59.0, 61.0, 3599.0, 36_000.0, 1e6])
def test_times_are_round_and_few(duration_s):
    ticks = time_ticks(duration_s)
    assert 2 <= len(ticks) <= 8
    assert ticks[0][0] == 0
    assert ticks[-1][0] <= duration_s
    assert len({label for _, label in ticks}) == len(ticks)


def test_a_time_is_rounded_as_a_whole():
    assert clock_text(59.96, 1) == "1:00.0"
    assert clock_text(3599.999, 0) == "1:00:00"


# --- the meter ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_frames", "n_columns"), [(1000, 7), (13, 13), (5, 100), (2001, 2000)])
def test_the_meter_is_the_mean_power_of_each_column(n_frames, n_columns):
    envelope = np.random.default_rng(3).random((4, n_frames), dtype=np.float32)
    meter = ColumnMeter(n_frames, n_columns, n_bands=4)
    for chunk in np.split(envelope, [0, 1, 2, n_frames // 2 + 1], axis=1):
        meter.add(chunk)
    column = np.arange(n_frames) * min(n_columns, n_frames) // n_frames
    mean = [np.mean(envelope[:, column == c].astype(float) ** 2, axis=1) for c in np.unique(column)]
    assert_allclose(meter.level_db(), 10 * np.log10(mean).T, rtol=1e-12)


def test_the_meter_gives_a_full_scale_sine_0_db_and_silence_none():
    wave = np.sin(2 * np.pi * CENTER_HZ[30] * np.arange(RATE) / RATE)
    envelope, _ = Ear(sample_rate=RATE)(wave)
    meter = ColumnMeter(envelope.shape[1], 10, n_bands=64)
    assert np.all(meter.level_db() == -np.inf)
    meter.add(envelope)
    assert_allclose(meter.level_db()[30, 2:], 0, atol=0.1)


def test_the_meter_says_what_it_was_not_promised():
    meter = ColumnMeter(10, n_bands=2)
    with pytest.raises(ParameterError, match=r"11 frames added, n_frames_total=10"):
        meter.add(np.zeros((2, 11)))
    with pytest.raises(ParameterError, match=r"\(3, 1\), not \(band=2"):
        meter.add(np.zeros((3, 1)))
    with pytest.raises(ParameterError, match="n_frames_total=0"):
        ColumnMeter(0, n_bands=2)


# --- pictures -----------------------------------------------------------------------------------


def test_paint_levels_maps_values_to_pixels():
    level_db = np.full((3, 5), -np.inf)
    level_db[0, 4] = -20.0  # lowest band, last frame
    pixels = png_pixels(paint_levels(level_db))
    assert pixels.shape[:2] == (3, 5)
    brightness = pixels[..., :3].sum(axis=-1)
    assert np.argmax(brightness) == np.ravel_multi_index((2, 4), (3, 5))
    assert np.ptp(np.sort(brightness, axis=None)[:-1]) == 0


def test_the_drawing_is_the_same_twice_whatever_the_title():
    level_db = np.random.default_rng(5).normal(-40, 10, (64, 50))
    events = [Event("rain_$x$", 0.0, 1.0), Event("dog", 0.2, 0.4, 0.3)]
    pictures = []
    for _ in range(2):
        title = "50$ _{ \udcff \n 日本.wav"
        pictures.append(draw_cochleagram(level_db, CENTER_HZ, 2.0, title=title, events=events))
    assert pictures[0] == pictures[1]
    assert png_pixels(pictures[0]).shape[:2] == (800 + 2 * 40, 1600)


def test_a_drawing_needs_matching_shapes():
    with pytest.raises(ParameterError, match=r"\(64, 0\)"):
        draw_cochleagram(np.zeros((64, 0)), CENTER_HZ, 1.0, title="")
    with pytest.raises(ParameterError, match="duration_s=0"):
        draw_cochleagram(np.zeros((64, 1)), CENTER_HZ, 0.0, title="")


def test_names_in_any_script_stay():
    assert printable("日本 👩‍🚒 é") == "日本 👩‍🚒 é"
    assert printable("\udcff\n\u2028") == "\N{REPLACEMENT CHARACTER}" * 3


# --- the page -----------------------------------------------------------------------------------

EVIL = 'a<script>alert("1")</script>&$x.wav'
EVIL_LABEL = "</style><img src=x onerror=alert(1)>"


def make_stems(folder: Path, n_samples: int = 20_123, channels: int = 1) -> dict[str, Path]:
    rng = np.random.default_rng(11)
    stems = {}
    for k, label in enumerate(("rain", EVIL_LABEL, "rest")):
        stems[label] = folder / "stems" / f"stem {k}.wav"
        stems[label].parent.mkdir(exist_ok=True)
        wave = rng.uniform(-0.1, 0.1, (channels, n_samples)).astype(np.float32)
        audio.write(stems[label], wave, sample_rate=RATE)
    return stems


def write_test_page(folder: Path, **changes) -> str:
    page = {
        "source_name": EVIL,
        "duration_s": 20_123 / RATE,
        "sample_rate": RATE,
        "n_channels": 1,
        "model": "hear <1>",
        "events": [Event("rain", 0.1, 1.2, 0.7), Event("rooster", 0.5, 0.9)],
        "level_db": np.full((64, 100), -30.0),
        "center_hz": CENTER_HZ,
        "elapsed_s": 0.1,
        "original": None,
    }
    page |= changes
    if "stems" not in page:
        page["stems"] = make_stems(folder, channels=page["n_channels"])
    for name in ("events.json", "events.csv"):
        (folder / name).touch()
    write_page(folder / "report.html", **page)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    return write_test_page(tmp_path_factory.mktemp("page"))


def test_names_cannot_break_out(page):
    assert "alert(&quot;1&quot;)" in page
    tags = Tags(page)
    assert [tag for tag, _ in tags.tags].count("script") == 2  # data and page.js
    assert [tag for tag, _ in tags.tags].count("img") == 1  # the cochleagram
    assert not any("onerror" in attributes for _, attributes in tags.tags)
    assert "<1>" not in page


def test_every_label_has_a_lane(page):
    for label in ("rain", "&lt;/style&gt;&lt;img src=x onerror=alert(1)&gt;", "rooster", "rest"):
        assert f'<div class="name">{label}</div>' in page
    assert page.index(">rooster</div>") < page.index(">rest</div>")  # the rest is the last lane
    assert "confidence 70%" in page


def test_the_page_fetches_nothing(page):
    assert not re.search(r"https?:|//\w+\.\w+/", page)
    for tag, attributes in Tags(page).tags:
        assert (attributes.get("src") or "data:").startswith("data:"), tag
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        if "href" in attributes:
            assert tag == "a"
            assert re.fullmatch(r"[\w./%-]+", attributes["href"])
            assert not attributes["href"].startswith("/")
    assert 'href="stems/stem%200.wav"' in page
    assert 'href="events.json"' in page


def test_the_policy_admits_the_script_that_is_there(page):
    tags = Tags(page)
    digest = base64.b64encode(hashlib.sha256(tags.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_the_embedded_sound_is_whole_and_in_its_place(page, tmp_path):
    tracks = Tags(page).data()["tracks"]
    assert [track["mixture"] for track in tracks] == [True, False, False, False]
    for track in tracks[1:]:
        wave, rate = soundfile.read(io.BytesIO(base64.b64decode(track["sound"])))
        assert (rate, wave.shape) == (RATE, (20_123,))
    assert "sound" not in tracks[0]  # the mixture is the sum of the stems


@pytest.mark.parametrize(
    ("rate", "channels", "peak"), [(192_000, 1, 0.5), (9_000, 2, 3.0), (8_000, 7, 1.0)]
)
def test_a_copy_is_the_sound_to_16_bits_at_its_level(tmp_path, rate, channels, peak):
    rng = np.random.default_rng(rate)
    wave = rng.uniform(-peak, peak, (channels, rate // 2)).astype(np.float32)
    audio.write(tmp_path / "a.wav", wave, sample_rate=rate)
    flac, gain = encode_flac(Recording(tmp_path / "a.wav"))
    heard, got = soundfile.read(io.BytesIO(flac), always_2d=True)
    expected = wave.mean(axis=0, keepdims=True) if channels > 2 else wave
    assert got == rate
    assert gain == pytest.approx(max(np.abs(expected).max(), 1.0))
    assert_allclose(gain * heard.T, expected, atol=gain * 2.0**-15)


def test_the_original_is_the_mixture_and_many_channels_are_said(tmp_path):
    stems = make_stems(tmp_path, channels=3)
    page = write_test_page(tmp_path, stems=stems, original=stems["rain"], n_channels=3)
    assert "3 channels; this page plays their mean" in page
    assert all(track["sound"] for track in Tags(page).data()["tracks"])


@pytest.mark.parametrize("limit", ["MAX_EMBEDDED_S", "MAX_EMBEDDED_BYTES"])
def test_long_sounds_are_linked(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(f"echoic.report.tracks.{limit}", 1.0)
    assert MAX_EMBEDDED_S == 600.0
    page = write_test_page(tmp_path)
    assert Tags(page).data()["tracks"] == []
    assert "cannot be played within this page" in page
    assert "<button" not in page.split('id="timeline"')[1].split("Events</h2>")[0]


def test_no_event_and_one_sample_make_a_page_too(tmp_path):
    audio.write(tmp_path / "rest.wav", np.zeros((1, 1)), sample_rate=192_000)
    page = write_test_page(
        tmp_path,
        stems={"rest": tmp_path / "rest.wav"},
        events=[],
        duration_s=1 / 192_000,
        sample_rate=192_000,
        level_db=np.full((64, 1), -np.inf),
    )
    assert "No known sound was heard." in page


def test_the_guard_against_denormals_is_not_drawn_as_a_sound():
    """Digital silence leaves some −400 dB in the bands."""
    assert level_range_db(np.full((64, 9), -407.0), 80.0) == (-80.0, 0.0)


def test_a_page_of_no_sound_says_so(tmp_path):
    page = write_test_page(tmp_path, stems={})
    assert "There is nothing to play" in page
    assert '"tracks": []' in page or '"tracks":[]' in page


def test_a_page_is_refused_for_what_does_not_agree(tmp_path):
    stems = make_stems(tmp_path)
    with pytest.raises(ParameterError, match="duration_s=0"):
        write_test_page(tmp_path, stems=stems, duration_s=0)
    audio.write(stems["rain"], np.zeros((1, 5)), sample_rate=RATE, force=True)
    with pytest.raises(ParameterError, match="stems differ"):
        write_test_page(tmp_path, stems=stems)
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        write_test_page(tmp_path, stems={"rest": stems["rest"]})
    assert (tmp_path / "report.html").read_text() == "mine"


# --- the verb -----------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch, capsys):
    def run_echoic(*args: str | Path) -> tuple[int, str, str]:
        from echoic.cli import main

        monkeypatch.setattr(sys, "argv", ["echoic", "cochleagram", *map(str, args)])
        with pytest.raises(SystemExit) as left:
            main()
        return (left.value.code or 0, *capsys.readouterr())

    return run_echoic


@pytest.fixture
def wav(tmp_path) -> Path:
    wave = np.random.default_rng(2).uniform(-0.1, 0.1, (2, 30_000)).astype(np.float32)
    audio.write(tmp_path / "two.wav", wave, sample_rate=44_100)
    return tmp_path / "two.wav"


def test_png_and_what_is_there_stays(run, wav, tmp_path):
    target = tmp_path / "a.PNG"
    assert run(wav, "-o", target) == (0, "", f"echoic: {wav}: wrote {target}\n")
    assert png_pixels(target.read_bytes()).shape[:2] == (800, 1600)
    target.write_text("mine")
    code, _, err = run(wav, "-o", target)
    assert (code, target.read_text()) == (1, "mine")
    assert "exists already" in err


def test_npz_is_the_ear_of_the_summed_power(run, wav, tmp_path):
    target = tmp_path / "a.npz"
    options = ("--bands", 20, "--hop-ms", 5, "--low-hz", 100, "--high-hz", 12_000)
    code, out, err = run(wav, "-o", target, "--json", "-q", *options)
    assert (code, err) == (0, "")
    assert json.loads(out)["n_frames"] == 136
    ear = Ear(sample_rate=44_100, n_bands=20, hop_s=0.005, low_hz=100, high_hz=12_000)
    frames, _ = ear(audio.read(wav)[0])
    with np.load(target) as numbers:
        assert numbers["envelope"].dtype == np.float32
        assert_allclose(numbers["envelope"], np.sqrt(np.sum(frames**2, axis=0)), atol=1e-6)
        assert_allclose(numbers["center_hz"], ear.center_hz)
        assert (numbers["hop_s"], numbers["sample_rate"]) == (0.005, 44_100)


def test_several_inputs_fill_a_folder(run, wav, tmp_path):
    audio.write(tmp_path / "one.wav", np.zeros((1, 800)), sample_rate=RATE)
    audio.write(tmp_path / "short.wav", np.zeros((1, 3)), sample_rate=RATE)
    inputs = (wav, tmp_path / "one.wav", tmp_path / "short.wav", tmp_path / "missing.wav")
    code, _, err = run(*inputs, "-o", tmp_path / "out", "--format", "npz", "-q")
    assert code == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["one.npz", "two.npz"]
    assert "3 samples are shorter than one frame" in err
    assert "missing.wav" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["two.wav"],
        ["two.wav", "-o", "a.jpg"],
        ["two.wav", "-o", "a.png", "--format", "npz"],
        ["two.wav", "-o", "a.png", "--bands", "0"],
        ["two.wav", "one.wav", "-o", "two.wav"],
    ],
)
def test_wrong_usage(run, wav, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments)[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["two.wav"]
