"""Audio files: writing and reading round-trip; every error is a one-line message."""

from __future__ import annotations

import io
import os
import resource
import struct
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile

from echoic import audio
from echoic.audio import codings
from echoic.errors import AudioError, AudioWarning, ParameterError

RATE = 16_000
STEREO = {"sample_rate": RATE, "channels": 2}
NOBODY = 65_534


@pytest.fixture
def wave() -> np.ndarray:
    """(channel=2, time=24 000), float32, peak below full scale."""
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal((2, 24_000))).astype(np.float32)


def refusal(path: Path | str) -> str:
    """The message of the AudioError; `read`, `info` and `blocks` must agree on it."""
    messages = set()
    for attempt in (audio.read, audio.info, lambda name: list(audio.blocks(name, 1000))):
        with pytest.raises(AudioError) as caught:
            attempt(path)
        messages.add(str(caught.value))
    (message,) = messages
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".part")]


# --- round trips ------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".rf64", ".w64"])
@pytest.mark.parametrize("channels", [1, 2, 7])
def test_floats_come_back_bit_for_bit(tmp_path, suffix, channels):
    rng = np.random.default_rng(channels)
    wave = rng.standard_normal((channels, 777)).astype(np.float32) * 3  # exceeds full scale
    path = tmp_path / f"a{suffix}"
    audio.write(path, wave, sample_rate=44_100)
    back, sample_rate = audio.read(path)
    assert sample_rate == 44_100
    assert back.dtype == np.float32
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back, wave)


@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("a.wav", "PCM_U8", 2**-7),
        ("a.wav", "PCM_16", 2**-15),
        ("a.aiff", "PCM_16", 2**-15),
        ("a.w64", "PCM_24", 2**-23),
        ("a.wav", "PCM_24", 2**-23),
        ("a.flac", "PCM_16", 2**-15),
        ("a.flac", None, 2**-23),
    ],
)
def test_integers_come_back_to_half_a_step(tmp_path, wave, name, subtype, step):
    audio.write(tmp_path / name, wave, sample_rate=RATE, subtype=subtype)
    back, _ = audio.read(tmp_path / name)
    assert np.abs(back - wave).max() <= 0.51 * step
    assert abs(np.mean(back - wave, dtype=np.float64)) < 0.05 * step


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3"])
def test_lossy_codings_keep_length_and_level(tmp_path, wave, name):
    audio.write(tmp_path / name, wave, sample_rate=RATE)
    back, _ = audio.read(tmp_path / name)
    assert back.shape == wave.shape
    assert audio.level_dbfs(back) == pytest.approx(audio.level_dbfs(wave), abs=1.5)


def test_a_long_vorbis_is_written_in_one_call(tmp_path):
    """libsndfile 1.2 overflows its stack on a few million samples at once."""
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, 3_000_000)).astype(np.float32)
    audio.write(tmp_path / "a.ogg", noise, sample_rate=48_000)
    assert audio.info(tmp_path / "a.ogg").frames == 3_000_000


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 192_000])
def test_every_rate_is_kept(tmp_path, sample_rate):
    audio.write(tmp_path / "a.wav", np.zeros((1, 10)) + 0.5, sample_rate=sample_rate)
    assert audio.read(tmp_path / "a.wav")[1] == sample_rate


def test_one_sample_is_a_sound(tmp_path):
    audio.write(tmp_path / "a.wav", np.float32([[0.25]]), sample_rate=RATE)
    assert audio.read(tmp_path / "a.wav")[0].tolist() == [[0.25]]
    assert audio.info(tmp_path / "a.wav").frames == 1


def test_info_says_what_the_file_is(tmp_path, wave):
    path = tmp_path / "a.wav"
    audio.write(path, wave, sample_rate=RATE, subtype="PCM_16")
    assert audio.info(path) == audio.AudioInfo(
        path=str(path),
        format="WAV",
        subtype="PCM_16",
        sample_rate=RATE,
        channels=2,
        frames=24_000,
        duration_s=1.5,
    )


