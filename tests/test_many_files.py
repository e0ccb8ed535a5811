"""Many inputs: processes, nested folders, tables, existing results."""

from __future__ import annotations

import csv
import functools
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer

import echoic
from echoic import audio
from echoic.cli._processes import in_processes
from echoic.cli.common import Reporter
from echoic.errors import EchoicError

RATE = 16_000
# SIGINT may be ignored where the tests run in the background.
START = (
    "from signal import *\nsignal(SIGINT, default_int_handler)\nfrom echoic.cli import main\nmain()"
)


def write(path: Path, duration_s: float = 0.3, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.1 * np.random.default_rng(seed).standard_normal(round(duration_s * RATE))
    audio.write(path, wave.astype(np.float32), sample_rate=RATE)
    return path


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A working directory with three files at three depths."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("in/a.wav", "in/sub/b.wav", "in/sub/deep/a.wav")):
        write(tmp_path / name, seed=seed)
    return tmp_path


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


# --- processes --------------------------------------------------------------------------------


def length_or_end(path: str, *, ends: str, trace: Path) -> int:
    """The file's size; the process ends without a word at one of them."""
    with trace.open("a") as file:
        file.write(path + "\n")
    if Path(path).name == ends:
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(path).stat().st_size


def test_results_come_in_order_from_several_processes(here):
    paths = [str(write(here / f"{n}.wav", 0.05 * (5 - n))) for n in range(5)]
    found = list(in_processes(functools.partial(os.path.getsize), paths, 3))
    assert found == [(path, os.path.getsize(path)) for path in paths]


def test_a_process_that_is_ended_harms_no_other_input(here):
    paths = [str(write(here / f"{n}.wav")) for n in range(4)]
    trace = here / "trace"
    work = functools.partial(length_or_end, ends="1.wav", trace=trace)
    found = dict(in_processes(work, paths, 2))
    ended = found.pop(paths[1])
    assert isinstance(ended, EchoicError)
    assert str(ended) == f"{paths[1]}: the process that worked on it was ended"
    assert found == {path: os.path.getsize(path) for path in paths if path != paths[1]}
    assert trace.read_text().count("1.wav") == 2  # it was retried once


def test_the_others_go_on_together_after_a_process_was_ended(here):
    paths = [str(write(here / f"{n:02}.wav")) for n in range(14)]
    work = functools.partial(process_or_end, ends="00.wav")
    found = dict(in_processes(work, [*paths, paths[5]], 2))
    assert isinstance(found.pop(paths[0]), EchoicError)
    assert set(found) == {*paths[1:]}
    # At most four processes: one may have run beside the one that was killed, one retries that
    # input alone, and two share the rest; not one for each of the thirteen.
    assert len(set(found.values())) <= 4


def process_or_end(path: str, *, ends: str) -> int:
    if Path(path).name == ends:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def test_no_result_is_held_once_it_is_used(here):
    paths = [str(write(here / f"{n}.wav")) for n in range(3)]
    results = in_processes(samples_of, paths, 2)
    first = weakref.ref(next(results)[1])
    next(results)
    assert first() is None
    assert len(list(results)) == 1


def samples_of(path: str) -> np.ndarray:
    return audio.read(path)[0]


def test_what_is_no_file_is_worked_on_by_this_process(here):
    work = functools.partial(length_or_none, parent=os.getpid())
    paths = ["-", str(here / "in/a.wav"), "missing"]
    assert [found for _, found in in_processes(work, paths, 2)] == [True, False, True]


def length_or_none(_path: str, *, parent: int) -> bool:
    return os.getpid() == parent


def test_processes_write_what_one_would_and_failures_are_said(run, here):
    (here / "in/bad.wav").write_text("no sound")
    alone = run("hear", "in", "-o", "one", "--jobs", "1", "--recursive")
    together = run("hear", "in", "-o", "two", "--jobs", "2", "--recursive")
    assert (alone.code, together.code) == (1, 1)
    assert together.out == alone.out
    assert together.err == alone.err
    assert together.err.startswith("echoic: in/bad.wav: ")
    for name in ("a", "sub/b", "sub/deep/a"):
        one, two = (here / folder / f"{name}.hearing" for folder in ("one", "two"))
        for part in ("events.json", "cochleagram.png"):
            assert (one / part).read_bytes() == (two / part).read_bytes(), (name, part)
        np.testing.assert_array_equal(*(audio.read(x / "stems/rest.wav")[0] for x in (one, two)))


def test_notes_of_other_processes_are_passed_on(run, here):
    wave = np.array([np.nan] + [0.5] * 800, np.float32)
    for name in ("x", "y"):
        audio.write(here / f"{name}.wav", np.nan_to_num(wave), sample_rate=RATE)
        data = bytearray((here / f"{name}.wav").read_bytes())
        data[-4:] = np.float32(np.nan).tobytes()
        (here / f"{name}.wav").write_bytes(data)
    code, _, err = run("tag", "x.wav", "y.wav", "--jobs", "2")
    assert code == 0
    assert [line.split(":")[1].strip() for line in err.splitlines()] == ["x.wav", "y.wav"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_processes_and_leaves_nothing(here, number):
    for n in range(3):
        write(here / f"long/{n}.wav", 300.0, seed=n)
    environment = {**os.environ, "PYTHONPATH": str(Path(echoic.__file__).parent.parent)}
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", START),
            *("hear", "long", "-o", "out", "--jobs", "2"),
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: len(list(here.glob("out/.*.part"))) == 2)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)  # as a terminal does
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (128 + number, "")
    assert list(here.glob("out/*")) + list(here.glob("out/.*")) == []


