"""Invalid arguments and data are refused with a one-line error, in every function and verb."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile

import echoic
from echoic import audio, synthesis
from echoic.audio import Recording, codings
from echoic.audio.pipe import Pipe
from echoic.checks import SATURATION, as_float32
from echoic.ear import Correlogram, Ear, Filterbank, FrontEnd, Inverse, Pitch, invert_exactly
from echoic.ear.design import design_separating
from echoic.errors import AudioError, AudioWarning, EchoicError, ModelError, ParameterError
from echoic.metrics import label_set_f1
from echoic.processors import Attend, Denoise, Detect, Separate
from echoic.processors.masks import ApplyMasks
from echoic.report import draw_correlogram, draw_responses
from echoic.report.tracks import encode_flac
from echoic.runtime import find_model, list_models
from echoic.streaming import FrameClock
from laws import leaves

RATE = 16_000
NOISE = (0.1 * np.random.default_rng(0).standard_normal((2, 8_000))).astype(np.float32)


def one_line(error: BaseException) -> str:
    words = str(error)
    assert words
    assert "\n" not in words
    return words


# --- arguments of wrong types -----------------------------------------------------------------

NO_WAVES = [
    [0.0, 1.0],
    [[0.0], [1.0]],
    [[1.0], [1.0, 2.0]],
    np.float32(0.5),
    np.array(0.5),
    None,
    "wave",
    1,
]
NO_RATES = ["16000", None, [16_000], np.array([16_000]), True, np.nan, 0, -1]
TAKES_WAVES = {
    "hear": lambda wave: echoic.hear(wave, sample_rate=RATE),
    "attend": lambda wave: echoic.attend(wave, mute=["rain"], sample_rate=RATE),
    "denoise": lambda wave: echoic.denoise(wave, sample_rate=RATE),
    "voices": lambda wave: echoic.voices(wave, sample_rate=RATE),
    "tag": lambda wave: echoic.tag(wave, sample_rate=RATE),
    "Ear": lambda wave: Ear(sample_rate=RATE)(wave),
    "FrontEnd": lambda wave: FrontEnd(sample_rate=RATE)(wave),
    "Detect": lambda wave: Detect(sample_rate=RATE)(wave),
    "Denoise": lambda wave: Denoise(sample_rate=RATE)(wave),
    "Pitch": lambda wave: Pitch(sample_rate=RATE)(wave),
    "Pitch.listen": lambda wave: Pitch(sample_rate=RATE).listen(wave),
    "Separate": lambda wave: Separate(labels=["rain"], sample_rate=RATE)(wave),
    "write": lambda wave: echoic.write("nowhere/a.wav", wave, sample_rate=RATE),
    "resample": lambda wave: audio.resample(wave, sample_rate=RATE, to_sample_rate=8_000),
}
TAKES_RATES = {
    "hear": lambda rate: echoic.hear(NOISE, sample_rate=rate),
    "attend": lambda rate: echoic.attend(NOISE, mute=["rain"], sample_rate=rate),
    "tag": lambda rate: echoic.tag(NOISE, sample_rate=rate),
    "Ear": lambda rate: Ear(sample_rate=rate),
    "Filterbank": lambda rate: Filterbank(sample_rate=rate),
    "Inverse": lambda rate: Inverse(sample_rate=rate),
    "Attend": lambda rate: Attend(mute=["rain"], sample_rate=rate),
    "Denoise": lambda rate: Denoise(sample_rate=rate),
    "Detect": lambda rate: Detect(sample_rate=rate),
    "FrameClock": lambda rate: FrameClock(sample_rate=rate, hop_s=0.005),
    "write": lambda rate: echoic.write("nowhere/a.wav", NOISE, sample_rate=rate),
    "resample": lambda rate: audio.resample(NOISE, sample_rate=rate, to_sample_rate=8_000),
}


@pytest.mark.parametrize("bad", NO_WAVES, ids=repr)
@pytest.mark.parametrize("name", TAKES_WAVES)
def test_what_is_no_wave(name, bad):
    """Row "crash": lists, 0-d arrays, None as arguments."""
    with pytest.raises(ParameterError) as caught:
        TAKES_WAVES[name](bad)
    assert "must" in one_line(caught.value)


@pytest.mark.parametrize("bad", NO_RATES, ids=repr)
@pytest.mark.parametrize("name", TAKES_RATES)
def test_what_is_no_sample_rate(name, bad):
    """Row "crash": `"16000"` as an argument."""
    with pytest.raises(ParameterError) as caught:
        TAKES_RATES[name](bad)
    one_line(caught.value)


@pytest.mark.parametrize("bad", [None, 5, b"a.wav", ["a.wav"]], ids=repr)
def test_what_is_no_path(bad):
    for attempt in (
        audio.read,
        audio.info,
        lambda path: list(audio.blocks(path, 10)),
        lambda path: audio.write(path, NOISE, sample_rate=RATE),
    ):
        with pytest.raises(ParameterError, match=f"path is a {type(bad).__name__}, neither text"):
            attempt(bad)


@pytest.mark.parametrize("bad", ["10", None, 1.5, 0, -1, True])
def test_what_is_no_length_of_a_block(bad, tmp_path):
    with pytest.raises(ParameterError, match="block_samples"):
        audio.blocks("a.wav", bad)
    audio.write(tmp_path / "a.wav", NOISE, sample_rate=RATE)
    for sound in (
        Recording(tmp_path / "a.wav"),
        audio.decode_pipe(Pipe("-", io.BytesIO((tmp_path / "a.wav").read_bytes()))),
    ):
        with pytest.raises(ParameterError, match="block_samples"):
            next(sound.blocks(bad))


@pytest.mark.parametrize("hop_s", [np.inf, np.nan, 0.0, -1.0, 1e-9, "0.005", None])
def test_a_hop_that_is_none(hop_s):
    """Row "streaming.py:62": `hop_s=inf`."""
    with pytest.raises(ParameterError, match="hop_s"):
        FrameClock(sample_rate=RATE, hop_s=hop_s)
    with pytest.raises(ParameterError, match="hop_s"):
        Ear(sample_rate=RATE, hop_s=hop_s)


@pytest.mark.parametrize("threshold", ["0.5", True, [0.5], np.nan, 0, 1])
def test_a_threshold_that_is_none(threshold):
    with pytest.raises(ParameterError, match="threshold="):
        echoic.hear(NOISE, sample_rate=RATE, threshold=threshold)


def test_to_listen_for_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audio.write("a.wav", NOISE, sample_rate=RATE)
    line = "echoic hear: '' lists nothing; see echoic hear -h\n"
    assert run("hear", "a.wav", "--labels", "") == (2, "", line)
    assert not Path("a.hearing").exists()


def test_a_closed_standard_input_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(AudioError, match="standard input is closed"):
        audio.read("-")


@pytest.mark.parametrize("inputs", [["a.wav", "b.wav"], ["."], ["-"]])
def test_an_example_from_standard_input_is_for_one_file(run, tmp_path, monkeypatch, inputs):
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.wav"):
        audio.write(name, NOISE, sample_rate=RATE)
    code, out, err = run("attend", *inputs, "--like", "-", "-o", "out")
    assert (code, out) == (2, "")
    assert "--like needs a file" in err
    assert not Path("out").exists()


def test_contradicting_arguments():
    """Row "inverse.py:61, filterbank.py"."""
    design = design_separating(sample_rate=RATE)
    for asked in ({"n_bands": 32}, {"low_hz": 100.0}, {"high_hz": 5000.0}):
        with pytest.raises(ParameterError, match="not both"):
            Filterbank(sample_rate=RATE, design=design, **asked)
    for cls in (Filterbank, Inverse):
        with pytest.raises(ParameterError, match="but the design is for 16000 Hz"):
            cls(sample_rate=8_000, design=design)


def no_designs():
    """What has a `design` is none."""
    from echoic import nn

    return [Filterbank(sample_rate=RATE), nn.Ear(sample_rate=RATE), "separating", 0]


@pytest.mark.parametrize("bad", no_designs(), ids=lambda bad: type(bad).__name__)
def test_what_is_no_design(bad):
    from echoic import nn

    subbands = np.zeros((64, 10), np.complex64)
    for attempt in (
        lambda: Filterbank(sample_rate=RATE, design=bad),
        lambda: Ear(sample_rate=RATE, design=bad),
        lambda: Inverse(sample_rate=RATE, design=bad),
        lambda: invert_exactly(subbands, design=bad),
        lambda: nn.Ear(sample_rate=RATE, design=bad),
    ):
        with pytest.raises(ParameterError, match=f"design is a {type(bad).__name__}, not a"):
            attempt()


NO_RATES_OF_EXAMPLES = ["16000", np.nan, np.inf, 5]


@pytest.mark.parametrize("bad", NO_RATES_OF_EXAMPLES)
def test_what_is_no_sample_rate_of_an_example(bad):
    with pytest.raises(ParameterError, match="sample_rate="):
        echoic.attend(NOISE, like=NOISE, sample_rate=bad)
    for selection in ({"like": NOISE}, {"keep": ["rain"]}):
        with pytest.raises(ParameterError, match="like_sample_rate="):
            Attend(sample_rate=RATE, like_sample_rate=bad, **selection)


def test_a_sample_rate_of_no_example():
    with pytest.raises(ParameterError, match="like_sample_rate=16000 is given without like"):
        Attend(keep=["rain"], sample_rate=RATE, like_sample_rate=RATE)


def test_what_an_example_lacks_is_said_once():
    example = NOISE.copy()
    example[0, 5] = np.nan
    with pytest.warns(AudioWarning) as caught:
        echoic.attend(NOISE, like=example, sample_rate=RATE)
    assert len(caught) == 1


NO_NAMES = {
    "labels": [
        lambda: echoic.attend(NOISE, keep=[["rain"]], sample_rate=RATE),
        lambda: echoic.hear(NOISE, labels=[["rain"]], sample_rate=RATE),
        lambda: label_set_f1([], [], labels=[["a"]]),
        lambda: label_set_f1([], [], labels=5),
    ],
    "model=": [
        lambda: echoic.attend(NOISE, mute=["rain"], sample_rate=RATE, model=["hear"]),
        lambda: echoic.hear(NOISE, sample_rate=RATE, model=["hear"]),
        lambda: echoic.denoise(NOISE, sample_rate=RATE, model=["denoise"]),
        lambda: echoic.tag(NOISE, sample_rate=RATE, model=5),
        lambda: echoic.stream("detect", sample_rate=RATE, model=5),
        lambda: find_model(["hear"]),
        lambda: find_model(None),
    ],
    "processor=": [
        lambda: echoic.stream(["attend"], sample_rate=RATE),
        lambda: echoic.stream("listen", sample_rate=RATE),
    ],
    "features=": [
        lambda: Ear(sample_rate=RATE, features=[["x"]]),
        lambda: Ear(sample_rate=RATE, features="fine"),
        lambda: Ear(sample_rate=RATE, features=["fine", "x"]),
        lambda: Ear(sample_rate=RATE, features=[]),
        lambda: Ear(sample_rate=RATE, features=5),
    ],
    "compression=": [lambda: Ear(sample_rate=RATE, compression=["log"])],
    "learnable=": [
        lambda: learned_ear(learnable=True),
        lambda: learned_ear(learnable="center"),
        lambda: learned_ear(learnable=[["center"]]),
    ],
    "method=": [lambda: learned_ear(method=["fft"])],
}


def learned_ear(**options):
    from echoic import nn

    return nn.Ear(sample_rate=RATE, **options)


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name(name):
    for attempt in NO_NAMES[name]:
        with pytest.raises(ParameterError, match=name) as caught:
            attempt()
        one_line(caught.value)


NO_MASKS = [[1, 2], None, np.ones((1, 64, 10), int)]


@pytest.mark.parametrize("bad", NO_MASKS, ids=lambda bad: type(bad).__name__)
def test_what_is_no_mask(bad):
    apply = ApplyMasks(n_labels=1, frames_per_step=2, sample_rate=RATE)
    with pytest.raises(ParameterError, match="masks must"):
        apply(NOISE, bad)


@pytest.mark.parametrize("bad", ["a", None, 0, 1.5])
def test_what_is_no_number_of_frames(bad):
    with pytest.raises(ParameterError, match="frames_per_step="):
        ApplyMasks(n_labels=1, frames_per_step=bad, sample_rate=RATE)


NO_NUMBERS = ["1", None, np.nan, np.inf, -np.inf]
TAKES_NUMBERS = {
    "level_dbfs": lambda **bad: synthesis.tone(440, 0.5, sample_rate=RATE, **bad),
    "ramp_s": lambda **bad: synthesis.tone(440, 0.5, sample_rate=RATE, **bad),
    "phase": lambda **bad: synthesis.tone(440, 0.5, sample_rate=RATE, **bad),
    "shift_hz": lambda **bad: synthesis.harmonic_complex(200, 0.5, sample_rate=RATE, **bad),
    "peak_dbfs": lambda **bad: synthesis.click_train(100, 0.5, sample_rate=RATE, **bad),
    "direct_to_reverberant_db": lambda **bad: synthesis.room_response(**randomly(), **bad),
    "predelay_s": lambda **bad: synthesis.room_response(**randomly(), **bad),
    "gap_s": lambda **bad: synthesis.dog_bark(2, **randomly(), **bad),
    "swell_db": lambda **bad: synthesis.helicopter(0.5, **randomly(), **bad),
    "noise": lambda **bad: synthesis.engine(0.5, **randomly(), **bad),
    "depth": lambda **bad: synthesis.modulated_noise(0.5, **randomly(), rate_hz=4, **bad),
    "tempo_bpm": lambda **bad: synthesis.music(0.5, **randomly(), **bad),
    "slope_db_per_octave": lambda **bad: synthesis.coloured_noise(0.5, **randomly(), **bad),
    "range_db": lambda **bad: audio.active_spans(NOISE, sample_rate=RATE, **bad),
    "sample_rate": lambda **bad: audio.active_spans(NOISE, **bad),
}


def randomly():
    return {"sample_rate": RATE, "rng": np.random.default_rng(0)}


@pytest.mark.parametrize("bad", NO_NUMBERS)
@pytest.mark.parametrize("name", TAKES_NUMBERS)
def test_what_is_no_finite_number(name, bad):
    with pytest.raises(ParameterError, match=f"{name}="):
        TAKES_NUMBERS[name](**{name: bad})


@pytest.mark.parametrize("name", ["bridge_s", "silence_dbfs"])
def test_what_is_no_number(name):
    with pytest.raises(ParameterError, match=f"{name}='1' is not a number"):
        audio.active_spans(NOISE, sample_rate=RATE, **{name: "1"})


TAKES_RANDOMNESS = {
    **dict.fromkeys(["babble", "white_noise", "pink_noise", "music"], (0.5,)),
    **dict.fromkeys(["rain", "fire", "sea_waves", "wind", "clock_tick", "baby_cry"], (0.5,)),
    **dict.fromkeys(["engine", "chainsaw", "helicopter"], (0.5,)),
    **dict.fromkeys(["dog_bark", "rooster", "sneeze", "room_response"], ()),
    "band_noise": (500, 900, 0.5),
}


@pytest.mark.parametrize("bad", [0, None, np.random.RandomState(0)], ids=["seed", "None", "legacy"])
@pytest.mark.parametrize("name", TAKES_RANDOMNESS)
def test_what_is_no_source_of_randomness(name, bad):
    with pytest.raises(ParameterError, match=r"rng=.* is not a numpy\.random\.Generator"):
        getattr(synthesis, name)(*TAKES_RANDOMNESS[name], sample_rate=RATE, rng=bad)


@pytest.mark.parametrize("bad", ["a", -1, 1.5, True])
def test_what_is_no_number_of_samples(bad, tmp_path):
    writing = audio.open_writer(tmp_path / "a.wav", sample_rate=RATE, channels=2, frames=bad)
    with pytest.raises(ParameterError, match="frames="), writing:
        pass


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3"])
def test_nothing_is_written_after_the_end(name, tmp_path):
    with audio.open_writer(tmp_path / name, sample_rate=RATE, channels=2) as writer:
        writer.write(NOISE)
    for block in (NOISE, NOISE[:, :0]):
        with pytest.raises(AudioError, match=f"{name}: cannot be written: its with block"):
            writer.write(block)


def test_what_cannot_be_drawn():
    with pytest.raises(ParameterError, match="design is a Ear, not a"):
        draw_responses(Ear(sample_rate=RATE), title="")
    with pytest.raises(ParameterError, match="single lag"):
        draw_correlogram(np.ones((3, 1)), np.array([50.0, 100.0, 200.0]), np.zeros(1), title="")
    with pytest.raises(ParameterError, match="high_hz=1000: 64 bands need low < high"):
        echoic.cochleagram(NOISE, sample_rate=RATE, low_hz=1000, high_hz=1000)


def test_what_does_not_belong_to_a_memory():
    import torch

    from echoic.nn.memory import EchoicMemory

    for bad in (0, 1.5, "3"):
        with pytest.raises(ParameterError, match="n_octaves="):
            EchoicMemory(bad)
    frames = torch.zeros(1, 4, 2)
    memory = EchoicMemory(3)
    with pytest.raises(ParameterError, match=r"x of shape \(4, 2\) is not"):
        memory(frames[0])
    for other in (EchoicMemory(2)(frames), memory(frames[..., :1]), memory(frames.repeat(2, 1, 1))):
        for n_frames in (1, 4):
            with pytest.raises(ParameterError, match="does not belong to this EchoicMemory"):
                memory(frames[:, :n_frames], other[1])


def test_a_wave_without_samples():
    with pytest.raises(ParameterError, match=r"wave of shape \(0,\) has no samples"):
        echoic.tag(np.zeros(0, np.float32), sample_rate=RATE)


# --- axes exchanged ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hear", "attend", "tag", "write"])
@pytest.mark.parametrize("shape", [(48_000, 2), (1_025, 2_000), (3, 2)])
def test_exchanged_axes_are_refused_at_once(name, shape):
    """Row "wrong": (time, channel) was taken as 48,000 channels."""
    with pytest.raises(ParameterError, match=r"must be \(channel, time\)"):
        TAKES_WAVES[name](np.zeros(shape, np.float32))


@pytest.mark.parametrize("name", ["FrontEnd", "Detect", "Separate", "write"])
def test_exchanged_axes_are_refused_in_streams(name):
    with pytest.raises(ParameterError, match=r"must be \(channel, time\)"):
        TAKES_WAVES[name](np.zeros((48_000, 2), np.float32))


# --- excessive values -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::echoic.errors.AudioWarning")
@pytest.mark.parametrize("excess", [1e25, 1e29, 3e38, -1e29, 1e300, np.inf, np.nan])
def test_excess_leaves_no_trace_in_a_state(excess):
    """Rows "wrong" (1e29: confidences NaN) and "streaming.py:101, haircell.py:94"."""
    wave = NOISE.astype(np.float64)
    wave[:, 100] = excess
    tail = NOISE
    for module in (
        Ear(sample_rate=RATE, features=("envelope", "onset", "fine")),
        FrontEnd(sample_rate=RATE),
        Detect(sample_rate=RATE),
        Separate(labels=["rain", "speech"], sample_rate=RATE),
    ):
        state = None
        for chunk in (wave, tail):
            out, state = module(chunk, state)
            assert np.isfinite(out).all()
    heard = echoic.hear(wave, sample_rate=RATE)
    assert all(np.isfinite(event.confidence) for event in heard.events)
    assert all(np.isfinite(stem).all() for stem in heard.stems.values())


def test_excess_is_clipped_not_lost():
    clipped = as_float32(np.array([1e300, -1e29, 0.5, np.inf, np.nan]))
    assert clipped.tolist() == [SATURATION, -SATURATION, 0.5, 0, 0]
    quiet = np.array([1e8, -0.25], np.float32)
    assert as_float32(quiet) is not None
    np.testing.assert_array_equal(as_float32(quiet), quiet)


def test_integers_of_32_bits_taken_for_floats_are_not_clipped():
    wave = np.float32(2**31) * np.sign(NOISE)
    assert as_float32(wave).max() == 2**31
    for module in (Correlogram, Pitch, FrontEnd):
        assert all(np.isfinite(leaf).all() for leaf in leaves(module(sample_rate=RATE)(wave)[0]))


def test_what_is_clipped_is_said_once_per_stream():
    wave = NOISE.copy()
    wave[:, 100] = 1e12
    for module in (Ear(sample_rate=RATE), Filterbank(sample_rate=RATE)):
        with pytest.warns(AudioWarning, match=r"2 samples .* above 1e\+10 times full scale"):
            _, state = module(wave)
        module(wave, state)


def test_excess_in_a_file_is_one_line(run, tmp_path):
    wave = NOISE.T.copy()
    wave[[5, 50, 500]] = 1e29
    soundfile.write(tmp_path / "a.wav", wave, RATE, subtype="FLOAT")
    code, _, err = run("hear", tmp_path / "a.wav", "-o", tmp_path / "h")
    assert code == 0
    assert err.count("\n") == 1
    assert "6 samples lie above 1e+10 times full scale and are clipped" in err
    with pytest.warns(AudioWarning, match="are clipped"):
        assert audio.read(tmp_path / "a.wav")[0].max() == np.float32(SATURATION)


def test_warnings_point_at_the_line_of_the_caller(tmp_path):
    noise = NOISE.copy()
    noise[0, 9] = np.nan
    soundfile.write(tmp_path / "nan.wav", noise.T, RATE, subtype="FLOAT")

    def write_blocks():
        with audio.open_writer(tmp_path / "b.flac", sample_rate=RATE, channels=2) as writer:
            writer.write(100 * NOISE)

    for attempt in (
        lambda: audio.read(tmp_path / "nan.wav"),
        lambda: list(audio.blocks(tmp_path / "nan.wav", 100)),
        lambda: audio.write(tmp_path / "a.flac", 100 * NOISE, sample_rate=RATE),
        write_blocks,
        lambda: Ear(sample_rate=RATE)(noise),
        lambda: echoic.tag(noise, sample_rate=RATE),
    ):
        with pytest.warns(AudioWarning) as caught:
            attempt()
        assert [warning.filename for warning in caught] == [__file__]


def test_probabilities_of_extreme_logits_do_not_overflow():
    """Row "network.py:84": `exp` overflow; warnings are errors here."""
    from echoic.processors.network import _sigmoid

    probabilities = _sigmoid(np.full((3, 2), -200.0, np.float32))
    assert probabilities.dtype == np.float32
    assert np.all((probabilities >= 0) & (probabilities < 1e-30))
    assert np.all(_sigmoid(np.full(3, 200.0, np.float32)) == 1)


# --- the page's encoder, containers and their limits ------------------------------------------


@pytest.mark.parametrize("peak", [2.0**15, 2.0**23, 1e9])
def test_a_loud_float_file_has_a_copy_of_its_level(tmp_path, peak):
    """Row "crash": peaks of 2^23 and more once ended the process in the page's encoder."""
    wave = NOISE / np.abs(NOISE).max() * np.float32(peak)
    audio.write(tmp_path / "a.wav", wave, sample_rate=RATE)
    flac, gain = encode_flac(Recording(tmp_path / "a.wav"))
    heard, _ = soundfile.read(io.BytesIO(flac), dtype="float32")
    np.testing.assert_allclose(gain * heard.T, wave, atol=peak * 2.0**-15)


