"""The command line: what every verb shares, shown on `echoic info`."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer

import echoic
from conftest import Result
from echoic import audio
from echoic.cli import common
from echoic.errors import EchoicError, ParameterError

RATE = 16_000


@pytest.fixture
def talk_of(capsys):
    """Run Reporter.each outside of any verb."""

    def each(paths, work, show=None, **options) -> Result:
        code = 0
        try:
            common.Reporter(**options).each(paths, work, show)
        except typer.Exit as left:
            code = left.exit_code
        return Result(code, *capsys.readouterr())

    return each


def write(path: Path, channels: int = 1, n_samples: int = 800) -> Path:
    audio.write(path, np.full((channels, n_samples), 0.1), sample_rate=RATE)
    return path


def spawn(*args: str, before: str = "", **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(echoic.__file__).parent.parent)}
    code = f"from signal import *\n{before}\nfrom echoic.cli import main\nmain()"
    command = [sys.executable, "-c", code, *args]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


# --- good input -------------------------------------------------------------------------------


def test_info_for_people(run, tmp_path):
    path = write(tmp_path / "a.wav", channels=7, n_samples=1)
    code, out, err = run("info", path)
    assert (code, err) == (0, "")
    for words in (str(path), "WAV", "FLOAT", "16000 Hz", "7 channels", "1 samples"):
        assert words in out


def test_one_input_is_one_object(run, tmp_path):
    path = write(tmp_path / "a.wav", channels=7, n_samples=1)
    code, out, err = run("info", "--json", path)
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "path": str(path),
        "format": "WAV",
        "subtype": "FLOAT",
        "sample_rate": RATE,
        "channels": 7,
        "frames": 1,
        "duration_s": 1 / RATE,
    }


def test_several_inputs_are_one_object_a_line(run, tmp_path):
    paths = [write(tmp_path / f"{name}.wav", n_samples=n) for name, n in [("b", 10), ("a", 20)]]
    code, out, _ = run("info", "--json", *paths)
    assert code == 0
    assert [json.loads(line)["frames"] for line in out.splitlines()] == [10, 20]  # as asked


def test_a_folder_is_its_audio_files_in_order(run, tmp_path):
    for name in ("b.wav", "a.flac", "c.WAV"):
        write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a sound")
    (tmp_path / ".hidden").touch()
    (tmp_path / "sub.wav").mkdir()
    code, out, err = run("info", "--json", tmp_path)
    assert code == 0
    assert [Path(json.loads(line)["path"]).name for line in out.splitlines()] == [
        "a.flac",
        "b.wav",
        "c.WAV",
    ]
    assert err == f"echoic: {tmp_path}: skipped 2 not audio: notes.txt, sub.wav\n"
    assert run("info", "-q", tmp_path).err == ""


def test_globs(run, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a1.wav", "a2.wav", "b.wav", "sub/a3.wav"):
        write(tmp_path / name)
    assert len(run("info", f"{tmp_path}/a*.wav").out.splitlines()) == 2
    assert len(run("info", f"{tmp_path}/**/a*.wav").out.splitlines()) == 3


def test_a_name_that_exists_is_no_glob(run, tmp_path):
    write(tmp_path / "take[1].wav")
    assert run("info", tmp_path / "take[1].wav").code == 0


def test_standard_input(run, tmp_path, monkeypatch):
    content = write(tmp_path / "a.wav").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, out, _ = run("info", "--json", "-")
    assert code == 0
    assert json.loads(out)["path"] == "-"


def test_a_name_that_is_not_utf8(tmp_path):
    raw = os.fsencode(tmp_path) + b"/h\xf6re.wav"
    os.rename(write(tmp_path / "a.wav"), raw)
    process = spawn("info", os.fsdecode(raw), encoding="utf-8", errors="surrogateescape")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert os.fsencode(out).startswith(raw)


# --- bad input --------------------------------------------------------------------------------


def test_each_bad_input_is_one_line_and_the_others_go_on(run, tmp_path):
    good = [write(tmp_path / "1.wav"), write(tmp_path / "9.flac", channels=2)]
    empty, text, cut = (tmp_path / f"{name}.wav" for name in ("empty", "text", "cut"))
    empty.touch()
    text.write_text("dear diary")
    cut.write_bytes(good[0].read_bytes()[:-100])
    missing = tmp_path / "missing.wav"
    code, out, err = run("info", "--json", good[0], empty, text, cut, missing, good[1])
    assert code == 1
    assert [json.loads(line)["path"] for line in out.splitlines()] == [str(p) for p in good]
    lines = err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["echoic", str(path)] for path in (empty, text, cut, missing)
    ]
    for line, words in zip(lines, ["is empty", "a text file", "truncated", "no such"], strict=True):
        assert words in line


def test_an_empty_folder_and_an_empty_glob_fail(run, tmp_path):
    (tmp_path / "sub").mkdir()
    good = write(tmp_path / "a.wav")
    code, out, err = run("info", tmp_path / "sub", f"{tmp_path}/*.flac", good)
    assert code == 1
    assert len(out.splitlines()) == 1
    assert err.splitlines() == [
        f"echoic: {tmp_path}/sub: holds no audio files",
        f"echoic: {tmp_path}/*.flac: no file matches",
    ]


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("info",),
        ("info", "--loudly", "a.wav"),
        ("herring", "a.wav"),
        ("common",),
        ("_inputs",),
        ("info", "-", "-"),
    ],
)
def test_wrong_usage_is_2(run, args):
    code, out, err = run(*args)
    assert code == 2
    # Without any word the help itself is the answer; all else belongs on standard error.
    assert "Usage: echoic" in (out + err if not args else err)


def test_help_and_version(run):
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert "info" in out
    assert "common" not in out
    assert run("--version") == (0, f"echoic {echoic.__version__}\n", "")
    code, out, _ = run("info", "--help")
    assert code == 0
    assert all(option in out for option in ("IN...", "--json", "-q", "-v"))


def test_every_verb_can_be_loaded_and_says_what_it_does(run):
    from echoic.cli import Verbs

    for verb in Verbs(name="echoic").list_commands(None):
        code, out, err = run(verb, "--help")
        assert code == 0, err
        assert f"Usage: echoic {verb}" in out


def test_ctrl_c_is_130():
    # A shell lets its background jobs, and so perhaps this test, ignore Ctrl-C.
    process = spawn(
        "info", "-", stdin=subprocess.PIPE, before="signal(SIGINT, default_int_handler)"
    )
    with process:
        # More than the pipe holds: once it is written, the verb is reading.
        process.stdin.write("RIFF" * 100_000)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_a_reader_that_leaves_is_no_catastrophe(tmp_path):
    path = write(tmp_path / "a.wav")
    process = spawn("info", *[str(path)] * 50)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 1
    assert err == ""


# --- what verbs build on ----------------------------------------------------------------------


def test_unknown_errors_are_one_line_or_with_v_a_traceback(talk_of):
    def work(path):
        if path == "bad":
            raise ZeroDivisionError("division\nby zero")
        return {"file": path}

    code, out, err = talk_of(["bad", "good"], work, as_json=True)
    assert (code, err) == (1, "echoic: bad: ZeroDivisionError: division by zero\n")
    assert json.loads(out) == {"file": "good"}
    code, out, err = talk_of(["bad", "good"], work, as_json=True, verbose=True)
    assert code == 1
    assert "Traceback" in err
    assert "in work" in err
    assert json.loads(out) == {"file": "good"}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, typer.Abort])
def test_what_ends_the_run_is_not_taken_for_a_failure(talk_of, kind):
    def work(_path):
        raise kind

    with pytest.raises(kind):
        talk_of(["a", "b"], work)


def test_own_warnings_are_notes_others_are_not_ours(talk_of, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([np.nan, 0.5]), RATE, subtype="FLOAT")

    def work(name):
        return {"frames": audio.read(name)[0].shape[1]}

    note = f"echoic: {path}: 1 samples are NaN or infinite; they are replaced by 0\n"
    assert talk_of([str(path)] * 2, work).err == note * 2  # said each time, not once per process
    assert talk_of([str(path)], work, quiet=True).err == ""


def test_no_record_prints_nothing(talk_of):
    assert talk_of(["a"], lambda _path: None, str, as_json=True) == (0, "", "")
    assert talk_of(["a"], lambda _path: {"n": 1}) == (0, "", "")
    assert talk_of(["a"], lambda _path: {"n": 1}, lambda record: f"n {record['n']}").out == "n 1\n"


def test_json_is_strict():
    @dataclasses.dataclass
    class Record:
        path: Path
        level_dbfs: np.floating
        values: np.ndarray

    record = Record(Path("a.wav"), np.float32(-np.inf), np.array([1.0, np.nan]))
    assert json.loads(common.to_json(record), parse_constant=pytest.fail) == {
        "path": "a.wav",
        "level_dbfs": None,
        "values": [1.0, None],
    }


def test_no_bar_without_a_terminal(capsys):
    with common.Reporter().progress("hearing", total=2) as advance:
        advance(1)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal_leaves_standard_output_alone(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    reporter = common.Reporter()
    with (
        reporter.progress("hearing", total=2) as advance,
        reporter.progress("inside", total=1) as inner,
    ):
        advance(1)
        inner(1)
        reporter.data("a result")
    out, err = capsys.readouterr()
    assert out == "a result\n"
    assert "hearing" in err


def test_errors_that_escape_a_verb(run, monkeypatch):
    def escape(error):
        def app(**_: object) -> None:
            raise error

        monkeypatch.setattr("echoic.cli.app", app)
        return run("info", "a.wav")

    assert escape(ParameterError("low_hz=9 is not below 8")) == (
        2,
        "",
        "echoic: low_hz=9 is not below 8\n",
    )
    assert escape(EchoicError("no weights")) == (1, "", "echoic: no weights\n")
    assert escape(ValueError("odd")) == (1, "", "echoic: ValueError: odd\n")