def test_processes_leave_when_the_one_that_made_them_is_killed(here):
    trace = here / "trace"
    code = (
        "import functools, sys; sys.path.insert(0, sys.argv[1])\n"
        "from echoic.cli._processes import in_processes\n"
        "from test_many_files import sleep_on\n"
        "work = functools.partial(sleep_on, trace=sys.argv[2])\n"
        "list(in_processes(work, sys.argv[3:], 2))\n"
    )
    paths = [str(here / "in/a.wav"), str(here / "in/sub/b.wav")]
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(trace), *paths]
    with subprocess.Popen(command) as process:
        wait_until(lambda: trace.exists() and trace.read_text().count("began") == 2)
        process.kill()
    wait_until(lambda: trace.read_text().count("left") == 2)


def sleep_on(_path: str, *, trace: str) -> None:
    """Say when one begins and when one is told to leave."""
    try:
        for word in ("began", "stayed"):
            with open(trace, "a") as file:
                file.write(f"{word}\n")
            time.sleep(60)
    finally:
        with open(trace, "a") as file:
            file.write("left\n")


def wait_until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


# --- input files and result paths -------------------------------------------------------------


def test_with_v_errors_of_other_processes_have_a_traceback(here, capsys):
    paths = [str(here / "in/a.wav"), str(here / "in/sub/b.wav")]
    with pytest.raises(typer.Exit):
        Reporter(verbose=True).each(paths, cannot_work, jobs=2)
    err = capsys.readouterr().err
    assert err.count("in cannot_work\n") == 2
    assert err.startswith(f"echoic: {paths[0]}: ZeroDivisionError: by zero\n")


def cannot_work(_path: str, _reporter: Reporter) -> None:
    raise ZeroDivisionError("by zero")


def test_folders_within_folders_keep_their_places(run, here):
    assert run("info", "in").out.count("\n") == 1
    code, _, err = run("cochleagram", "in", "-o", "deep", "--recursive", "--jobs", "1")
    assert code == 0, err
    found = {str(path.relative_to(here / "deep")) for path in (here / "deep").rglob("*.png")}
    assert found == {"a.png", "sub/b.png", "sub/deep/a.png"}


def test_a_link_back_up_is_not_followed(run, here):
    (here / "in/sub/loop").symlink_to(here / "in")
    assert len(run("info", "in", "--recursive").out.splitlines()) == 3


def test_hidden_files_and_folders_are_left_out(run, here):
    write(here / "in/.hidden/c.wav")
    assert len(run("info", "in", "--recursive").out.splitlines()) == 3