@pytest.mark.parametrize("block_samples", [1_000, 7_001, 24_000, 99_999])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_blocks_joined_are_the_whole(tmp_path, wave, name, block_samples):
    audio.write(tmp_path / name, wave, sample_rate=RATE)
    parts = list(audio.blocks(tmp_path / name, block_samples))
    assert {part.shape[1] for part in parts[:-1]} <= {block_samples}
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), audio.read(tmp_path / name)[0])


@pytest.mark.parametrize("block_samples", [0, -1])
def test_blocks_of_nothing_are_refused_at_once(block_samples):
    with pytest.raises(ParameterError, match=f"block_samples={block_samples} is not"):
        audio.blocks("any.wav", block_samples)


def test_standard_input_is_read(tmp_path, wave, monkeypatch):
    audio.write(tmp_path / "a.wav", wave, sample_rate=RATE)
    raw = io.BytesIO((tmp_path / "a.wav").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
    np.testing.assert_array_equal(audio.read("-")[0], wave)


def test_a_named_pipe_is_read(tmp_path, wave):
    audio.write(tmp_path / "a.wav", wave, sample_rate=RATE)
    os.mkfifo(tmp_path / "pipe")
    content = (tmp_path / "a.wav").read_bytes()
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content))
    writer.start()
    back, _ = audio.read(tmp_path / "pipe")
    writer.join()
    np.testing.assert_array_equal(back, wave)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFDB])
