"""Two talkers and the background: they add up, and are written to the expected files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import echoic
from echoic import audio, synthesis
from echoic.errors import ModelError, ParameterError
from echoic.metrics import si_sdr_db
from echoic.processors import Separate, Talker, Voices, attend, load_model
from echoic.processors.example import check_example, is_speech
from echoic.streaming import run as run_blocks
from pages import Tags

EXAMPLES = Path(__file__).parents[1] / "examples"
RATE = 16_000
PARTS = ("voice-1", "voice-2", "background")


def tones(n_samples: int, *, rate: int = RATE) -> np.ndarray:
    """Two voice-like tones that come in turn, (2, time)."""
    t = np.arange(n_samples) / rate
    return np.stack(
        [
            0.1
            * sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 15))
            * np.clip(np.sin(6 * np.pi * t + phase), 0, None)
            for f0_hz, phase in ((110, 0.0), (190, np.pi))
        ]
    ).astype(np.float32)


def scene(n_samples: int, *, rate: int = RATE) -> np.ndarray:
    """Both tones in noise, other noise in each channel."""
    noise = 0.02 * np.random.default_rng(rate).standard_normal((2, n_samples))
    return (noise + tones(n_samples, rate=rate).sum(axis=0)).astype(np.float32)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_talkers_and_background_add_up_at_every_rate(rate):
    wave = scene(round(0.6 * rate), rate=rate)
    parts = echoic.voices(wave, sample_rate=rate)
    assert parts.shape == (3, *wave.shape)
    np.testing.assert_allclose(parts.sum(axis=0), wave, atol=1e-6)
    assert (np.abs(parts).max(axis=(1, 2)) > 1e-3).all()


def test_one_channel_without_its_axis():
    mono = scene(8_000)[0]
    one, other, background = echoic.voices(mono, sample_rate=RATE)
    assert one.shape == mono.shape
    np.testing.assert_allclose(one + other + background, mono, atol=1e-6)


def test_a_stream_gives_what_the_whole_gives():
    wave = scene(16_013)
    whole = echoic.voices(wave, sample_rate=RATE, look_ahead_s=0)
    cuts = np.cumsum(np.random.default_rng(0).integers(0, 700, 40))
    blocks = np.split(wave, cuts, axis=-1)
    streamed = np.concatenate(list(run_blocks(Voices(sample_rate=RATE), blocks)), axis=-1)
    assert np.abs(whole - streamed).max() <= 1e-6 * np.abs(wave).max()
    live = echoic.stream("voices", sample_rate=RATE)
    pushed = np.concatenate([*(live.push(block) for block in blocks), live.flush()], axis=-1)
    delay = round(live.latency_s * RATE)
    assert live.latency_s <= 0.010
    np.testing.assert_array_equal(pushed[..., delay:], streamed)


def test_models_of_other_kinds_are_refused():
    with pytest.raises(ModelError, match="gives masks of speech, not of talkers"):
        Voices(sample_rate=RATE, model="denoise")


# --- one talker by an example -----------------------------------------------------------------


def voice(rate: int = RATE) -> np.ndarray:
    """A second of one of the two talkers of the scene."""
    t = np.arange(rate) / rate
    tone = sum(np.sin(2 * np.pi * 110 * k * t) / k for k in range(1, 15))
    return (0.1 * tone * np.clip(np.sin(6 * np.pi * t), 0, None)).astype(np.float32)


def test_a_talker_and_all_else_add_up_whatever_the_rate_of_the_example():
    wave = scene(9_000)
    for rate in (RATE, 44_100):
        talker = Talker(voice(rate), sample_rate=RATE, example_sample_rate=rate)
        parts = np.concatenate(
            list(run_blocks(talker, [wave[:, :3_001], wave[:, 3_001:]])), axis=-1
        )
        np.testing.assert_allclose(parts.sum(axis=0), wave, atol=1e-6)
        assert (np.abs(parts).max(axis=(1, 2)) > 1e-3).all()


def test_what_the_example_said_is_heard_before_the_stream():
    """Its talker's place is where he goes on: the network is in the state that he has left."""
    talker, unmix = Talker(voice(), sample_rate=RATE), Voices(sample_rate=RATE)
    example, wave = voice()[np.newaxis], scene(8_000)[:1]
    _, [*_, (onset_s, offset_s)] = check_example(example, sample_rate=RATE)
    _, after = unmix(example[:, round(onset_s * RATE) : round(offset_s * RATE)])
    _, fresh = unmix(wave[:, :0])
    whole, _ = unmix(wave, fresh._replace(network=after.network))
    signals, _ = talker(wave)
    assert min(np.abs(signals[0] - whole[place]).max() for place in (0, 1)) < 1e-6


@pytest.mark.parametrize("index", [0, 1])
def test_the_talker_of_the_example_is_kept(index):
    voices = tones(3 * RATE)
    signals, _ = Talker(voices[index], sample_rate=RATE)(voices.sum(axis=0, keepdims=True))
    kept = signals[0, 0, 128:]
    own, other = (si_sdr_db(kept, one[:-128]) for one in (voices[index], voices[1 - index]))
    assert own > other + 10