def test_skip_existing_reads_what_is_there_and_goes_on(run, here):
    everything = ("in", "--recursive", "-o", "out", "--jobs", "1", "--only", "events")
    assert run("hear", "in/a.wav", "-o", "out/a.hearing", "--only", "events").code == 0
    before = (here / "out/a.hearing/events.json").stat().st_mtime_ns
    assert run("hear", *everything).code == 1
    code, out, err = run("hear", *everything, "--skip-existing", "--json")
    assert code == 0
    assert err.count("skipped") == 3  # the failed run above had written the other two
    assert [json.loads(line)["file"] for line in out.splitlines()] == [
        "in/a.wav",
        "in/sub/b.wav",
        "in/sub/deep/a.wav",
    ]
    assert (here / "out/a.hearing/events.json").stat().st_mtime_ns == before
    assert run("hear", *everything, "--skip-existing", "--force").code == 2


@pytest.mark.parametrize(
    ("settings", "is_same"),
    [
        (("--labels", "rain,speech", "--threshold", "0.25"), True),
        (("--labels", "speech,rain", "--threshold", ".25"), True),
        (("--labels", "rain", "--threshold", "0.25"), False),
        (("--labels", "speech,rain", "--threshold", "0.3"), False),
        (("--labels", "speech,rain"), False),
        (("--threshold", "0.25"), False),
    ],
)
def test_what_was_heard_with_other_settings_does_not_pass_for_what_is_asked(
    run, here, settings, is_same
):
    """It was taken for what had been asked."""
    asked = ("hear", "in/a.wav", "-o", "h", "--only", "events", "--json")
    first = run(*asked, "--labels", "rain,speech", "--threshold", "0.25")
    mark = (here / "h/events.json").read_bytes()
    code, out, err = run(*asked, *settings, "--skip-existing")
    assert (here / "h/events.json").read_bytes() == mark
    if is_same:
        assert (code, err) == (0, "echoic: in/a.wav: skipped, h exists already\n")
        assert json.loads(out) == {**json.loads(first.out), "skipped": True}
    else:
        assert (code, out) == (1, "")
        assert "h: exists already, heard with another model, other labels or thresholds" in err
        assert run(*asked, *settings, "--force").code == 0
        assert run(*asked, *settings, "--skip-existing").err.count("skipped") == 1


def test_what_other_weights_heard_does_not_pass_for_what_is_asked(run, here):
    asked = ("hear", "in/a.wav", "-o", "h", "--only", "events", "--skip-existing")
    assert run(*asked).code == 0
    mark = here / "h/events.json"
    now = mark.read_text()
    for former in ({"model_version": "0.0.1"}, {"model_version": None, "threshold": None}):
        mark.write_text(json.dumps(json.loads(now) | former))
        code, _, err = run(*asked)
        assert (code, "heard with another model" in err) == (1, True)


def test_stems_of_another_format_are_lacking(run, here):
    asked = ("hear", "in/a.wav", "-o", "h", "--only", "stems", "--skip-existing")
    assert run(*asked).code == 0
    code, _, err = run(*asked, "--stem-format", "flac")
    assert (code, "h: exists already, without flac stems" in err) == (1, True)
    assert run(*asked, "--stem-format", "wav").code == 0


@pytest.mark.parametrize(
    "verb",
    [
        ("attend", "--keep", "rain", "--rest", "left"),
        ("cochleagram",),
        ("denoise",),
        ("hear", "--only", "events"),
        ("pitch",),
        ("voices",),
    ],
)
def test_what_is_skipped_is_in_the_json_too(run, here, verb):
    """It was missing, but for `hear`."""
    asked = (*verb, "-o", "out", "--json", "-q", "--jobs", "1")
    assert run(*asked, "in/sub").code == 0
    code, out, err = run(*asked, "in/a.wav", "in/sub", "--skip-existing")
    assert (code, err) == (0, "")
    new, old = map(json.loads, out.splitlines())
    assert (new["file"], old["file"]) == ("in/a.wav", "in/sub/b.wav")
    assert old["skipped"] is True
    assert "skipped" not in new
    for name in ("output", "rest", "voice-1"):
        assert (name in old) == (name in new)
        assert old.get(name, "").replace("b.", "a.") == new.get(name, "")


def test_nothing_is_shown_of_what_pitch_skips(run, here):
    assert run("pitch", "in", "-o", "out", "-q").code == 0
    assert run("pitch", "in", "-o", "out", "-q", "--skip-existing") == (0, "", "")


