"""Denoising: speech and residual add up, at a latency suitable for a hearing aid."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import echoic
from echoic import audio
from echoic.errors import AudioWarning, ModelError, ParameterError
from echoic.metrics import si_sdr_db
from echoic.pipeline import denoise
from echoic.processors import Denoise, Unmix, load_model
from echoic.streaming import run as run_blocks
from echoic.synthesis import pink_noise
from pages import Tags

EXAMPLES = Path(__file__).parents[1] / "examples"
RATE = 16_000


def scene(n_samples: int, *, rate: int = RATE, n_channels: int = 2) -> np.ndarray:
    """A voice-like tone that comes and goes in noise, other noise in each channel."""
    rng = np.random.default_rng(rate)
    t = np.arange(n_samples) / rate
    tone = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20))
    noise = rng.standard_normal((n_channels, n_samples))
    return (0.1 * tone * np.clip(np.sin(6 * np.pi * t), 0, None) + 0.02 * noise).astype(np.float32)


def test_noise_is_taken_away():
    """Far below what is measured: 6 dB here."""
    wave, rate = audio.read(EXAMPLES / "speech/market.flac")
    speech = wave[:1, : 3 * rate]
    noise = pink_noise(3.0, sample_rate=rate, rng=np.random.default_rng(0))[np.newaxis]
    mixture = speech + noise * np.sqrt(np.mean(speech**2) / np.mean(noise**2))
    found = echoic.denoise(mixture, sample_rate=rate)
    assert si_sdr_db(found, speech) > si_sdr_db(mixture, speech) + 3


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_speech_and_noise_add_up_at_every_rate(rate):
    wave = scene(round(0.6 * rate), rate=rate)
    unmix = Unmix(model="denoise", kind="speech", sample_rate=rate)
    signals = np.concatenate(list(run_blocks(unmix, [wave])), axis=-1)
    assert signals.shape == (2, *wave.shape)
    np.testing.assert_allclose(signals.sum(axis=0), wave, atol=1e-6)


def test_the_floor_leaves_as_much_of_the_noise():
    wave = scene(8_000)
    speech, with_floor = (
        denoise(wave, sample_rate=RATE, floor_db=floor_db) for floor_db in (None, -20.0)
    )
    expected = speech + 0.1 * (wave - speech)
    # The floor is applied to the masks, so it is as exact as the bank's reconstruction, and the
    # output is silent before the first mask.
    error = (with_floor - expected)[:, 480:]
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.sqrt(np.mean(expected**2))
    assert np.abs(wave - speech).max() > 1e-3


def test_the_floor_changes_without_a_click():
    wave = 0.3 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)[np.newaxis]
    live = echoic.stream("denoise", floor_db=-60, sample_rate=RATE)
    before = live.push(wave[:, :8_080])
    live.change(floor_db=-1)
    out = np.concatenate([before, live.push(wave[:, 8_080:])], axis=1)[0]
    # The tone itself changes by 0.024 per sample, a ramp to it adds 0.004.
    assert np.abs(np.diff(out[7_500:10_000])).max() < 0.03
    assert np.abs(out[9_000:]).max() > 0.2


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_click_comes_out_within_ten_milliseconds(rate):
    """All the noise is left in, so that the network cannot hide the click."""
    click = np.zeros((1, rate // 4), np.float32)
    click[0, 1_000] = 1
    live = echoic.stream("denoise", floor_db=-1e-9, sample_rate=rate)
    n = rate // 200
    out = np.concatenate([live.push(click[:, k : k + n]) for k in range(0, rate // 4, n)], axis=1)
    latency = int(np.abs(out).argmax()) - 1_000
    assert latency == round(live.latency_s * rate)
    # Each push returns as many samples as it gets, so there is no wait for a block.
    assert latency / rate <= 0.010


@pytest.mark.parametrize("look_ahead_s", [0, 0.04])
def test_any_chunks_give_what_the_whole_gives(look_ahead_s):
    wave = scene(16_013)
    module = Denoise(sample_rate=RATE, floor_db=-30, look_ahead_s=look_ahead_s)
    cuts = np.cumsum(np.random.default_rng(0).integers(0, 700, 40))
    streamed = np.concatenate(list(run_blocks(module, np.split(wave, cuts, axis=-1))), axis=-1)
    whole = denoise(wave, sample_rate=RATE, floor_db=-30, look_ahead_s=look_ahead_s)
    assert np.abs(whole - streamed).max() <= 1e-6 * np.abs(wave).max()


def test_silence_stays_silent_and_what_is_no_number_harms_nothing_after_it():
    assert not np.abs(denoise(np.zeros(8_000, np.float32), sample_rate=RATE)).max() > 1e-12
    wave, bad = scene(16_000), scene(16_000)
    bad[:, 100:110] = np.nan
    live = echoic.stream("denoise", sample_rate=RATE)
    with pytest.warns(AudioWarning, match="20 samples are NaN"):
        out = live.push(bad)
    assert np.isfinite(out).all()
    # The effect of the NaN samples on the state decays.
    np.testing.assert_allclose(
        live.push(wave)[:, 8_000:],
        echoic.stream("denoise", sample_rate=RATE).push(np.concatenate([wave, wave], axis=1))[
            :, 24_000:
        ],
        atol=0.02,
    )


@pytest.mark.parametrize("floor_db", [0, 3.0, float("nan"), "-20"])
def test_a_floor_that_is_none_is_refused(floor_db):
    with pytest.raises(ParameterError, match="floor_db="):
        Denoise(sample_rate=RATE, floor_db=floor_db)


def test_models_of_other_kinds_are_refused():
    with pytest.raises(ModelError, match="gives masks of labels, not of speech"):
        Denoise(sample_rate=RATE, model="hear")
    with pytest.raises(ModelError, match="gives masks of speech, not of labels"):
        load_model("denoise")


# --- the verb ---------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audio.write("a.wav", scene(8_000, rate=44_100), sample_rate=44_100)
    return tmp_path


def test_the_verb_writes_what_python_gives_and_what_is_left(run, here):
    done = run("denoise", "a.wav", "-o", "b.wav", "--rest", "c.wav", "--floor-db", "-25", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "file": "a.wav",
        "output": "b.wav",
        "rest": "c.wav",
        "floor_db": -25.0,
    }
    (whole, rate), (kept, _), (left, _) = (audio.read(name) for name in ("a.wav", "b.wav", "c.wav"))
    np.testing.assert_allclose(kept + left, whole, atol=1e-6)
    np.testing.assert_allclose(kept, denoise(whole, sample_rate=rate, floor_db=-25), atol=1e-6)


def test_many_files_and_a_pipe(run, here):
    (here / "in").mkdir()
    audio.write("in/b.flac", scene(4_000), sample_rate=RATE)
    audio.write("in/c.wav", scene(4_000), sample_rate=RATE)
    assert run("denoise", "in", "-o", "out", "-q").code == 0
    assert sorted(path.name for path in (here / "out").iterdir()) == ["b.wav", "c.wav"]


def test_the_page_plays_what_went_in_what_was_kept_and_what_was_left_out(run, here):
    done = run("denoise", "a.wav", "-o", "b.wav", "--report", "page.html", "--json")
    assert json.loads(done.out) == {"file": "a.wav", "output": "b.wav", "report": "page.html"}
    tracks = Tags((here / "page.html").read_text(encoding="utf-8")).data()["tracks"]
    heard = [
        track["full_scale"] * soundfile.read(io.BytesIO(base64.b64decode(track["sound"])))[0].T
        for track in tracks
    ]
    wholes = (audio.read("a.wav")[0], audio.read("b.wav")[0])
    for played, whole in zip(heard, wholes, strict=False):
        np.testing.assert_allclose(played, whole, atol=2.0**-14)
    np.testing.assert_allclose(heard[1] + heard[2], heard[0], atol=2.0**-13)
    assert [track["chosen"] for track in tracks] == [False, True, False]


@pytest.mark.parametrize(("rate", "n_samples"), [(16_000, 10), (191_999, 9_000)])
def test_a_page_of_a_short_sound_or_an_odd_rate(run, here, rate, n_samples):
    """Less than one frame; a rate that FLAC, which the page plays, does not hold."""
    audio.write("odd.wav", scene(n_samples, rate=rate), sample_rate=rate)
    assert run("denoise", "odd.wav", "-o", "b.wav", "--report", "page.html", "-q").code == 0
    page = (here / "page.html").read_text(encoding="utf-8")
    assert ("FLAC does not hold their sample rate" in page) == (rate == 191_999)


def test_every_file_has_its_page(run, here):
    (here / "in").mkdir()
    for name in ("b.wav", "c.wav"):
        audio.write(f"in/{name}", scene(4_000), sample_rate=RATE)
    assert run("attend", "in", "--keep", "speech", "-o", "out", "--report", "pages").code == 0
    assert sorted(path.name for path in (here / "pages").iterdir()) == ["b.html", "c.html"]
    assert "speech" in (here / "pages/b.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--report", "page.txt"), 2, "page.txt: its suffix is neither .html nor .htm"),
        (("--floor-db", "0"), 2, "--floor-db 0"),
        (("--rest", "b.wav"), 2, "b.wav: is both --output and --rest"),
        (("--rest", "a.wav", "--force"), 1, "a.wav: is both input and output"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(run, here, options, code, words):
    done = run("denoise", "a.wav", "-o", "b.wav", *options)
    assert done.code == code
    assert words in done.err
    assert not (here / "b.wav").exists()
