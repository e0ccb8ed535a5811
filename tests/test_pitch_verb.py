"""`echoic.pitch`, `echoic pitch`, and notebook display of results."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import echoic
from echoic import audio
from echoic.ear import Correlogram, Ear
from echoic.errors import ParameterError
from echoic.events import Event
from echoic.report import draw_correlogram, draw_pitch, draw_responses
from echoic.report.plots import PANEL
from echoic.synthesis import vowel

RATE = 16_000


@pytest.fixture
def sung(tmp_path: Path) -> Path:
    """Half a second on 150 Hz, and as much silence; two channels."""
    wave = np.zeros((2, RATE), np.float32)
    wave[:, : RATE // 2] = vowel("aa", 0.5, sample_rate=RATE, f0_hz=150)
    audio.write(tmp_path / "sung.wav", wave, sample_rate=RATE)
    return tmp_path / "sung.wav"


def pixels(png: bytes) -> np.ndarray:
    """(row, column, 3) from 0 to 255."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_track_lies_where_the_sound_lies(sung):
    wave, rate = echoic.read(sung)
    track = echoic.pitch(wave, sample_rate=rate)
    assert track.f0_hz.shape == track.voicing.shape == track.time_s.shape == (100,)
    assert track.time_s[[0, -1]] == pytest.approx([0.005, 0.995])
    np.testing.assert_allclose(track.f0_hz[6:44], 150, rtol=0.002)
    assert not track.f0_hz[56:].any()
    # The summary is aligned with it: its peak is at the period where there is a pitch.
    lag = int(np.argmin(np.abs(track.lag_s - 1 / 150)))
    assert track.summary[lag, 6:44].min() > 0.8
    assert track.summary[lag, 60:].max() < 0.1


def test_a_track_is_the_stream(sung):
    """Block by block as the class does it at once."""
    wave = np.tile(echoic.read(sung)[0], 3)
    track = echoic.pitch(wave, sample_rate=RATE, hop_s=0.005)
    pitch = echoic.Pitch(sample_rate=RATE, hop_s=0.005)
    heard, _ = pitch(wave.mean(axis=0))
    late = pitch.delay.f0_hz
    np.testing.assert_allclose(track.f0_hz[:-late], heard.f0_hz[late:], rtol=1e-5)


def test_less_than_a_frame_is_said():
    for hear in (echoic.pitch, echoic.cochleagram):
        with pytest.raises(ParameterError, match="10 samples are shorter than one frame"):
            hear(np.zeros(10, np.float32), sample_rate=RATE)


def test_json_is_one_object(run, sung):
    code, out, err = run("pitch", sung, "--json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert list(record) == ["file", "sample_rate", "hop_s", "f0_hz", "voicing"]
    assert record["hop_s"] == 0.01
    assert record["f0_hz"][20] == pytest.approx(150, abs=0.5)
    assert record["f0_hz"][80] is None
    assert len(record["voicing"]) == 100


def test_people_read_lines(run, sung):
    code, out, _ = run("pitch", sung, "--hop-ms", "20")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == str(sung)
    time_s, f0_hz, voicing = lines[11].split()
    assert time_s == "0.2100"
    assert float(f0_hz) == pytest.approx(150, abs=0.5)
    assert float(voicing) > 0.8
    assert lines[46].split()[:2] == ["0.9100", "-"]


def test_a_table_and_standard_input(run, sung, tmp_path, monkeypatch):
    table = tmp_path / "all.csv"
    assert run("pitch", sung, "--table", table, "-q").code == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert rows[20]["time_s"] == "0.205"
    assert float(rows[20]["f0_hz"]) == pytest.approx(150, abs=0.5)
    assert rows[80]["f0_hz"] == ""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sung.read_bytes())))
    code, out, _ = run("pitch", "-", "--json")
    assert (code, json.loads(out)["file"]) == (0, "-")


def test_no_pitch_above_the_highest_asked_for(run, sung):
    """The sound is sung at 150 Hz: nothing periodic has a longest period below 140 Hz but that."""
    code, out, _ = run("pitch", sung, "--json", "-q", "--high-hz", "140")
    assert code == 0
    found = [f0 for f0 in json.loads(out)["f0_hz"] if f0 is not None]
    assert all(f0 <= 140 for f0 in found)
    assert not any(abs(f0 - 150) < 5 for f0 in found)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--low-hz", "5"], "--low-hz 5 is outside 20 to 1000"),
        (["--hop-ms", "100"], "'--hop-ms': '100': "),
        (["-o", "out.jpg"], "its suffix is not .png"),
        (["--skip-existing"], "needs -o"),
    ],
)
def test_wrong_usage(run, sung, options, words):
    code, out, err = run("pitch", sung, *options)
    assert (code, out) == (2, "")
    assert words in err