@pytest.mark.parametrize(
    "mark", ['{"events": [', "[]", "{}", '{"file": "a", "duration_s": 1, "events": [{"label": 1}]}']
)
def test_a_hearing_that_is_none_stops_no_other(run, here, mark):
    """A foreign or truncated events.json ended the whole run."""
    (here / "out/a.hearing").mkdir(parents=True)
    (here / "out/a.hearing/events.json").write_text(mark)
    options = (
        "-o",
        "out",
        "--skip-existing",
        "--only",
        "events",
        "--recursive",
        "--table",
        "t.csv",
    )
    code, _, err = run("hear", "in", *options, "--jobs", "1")
    assert (code, err) == (
        1,
        "echoic: in/a.wav: out/a.hearing: its events.json is not of a hearing\n",
    )
    assert (here / "out/sub/b.hearing/events.json").is_file()


def test_skip_existing_does_not_pass_for_what_lacks_a_part(run, here):
    assert run("hear", "in/a.wav", "-o", "h", "--only", "events").code == 0
    code, _, err = run("hear", "in/a.wav", "-o", "h", "--skip-existing")
    assert code == 1
    assert "h: exists already, without wav stems, picture, page (--force hears it again)" in err
    assert run("hear", "in/a.wav", "-o", "h", "--only", "events", "--skip-existing").code == 0


def test_skip_existing_renews_its_own_table_and_no_other_file(run, here):
    asked = ("hear", "in/a.wav", "-o", "h", "--only", "events", "--skip-existing", "--table")
    assert run(*asked, "t.csv").code == 0
    written = (here / "t.csv").read_text()
    assert written.startswith("file,label,onset_s,offset_s,confidence\n")
    assert run(*asked, "t.csv").code == 0
    assert (here / "t.csv").read_text() == written
    (here / "other.csv").write_text("of great value\n")
    assert run(*asked, "other.csv").code == 1
    assert (here / "other.csv").read_text() == "of great value\n"


def test_skip_existing_completes_what_is_there_in_part(run, here):
    """Only what lacks is written: what is there may be of great value."""
    asked = ("denoise", "in/sub", "-o", "out", "--jobs", "1", "--skip-existing")
    (here / "in/sub/deep/a.wav").unlink()
    (here / "in/sub/deep").rmdir()
    assert run(*asked).code == 0
    (here / "out/b.wav").write_text("of great value")
    more = (*asked, "--rest", "left", "--report", "pages")
    code, _, err = run(*more)
    assert (code, "skipped" in err) == (0, False)
    assert (here / "out/b.wav").read_text() == "of great value"
    assert (here / "left/b.wav").is_file()
    assert (here / "pages/b.html").is_file()
    code, _, err = run(*more)
    assert (code, err) == (
        0,
        "echoic: in/sub/b.wav: skipped, out/b.wav and left/b.wav and pages/b.html exist already\n",
    )


def test_a_table_of_only_some_inputs_is_refused(run, here):
    options = ("-o", "out", "--table", "t.csv", "--skip-existing")
    code, _, err = run("pitch", "in", *options)
    assert code == 2
    assert "--table needs every input" in " ".join(err.replace("│", " ").split())
    assert not (here / "t.csv").exists()


def test_a_folder_of_one_file_is_written_as_one_of_several(run, here):
    for verb, name in (("hear", "a.hearing"), ("cochleagram", "a.png"), ("denoise", "a.wav")):
        options = ("--only", "events", "--json") if verb == "hear" else ("--json",)
        code, out, err = run(verb, "in", "-o", verb, *options, "-q")
        assert (code, err) == (0, "")
        assert [path.name for path in (here / verb).iterdir()] == [name]
        assert out.count("\n") == 1  # one object a line
        assert json.loads(out)["file"] == "in/a.wav"
    assert "takes one result" in run("denoise", "in/*.wav", "-o", "-").err


def test_hearings_are_not_looked_into(run, here):
    assert run("hear", "in/a.wav", "-o", "in/sub/a.hearing").code == 0
    code, out, err = run("info", "in", "--recursive")
    assert (code, len(out.splitlines())) == (0, 3)
    assert err == "echoic: in: skipped 1 not audio: sub/a.hearing\n"
    assert run("info", "in/sub/a.hearing", "--recursive").out.count("\n") == 1  # when it is named


