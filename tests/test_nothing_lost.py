"""Existing files are not lost where echoic writes, and an aborted run leaves no files behind."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import echoic
from echoic import audio, outputs
from echoic.cli import _signals
from echoic.cli._folder import fresh_folder
from echoic.errors import AudioWarning, FileError

RATE = 16_000
SOURCE = Path(echoic.__file__).parent.parent


def write(path: Path, n_samples: int = 2_000) -> Path:
    noise = 0.1 * np.random.default_rng(n_samples).standard_normal((1, n_samples))
    audio.write(path, noise, sample_rate=RATE)
    return path


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hearing(folder: Path, labels: tuple[str, ...] = ("rest",), text: str = "new") -> None:
    """Write a little hearing as `hear` does."""
    with fresh_folder(folder, force=True) as part:
        (part / "stems").mkdir()
        for label in labels:
            (part / f"stems/{label}.wav").write_text(text)
        stems = {label: f"stems/{label}.wav" for label in labels}
        (part / "events.json").write_text(json.dumps({"events": [], "stems": stems}))
        (part / "report.html").write_text(text)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# --- data loss --------------------------------------------------------------------------------


def test_force_spares_what_events_json_does_not_list(here):
    """Row "data loss 1": `hear -o h --force` deleted dot-names and foreign stems."""
    hearing(Path("h"), ("rain", "rest"))
    mine = ["h/.git", "h/stems/.notes", "h/stems/my mix.wav"]
    for name in mine:
        Path(name).write_text("of great value")
    hearing(Path("h"), ("speech", "rest"), "newer")
    assert all(Path(name).read_text() == "of great value" for name in mine)
    assert Path("h/stems/rest.wav").read_text() == "newer"
    assert sorted(os.listdir("h/stems")) == [".notes", "my mix.wav", "rest.wav", "speech.wav"]
    assert sorted(os.listdir("h")) == [".git", "events.json", "report.html", "stems"]


def test_a_folder_of_other_things_is_not_said_to_be_replaceable(here):
    Path("h").mkdir()
    Path("h/mine.txt").touch()
    with (
        pytest.raises(FileError, match="holds other things than a hearing"),
        fresh_folder(Path("h"), force=False),
    ):
        pass


def test_a_hearing_without_stems_leaves_no_empty_folder_of_the_former_ones(here):
    hearing(Path("h"), ("rain", "rest"))
    hearing(Path("h"), ())
    assert not Path("h/stems").exists()


@pytest.mark.parametrize("mark", ['{"stems": {"rest": "stems/rest.wav"}}', "[]", "{", None])
def test_a_stem_that_events_json_does_not_list_is_not_overwritten(here, mark):
    Path("h/stems").mkdir(parents=True)
    Path("h/stems/rain.wav").write_text("of great value")
    if mark is not None:
        Path("h/events.json").write_text(mark)
    before = contents(here)
    with pytest.raises(FileError, match="it is not replaced"):
        hearing(Path("h"), ("rain",))
    assert contents(here) == before


def test_events_json_cannot_make_force_delete_elsewhere(here):
    Path("thesis.txt").write_text("of great value")
    hearing(Path("h"))
    record = {"stems": {"rest": "../thesis.txt", "rain": str(here / "thesis.txt"), "x": 3}}
    Path("h/events.json").write_text(json.dumps(record))
    with pytest.raises(FileError, match=r"does not list stems/rest\.wav"):
        hearing(Path("h"))
    Path("h/stems/rest.wav").unlink()
    hearing(Path("h"))
    assert Path("thesis.txt").read_text() == "of great value"


def test_what_fails_midway_puts_the_former_hearing_back(here, monkeypatch):
    hearing(Path("h"), ("rain", "rest"), "former")
    before, replace, n_left = contents(here), os.replace, 5

    def full_disk(source, goal):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, goal)

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(FileError, match=r"^h: cannot be written: no space left on device"):
        hearing(Path("h"), ("music", "rest"))
    assert contents(here) == before


@pytest.mark.parametrize("number", [1, 3, 7])
def test_a_signal_right_after_a_move_loses_nothing(here, monkeypatch, number):
    hearing(Path("h"), ("rain", "rest"), "former")
    before, replace, n_left = contents(here), os.replace, number

    def interrupted(source, goal):
        nonlocal n_left
        replace(source, goal)
        n_left -= 1
        if n_left == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        hearing(Path("h"), ("music", "rest"))
    assert contents(here) == before


@pytest.mark.parametrize(
    "args",
    [
        ("hear", "h/stems/rest.wav", "-o", "h", "--force"),
        ("hear", "a.wav", "a.hearing/stems/rest.wav", "--force"),
        ("hear", "link.wav", "-o", "h", "--force"),
        ("attend", "a.wav", "--mute", "rain", "-o", "a.wav", "--force"),
        ("attend", "a.wav", "--mute", "rain", "-o", "same.wav", "--force"),
        ("cochleagram", "a.png", "-o", "a.png", "--force"),
    ],
)
def test_no_output_is_or_holds_its_input(run, here, args):
    """Row "data loss 2": the input was the output, or lay in it."""
    for folder in ("h", "a.hearing"):
        hearing(Path(folder))
        write(here / "sound.wav").replace(here / folder / "stems/rest.wav")
    Path("link.wav").symlink_to("h/stems/rest.wav")
    write(here / "a.wav")
    Path("same.wav").hardlink_to("a.wav")
    write(here / "b.wav").replace("a.png")
    before = contents(here)
    code, _, err = run(*args)
    assert code == 1
    assert "lies in" in err or "both input and output" in err
    after = contents(here)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("paths", "options"),
    [
        (["a.wav"], ("-o", "out.wav", "--rest", "./out.wav")),
        (["a.wav"], ("-o", "clean/a.wav", "--rest", "clean")),
        (["a.wav"], ("-o", "b.wav", "--rest", "link.wav", "--report", "report.html")),
        (["in"], ("-o", "out", "--rest", "out", "--recursive")),
        (["in"], ("-o", "out", "--rest", "out/sub", "--recursive")),
    ],
)
def test_no_file_is_written_twice(run, here, paths, options):
    for name in ("a.wav", "in/a.wav", "in/sub/a.wav"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        write(here / name)
    Path("clean").mkdir()
    Path("link.wav").symlink_to("report.html")
    before = contents(here)
    code, _, err = run("denoise", *paths, *options, "--force", "--jobs", "1")
    assert code == 2
    assert "is both --" in err
    assert contents(here) == before


@pytest.mark.parametrize("verb", ["denoise", "cochleagram", "pitch"])
def test_no_output_is_another_input(run, here, verb):
    """With `--force` the first input's result replaced the second input."""
    (here / "X/sub").mkdir(parents=True)
    (here / "in/sub").mkdir(parents=True)
    write(here / "in/sub/a.wav")
    target = "X/sub/a.wav" if verb == "denoise" else "X/sub/a.png"
    write(here / "b.wav").replace(target)
    before = Path(target).read_bytes()
    options = ("--recursive", "-o", "X", "--force", "--jobs", "1")
    code, _, err = run(verb, "in", target, *options)
    assert code == 1
    assert f"{target}: is both input and output" in err
    assert Path(target).read_bytes() == before


