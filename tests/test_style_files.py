"""`echoic style` end to end, including bad input."""

from __future__ import annotations

import json
import pkgutil

import numpy as np
import pytest
import torch
from PIL import Image

from echoic import audio
from echoic.errors import ParameterError
from echoic.style import windows
from echoic.style.files import restyle_file, texture_file
from echoic.style.losses import grams_loss
from echoic.style.networks import PictureNetwork
from echoic.style.pictures import restyle_picture_file
from echoic.style.styling import How

RATE = 16_000
QUICK = ("--steps", "2")


def sound(n_channels: int, n_samples: int, seed: int = 0) -> np.ndarray:
    wave = np.random.default_rng(seed).standard_normal((n_channels, n_samples))
    swell = 1 + np.sin(np.arange(n_samples) * 2 * np.pi * 4 / RATE)
    return (0.05 * wave * swell).astype(np.float32)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audio.write("content.wav", sound(1, RATE), sample_rate=RATE)
    audio.write("style.wav", sound(2, 2 * 22_050, seed=1), sample_rate=22_050)
    return tmp_path


def test_the_result_has_the_contents_rate_and_length(run, here):
    done = run("style", "content.wav", "style.wav", "-o", "out.wav", *QUICK, "--json")
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    assert record["method"] == "hearing"
    assert record["evaluations"] == 2
    assert audio.info("out.wav").frames == RATE
    assert audio.info("out.wav").sample_rate == RATE


def test_stereo_keeps_its_image(run, here):
    wave = sound(2, RATE)
    wave[1] *= 0.1
    audio.write("wide.wav", wave, sample_rate=RATE)
    assert run("style", "wide.wav", "style.wav", "-o", "out.wav", "--method", "vocoder").code == 0
    out, _ = audio.read("out.wav")
    assert np.std(out[0]) / np.std(out[1]) == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize("share", [0.0, -0.9, -1.0])
def test_channels_keep_their_level_however_they_are_correlated(here, share):
    first, second = sound(1, RATE, seed=2), sound(1, RATE, seed=3)
    wave = np.concatenate([first, share * first + np.sqrt(1 - share**2) * second])
    audio.write("wide.wav", wave, sample_rate=RATE)
    restyle_file("wide.wav", "style.wav", "out.wav", how=How("vocoder"))
    assert windows.level_of(audio.read("out.wav")[0]) == pytest.approx(
        windows.level_of(wave), rel=0.01
    )


def test_a_window_whose_channels_cancel_is_no_silence(here, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.5)
    first = sound(1, 4 * RATE)
    wave = np.concatenate([first, first * np.where(np.arange(4 * RATE) < 2 * RATE, 1, -1)])
    audio.write("wide.wav", wave.astype(np.float32), sample_rate=RATE)
    restyle_file("wide.wav", "style.wav", "out.wav", how=How("vocoder"))
    levels = audio.read("out.wav")[0].reshape(2, 16, -1).std(axis=2)
    assert levels[:, -4:].min() > 0.3 * levels.max()