def test_cochleagram_skips_existing(run, here):
    run("cochleagram", "in", "in/sub", "-o", "out")
    (here / "out/a.png").write_bytes(b"mine")
    assert run("cochleagram", "in", "-o", "out", "--skip-existing", "--recursive").code == 0
    assert (here / "out/a.png").read_bytes() == b"mine"
    assert (here / "out/sub/deep/a.png").is_file()


def test_attend_takes_many_files_and_keeps_their_places(run, here):
    muting = ("attend", "in", "--mute", "rain", "--recursive")
    code, out, err = run(*muting, "-o", "out", "--rest", "left", "--json", "--jobs", "2")
    assert (code, err) == (0, "")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["output"] for record in records] == [
        "out/a.wav",
        "out/sub/b.wav",
        "out/sub/deep/a.wav",
    ]
    for record in records:
        whole, kept, left = (audio.read(record[name])[0] for name in ("file", "output", "rest"))
        np.testing.assert_allclose(kept + left, whole, atol=1e-6)
    assert run(*muting, "-o", "out").code == 1
    assert run(*muting, "-o", "out", "--skip-existing").err.count("skipped") == 3
    assert "takes one result" in run(*muting, "-o", "-").err
    assert not list((here / "in").rglob("*.part"))


@pytest.mark.parametrize("again", ["a.wav", "./a.wav", "in/../a.wav", "link/a.wav", "absolute"])
def test_a_file_named_twice_is_heard_once(run, here, again):
    write(here / "a.wav")
    (here / "link").symlink_to(here)
    names = ("a.wav", here / "a.wav" if again == "absolute" else again)
    code, out, _ = run("tag", *names, "--json")
    assert code == 0
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["a.wav"]
    assert run("cochleagram", *names, "-o", "out").code == 0
    assert os.listdir("out") == ["a.png"]


def test_a_link_of_another_name_is_another_input(run, here):
    (here / "in/b.wav").symlink_to(here / "in/a.wav")
    assert len(run("info", "in").out.splitlines()) == 2


@pytest.mark.parametrize(
    ("verb", "options", "name"),
    [
        ("hear", ("-o", "out.wav"), "out.wav"),
        ("voices", ("-o", "out.FLAC"), "out.FLAC"),
        ("denoise", ("-o", "out.flac"), "out.flac"),
        ("denoise", ("-o", "out", "--rest", "rest.wav"), "rest.wav"),
        ("denoise", ("-o", "out", "--report", "page.html"), "page.html"),
        ("denoise", ("-o", "out", "--report", "-"), "-"),
        ("cochleagram", ("-o", "out.png"), "out.png"),
        ("cochleagram", ("-o", "-"), "-"),
        ("pitch", ("-o", "there"), "there"),
    ],
)
def test_several_results_do_not_go_into_what_names_a_file(run, here, verb, options, name):
    """A folder of that name was made."""
    (here / "there").write_text("of great value")
    code, out, err = run(verb, "in/a.wav", "in/sub/b.wav", *options)
    assert (code, out) == (2, "")
    assert f"{name}: names no folder; " in err
    assert not (here / name).is_dir()
    if name not in ("-", "there"):
        (here / name).mkdir()
        done = run(verb, "in/a.wav", "in/sub/b.wav", *options, "--jobs", "1")
        assert done.code == 0, done.err


def test_folders_of_a_glob_keep_their_layout(run, here):
    for name in ("rec1/x", "rec1/y"):
        (here / name).mkdir(parents=True)
        write(here / name / "a.wav")
    code, _, _ = run("cochleagram", "rec*", "--recursive", "-o", "out")
    assert code == 0
    assert (here / "out/x/a.png").is_file()
    assert (here / "out/y/a.png").is_file()


# --- one table --------------------------------------------------------------------------------


def test_the_table_holds_the_rows_of_all_inputs(run, here):
    code, out, _ = run("tag", "in", "--recursive", "--jobs", "1", "--json", "--table", "all.csv")
    assert code == 0
    head, *found = rows(here / "all.csv")
    assert head == ["file", "label", "confidence"]
    expected = [
        [record["file"], tag["label"], str(tag["confidence"])]
        for record in map(json.loads, out.splitlines())
        for tag in record["tags"]
    ]
    assert found == expected
    assert run("tag", "in", "--table", "all.csv").code == 1  # it exists
    assert run("tag", "in", "--table", "all.csv", "--force").code == 0