def test_results_show_themselves(sung):
    wave, rate = echoic.read(sung)
    pitch, heard = echoic.pitch(wave, sample_rate=rate), echoic.cochleagram(wave, sample_rate=rate)
    hearing = echoic.Hearing([Event("rain", 0.1, 0.4, 0.5)], {}, heard.envelope, heard.center_hz,
                             rate, "hear")  # fmt: skip
    assert pixels(pitch._repr_png_()).shape[:2] == (800, 1600)
    assert pixels(heard._repr_png_()).shape[:2] == (800, 1600)
    assert pixels(hearing._repr_png_()).shape[:2] == (840, 1600)  # including a lane for the rain
    assert len(repr(pitch)) + len(repr(heard)) < 300
    np.testing.assert_array_equal(np.asarray(heard), heard.envelope)
    frames, _ = Ear(sample_rate=rate)(wave)
    np.testing.assert_allclose(np.sqrt(np.square(frames).sum(axis=0)), heard, rtol=1e-5)


def test_a_pitch_is_drawn_at_its_height():
    """On an axis of octaves from 100 to 400 Hz, 200 Hz is halfway; so is its period's ridge."""
    lag_s = np.arange(101) / 8000
    summary = np.zeros((101, 50))
    summary[40] = 1  # 5 ms
    options = {"title": "", "summary": summary, "lag_s": lag_s, "range_hz": (100, 400)}
    without = pixels(draw_pitch(np.zeros(50), 0.5, **options))
    drawn = pixels(draw_pitch(np.full(50, 200.0), 0.5, **options))
    middle = (PANEL.top + PANEL.bottom) / 2
    track = np.flatnonzero((drawn != without).any(axis=(1, 2)))
    assert track.mean() == pytest.approx(middle, abs=2)
    panel = without[PANEL.top + 2 : PANEL.bottom - 2, PANEL.left + 200].sum(axis=1)
    assert np.argmax(panel) + PANEL.top == pytest.approx(middle, abs=6)


def test_a_single_pitch_is_drawn_at_the_centre():
    wave = vowel("aa", 0.5, sample_rate=RATE, f0_hz=100)
    track = echoic.pitch(wave, sample_rate=RATE, low_f0_hz=100, high_f0_hz=100)
    assert pixels(track.draw(title="")).shape[:2] == (800, 1600)


def test_a_leap_is_no_line():
    lag_s, summary = np.arange(101) / 8000, np.zeros((101, 50))
    options = {"title": "", "summary": summary, "lag_s": lag_s, "range_hz": (100, 400)}
    leaping = np.where(np.arange(50) < 25, 120.0, 350.0)
    drawn = pixels(draw_pitch(leaping, 0.5, **options))
    without = pixels(draw_pitch(np.zeros(50), 0.5, **options))
    middle = (PANEL.top + PANEL.bottom) // 2
    np.testing.assert_array_equal(drawn[middle], without[middle])
    assert (drawn != without).any()


def test_correlogram_and_responses_are_drawn():
    correlogram = Correlogram(sample_rate=RATE)
    frames, _ = correlogram(vowel("aa", 0.3, sample_rate=RATE, f0_hz=125))
    lags = correlogram.lag_s
    drawn = pixels(draw_correlogram(frames[..., -5], correlogram.center_hz, lags, title="aa"))
    assert drawn.shape[:2] == (800, 1600)
    # Past the first few columns the brightest one is at 8 ms on the axis.
    brightness = drawn[60:500, PANEL.left + 300 : PANEL.right - 300].sum(axis=(0, 2))
    wanted = (8 / 1000 / lags[1] + 0.5) / lags.size * (PANEL.right - PANEL.left)
    assert np.argmax(brightness) + 300 == pytest.approx(wanted, abs=8)
    with pytest.raises(ParameterError, match=r"is not \(band=64, lag=161\)"):
        draw_correlogram(frames[1:, :, 0], correlogram.center_hz, lags, title="")
    assert pixels(draw_responses(Ear(sample_rate=8_000).design, title="8 kHz")).std() > 10