def test_two_talkers_are_taken_apart():
    voices = tones(3 * RATE)
    found = echoic.voices(voices.sum(axis=0), sample_rate=RATE)[:2]
    gains = [np.mean(si_sdr_db(found[list(order)], voices)) for order in ((0, 1), (1, 0))]
    assert max(gains) > np.mean(si_sdr_db(voices.sum(axis=0), voices)) + 5


def test_examples_of_speech_are_voices_and_rain_is_none():
    for name in ("market", "flowers"):
        wave, rate = audio.read(EXAMPLES / f"speech/{name}.flac")
        assert is_speech(load_model(), wave, sample_rate=rate)
    rain = synthesis.rain(2.0, sample_rate=RATE, rng=np.random.default_rng(0))
    assert not is_speech(load_model(), rain, sample_rate=RATE)


def test_silence_around_an_example_means_nothing():
    wave, silence = scene(8_000), np.zeros(3 * RATE, np.float32)
    plain = Talker(voice(), sample_rate=RATE)(wave)[0]
    padded = Talker(np.concatenate([silence, voice(), silence]), sample_rate=RATE)(wave)[0]
    np.testing.assert_allclose(padded, plain, atol=1e-3)
    with pytest.raises(ParameterError, match=r"nothing sounds|too short"):
        Talker(voice()[:20], sample_rate=RATE)


def test_a_stream_keeps_to_the_talker_that_it_began_with():
    first, other = (Talker(wave, sample_rate=RATE) for wave in (voice(), 2 * voice()[::-1]))
    _, state = first(scene(800))
    for use in (lambda: other(scene(800), state), lambda: other.finish(state)):
        with pytest.raises(ParameterError, match="keeps to this talker"):
            use()


def test_a_change_that_a_stream_cannot_follow_leaves_it_as_it_is(monkeypatch):
    monkeypatch.setattr(attend, "is_speech", lambda *_, **__: True)
    live = echoic.stream("attend", like=voice(), sample_rate=RATE)
    before = [live.push(scene(800))]
    with pytest.raises(ParameterError):
        live.change(keep=["rain"])
    again = echoic.stream("attend", like=voice(), sample_rate=RATE)
    np.testing.assert_array_equal(before[0], again.push(scene(800)))
    np.testing.assert_array_equal(live.push(scene(800)), again.push(scene(800)))


def test_an_example_that_is_a_voice_asks_for_a_talker(monkeypatch):
    wave = scene(8_000)[:1]
    for said, kind in ((True, Talker), (False, Separate)):
        monkeypatch.setattr(attend, "is_speech", lambda *_, said=said, **__: said)
        selected = attend.Attend(like=voice(), sample_rate=RATE)
        assert isinstance(selected.separate, kind)
        kept, state = selected(wave)
        left = np.concatenate([kept, selected.finish(state)], axis=-1)
        assert left.shape == (1, wave.shape[1] + selected.delay)


# --- the verb ---------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audio.write("a.wav", scene(8_000, rate=44_100), sample_rate=44_100)
    return tmp_path


def test_the_verb_writes_what_python_gives(run, here):
    done = run("voices", "a.wav", "-o", "out", "--report", "page.html", "--json")
    assert (done.code, done.err) == (0, "")
    files = {part: f"out/{part}.wav" for part in PARTS}
    assert json.loads(done.out) == {"file": "a.wav", **files, "report": "page.html"}
    whole, rate = audio.read("a.wav")
    for found, part in zip(echoic.voices(whole, sample_rate=rate), PARTS, strict=True):
        np.testing.assert_allclose(audio.read(files[part])[0], found, atol=1e-6)
    page = Tags((here / "page.html").read_text(encoding="utf-8"))
    assert len(page.data()["tracks"]) == 4


def test_each_of_several_files_has_a_folder_of_its_own(run, here):
    (here / "in").mkdir()
    for name in ("b.flac", "c.wav"):
        audio.write(f"in/{name}", scene(4_000), sample_rate=RATE)
    assert run("voices", "in", "-o", "out", "-q").code == 0
    found = sorted(str(path.relative_to(here / "out")) for path in here.glob("out/*/*"))
    assert found == sorted(f"{name}.voices/{part}.wav" for name in "bc" for part in PARTS)
    (here / "out/b.voices/voice-2.wav").unlink()
    done = run("voices", "in", "-o", "out", "--skip-existing")
    assert done.code == 0
    assert "in/c.wav: skipped" in done.err
    assert (here / "out/b.voices/voice-2.wav").exists()


def test_what_fails_leaves_no_folder(run, here):
    assert run("voices", "missing.wav", "-o", "out").code == 1
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        ("-", 2, "-: names no folder; the results need one"),
        ("a.wav", 2, "a.wav: names no folder; the results need one"),
        ("full", 1, "full/voice-1.wav: exists already"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(run, here, output, code, words):
    (here / "full").mkdir()
    (here / "full/voice-1.wav").write_bytes(b"mine")
    done = run("voices", "a.wav", "-o", output)
    assert done.code == code
    assert words in done.err
    assert [path.name for path in (here / "full").iterdir()] == ["voice-1.wav"]
    assert (here / "full/voice-1.wav").read_bytes() == b"mine"