def test_a_wav_of_open_length_is_whole(tmp_path, wave, length):
    """ffmpeg, SoX and espeak-ng write such headers into pipes, where they cannot seek back."""
    path = tmp_path / "a.wav"
    soundfile.write(path, wave.T, RATE, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", length)
    path.write_bytes(content)
    assert audio.read(path)[0].shape == wave.shape


# --- unreadable files -------------------------------------------------------------------------


def test_missing(tmp_path):
    assert "no such file" in refusal(tmp_path / "no.wav")


def test_folder(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_device():
    assert "is not a plain file" in refusal("/dev/zero")


def test_name_that_no_system_takes():
    assert "null" in refusal("a\0b.wav")


def test_empty(tmp_path):
    (tmp_path / "a.wav").touch()
    assert "is empty (0 bytes)" in refusal(tmp_path / "a.wav")


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 1)), RATE)
    assert "holds no samples" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"dear diary,\nI heard a dog\n", "is a text file"),
        ("höre zu\n".encode(), "is a text file"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "MP4 or M4A"),
        (b"\x1aE\xdf\xa3\x01\0\0\0", "WebM"),
        (b"\xff\xf1\x50\x80\0\0\0", "AAC"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is not audio that echoic reads (WAV, RF64"),
    ],
)
@pytest.mark.parametrize("name", ["a.wav", "a.raw", "a"])
def test_content_that_is_no_audio(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    assert words in refusal(tmp_path / name)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_no_channels(tmp_path, subtype):
    """Blamed on samples in wider containers, or on a PEAK chunk that there may not be."""
    soundfile.write(tmp_path / "a.wav", np.zeros((9, 1)), RATE, subtype)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[22:24] = bytes(2)
    (tmp_path / "a.wav").write_bytes(content)
    assert "is damaged: its header says 0 channels" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("sample_rate", [4_000, 7_999, 192_001, 384_000])
def test_rates_beyond_hearing(tmp_path, sample_rate):
    soundfile.write(tmp_path / "a.wav", np.zeros((9, 1)), sample_rate)
    assert f"sample rate {sample_rate} Hz is outside of" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("RF64", "FLOAT"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("AU", "PCM_16"),
        ("CAF", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_truncation_is_never_silent(tmp_path, wave, container, subtype, kept):
    path = tmp_path / "a"
    soundfile.write(path, wave.T, RATE, format=container, subtype=subtype)
    audio.read(path)  # the untruncated file is readable
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "is truncated" in refusal(path)


def test_one_byte_short_is_truncated(tmp_path, wave):
    path = tmp_path / "a.wav"
    audio.write(path, wave, sample_rate=RATE)
    path.write_bytes(path.read_bytes()[:-1])
    size = path.stat().st_size
    assert f"it holds {size} bytes of {size + 1}" in refusal(path)


def test_a_flac_damaged_in_its_middle(tmp_path, wave):
    path = tmp_path / "a.flac"
    audio.write(path, wave, sample_rate=RATE)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    with pytest.raises(AudioError, match="is truncated or damaged"):
        audio.read(path)


def test_not_finite_samples_are_mended_and_said_once(tmp_path):
    path = tmp_path / "a.wav"
    bad = np.float32([[0.5, np.nan, np.inf, -np.inf], [0.25, 0, np.nan, 0]])
    soundfile.write(path, bad.T, RATE, subtype="FLOAT")
    with pytest.warns(AudioWarning) as said:
        wave, _ = audio.read(path)
    assert wave.tolist() == [[0.5, 0, 0, 0], [0.25, 0, 0, 0]]
    assert [str(notice.message) for notice in said] == [
        f"{path}: 4 samples are NaN or infinite; they are replaced by 0"
    ]


def test_a_file_one_may_not_read(tmp_path, wave, another_user):
    path = tmp_path / "a.wav"
    audio.write(path, wave, sample_rate=RATE)
    path.chmod(0)
    with another_user:
        assert "permission denied" in refusal(path)


# --- refused writes ---------------------------------------------------------------------------


class _AnotherUser:
    """Root may do everything; inside the block a test run by root is nobody."""

    def __enter__(self) -> None:
        self.uid = os.geteuid()
        if self.uid == 0:
            os.seteuid(NOBODY)

    def __exit__(self, *_: object) -> None:
        os.seteuid(self.uid)


@pytest.fixture
def another_user() -> _AnotherUser:
    return _AnotherUser()


def test_nothing_is_overwritten_without_force(tmp_path, wave):
    path = tmp_path / "a.wav"
    audio.write(path, wave, sample_rate=RATE)
    before = path.read_bytes()
    with pytest.raises(AudioError, match=r"a\.wav: exists already"):
        audio.write(path, wave / 2, sample_rate=RATE)
    assert path.read_bytes() == before
    audio.write(path, wave / 2, sample_rate=RATE, force=True)
    np.testing.assert_array_equal(audio.read(path)[0], wave / 2)


def test_a_link_is_followed_not_replaced(tmp_path, wave):
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    audio.write(tmp_path / "link.wav", wave, sample_rate=RATE)
    assert (tmp_path / "link.wav").is_symlink()
    assert audio.info(tmp_path / "a.wav").frames == 24_000


def test_the_umask_decides_who_may_read(tmp_path, wave):
    before = os.umask(0o027)
    try:
        audio.write(tmp_path / "a.wav", wave, sample_rate=RATE)
    finally:
        os.umask(before)
    assert (tmp_path / "a.wav").stat().st_mode & 0o777 == 0o640


def test_an_unwritable_folder(tmp_path, wave, another_user):
    tmp_path.chmod(0o555)
    with another_user, pytest.raises(AudioError, match="cannot be written: permission denied"):
        audio.write(tmp_path / "a.wav", wave, sample_rate=RATE)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no/a.wav", "there is no folder"),
        ("folder.wav", "is a folder"),
        ("a.m4a", "suffix '.m4a' is none of .wav"),
        ("a", "suffix '' is none of"),
    ],
)
def test_places_that_cannot_be_written(tmp_path, wave, name, words):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match=words):
        audio.write(tmp_path / name, wave, sample_rate=RATE)


def test_a_special_file_is_not_replaced(tmp_path, wave):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="is not a plain file"):
        audio.write(tmp_path / "pipe.wav", wave, sample_rate=RATE, force=True)