def test_windows_have_no_seams(monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.0)
    wave = sound(1, 5 * RATE)
    out = windows.in_windows(wave, lambda window, _k: window, sample_rate=RATE, depth=1.0)
    levels = [np.std(w.reshape(-1, RATE // 4), axis=1) for w in (wave[0], out[0])]
    # Overlapping windows hold identical samples, so the cross-fade adds at most 3 dB.
    assert np.all(levels[1] / levels[0] < 1.42)
    assert np.all(levels[1] / levels[0] > 0.99)


def test_a_long_file_is_restyled_in_windows(run, here, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.5)
    audio.write("long.wav", sound(1, 4 * RATE), sample_rate=RATE)
    done = run("style", "long.wav", "style.wav", "-o", "out.wav", *QUICK, "--json")
    assert done.code == 0
    assert json.loads(done.out)["evaluations"] > 2
    assert audio.info("out.wav").frames == 4 * RATE


def test_learned_layers_are_read_once_for_all_windows(run, here, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.5)
    network = PictureNetwork.random(n_maps=(4, 4, 4, 4, 4), seed=5)
    torch.save(network.weights, "layers.pt")
    audio.write("long.wav", sound(1, 4 * RATE), sample_rate=RATE)
    read, load = [], torch.load
    monkeypatch.setattr(torch, "load", lambda *a, **k: read.append(a) or load(*a, **k))
    asked = ("--method", "gatys", "--domain", "waveform", "--network", "layers.pt", *QUICK)
    done = run("style", "long.wav", "style.wav", "-o", "out.wav", *asked, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["evaluations"] > 2
    assert len(read) == 1


def test_a_preview_is_short(run, here):
    audio.write("long.wav", sound(1, 5 * RATE), sample_rate=RATE)
    done = run("style", "long.wav", "style.wav", "-o", "out.wav", "--preview", *QUICK)
    assert done.code == 0
    assert audio.info("out.wav").duration_s == 3


def test_a_texture_needs_no_content(run, here, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.0)
    done = run("style", "--texture", "style.wav", "--seconds", "2.5", "-o", "out.wav", *QUICK)
    assert done.code == 0
    found = audio.info("out.wav")
    assert (found.duration_s, found.channels, found.sample_rate) == (2.5, 1, 22_050)
    wave, _ = audio.read("out.wav")
    levels = wave[0].reshape(25, -1).std(axis=1)
    assert levels.min() > 0.3 * levels.max()


def test_only_one_sound_is_restyled(run, here, monkeypatch):
    half = sound(1, RATE, seed=3)
    monkeypatch.setattr("echoic.pipeline.attend", lambda waves, **_: half)
    vocoder = ("--method", "vocoder")
    done = run("style", "content.wav", "style.wav", "-o", "out.wav", "--only", "rain", *vocoder)
    assert done.code == 0
    out, _ = audio.read("out.wav")
    audio.write("half.wav", half, sample_rate=RATE)
    assert run("style", "half.wav", "style.wav", "-o", "alone.wav", *vocoder).code == 0
    alone, _ = audio.read("alone.wav")
    content, _ = audio.read("content.wav")
    np.testing.assert_allclose(out, alone + content - half, atol=1e-5)


def test_a_picture_is_upright_and_at_most_512_pixels_wide(run, here):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned by 90 degrees
    Image.fromarray(checks(0, 100)[:300]).save("content.jpg", exif=exif)
    assert restyle_picture_file("content.jpg", "content.jpg", "out.png", n_steps=1).loss > 0
    with Image.open("out.png") as painted:
        assert painted.size == (256, 512)


def test_a_picture_that_is_too_large_is_refused(run, here, monkeypatch):
    Image.fromarray(checks(0, 8)).save("content.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    done = run("style", "content.png", "content.png", "-o", "out.png")
    assert done.code == 1
    assert "content.png: is no picture that can be read" in done.err


def checks(seed: int, size: int) -> np.ndarray:
    """Coloured squares."""
    colours = np.random.default_rng(seed).random((6, 6, 3))
    return (np.kron(colours, np.ones((size, size, 1))) * 255).astype(np.uint8)


def test_a_picture_is_painted_like_another(run, here):
    Image.fromarray(checks(0, 8)).save("content.png")
    Image.fromarray(checks(1, 10)).save("style.png")
    done = run("style", "content.png", "style.png", "-o", "out.png", "--steps", "15", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["kind"] == "picture"
    painted = np.asarray(Image.open("out.png"), float)
    assert painted.shape == (48, 48, 3)
    difference = np.abs(painted - checks(0, 8)).mean()
    assert 2 < difference < 80


def test_ctrl_c_before_the_first_evaluation_leaves_a_picture_without_a_loss(here, monkeypatch):
    Image.fromarray(checks(0, 8)).save("content.png")

    count = iter(range(100))

    def interrupted(layers, wanted):
        if next(count) == 0:
            raise KeyboardInterrupt
        return grams_loss(layers, wanted)

    monkeypatch.setattr("echoic.style.pictures.grams_loss", interrupted)
    done = restyle_picture_file("content.png", "content.png", "out.png", n_steps=5)
    assert done.interrupted
    assert (done.n_evaluations, done.loss) == (0, None)
    assert np.asarray(Image.open("out.png")).shape == (48, 48, 3)


def test_no_steps_are_refused_and_do_not_mean_the_usual_number(here):
    Image.fromarray(checks(0, 8)).save("content.png")
    with pytest.raises(ParameterError, match="n_steps=0"):
        restyle_picture_file("content.png", "content.png", "out.png", n_steps=0)
    with pytest.raises(ParameterError, match="n_steps=0"):
        texture_file("style.wav", "out.wav", seconds=1.0, n_steps=0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("content.wav", "silent.wav"), "silent.wav: the style is silent"),
        (("silent.wav", "style.wav"), "silent.wav: the content is silent"),
        (("content.wav", "blip.wav"), "blip.wav: the style is 0.05 s long"),
        (("content.wav", "missing.wav"), "missing.wav"),
        (("content.wav", "style.wav", "--method", "magic"), "method 'magic' is not one of"),
        (("content.wav", "style.wav", "--domain", "dreams"), "domain 'dreams' is not one of"),
        (("content.wav", "style.wav", "--only", "unicorn"), "unicorn"),
        (("content.wav", "style.wav", "--report", "a.html", "--compare", "magic"), "'magic'"),
        (("-", "-"), "standard input (-) can be read only once"),
        (("content.png", "style.wav"), "a picture takes its style from a picture"),
        (("content.wav",), "give CONTENT and STYLE, not 1 files"),
        (("--texture", "content.wav", "style.wav"), "give STYLE, not 2 files"),
        (("--texture", "silent.wav"), "silent.wav: the style is silent"),
        (("content.wav", "style.wav", "--seconds", "3"), "--seconds does not apply to a sound"),
        (("--texture", "style.wav", "--method", "gatys"), "--method does not apply to a texture"),
        (("--texture", "style.wav", "--strength", "1"), "--strength does not apply to a texture"),
        (("--texture", "style.wav", "--only", "rain"), "--only does not apply to a texture"),
        (("--texture", "style.wav", "--compare", "gatys"), "--compare does not apply to a texture"),
        (("content.wav", "style.wav", "--method", "vocoder"), "takes no n_steps=2"),
        (
            ("content.wav", "style.wav", "--method", "mcdermott", "--strength", "1"),
            "method 'mcdermott' takes no strength=1.0",
        ),
        (("content.wav", "style.wav", "--domain", "published"), "takes no domain='published'"),
        (("content.wav", "style.wav", "--seed", str(2**64)), "less than or equal to 4294967295"),
    ],
)
def test_bad_input_gets_one_line_and_leaves_nothing(run, here, arguments, words):
    audio.write("silent.wav", np.zeros((1, RATE), np.float32), sample_rate=RATE)
    audio.write("blip.wav", sound(1, RATE // 20), sample_rate=RATE)
    done = run("style", *arguments, "-o", "out.wav", *QUICK)
    assert done.code == (1 if words.partition(".wav")[1] else 2)  # of a file, or of the usage
    assert words in done.err
    assert done.code == 2 or len(done.err.splitlines()) == 1
    assert not (here / "out.wav").exists()
    assert not list(here.glob(".echoic*"))


def test_an_output_of_no_known_kind_is_refused_before_any_work(run, here, monkeypatch):
    monkeypatch.setattr("echoic.style.files.restyle_file", None)
    done = run("style", "content.wav", "style.wav", "-o", "out.xyz", *QUICK)
    assert done.code == 2
    assert "out.xyz: cannot be written: suffix '.xyz' is none of" in done.err


def test_nothing_is_overwritten_unasked(run, here):
    audio.write("other.wav", sound(1, RATE), sample_rate=RATE)
    assert run("style", "content.wav", "style.wav", "-o", "other.wav", *QUICK).code == 1
    done = run("style", "content.wav", "style.wav", "-o", "style.wav", "--force", *QUICK)
    assert done.code == 1
    assert "style.wav: is both input and output" in done.err
    assert audio.info("style.wav").sample_rate == 22_050


def test_ctrl_c_writes_the_whole_length(run, here, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.5)
    audio.write("long.wav", sound(1, 4 * RATE), sample_rate=RATE)
    count = iter(range(100))

    def interrupt(_share: float) -> None:
        if next(count) == 2:
            raise KeyboardInterrupt

    done = restyle_file("long.wav", "style.wav", "out.wav", how=How(n_steps=9), advance=interrupt)
    assert done.interrupted
    assert done.n_evaluations < 9
    wave, _ = audio.read("out.wav")
    assert wave.shape == (1, 4 * RATE)
    assert wave[0].reshape(16, -1).std(axis=1).min() > 0.005


@pytest.mark.parametrize(
    ("part", "method", "first"),
    [
        ("methods.picture.network_of", "gatys", 1),
        ("spectrogram.LogSpectrogram.invert", "gatys", 2),
        ("files.spread", "gatys", 2),
        ("methods.mosaic._more_runs", "musaicing", 60),
    ],
)
def test_ctrl_c_at_any_moment_writes_the_whole_length(here, monkeypatch, part, method, first):
    monkeypatch.setattr(windows, "WINDOW_S", 1.5)
    monkeypatch.setattr("echoic.style.spectrogram.N_GRIFFIN_LIM", 3)
    audio.write("long.wav", sound(2, 4 * RATE), sample_rate=RATE)
    name, count = f"echoic.style.{part}", iter(range(1, 1000))
    original = pkgutil.resolve_name(name)

    def interrupted(*arguments, **options):
        if next(count) == first:
            raise KeyboardInterrupt
        return original(*arguments, **options)

    monkeypatch.setattr(name, interrupted)
    n_steps = 2 if method == "gatys" else None
    how = How(method, n_steps=n_steps)
    done = restyle_file("long.wav", "style.wav", "out.wav", how=how)
    assert done.interrupted
    wave, _ = audio.read("out.wav")
    assert wave.shape == (2, 4 * RATE)
    assert wave.reshape(2, 16, -1).std(axis=2).min() > 0.005


def test_ctrl_c_completes_a_texture_with_noise(here, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.0)
    count = iter(range(100))

    def interrupt(_share: float) -> None:
        if next(count) == 3:
            raise KeyboardInterrupt

    done = texture_file("style.wav", "out.wav", seconds=3, n_steps=3, advance=interrupt)
    assert done.interrupted
    assert done.n_evaluations == 4
    wave, _ = audio.read("out.wav")
    assert wave.shape == (1, 3 * 22_050)
    levels = wave[0].reshape(25, -1).std(axis=1)
    assert levels.min() > 0.3 * levels.max()


def test_the_loss_is_the_mean_over_windows(here, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_S", 1.5)
    audio.write("long.wav", sound(1, 4 * RATE), sample_rate=RATE)
    done = restyle_file("long.wav", "style.wav", "out.wav", how=How("mcdermott", n_steps=5))
    least = [min(sum(terms.values()) for terms in window) for window in done.losses]
    assert len(least) > 1
    assert done.loss == pytest.approx(np.mean(least))