@pytest.mark.parametrize("folder", [".", "mine", "link"])
def test_an_empty_folder_is_filled_not_replaced(run, here, monkeypatch, folder):
    """Row "_folder.py:42": mount points, `-o .`, setgid."""
    write(here / "a.wav")
    (here / "mine").mkdir()
    (here / "mine").chmod(0o2750)
    (here / "link").symlink_to("mine")
    before = (here / "mine").stat()
    monkeypatch.chdir(here / "mine" if folder == "." else here)
    code, _, err = run("hear", here / "a.wav", "-o", folder)
    assert code == 0, err
    after = (here / "mine").stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert (here / "mine/events.json").is_file()
    assert not list(here.rglob(".echoic*"))


def test_force_keeps_the_mode(here):
    """Row "privacy": `--force` made a private file public."""
    write(here / "a.wav").chmod(0o600)
    with outputs.fresh_file("a.wav", force=True) as part:
        assert stat.S_IMODE(part.stat().st_mode) == 0o600  # during writing as well
        part.write_text("new")
    assert stat.S_IMODE(Path("a.wav").stat().st_mode) == 0o600
    hearing(Path("h"))
    for path in (Path("h"), Path("h/stems/rest.wav"), Path("h/report.html")):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
    hearing(Path("h"), text="newer")
    for path in (Path("h"), Path("h/stems/rest.wav"), Path("h/report.html")):
        assert path.stat().st_mode & 0o077 == 0
    assert Path("h/stems/rest.wav").read_text() == "newer"