@pytest.mark.parametrize(
    ("suffix", "channels", "most"), [("ogg", 256, 255), ("flac", 9, 8), ("mp3", 3, 2)]
)
def test_more_channels_than_a_container_holds(tmp_path, suffix, channels, most):
    """Row "crash": more than 255 channels to ogg ended the process."""
    path = tmp_path / f"a.{suffix}"
    with pytest.raises(AudioError, match=f"holds at most {most} channels, not {channels}"):
        audio.write(path, np.zeros((channels, 300), np.float32), sample_rate=RATE)
    assert list(tmp_path.iterdir()) == []


def test_an_aiff_of_4_gb_is_refused_before_and_while_it_is_written(tmp_path, monkeypatch):
    """Row "writing.py:62, codings.py:46": AIFF beyond 4 GB."""
    path = tmp_path / "a.aiff"
    how = {"sample_rate": RATE, "channels": 2}
    too_long = pytest.raises(AudioError, match="do not fit into the 4 GB of AIFF")
    with too_long, audio.open_writer(path, frames=2**30, **how):
        pass
    monkeypatch.setattr(codings, "WAV_MAX_BYTES", 50_000)
    too_long = pytest.raises(AudioError, match="do not fit into the 4 GB of AIFF")
    with too_long, audio.open_writer(path, **how) as writer:
        writer.write(NOISE)
    assert list(tmp_path.iterdir()) == []