def test_a_terminal_gets_no_audio(wave, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(AudioError, match="is a terminal"):
        audio.write("-", wave, sample_rate=RATE)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((2, 9), np.int16), r"must hold floats .*, got int16"),
        ([0.0, 1.0], "must be a numpy array, not builtins.list"),
        (np.zeros((2, 2, 9)), r"wave has shape \(2, 2, 9\)"),
        (np.array([[0.0, np.nan]]), "wave holds 1 samples that are NaN"),
    ],
)
def test_waves_that_are_none(tmp_path, bad, words):
    with pytest.raises(ParameterError, match=words):
        audio.write(tmp_path / "a.wav", bad, sample_rate=RATE)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("sample_rate", [0, 7_999, 192_001, 44_100.5])
def test_rates_that_are_not_written(tmp_path, wave, sample_rate):
    with pytest.raises(ParameterError, match=f"sample_rate={sample_rate} is not"):
        audio.write(tmp_path / "a.wav", wave, sample_rate=sample_rate)


def test_zero_samples_are_not_written(tmp_path):
    with pytest.raises(AudioError, match="no samples"):
        audio.write(tmp_path / "a.wav", np.zeros((1, 0)), sample_rate=RATE)
    assert os.listdir(tmp_path) == []


def test_what_a_container_cannot_hold(tmp_path):
    with pytest.raises(AudioError, match="FLAC holds no FLOAT"):
        audio.write(tmp_path / "a.flac", np.zeros((1, 9)), sample_rate=RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="MP3 holds at most 2 channels, not 7"):
        audio.write(tmp_path / "a.mp3", np.zeros((7, 9)), sample_rate=RATE)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("sample_rate", [65_537, 88_201, 191_999])
def test_rates_that_flac_does_not_hold(tmp_path, sample_rate):
    wave = np.zeros((1, 9), np.float32)
    with pytest.raises(AudioError, match=f"FLAC holds no sample rate of {sample_rate} Hz"):
        audio.write(tmp_path / "a.flac", wave, sample_rate=sample_rate)
    assert os.listdir(tmp_path) == []
    for held in (65_535, 65_540, 192_000):
        audio.write(tmp_path / f"{held}.flac", wave, sample_rate=held)
        assert audio.info(tmp_path / f"{held}.flac").sample_rate == held


@pytest.mark.parametrize("channels", [1.5, 0, -1, 2.0, np.nan, True, "2"])
def test_what_is_no_number_of_channels(tmp_path, channels):
    refused = pytest.raises(ParameterError, match="channels=")
    with refused, audio.open_writer(tmp_path / "a.wav", sample_rate=RATE, channels=channels):
        pass


@pytest.mark.parametrize("subtype", ["FLOAT", None])
def test_numbers_beyond_float32_are_not_written_as_infinite(tmp_path, subtype):
    wave = np.array([[1.0, 1e300, -1e39]])
    with pytest.raises(ParameterError, match="2 samples that do not fit into float32"):
        audio.write(tmp_path / "a.wav", wave, sample_rate=RATE, subtype=subtype)
    assert os.listdir(tmp_path) == []
    audio.write(tmp_path / "a.wav", wave, sample_rate=RATE, subtype="DOUBLE")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav")[0], wave[0])