def test_a_threshold_leaves_out_tags_below_it(run, here):
    every = ("tag", "in", "--recursive", "--jobs", "1", "--json")
    whole, above = (
        [json.loads(line) for line in run(*every, *more).out.splitlines()]
        for more in ((), ("--threshold", "0.01"))
    )
    kept = [[tag for tag in record["tags"] if tag["confidence"] >= 0.01] for record in whole]
    assert [record["tags"] for record in above] == kept
    assert 0 < sum(map(len, kept)) < sum(len(record["tags"]) for record in whole)


def test_a_table_of_events_and_one_of_files(run, here):
    run("hear", "in", "--recursive", "-o", "out", "--jobs", "1", "--threshold", "0.0001")
    run("hear", "in", "-o", "again", "--threshold", "0.0001", "--table", "e.csv")
    record = json.loads((here / "out/a.hearing/events.json").read_text())
    head, *found = rows(here / "e.csv")
    assert head == ["file", "label", "onset_s", "offset_s", "confidence"]
    assert found == [[record["file"], *map(str, event.values())] for event in record["events"]]
    assert found, "nothing was heard at so low a threshold"
    run("info", "in", "--recursive", "--table", "i.csv")
    assert [row[0] for row in rows(here / "i.csv")] == [
        *("file", "in/a.wav", "in/sub/b.wav", "in/sub/deep/a.wav")
    ]


@pytest.mark.parametrize("table", ["in/a.wav", "table.txt"])
def test_a_table_is_no_input_and_a_csv(run, here, table):
    before = (here / "in/a.wav").read_bytes()
    code, out, err = run("tag", "in", "--table", table, "--force")
    assert (code, out) == (2, "")
    assert table in err
    assert (here / "in/a.wav").read_bytes() == before


# --- what is heard and written ----------------------------------------------------------------


def test_only_some_labels_are_listened_for(run, here):
    options = ("--threshold", "1e-6", "--labels", "rain,speech", "--labels", "music")
    run("hear", "in/a.wav", "-o", "out", *options)
    record = json.loads((here / "out/events.json").read_text())
    assert {event["label"] for event in record["events"]} <= {"rain", "speech", "music"}
    assert record["events"], "nothing was heard at so low a threshold"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--labels", "unicorn"), "unicorn"),
        (("--threshold", "1.5"), "1.5"),
        (("--threshold", "nan"), "nan"),
        (("--only", "song"), "song"),
        (("--only", ","), "lists nothing"),
        (("--jobs", "0"), "--jobs"),
        (("--stem-format", "mp3"), "mp3"),
    ],
)
def test_a_wrong_option_is_said_before_any_work(run, here, options, word):
    code, out, err = run("hear", "in/a.wav", *options)
    assert (code, out) == (2, "")
    assert word in err
    assert not (here / "a.hearing").exists()


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("events", {"events.json", "events.csv", "events.txt"}),
        ("stems", {"events.json", "stems"}),
        ("picture,page", {"events.json", "cochleagram.png", "report.html"}),
    ],
)
def test_only_some_parts_are_written_and_can_be_replaced(run, here, only, names):
    assert run("hear", "in/a.wav", "-o", "out", "--only", only).code == 0
    assert {path.name for path in (here / "out").iterdir()} == names
    assert run("hear", "in/a.wav", "-o", "out", "--force").code == 0


def test_stems_as_flac_add_up_to_24_bits(run, here):
    options = ("--stem-format", "flac", "--threshold", "0.02")
    assert run("hear", "in/a.wav", "-o", "out", *options).code == 0
    record = json.loads((here / "out/events.json").read_text())
    assert all(path.endswith(".flac") for path in record["stems"].values())
    assert ">FLAC</a>" in (here / "out/report.html").read_text()
    total = sum(audio.read(here / "out" / path)[0] for path in record["stems"].values())
    wave, _ = audio.read(here / "in/a.wav")
    np.testing.assert_allclose(total, wave, atol=len(record["stems"]) * 2.0**-23)
