"""A WAV read from a pipe is processed while it arrives."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from echoic.audio import LiveWav, Recording, decode_pipe, open_pipe
from echoic.cli._dividing import divide_one
from echoic.cli._reporter import SilentReporter
from echoic.cli._signals import first_interrupt
from echoic.errors import AudioError, AudioWarning, ParameterError
from echoic.outputs import InputFiles
from test_cli import shell, spawn, write

RATE = 16_000
N_SAMPLES = 3_001
CODINGS = [
    *(("WAV", coding) for coding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    ("WAVEX", "PCM_24"),
    ("WAVEX", "FLOAT"),
]


def encoded(container: str = "WAV", coding: str = "PCM_16", n_channels: int = 2) -> bytes:
    wave = 0.3 * np.random.default_rng(0).standard_normal((N_SAMPLES, n_channels))
    content = io.BytesIO()
    soundfile.write(content, wave.clip(-0.99, 0.99), RATE, format=container, subtype=coding)
    return content.getvalue()


@pytest.fixture
def piped(monkeypatch):
    """Standard input that gives at most so many bytes at a time."""

    def pipe(content: bytes, most: int = 777) -> LiveWav | Recording:
        class Slow(io.BytesIO):
            def read1(self, size: int | None = -1) -> bytes:
                return super().read1(most if size is None or size < 0 else min(size, most))

        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Slow(content)))
        return decode_pipe(open_pipe("-"))

    return pipe


def joined(sound: LiveWav | Recording, block_samples: int = 1000) -> np.ndarray:
    return np.concatenate(list(sound.blocks(block_samples)), axis=1)


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_24_bits_in_containers_of_4_bytes_are_said(piped, tmp_path, n_channels):
    """They were read as if they were 3 bytes wide: noise at full scale."""
    content = bytearray(encoded("WAV", "PCM_32", n_channels))
    content[34:36] = struct.pack("<H", 24)  # bits a sample; 4 bytes a sample as before
    (tmp_path / "a.wav").write_bytes(content)
    for read in (lambda: piped(bytes(content)), lambda: Recording(tmp_path / "a.wav")):
        with pytest.raises(AudioError, match="24 bits in 4 bytes"):
            read()


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize(("container", "coding"), CODINGS)
def test_what_comes_live_is_what_a_file_holds(piped, tmp_path, container, coding, n_channels):
    content = encoded(container, coding, n_channels)
    (tmp_path / "a.wav").write_bytes(content)
    live = piped(content)
    assert isinstance(live, LiveWav)
    assert (live.sample_rate, live.n_channels, live.n_samples) == (RATE, n_channels, N_SAMPLES)
    np.testing.assert_array_equal(joined(live), joined(Recording(tmp_path / "a.wav")))


@pytest.mark.parametrize("n_bytes", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_is_open(piped, n_bytes):
    content = bytearray(encoded())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", n_bytes)
    content[4:8] = struct.pack("<I", n_bytes)
    live = piped(bytes(content))
    assert (live.n_samples, live.duration_s) == (None, None)
    assert joined(live).shape == (2, N_SAMPLES)


def test_what_follows_the_samples_is_no_sound(piped):
    live = piped(encoded() + b"LIST" + struct.pack("<I", 400) + bytes(400))
    assert joined(live).shape == (2, N_SAMPLES)
    assert sys.stdin.buffer.read() == b""  # read to its end, so the writer gets no SIGPIPE


def test_a_wav_of_no_samples(piped):
    content = encoded()[:44]
    empty = content[:4] + struct.pack("<I", 36 + 12) + content[8:40] + bytes(4)
    with pytest.raises(AudioError, match=r"^-: holds no samples$"):
        joined(piped(empty + b"LIST" + struct.pack("<I", 4) + bytes(4)))


def test_a_pipe_that_ends_early(piped):
    live = piped(encoded()[:-1001])
    with pytest.raises(
        AudioError, match=r"^-: is truncated: its header promises 3001 samples, 2750 have come$"
    ):
        joined(live)


def test_what_is_no_number_is_said_once_at_the_end(piped):
    content = io.BytesIO()
    soundfile.write(
        content, np.float32([0.5, np.nan, 1e9, -0.5] * 100), RATE, "FLOAT", format="WAV"
    )
    with pytest.warns(AudioWarning) as seen:
        wave = joined(piped(content.getvalue()), 100)
    assert np.isfinite(wave).all()
    assert [str(one.message)[:38] for one in seen] == ["-: 100 samples are NaN or infinite; th"]


@pytest.mark.parametrize("content", [encoded("FLAC"), encoded("WAV", "ULAW"), encoded("AIFF")])
def test_other_containers_are_read_to_their_end(piped, content):
    sound = piped(content)
    assert isinstance(sound, Recording)
    assert joined(sound).shape == (2, N_SAMPLES)


@pytest.mark.parametrize("content", [b"", b"RIFF", encoded()[:30], b"dear diary"])
def test_what_is_no_sound_is_one_error(piped, content):
    with pytest.raises(AudioError, match=r"^-: "):
        piped(content)


def test_a_rate_at_which_nothing_is_heard(piped):
    content = bytearray(encoded())
    content[24:28] = struct.pack("<I", 96)
    with pytest.raises(AudioError, match="-: sample rate 96 Hz is outside of 8000 to 192000 Hz"):
        piped(bytes(content))


def test_the_sound_comes_out_while_more_goes_in():
    """A microphone has no end."""
    command = [sys.executable, "-m", "echoic", "attend", "-", "--mute", "rain", "-o", "-"]
    header = encoded(n_channels=1)[:40] + b"\xff" * 4
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        killer = threading.Timer(60, process.kill)
        killer.start()
        process.stdin.write(header + bytes(2 * RATE))
        process.stdin.flush()
        came = process.stdout.read(58 + 4 * (RATE - RATE // 100))  # before the pipe is closed
        process.stdin.write(bytes(2 * RATE))
        process.stdin.close()
        came += process.stdout.read()
        killer.cancel()
    assert process.returncode == 0
    assert len(came) == 58 + 4 * 2 * RATE


def test_a_pipe_that_ends_early_leaves_no_file(tmp_path):
    write(tmp_path / "a.wav", n_samples=50_000)
    done = shell(tmp_path, "head -c 90000 a.wav | $echoic denoise - -o b.wav")
    assert done.returncode == 1
    assert done.stderr.startswith(b"echoic: -: is truncated: its header promises 50000 samples")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav"]


# --- Ctrl-C -----------------------------------------------------------------------------------


def interrupted(folder: Path, *args: str, header: bytes) -> tuple[int, str]:
    """Press Ctrl-C while a verb reads 100,000 samples of silence from a pipe that stays open."""
    process = spawn(
        *args, stdin=subprocess.PIPE, cwd=folder, before="signal(SIGINT, default_int_handler)"
    )
    with process:
        # More than the pipe's buffer: once it is written, the verb is reading.
        process.stdin.buffer.write(header + bytes(200_000))
        process.stdin.buffer.flush()
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()
        process.wait(timeout=60)
    return process.returncode, err


OPEN = encoded(n_channels=1)[:40] + b"\xff" * 4
KNOWN = encoded(n_channels=1)[:40] + struct.pack("<I", 400_000)


def test_ctrl_c_ends_a_recording_of_open_length(tmp_path):
    """All that had been recorded was lost."""
    code, err = interrupted(tmp_path, "denoise", "-", "-o", "a.wav", header=OPEN)
    assert code == 0, err
    assert soundfile.info(tmp_path / "a.wav").frames == 100_000
    assert os.listdir(tmp_path) == ["a.wav"]


def test_ctrl_c_ends_a_recording_that_is_read_to_its_end_first(tmp_path):
    code, err = interrupted(tmp_path, "cochleagram", "-", "-o", "a.npz", header=OPEN)
    assert code == 0, err
    assert np.load(tmp_path / "a.npz")["envelope"].shape[1] == 100_000 // (RATE // 400)


@pytest.mark.parametrize("verb", ["denoise", "cochleagram"])
def test_ctrl_c_aborts_what_has_a_known_length(tmp_path, verb):
    output = "a.wav" if verb == "denoise" else "a.npz"
    code, err = interrupted(tmp_path, verb, "-", "-o", output, header=KNOWN)
    assert code == 130, err
    assert os.listdir(tmp_path) == []


def test_a_second_ctrl_c_aborts():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ended: list[int] = []
    try:
        with first_interrupt(lambda: ended.append(1)):
            signal.raise_signal(signal.SIGINT)
            assert ended == [1]
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [1]


def test_a_pipe_that_was_ended_gives_its_last_and_can_be_read_by_others(monkeypatch):
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin, os.fdopen(writer, "wb", buffering=0) as out:
        monkeypatch.setattr(sys, "stdin", stdin)
        with closing(open_pipe("-")) as pipe:
            pipe.end()
            last_words = threading.Timer(0.1, out.write, [b"heard"])
            last_words.start()
            assert (pipe.read_all(), pipe.read(99)) == (b"heard", b"")
            last_words.join()
        assert os.get_blocking(reader)


def test_a_pipe_that_has_been_closed_can_be_ended(tmp_path):
    """Ctrl-C while the output is completed."""
    os.mkfifo(tmp_path / "a")
    recorder = threading.Thread(target=(tmp_path / "a").write_bytes, args=[encoded()])
    recorder.start()
    pipe = open_pipe(str(tmp_path / "a"))
    assert joined(decode_pipe(pipe)).shape == (2, N_SAMPLES)
    recorder.join()
    pipe.end()
    pipe.close()


def test_a_pipe_is_closed_where_its_sound_cannot_be_processed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("a.wav")
    recorder = threading.Thread(target=Path("a.wav").write_bytes, args=[encoded()])
    recorder.start()

    def make(*_: object) -> None:
        raise ParameterError("no such network")

    with pytest.raises(ParameterError) as caught:
        divide_one(
            "a.wav",
            SilentReporter(verbose=False),
            make=make,
            files={"kept": {"a.wav": "b.wav"}},
            folders={},
            pages={},
            kicker="",
            skip_existing=False,
            force=False,
            read=InputFiles([]),
            also_say={},
        )
    recorder.join()
    with pytest.raises(OSError, match="No such device or address"):  # nobody reads
        os.open("a.wav", os.O_WRONLY | os.O_NONBLOCK)
    assert caught.traceback  # holds what the function held