def test_what_is_renamed_is_on_the_disk_first(here, monkeypatch):
    """Row "outputs.py, _folder.py": no fsync before the rename."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *args: (done.append("rename"), replace(*args)))
    with outputs.fresh_file("a.txt") as part:
        part.write_text("heard")
    assert done == ["fsync", "rename"]
    done.clear()
    hearing(Path("h"))
    assert done == ["fsync"] * 3 + ["rename"]


# --- unclear: errors about the user's own path, before the work -------------------------------


@pytest.mark.parametrize("verb", ["hear", "attend", "cochleagram"])
def test_a_name_that_is_too_long_is_said_before_the_work(run, here, monkeypatch, verb):
    """Row "unclear": a name of 251 characters failed after the work."""
    from echoic.audio import recording

    def work(*_: object) -> None:
        raise AssertionError("decoded before the output was tried")

    name = "n" * 251 + ".wav"
    write(here / name)
    monkeypatch.setattr(recording.Recording, "blocks", work)
    long = "o" * 300
    args = {
        "hear": ("hear", name, "-o", long),
        "attend": ("attend", name, "--mute", "rain", "-o", f"{long}.wav"),
        "cochleagram": ("cochleagram", name, "-o", f"{long}.png"),
    }[verb]
    for words in (args, args[:2]) if verb == "hear" else (args,):
        code, _, err = run(*words)
        assert code == 1
        assert "file name too long" in err
        assert err.count("\n") == 1
    assert [path.name for path in here.iterdir()] == [name]


def test_a_full_disk_names_the_path_of_its_user(here):
    """Row "unclear": full disks and read-only mounts named the `.part` path."""

    def fail_in(name: str) -> str:
        with fresh_folder(Path("h"), force=False) as part, outputs.fresh_file(part / name):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(FileError, match=r"^h/rest.wav: cannot be written: no space left on dev"):
        fail_in("rest.wav")
    with pytest.raises(FileError, match=r"^h/no/rest.wav: cannot be written: there is no folder h"):
        fail_in("no/rest.wav")
    assert os.listdir(here) == []


def test_a_warning_names_the_path_of_its_user(here):
    loud = np.full((1, 2_000), 1.5, np.float32)
    with (
        pytest.warns(AudioWarning, match=r"^h/rest\.flac: 2000 samples above full scale are clip"),
        fresh_folder(Path("h"), force=False) as part,
    ):
        audio.write(part / "rest.flac", loud, sample_rate=RATE)


def test_a_read_only_mount_names_the_path_of_its_user(here, monkeypatch):
    def mkdir(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(FileError, match=r"^h: cannot be written: read-only file system$"):
        hearing(Path("h"))


def test_hear_makes_no_folder_called_dash(run, here):
    """Row "unclear": `hear -o -` made a folder `-`."""
    write(here / "a.wav")
    for more in ((), ("b.wav",)):
        code, out, err = run("hear", "a.wav", *more, "-o", "-")
        assert (code, out) == (2, "")
        assert "-: names no folder; the results need one" in err
    assert os.listdir(here) == ["a.wav"]


@pytest.mark.parametrize("names", [("x/a.wav", "y/a.wav"), ("x/a.wav", "y/A.wav")])
@pytest.mark.parametrize("verb", ["hear", "cochleagram"])
def test_equal_names_are_named(run, here, verb, names):
    """Rows "unclear" (two equal names) and "cli/hear.py:54" (capitals)."""
    for name in names:
        Path(name).parent.mkdir()
        write(here / name)
    code, _, err = run(verb, *names, "-o", "out")
    assert code == 2
    flat = " ".join(err.replace("│", " ").split())
    assert f"{names[0]} and {names[1]}" in flat
    assert not Path("out").exists()


@pytest.mark.parametrize("more", [(), ("b.wav",)])
def test_a_folder_whose_name_is_too_long_is_said(run, here, more):
    for name in ("a.wav", *more):
        write(here / name)
    code, _, err = run("voices", "a.wav", *more, "-o", "x" * 300)
    assert code == 1
    assert "file name too long" in err
    assert "Errno" not in err


# --- sets of files ----------------------------------------------------------------------------

SET = ("denoise", "a.wav", "-o", "kept.wav", "--rest", "rest.wav", "--report", "page.html")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_signal_between_the_renames_of_a_set_waits_for_them(run, here, monkeypatch, number):
    write(here / "a.wav")
    done: list[str] = []
    replace = os.replace

    def interrupted(source, goal):
        replace(source, goal)
        if Path(goal).parent == here:
            done.append(Path(goal).name)
            if len(done) == number:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", interrupted)
    monkeypatch.setattr(_signals, "_received", None)  # restores it after the test
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run(*SET).code == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(done) == ["kept.wav", "page.html", "rest.wav"]
    assert sorted(os.listdir(here)) == ["a.wav", *sorted(done)]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_rename_that_fails_undoes_those_of_its_set(run, here, monkeypatch, number):
    write(here / "a.wav")
    n_left, replace = number, os.replace

    def refused(source, goal):
        nonlocal n_left
        n_left -= Path(goal).parent == here
        if n_left == 0:
            raise PermissionError(errno.EPERM, "Operation not permitted", source, None, goal)
        replace(source, goal)

    monkeypatch.setattr(os, "replace", refused)
    code, _, err = run(*SET)
    name = ["kept.wav", "rest.wav", "page.html"][number - 1]
    assert code == 1
    assert err == f"echoic: a.wav: {name}: cannot be written: operation not permitted\n"
    assert os.listdir(here) == ["a.wav"]


def test_without_its_page_no_part_appears(run, here, monkeypatch):
    from echoic.report import sounds

    def fill_page(*_: object, **__: object) -> str:
        raise FileError("page.html: cannot be written: no space left on device")

    write(here / "a.wav")
    monkeypatch.setattr(sounds, "fill_page", fill_page)
    assert run(*SET).code == 1
    assert os.listdir(here) == ["a.wav"]


def test_of_a_set_no_file_is_written_twice(here):
    with outputs.FileSet() as files:
        files.begin("a.txt").write_text("heard")
        with pytest.raises(FileError, match=r"^\./a\.txt: would be written twice$"):
            files.begin("./a.txt")
    assert os.listdir(here) == ["a.txt"]


# --- leftover files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ("denoise", "-o", "new/deep"),
        ("denoise", "-o", "new/deep", "--rest", "other/rest", "--report", "other/pages"),
        ("voices", "-o", "new/deep"),
        ("hear", "-o", "new/deep/h"),
        ("cochleagram", "-o", "new/deep"),
        ("pitch", "-o", "new/deep"),
    ],
)
@pytest.mark.parametrize("n_inputs", [1, 2])
def test_what_fails_leaves_no_folder(run, here, args, n_inputs):
    verb, *options = args
    for number in range(n_inputs):  # in a folder, so that the output is one as well
        Path(f"in/{number}").mkdir(parents=True)
        Path(f"in/{number}/a.wav").write_text("dear diary")
    code, _, err = run(verb, "in", "--recursive", *options, "--jobs", "1")
    assert code == 1
    assert err.count("is a text file") == n_inputs
    assert os.listdir(here) == ["in"]


def test_what_fails_leaves_no_folder_of_a_single_hearing(run, here):
    Path("a.wav").write_text("dear diary")
    for verb in ("hear", "voices"):
        assert run(verb, "a.wav", "-o", "new/deep/h").code == 1
        assert os.listdir(here) == ["a.wav"]


def test_folders_that_were_there_or_hold_something_stay(run, here):
    write(here / "a.wav")
    Path("old").mkdir()
    code, _, err = run("cochleagram", "a.wav", "b.wav", "-o", "old/new", "--jobs", "1")
    assert code == 1
    assert "b.wav: cannot be read" in err
    assert os.listdir("old/new") == ["a.png"]
    assert run("cochleagram", "b.wav", "c.wav", "-o", "old", "--jobs", "1").code == 1
    assert os.listdir("old") == ["new"]


def test_a_hearing_that_fails_leaves_no_folder(here, monkeypatch):
    Path("h").mkdir()

    def replace(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", replace)
    for folder in ("h", "new/deep/h"):
        with pytest.raises(FileError, match="no space left on device"):
            hearing(Path(folder))
    assert [*here.rglob("*")] == [here / "h"]


CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def start_hearing(*args: str, delay: str = "") -> subprocess.Popen[str]:
    # They may be ignored where the tests run in the background.
    code = "from signal import *\nsignal(SIGINT, default_int_handler)\nsignal(SIGHUP, SIG_DFL)\n"
    code += f"{delay}\n"
    code += "from echoic.cli import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )


def wait_for(pattern: str, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not any(path.stat().st_size for path in Path().glob(pattern)):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("kind", "verb"), [*((kind, "hear") for kind in CODES), (signal.SIGTERM, "attend")]
)
def test_a_signal_leaves_nothing_behind(here, kind, verb):
    """Row "litter": SIGTERM, SIGHUP left `.part` files; row "outputs.py, _folder.py"."""
    write(here / "a.wav", 40 * RATE)
    options = {"hear": ("-o", "h"), "attend": ("--mute", "rain", "-o", "b.wav")}[verb]
    with start_hearing(verb, "a.wav", *options) as process:
        wait_for(".echoic*", process)
        process.send_signal(kind)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (CODES[kind], ""), err
    assert "Traceback" not in err
    assert os.listdir(here) == ["a.wav"]


def test_a_second_signal_does_not_stop_the_cleaning_up(here):
    """A closing terminal or a shutdown sends SIGTERM and SIGHUP."""
    write(here / "a.wav", 40 * RATE)
    with start_hearing("hear", "a.wav", "-o", "h") as process:
        wait_for(".echoic*", process)
        for kind in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            process.send_signal(kind)
            time.sleep(0.02)
        _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert os.listdir(here) == ["a.wav"]


def test_sigkill_leaves_no_broken_file_under_a_final_name(here):
    write(here / "a.wav", 40 * RATE)
    with start_hearing("hear", "a.wav", "-o", "h") as process:
        wait_for(".echoic*", process)
        process.kill()
        process.communicate(timeout=60)
    assert {name[:8] for name in os.listdir(here)} == {"a.wav", ".echoic-"}


def test_a_signal_within_a_callback_of_the_decoder_is_not_lost(here, monkeypatch, capfd):
    """An exception there would be printed, and the file be taken for damaged."""
    from echoic.audio.view import View

    write(here / "a.wav")
    monkeypatch.setattr(_signals, "_received", None)  # restores it after the test
    original = View.read

    def read(self, n_bytes):
        monkeypatch.setattr(View, "read", original)
        signal.raise_signal(signal.SIGTERM)
        return original(self, n_bytes)

    monkeypatch.setattr(View, "read", read)
    before = {kind: signal.getsignal(kind) for kind in CODES}
    try:
        _signals.leave_on_signals()
        with pytest.raises(SystemExit) as left:  # noqa: PT012 - either line may raise
            audio.read("a.wav")
            time.sleep(5)
        assert left.value.code == 143
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    assert capfd.readouterr() == ("", "")


def test_what_the_shell_ignores_stays_ignored():
    """As `nohup` asks."""
    before = {kind: signal.getsignal(kind) for kind in CODES}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _signals.leave_on_signals()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