def test_clipping_is_said(tmp_path):
    loud = np.float32([[0.5, 1.5, -2.0, 1.0]])
    with pytest.warns(AudioWarning, match="2 samples above full scale are clipped"):
        audio.write(tmp_path / "a.wav", loud, sample_rate=RATE, subtype="PCM_16")
    assert audio.read(tmp_path / "a.wav")[0].tolist() == [[0.5, 1 - 2**-15, -1, 1 - 2**-15]]


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", name) for name in ("ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610", "NMS_ADPCM_32")]
    + [("aiff", "DWVW_16"), ("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III")],
)
@pytest.mark.parametrize("peak", [1.3, 1e3, 1e7])
def test_what_a_coding_cannot_hold_is_clipped_and_never_wraps(tmp_path, suffix, subtype, peak):
    if subtype not in soundfile.available_subtypes(suffix.upper()):
        pytest.skip(f"libsndfile has no {subtype} here")
    wave = np.sin(2 * np.pi * 200 / RATE * np.arange(RATE))[np.newaxis]
    path = tmp_path / f"a.{suffix}"
    said = subtype not in {"VORBIS", "OPUS", "MPEG_LAYER_III"} or peak > 100
    with pytest.warns(AudioWarning, match="full scale are clipped") if said else nullcontext():
        audio.write(path, peak * wave, sample_rate=RATE, subtype=subtype)
    found = audio.read(path)[0][0, :RATE]
    assert np.corrcoef(found, wave[0, : found.size])[0, 1] > 0.8


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
@pytest.mark.parametrize("limit_bytes", [0, 10, 4096, 60_000])
def test_a_full_disk_harms_nothing(tmp_path, name, limit_bytes):
    """A limit on the size of files refuses the same calls as a disk that is full."""
    path = tmp_path / name
    audio.write(path, np.zeros((1, 100)), sample_rate=RATE)
    before = path.read_bytes()
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, 400_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        with pytest.raises(AudioError, match=rf"{name}: cannot be written: file too large"):
            audio.write(path, noise, sample_rate=RATE, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert leftovers(tmp_path) == []


# --- block by block ---------------------------------------------------------------------------


def test_blocks_are_written_under_another_name_first(tmp_path, wave):
    path = tmp_path / "a.wav"
    with audio.open_writer(path, sample_rate=RATE, channels=2) as writer:
        for start in range(0, 24_000, 1_000):
            writer.write(wave[:, start : start + 1_000])
        writer.write(wave[:, :0])
        assert not path.exists()
        assert len(leftovers(tmp_path)) == 1
    assert writer.n_written == 24_000
    assert leftovers(tmp_path) == []
    np.testing.assert_array_equal(audio.read(path)[0], wave)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_what_breaks_off_leaves_nothing(tmp_path, wave, kind):
    with pytest.raises(kind), audio.open_writer(tmp_path / "a.wav", **STEREO) as writer:  # noqa: PT012
        writer.write(wave)
        raise kind
    assert os.listdir(tmp_path) == []


def test_another_number_of_channels_is_refused(tmp_path, wave):
    with (
        pytest.raises(ParameterError, match=r"shape \(2, 24000\), not \(channel=3, time\)"),
        audio.open_writer(tmp_path / "a.wav", sample_rate=RATE, channels=3) as writer,
    ):
        writer.write(wave)


def test_above_4_gb_a_wav_becomes_rf64(tmp_path, wave):
    path = tmp_path / "a.wav"
    with audio.open_writer(path, sample_rate=RATE, channels=2, frames=2**30) as writer:
        writer.write(wave)
    assert audio.info(path).format == "RF64"
    np.testing.assert_array_equal(audio.read(path)[0], wave)


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16", "DOUBLE"])
def test_an_open_ended_wav_is_an_ordinary_one(tmp_path, wave, subtype):
    path = tmp_path / "a.wav"
    with audio.open_writer(path, **STEREO, subtype=subtype) as writer:
        writer.write(wave)
    content = path.read_bytes()
    assert content[:4] + content[8:12] == b"RIFFWAVE"
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert audio.info(path).format == "WAVEX"
    np.testing.assert_allclose(audio.read(path)[0], wave, atol=2**-15)
    if subtype == "FLOAT":
        np.testing.assert_array_equal(scipy.io.wavfile.read(path)[1].T, wave)


def test_an_open_ended_wav_in_a_coding_that_rf64_lacks(tmp_path, wave):
    path = tmp_path / "a.wav"
    with audio.open_writer(path, **STEREO, subtype="IMA_ADPCM") as writer:
        writer.write(wave)
    assert audio.info(path).subtype == "IMA_ADPCM"


@pytest.mark.parametrize("failing", [0, 1])
def test_of_several_files_none_appears_if_one_fails_at_the_end(tmp_path, wave, failing):
    """The files were renamed one by one, the last of them first."""
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    with (
        pytest.raises(AudioError, match="no samples to write"),
        audio.open_writers(paths, **STEREO) as writers,
    ):
        writers[1 - failing].write(wave)
    assert os.listdir(tmp_path) == []


def test_too_many_channels_for_a_pipe(capsysbinary):
    with (
        pytest.raises(AudioError, match="20000 channels, more than 1024"),
        audio.open_writer("-", sample_rate=RATE, channels=20_000),
    ):
        pass


def test_an_open_ended_wav_that_grows_above_4_gb_is_an_rf64(tmp_path, wave, monkeypatch):
    monkeypatch.setattr(codings, "WAV_MAX_BYTES", 200_000)
    path = tmp_path / "a.wav"
    with audio.open_writer(path, **STEREO) as writer:
        writer.write(wave)
        writer.write(wave)
    assert audio.info(path).format == "RF64"
    np.testing.assert_array_equal(audio.read(path)[0], np.concatenate([wave, wave], axis=1))


# --- resampling -------------------------------------------------------------------------------


@pytest.mark.parametrize("to_sample_rate", [8_000, 22_050, 48_000])
def test_resampling_keeps_a_sine(to_sample_rate):
    seconds = np.arange(RATE) / RATE
    sine = np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    out = audio.resample(np.stack([sine, -sine]), sample_rate=RATE, to_sample_rate=to_sample_rate)
    assert out.shape == (2, to_sample_rate)
    assert out.dtype == np.float32
    expected = np.sin(2 * np.pi * 440 * np.arange(to_sample_rate) / to_sample_rate)
    middle = slice(to_sample_rate // 4, -to_sample_rate // 4)
    np.testing.assert_allclose(out[0, middle], expected[middle], atol=1e-3)
    np.testing.assert_array_equal(out[1], -out[0])


def test_resampling_to_the_same_rate_is_a_copy(wave):
    out = audio.resample(wave, sample_rate=RATE, to_sample_rate=RATE)
    np.testing.assert_array_equal(out, wave)
    assert not np.shares_memory(out, wave)


def test_a_subtype_may_be_in_any_case(tmp_path, wave):
    audio.write(tmp_path / "a.wav", wave, sample_rate=RATE, subtype="pcm_16")
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"


def test_nothing_resampled_is_nothing():
    empty = np.zeros((2, 0), np.float32)
    assert audio.resample(empty, sample_rate=RATE, to_sample_rate=8_000).shape == (2, 0)


def test_resampling_refuses_what_makes_no_sense(wave):
    with pytest.raises(ParameterError, match="to_sample_rate=0"):
        audio.resample(wave, sample_rate=RATE, to_sample_rate=0)
    for rates in ((np.inf, RATE), (RATE, np.inf)):
        with pytest.raises(ParameterError, match="sample_rate=inf is not a finite number"):
            audio.resample(wave, sample_rate=rates[0], to_sample_rate=rates[1])
    with pytest.raises(ParameterError, match="has no channel"):
        audio.resample(np.zeros((0, 100)), sample_rate=RATE, to_sample_rate=8_000)
    with pytest.raises(ParameterError, match="must hold floats"):
        audio.resample(np.arange(9), sample_rate=RATE, to_sample_rate=8_000)


@pytest.mark.parametrize("shape", [(8_000, 2), (70_000, 10)])
def test_resampling_refuses_exchanged_axes(shape):
    """With very many channels of two samples soxr crashes."""
    with pytest.raises(ParameterError, match=r"must be \(channel, time\)"):
        audio.resample(np.zeros(shape, np.float32), sample_rate=RATE, to_sample_rate=8_000)


def test_resampling_takes_many_channels_in_a_batch():
    batch = np.random.default_rng(0).standard_normal((3, 700, 800)).astype(np.float32)
    out = audio.resample(batch, sample_rate=RATE, to_sample_rate=8_000)
    one = audio.resample(batch[2, 699], sample_rate=RATE, to_sample_rate=8_000)
    assert out.shape == (3, 700, 400)
    np.testing.assert_array_equal(out[2, 699], one)


def test_resampling_spreads_no_nan():
    wave = np.zeros(800, np.float32)
    wave[400] = np.nan
    with pytest.warns(AudioWarning, match="1 samples are NaN"):
        out = audio.resample(wave, sample_rate=RATE, to_sample_rate=8_000)
    np.testing.assert_array_equal(out, np.zeros(400))
