"""The command line: behaviour common to all verbs, tested on `echoic info`."""

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
from echoic.cli._records import to_json
from echoic.cli._streams import is_verbose
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
    for words in (str(path), "WAV", "FLOAT", "16000 Hz", "7 channels", "1 sample"):
        assert words in out


def test_one_input_is_one_object(run, tmp_path):
    path = write(tmp_path / "a.wav", channels=7, n_samples=1)
    code, out, err = run("info", "--json", path)
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "file": str(path),
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
    assert [json.loads(line)["frames"] for line in out.splitlines()] == [10, 20]  # in given order


def test_a_folder_is_its_audio_files_in_order(run, tmp_path):
    for name in ("b.wav", "a.flac", "c.WAV"):
        write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a sound")
    (tmp_path / ".hidden").touch()
    (tmp_path / "sub.wav").mkdir()
    code, out, err = run("info", "--json", tmp_path)
    assert code == 0
    assert [Path(json.loads(line)["file"]).name for line in out.splitlines()] == [
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
    assert json.loads(out)["file"] == "-"


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
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(p) for p in good]
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
    assert out == ""
    if args:
        assert err.startswith("echoic")
        assert len(err.splitlines()) == 1
    else:
        assert "Usage: echoic" in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("hear", "a.wav", "-o", ""), "'-o' / '--output': is empty"),
        (("denoise", "a.wav", "-o", "b.wav", "--rest="), "'--rest': is empty"),
        (("cochleagram", "a.wav", "--output", ""), "'-o' / '--output': is empty"),
        (("denoise", "a.wav", "-o", "b.wav", "--floor-db", "-20dB"), "'--floor-db': '-20dB': "),
        (("tag", "a.wav", "--threshold", "30"), "'--threshold': '30': "),
        (("hear", "a.wav", "--stem-format", "ogg"), "'--stem-format': 'ogg': "),
        (("pitch", "a.wav", "--hop-ms", "99"), "'--hop-ms': '99': "),
    ],
)
def test_a_value_that_is_wrong_is_named(run, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.wav")
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert f"Invalid value for {words}" in err
    assert os.listdir(tmp_path) == ["a.wav"]


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (
            ("cochleagram", "a.wav", "--hop-ms", "0", "-o", "a.png"),
            "--hop-ms 0 is not between one sample at 192000 Hz and infinity",
        ),
        (
            ("cochleagram", "a.wav", "--low-hz", "9000", "-o", "a.png"),
            "--low-hz 9000, --high-hz 7600 need 0 < low <= high",
        ),
        (("pitch", "a.wav", "--low-hz", "9000"), "--low-hz 9000 is outside 20 to 1000"),
        (("denoise", "a.wav"), "Missing option '-o' / '--output'"),
        (("train", "unet", "--fine-tune"), "--fine-tune: no weights of unet are shipped"),
        (("train", "hear", "--rate", "nan"), "--rate nan is not above 0 and at most 0.1"),
        (("attend", "a.wav", "--keep", ",", "-o", "b.wav"), "',' lists nothing"),
        (("denoise", "a.wav", "-o", "b.xyz"), "b.xyz: cannot be written: suffix '.xyz' is none of"),
    ],
)
def test_wrong_usage_is_said_in_one_line_in_the_words_of_the_command(
    run, tmp_path, monkeypatch, args, line
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.wav")
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert err.startswith(f"echoic {args[0]}: {line}")
    assert err.endswith(f"; see echoic {args[0]} -h\n")
    assert len(err.splitlines()) == 1
    assert os.listdir(tmp_path) == ["a.wav"]


def test_help_and_version(run):
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert "info" in out
    assert "common" not in out
    assert run("--version") == (0, f"echoic {echoic.__version__}\n", "")
    done = subprocess.run(
        [sys.executable, "-m", "echoic", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"echoic {echoic.__version__}\n"
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
    # Background jobs of a shell, and so perhaps this test, ignore SIGINT.
    process = spawn(
        "info", "-", stdin=subprocess.PIPE, before="signal(SIGINT, default_int_handler)"
    )
    with process:
        # More than the pipe's buffer: once it is written, the verb is reading.
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


def test_a_reader_that_leaves_is_no_failure_of_the_table(tmp_path):
    write(tmp_path / "a.wav", n_samples=40_000)
    done = shell(tmp_path, "$echoic pitch a.wav a.wav --jobs 1 --table t.csv | true")
    assert done.stderr == b""
    assert not (tmp_path / "t.csv").exists()


def test_a_full_disk_behind_standard_output_is_said(tmp_path):
    write(tmp_path / "a.wav")
    for options in ("", "--table t.csv"):
        done = shell(tmp_path, f"$echoic info a.wav {options} > /dev/full")
        assert done.returncode == 1
        assert done.stderr == b"echoic: -: cannot be written: no space left on device\n"
        assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "verbose"),
    [
        (["-v"], True),
        (["--verbose"], True),
        (["-qv"], True),
        (["-vq"], True),
        (["-q"], False),
        (["v.wav"], False),
        (["-o", "-.v"], False),
    ],
)
def test_verbose_is_known_before_anything_is_parsed(arguments, verbose):
    assert is_verbose(["echoic", "info", *arguments]) == verbose


# --- streams ----------------------------------------------------------------------------------


def shell(tmp_path: Path, command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell in which `$echoic` is the command."""
    verb = f"{sys.executable} -c 'from echoic.cli import main; main()'"
    source = str(Path(echoic.__file__).parent.parent)
    return subprocess.run(
        ["bash", "-c", command.replace("$echoic", verb)],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": source, **environment},
        check=False,
        timeout=120,
    )


def test_a_closed_standard_error_is_no_crash_and_no_file_gets_the_words(tmp_path):
    """Row "crash": stderr closed."""
    write(tmp_path / "a.wav")
    done = shell(tmp_path, "$echoic info missing.wav a.wav 2>&-")
    assert done.returncode == 1
    assert done.stdout.count(b"\n") == 1
    assert b"missing" not in done.stdout
    done = shell(tmp_path, "$echoic cochleagram missing.wav a.wav -o . 2>&- >&-")
    assert done.returncode == 1
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("encoding", ["ascii", "latin1", "utf-8"])
def test_any_name_is_printed_on_any_terminal(tmp_path, encoding):
    """Row "cli/__init__.py:82": names on a stdout that is not UTF-8."""
    name = "h\u00f6re \u20ac.wav"
    write(tmp_path / name)
    done = shell(tmp_path, f"$echoic info '{name}'", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(name.encode(encoding, errors="backslashreplace"))


@pytest.mark.parametrize("name", ["two  spaces.wav", "no\u00a0break.wav", "tab\t.wav"])
def test_spaces_in_names_stay_as_they_are(run, tmp_path, name):
    """Row "_records.py:23, common.py:142": `split()` rewrote them."""
    path = f"{tmp_path}/{name}"
    assert run("info", path).err == f"echoic: {path}: cannot be read: no such file or directory\n"


def test_a_name_with_a_line_break_stays_one_line(run, tmp_path):
    err = run("info", f"{tmp_path}/two\nlines.wav").err
    assert err == f"echoic: {tmp_path}/two lines.wav: cannot be read: no such file or directory\n"


def test_libraries_say_nothing_by_themselves(tmp_path):
    """Row "unclear": libmpg123 chatters despite `-q`."""
    noise = np.random.default_rng(0).standard_normal(RATE) * 0.1
    soundfile.write(tmp_path / "a.mp3", noise, RATE)
    content = bytearray((tmp_path / "a.mp3").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = b"\xff" * 40
    (tmp_path / "a.mp3").write_bytes(content)
    home = tmp_path / "home"
    home.mkdir()
    command = "$echoic info -q a.mp3 >/dev/null; $echoic cochleagram -q a.mp3 -o a.png"
    done = shell(tmp_path, command, HOME=str(home), MPLCONFIGDIR="/nowhere/at/all")
    lines = [line for line in done.stderr.splitlines() if not line.startswith(b"echoic: a.mp3")]
    assert lines == []


def test_a_glob_skips_folders_without_sounds_and_takes_nothing_twice(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("rec/a.wav", "rec/deeper/b.wav", "rec/a.hearing/stems/rest.wav"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write(Path(name))
    Path("rec/a.hearing/events.json").write_text("{}")
    Path("rec/empty").mkdir()
    for given in ("rec/*", "rec/**"):
        code, out, err = run("info", "--json", given)
        named = [json.loads(line)["file"] for line in out.splitlines()]
        assert {"rec/a.wav", "rec/deeper/b.wav"} <= set(named)
        assert sorted(set(named)) == sorted(named)
        assert "holds no audio files" not in err
        assert code == (0 if given == "rec/*" else 1)  # ** names events.json as well
    assert run("info", "rec/em*").code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_subfolder_that_cannot_be_listed_is_skipped(run, tmp_path):
    (tmp_path / "secret").mkdir(mode=0)
    write(tmp_path / "a.wav")
    done = run("info", "--recursive", tmp_path)
    assert done.code == 0
    assert "secret: cannot be listed: " in done.err


def test_labels_of_a_model_without_any(run):
    done = run("labels", "--model", "denoise")
    assert (done.code, done.out) == (1, "")
    assert done.err == "echoic: denoise: model 'denoise' has no labels\n"


def test_a_folder_with_a_pipe_in_it_is_not_waited_for(run, tmp_path):
    """Row "hang": `mkfifo`."""
    write(tmp_path / "a.wav")
    os.mkfifo(tmp_path / "b.wav")
    code, out, err = run("info", tmp_path)
    assert (code, out.count("\n")) == (0, 1)
    assert "skipped 1 not audio: b.wav" in err


def test_a_process_substitution_is_heard(tmp_path):
    """Row "hang": `<(...)` was "empty", and `hear` opened it again for the page."""
    write(tmp_path / "a.wav", channels=2)
    done = shell(tmp_path, "$echoic hear <(cat a.wav) -o h && $echoic tag <(cat a.wav) >/dev/null")
    assert (done.returncode, done.stderr) == (0, b"")
    assert audio.info(tmp_path / "h/stems/rest.wav").channels == 2
    assert (tmp_path / "h/report.html").is_file()


def test_attend_writes_wav_to_standard_output(tmp_path):
    """Row "pipes": `attend -o -` was refused."""
    write(tmp_path / "a.wav", channels=3, n_samples=5_000)
    done = shell(
        tmp_path,
        "$echoic attend a.wav --mute rain -o - > b.wav;"
        "cat a.wav | $echoic attend - --mute rain -o - | $echoic attend - --mute rain -o c.wav;"
        "$echoic attend a.wav --mute rain -o d.wav",
    )
    assert (done.returncode, done.stderr) == (0, b"")
    np.testing.assert_array_equal(*(audio.read(tmp_path / f"{x}.wav")[0] for x in "bd"))
    assert audio.info(tmp_path / "b.wav").subtype == "FLOAT"
    assert audio.info(tmp_path / "c.wav").frames == 5_000
    done = shell(tmp_path, "$echoic attend a.wav --mute rain -o - --json")
    assert done.returncode == 2


def test_a_reader_of_sound_that_leaves_is_no_catastrophe(tmp_path):
    write(tmp_path / "a.wav", n_samples=100_000)
    done = shell(tmp_path, "$echoic attend a.wav --mute rain -o - | head -c 50 | wc -c")
    assert (done.stdout.strip(), done.stderr) == (b"50", b"")


def test_quiet_says_nothing_where_files_are_the_result(run, tmp_path):
    """Row "-q": the event list was still printed."""
    path = write(tmp_path / "a.wav")
    assert run("hear", "-q", path, "-o", tmp_path / "h") == (0, "", "")
    assert run("hear", "-q", "--json", path, "-o", tmp_path / "i").out.startswith("{")


# --- code shared by verbs ---------------------------------------------------------------------


def test_unknown_errors_are_one_line_or_with_v_a_traceback(talk_of):
    def work(path, _reporter):
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
    def work(_path, _reporter):
        raise kind

    with pytest.raises(kind):
        talk_of(["a", "b"], work)


def test_own_warnings_are_notes_others_are_not_ours(talk_of, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([np.nan, 0.5]), RATE, subtype="FLOAT")

    def work(name, _reporter):
        return {"frames": audio.read(name)[0].shape[1]}

    note = f"echoic: {path}: 1 samples are NaN or infinite; they are replaced by 0\n"
    assert talk_of([str(path)] * 2, work).err == note * 2  # every time, not once per process
    assert talk_of([str(path)], work, quiet=True).err == ""


def test_no_record_prints_nothing(talk_of):
    assert talk_of(["a"], lambda *_: None, str, as_json=True) == (0, "", "")
    assert talk_of(["a"], lambda *_: {"n": 1}) == (0, "", "")
    assert talk_of(["a"], lambda *_: {"n": 1}, lambda record: f"n {record['n']}").out == "n 1\n"


def test_json_is_strict():
    @dataclasses.dataclass
    class Record:
        path: Path
        level_dbfs: np.floating
        values: np.ndarray

    record = Record(Path("a.wav"), np.float32(-np.inf), np.array([1.0, np.nan]))
    assert json.loads(to_json(record), parse_constant=pytest.fail) == {
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


def test_a_signal_that_a_library_turns_into_an_error_is_still_a_signal():
    before = (
        "import os, time, echoic.audio\n"
        "def bad(path):\n"
        "    try:\n"
        "        os.kill(os.getpid(), SIGTERM); time.sleep(10)\n"
        "    except SystemExit:\n"
        "        raise ImportError('initialization failed') from None\n"
        "echoic.audio.info = bad"
    )
    with spawn("info", "a.wav", before=before) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (128 + signal.SIGTERM, "", "")