# --- models -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../weights/hear", "hear.json", "./hear", "", "HEAR"])
def test_a_model_is_a_name_not_a_path(name):
    """Row "runtime/models.py:97": `model="../weights/hear"` loaded."""
    with pytest.raises(ModelError, match="is not there; known: denoise, hear"):
        find_model(name)


def test_no_model_at_all_is_said(run, monkeypatch, tmp_path):
    """Row "unclear": `models` without its card printed nothing."""
    monkeypatch.setattr(import_module("echoic.runtime.models"), "WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match="holds no model card"):
        list_models()
    code, out, err = run("models")
    assert (code, out) == (1, "")
    assert "holds no model card" in err
    assert err.count("\n") == 1


def test_telemetry_is_off_before_its_library_is_loaded():
    """Row "privacy": onnxruntime kept a database under the user's cache."""
    code = (
        "import sys\n"
        "from echoic.pipeline import hear\n"
        "import os\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    source = Path(echoic.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=source, check=False
    )
    assert done.returncode == 0, done.stderr


def test_hearing_leaves_nothing_in_the_cache(tmp_path):
    code = "import numpy as np, echoic\nechoic.tag(np.zeros(800, np.float32), sample_rate=16000)\n"
    environment = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    source = Path(echoic.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=source,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_error_is_ours():
    assert issubclass(ParameterError, EchoicError)
    assert issubclass(ParameterError, ValueError)


def test_finding_events_takes_little_memory():
    """Row "false": memory grew with the file, 437 MB at 3 h where 332 were promised."""
    import tracemalloc

    from echoic.processors.events import EventFinder
    from echoic.processors.tag import rank

    labels = tuple(map(str, range(20)))
    block = np.full((len(labels), 500), 0.1, np.float32)
    finder = EventFinder(labels=labels, threshold=dict.fromkeys(labels, 0.5), step_s=0.02)

    def find(n_blocks: int) -> None:
        for _ in range(n_blocks):
            finder.add(block)

    for work in (find, lambda n_blocks: rank([block] * n_blocks, labels, step_s=0.02)):
        work(2)
        tracemalloc.start()
        work(200)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20 * block.nbytes, work


def test_standard_input_is_held_once(monkeypatch):
    """Row "pipes": stdin was held twice, encoded and decoded."""
    import io
    import tracemalloc

    from echoic.cli._source import Source

    content = io.BytesIO()
    soundfile.write(content, np.zeros((2_000_000, 2)), RATE, format="WAV", subtype="PCM_16")
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    tracemalloc.start()
    source = Source("-")
    n_samples = sum(block.shape[1] for block in source.blocks())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_samples == 2_000_000
    assert peak_bytes < 1.3 * size
