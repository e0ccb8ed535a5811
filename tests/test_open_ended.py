"""Files whose header does not state their length, as pipes and old encoders write them."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from echoic import audio
from echoic.audio.recording import Recording
from echoic.errors import AudioError, AudioWarning

RATE = 16_000
WAVE = (0.1 * np.random.default_rng(0).standard_normal((2, 9_001))).astype(np.float32)


def encoded(container: str, subtype: str = "PCM_16", wave: np.ndarray = WAVE, **how: object):
    file = io.BytesIO()
    soundfile.write(file, wave.T, RATE, format=container, subtype=subtype, **how)
    return bytearray(file.getvalue())


def exact(container: str = "WAV") -> np.ndarray:
    return soundfile.read(io.BytesIO(encoded(container)), dtype="float32")[0].T


def put(content: bytearray, position: int, value: bytes) -> bytearray:
    content[position : position + len(value)] = value
    return content


def rf64_of_ffmpeg() -> bytearray:
    content = encoded("RF64")
    return put(content, content.index(b"ds64") + 8, bytes(24))


def w64_of_ffmpeg() -> bytearray:
    content = encoded("W64")
    field = content.index(b"data\xf3\xac") + 16
    return put(put(content, 16, b"\xff" * 8), field, struct.pack("<Q", 2**63 - 1))


def w64_of_sox() -> bytearray:
    """Its header stands at the beginning twice, and once more after the samples."""
    content = encoded("W64")
    start = content.index(b"data\xf3\xac") + 24
    head = put(content[:start], start - 8, struct.pack("<Q", 24))
    return head + head + content[start:] + head


def cut_off_wav(of_all: int) -> bytearray:
    """Of a recorder that was switched off: the lengths in its header are as they began."""
    content = encoded("WAV")
    field = content.index(b"data") + 4
    return put(put(content, 4, struct.pack("<I", of_all)), field, bytes(4))


@pytest.mark.parametrize("of_all", [0, 36])
def test_a_wav_whose_lengths_were_never_written_is_read_whole(tmp_path, of_all):
    (tmp_path / "a.wav").write_bytes(cut_off_wav(of_all))
    np.testing.assert_array_equal(audio.read(tmp_path / "a.wav")[0], exact())


def test_a_wav_without_samples_but_with_more_chunks_holds_none(tmp_path):
    content = encoded("WAV", wave=WAVE[:, :0]) + b"LIST" + struct.pack("<I", 4) + b"INFO"
    put(content, 4, struct.pack("<I", len(content) - 8))
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match="holds no samples"):
        audio.read(tmp_path / "a.wav")


def caf(length: int, n_heads: int = 1) -> bytearray:
    content = encoded("CAF")
    start = content.index(b"data") + 16
    head = put(content[:start], start - 12, struct.pack(">q", length))
    return n_heads * head + content[start:] + (n_heads > 1) * head


def aiff_of_sox() -> bytearray:
    content = encoded("AIFF")
    at = content.index(b"SSND")
    put(content, 4, struct.pack(">I", 0x7F000050))
    put(content, content.index(b"COMM") + 10, struct.pack(">I", 0x1FC00000))
    return put(content, at + 4, struct.pack(">I", 0x7F000008))


def aiff_of_ffmpeg() -> bytearray:
    content = encoded("AIFF")
    put(content, 4, bytes(4))
    put(content, content.index(b"COMM") + 10, bytes(4))
    return put(content, content.index(b"SSND") + 4, bytes(4))


def au_of_ffmpeg() -> bytearray:
    return put(encoded("AU"), 8, b"\xff" * 4)


OPEN_ENDED = {
    "rf64 of ffmpeg": rf64_of_ffmpeg,
    "w64 of ffmpeg": w64_of_ffmpeg,
    "w64 of SoX": w64_of_sox,
    "caf of ffmpeg": lambda: caf(-1),
    "caf of SoX": lambda: caf(4, n_heads=2),
    "aiff of SoX": aiff_of_sox,
    "aiff of ffmpeg": aiff_of_ffmpeg,
    "au of ffmpeg": au_of_ffmpeg,
}


@pytest.mark.parametrize("how", OPEN_ENDED)
def test_a_sound_from_a_pipe_is_whole_and_no_longer(tmp_path, how):
    """Row "pipes": `-f w64`, `-f caf`, RF64, AIFF on standard input."""
    (tmp_path / "a").write_bytes(OPEN_ENDED[how]())
    np.testing.assert_array_equal(audio.read(tmp_path / "a")[0], exact())
    assert audio.info(tmp_path / "a").frames == WAVE.shape[1]


def test_a_flac_that_does_not_say_its_length_is_counted(tmp_path):
    """Row "pipes": `-f flac`."""
    content = encoded("FLAC")
    content[21] &= 0xF0  # STREAMINFO: 36 bits of total samples
    put(content, 22, bytes(4))
    (tmp_path / "a.flac").write_bytes(content)
    np.testing.assert_array_equal(audio.read(tmp_path / "a.flac")[0], exact("FLAC"))
    assert audio.info(tmp_path / "a.flac").frames == WAVE.shape[1]


# --- MP3 without a Xing or Info header --------------------------------------------------------


def quiet_then_loud() -> np.ndarray:
    """What a length inferred from the first frames gets wrong: the bit rate jumps."""
    wave = np.random.default_rng(1).standard_normal((1, 5 * RATE)).astype(np.float32)
    return wave * np.repeat([1e-4, 0.3], [2 * RATE, 3 * RATE]).astype(np.float32)


def mp3_without_header(mode: str) -> tuple[bytes, int]:
    content = bytes(encoded("MP3", "MPEG_LAYER_III", quiet_then_loud(), bitrate_mode=mode))
    first = content.index(b"\xff\xf3")
    second = content.index(content[first : first + 2], first + 100)
    assert b"Xing" in content[first:second] or b"Info" in content[first:second]
    whole = soundfile.read(io.BytesIO(content))[0].shape[0]
    return content[second:], whole


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
@pytest.mark.parametrize("tag", [b"", b"TAG" + bytes(125)])
def test_an_mp3_without_a_header_is_read_to_its_end(tmp_path, mode, tag):
    """Row "MP3": VBR without Xing lost a third, CBR without Xing was refused."""
    content, whole = mp3_without_header(mode)
    (tmp_path / "a.mp3").write_bytes(content + tag)
    wave, _ = audio.read(tmp_path / "a.mp3")
    assert whole <= wave.shape[1] <= whole + 4 * 576  # encoder delay and padding are kept
    assert audio.info(tmp_path / "a.mp3").frames == wave.shape[1]
    parts = list(audio.blocks(tmp_path / "a.mp3", 7_001))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), wave)
    loud = audio.level_dbfs(wave[:, -RATE : -RATE // 2])
    assert loud == pytest.approx(-10.5, abs=1.5)


def test_an_mp3_without_a_header_that_stops_within_a_frame_is_refused(tmp_path):
    content, _ = mp3_without_header("VARIABLE")
    (tmp_path / "a.mp3").write_bytes(content[: len(content) // 2 + 11])
    with pytest.raises(AudioError, match="is truncated"):
        audio.read(tmp_path / "a.mp3")


# --- damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("container", ["AIFF", "W64", "RF64", "CAF", "WAV", "AU"])
def test_damaged_headers_print_no_traceback_of_the_decoder(tmp_path, capfd, container):
    """Row "crash": 41 of 7,840 damaged files printed a cffi traceback before the clean line."""
    whole, rng = encoded(container), np.random.default_rng(0)
    for _ in range(150):
        content = bytearray(whole)
        for position in rng.integers(4, 120, size=4):
            content[position] = rng.integers(256)
        (tmp_path / "a").write_bytes(content)
        with contextlib.suppress(AudioError, AudioWarning):  # some are still readable
            audio.read(tmp_path / "a")
    assert capfd.readouterr() == ("", "")


def test_a_decoder_that_asks_for_negative_dimensions_is_a_damaged_file(tmp_path, monkeypatch):
    """Row "crash": one MP3 of the trial raised ValueError from numpy."""
    (tmp_path / "a.wav").write_bytes(encoded("WAV"))

    def read(*_: object, **__: object) -> None:
        raise ValueError("negative dimensions are not allowed")

    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    with pytest.raises(AudioError, match="is truncated or damaged"):
        audio.read(tmp_path / "a.wav")


def test_a_header_of_nothing_but_empty_chunks_is_left_soon(tmp_path):
    """Row "containers.py:97": a walk of 8 bytes a step through gigabytes."""
    for head in (b"RIFF\0\0\0\x7fWAVE", b"FORM\0\0\0\x7fAIFF", b"caff\0\1\0\0"):
        with open(tmp_path / "a", "wb") as file:
            file.write(head)
            file.truncate(1 << 31)  # sparse
        with pytest.raises(AudioError):
            audio.read(tmp_path / "a")


def test_what_the_system_refuses_while_reading_is_said(tmp_path, monkeypatch):
    (tmp_path / "a.wav").write_bytes(encoded("WAV"))
    recording = Recording(tmp_path / "a.wav")

    class Failing(io.BytesIO):
        def read(self, n: int | None = -1) -> bytes:
            if self.tell() > 20_000:
                raise OSError(5, "Input/output error")
            return super().read(n)

    monkeypatch.setattr("echoic.audio.opening.open", lambda *_: Failing(encoded("WAV")), raising=0)
    with pytest.raises(AudioError, match=r"a\.wav: cannot be read: input/output error"):
        list(recording.blocks(1000))


# --- named pipes ------------------------------------------------------------------------------


def fed(path: Path, content: bytes) -> threading.Thread:
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(content), daemon=True)
    writer.start()
    return writer


def test_a_pipe_is_read_once_and_heard_as_often_as_one_likes(tmp_path):
    """Row "_source.py:42": a FIFO was drained by `info`, then opened again."""
    writer = fed(tmp_path / "pipe", encoded("WAV"))
    recording = Recording(tmp_path / "pipe")
    writer.join(timeout=10)
    assert not recording.is_file
    for _ in range(2):
        parts = list(recording.blocks(1000))
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), exact())


def test_what_is_odd_is_warned_of_once_and_no_filter_is_held(tmp_path):
    """Row "_source.py:62": `catch_warnings` held across a yield."""
    import warnings

    soundfile.write(tmp_path / "a.wav", np.float32([np.nan] * 2000), RATE, subtype="FLOAT")
    recording = Recording(tmp_path / "a.wav")
    filters = list(warnings.filters)
    for said in (1, 0):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            inside = list(warnings.filters)
            for _block in recording.blocks(500):
                assert warnings.filters == inside
        assert len(seen) == said
    assert warnings.filters == filters
