"""Performance of the command line: speed on one core, memory, start-up time.

    ./do bench verbs [--hours 1] [--json FILE]

Every figure is of a process pinned to one core, except that of two files on two cores.
"After start-up" processes the same minute four times in one process and reports the median of
the last three, with all files written; the first second of the live stream is not counted. The
input is a street scene repeated, in which four labels are detected.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import machine, write_figures

SAMPLE_RATE = 16_000
ECHOIC = str(Path(sys.executable).with_name("echoic"))
SCENE = Path(__file__).parent.parent / "examples" / "street.wav"


def pin_to_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def run(command: list[str], folder: str) -> tuple[float, float]:
    """Wall time in s and peak memory in MB of a subprocess."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, preexec_fn=pin_to_one_core, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: ended with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def street() -> Any:
    """The street scene at 16 kHz, (1, time)."""
    from echoic.audio import read, resample

    wave, rate = read(SCENE)
    return resample(wave, sample_rate=rate, to_sample_rate=SAMPLE_RATE)


def make_file(path: Path, duration_s: float) -> None:
    """Write the street scene repeatedly, block by block."""
    from echoic.audio import open_writer

    wave = street()
    n_left = round(duration_s * SAMPLE_RATE)
    with open_writer(path, sample_rate=SAMPLE_RATE, channels=1, subtype="PCM_16") as writer:
        while n_left > 0:
            writer.write(wave[:, :n_left])
            n_left -= wave.shape[-1]


# What a verb does to a file once everything is loaded; the first call of `work` is not timed.
AFTER_START_UP = {
    "hear": """
from echoic.pipeline.folder import hear_into
from echoic.pipeline.hear import FirstPass
def work():
    with tempfile.TemporaryDirectory() as folder:
        hear_into(Path(folder), Source(sys.argv[1]), FirstPass())
""",
    "tag": """
from echoic.pipeline.tag import tag_sound
def work():
    tag_sound(Source(sys.argv[1]))
""",
    "attend": """
from echoic.pipeline.dividing import divide_into
from echoic.processors import Attend
def work():
    with tempfile.TemporaryDirectory() as folder:
        source = Source(sys.argv[1])
        attend = Attend(keep=["speech"], sample_rate=source.sample_rate)
        divide_into([("kept", folder + "/out.wav")], source, attend)
""",
    "denoise": """
from echoic.pipeline.dividing import divide_into
from echoic.processors import Denoise
def work():
    with tempfile.TemporaryDirectory() as folder:
        source = Source(sys.argv[1])
        denoise = Denoise(sample_rate=source.sample_rate)
        divide_into([("kept", folder + "/out.wav")], source, denoise)
""",
}
TIMED = """
work()
elapsed = []
for _ in range(3):
    start = time.perf_counter(); work(); elapsed.append(time.perf_counter() - start)
print(json.dumps({"x_real_time": Source(sys.argv[1]).duration_s / np.median(elapsed)}))
"""
LIVE = f"""
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pushes import N_WARMING_UP, PUSH_S, pushes, step_figures
wave, rate = echoic.read(sys.argv[1])
live = echoic.stream("attend", keep=["speech"], sample_rate=rate)
taken = [*pushes(live, wave)]
times = step_figures(taken)
cpu_s = [one.cpu_s for one in taken[N_WARMING_UP:]]
print(json.dumps({{
    "p50_ms": times["median"], "p99_ms": times["99 %"],
    "cores": np.mean(cpu_s) / PUSH_S, "latency_ms": 1000 * live.latency_s,
}}))
"""


def in_python(code: str, path: Path) -> dict[str, float]:
    """Run a program on a file, pinned to one core, and parse the JSON that it prints."""
    imports = "import json, sys, tempfile, time\nfrom pathlib import Path\nimport numpy as np\n"
    imports += "import echoic\nfrom echoic.cli._source import Source\n"
    done = subprocess.run(
        [sys.executable, "-c", imports + code, str(path)],
        preexec_fn=pin_to_one_core,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def two_files_on_two_cores(folder: str) -> float:
    """Speed-up of `hear` on two files of ten minutes with two processes instead of one.

    Start-up is excluded: the time for two files of one second is subtracted.
    """
    elapsed_s = {}
    for seconds in (1, 600):
        pair = [f"{name}-{seconds}.wav" for name in ("one", "two")]
        for name in pair:
            make_file(Path(folder) / name, seconds)
        for jobs in ("1", "2"):
            start = time.perf_counter()
            command = [ECHOIC, "hear", "-q", *pair, "-o", f"{seconds}-{jobs}", "--jobs", jobs]
            subprocess.run(command, cwd=folder, check=True)
            elapsed_s[seconds, jobs] = time.perf_counter() - start
    one, two = (elapsed_s[600, jobs] - elapsed_s[1, jobs] for jobs in ("1", "2"))
    return one / two


def measure(hours: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    folder = tempfile.mkdtemp()
    try:
        second, minute, long = (Path(folder) / f"{name}.wav" for name in ("1s", "minute", "long"))
        make_file(second, 1)
        make_file(minute, 60)
        run([ECHOIC, "hear", str(minute), "-o", "warm"], folder)  # compile once, for all runs
        helps = [run([ECHOIC, "--help"], folder)[0] for _ in range(7)]
        figures["help_s"] = statistics.median(helps)
        imports = [run([sys.executable, "-c", "import echoic"], folder)[0] for _ in range(7)]
        figures["import_s"] = statistics.median(imports)
        starts = [run([ECHOIC, "hear", str(second), "-o", f"s{k}"], folder)[0] for k in range(5)]
        figures["hear_second_whole_process_s"] = statistics.median(starts)
        for name, code in AFTER_START_UP.items():
            figures[f"{name}_minute_x_real_time"] = in_python(code + TIMED, minute)["x_real_time"]
        for name, value in in_python(LIVE, minute).items():
            figures[f"live_attend_{name}"] = value
        elapsed_s, _ = run([ECHOIC, "hear", str(minute), "-o", "again"], folder)
        figures["hear_minute_whole_process_s"] = elapsed_s
        figures["two_files_on_two_cores_x"] = two_files_on_two_cores(folder)
        if hours:
            make_file(long, hours * 3600)
            elapsed_s, peak_mb = run([ECHOIC, "hear", str(long), "-o", "long"], folder)
            figures["long_hours"] = hours
            figures["long_x_real_time"] = hours * 3600 / elapsed_s
            figures["long_peak_mb"] = peak_mb
    finally:
        shutil.rmtree(folder)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(machine())
    figures = measure(options.hours)
    hours = f"hear, {options.hours:g} h"
    rows = [
        ("echoic --help", "help_s", ".2f", "s"),
        ("import echoic", "import_s", ".2f", "s"),
        ("hear, a second, whole process", "hear_second_whole_process_s", ".2f", "s"),
        ("hear, a minute, whole process", "hear_minute_whole_process_s", ".2f", "s"),
        ("hear, a minute, after start-up", "hear_minute_x_real_time", ".1f", "x"),
        ("tag, a minute, after start-up", "tag_minute_x_real_time", ".1f", "x"),
        ("attend, a minute, after start-up", "attend_minute_x_real_time", ".1f", "x"),
        ("denoise, a minute, after start-up", "denoise_minute_x_real_time", ".1f", "x"),
        ("hear, two files, after start-up", "two_files_on_two_cores_x", ".2f", "x one core"),
        ("attend live, 5 ms chunks, median", "live_attend_p50_ms", ".2f", "ms"),
        ("attend live, 99th percentile", "live_attend_p99_ms", ".2f", "ms"),
        ("attend live, mean load", "live_attend_cores", ".3f", "core"),
        ("attend live, latency", "live_attend_latency_ms", ".1f", "ms"),
        (f"{hours}, whole process", "long_x_real_time", ".1f", "x"),
        (f"{hours}, peak memory", "long_peak_mb", ".0f", "MB"),
    ]
    for title, key, form, unit in rows:
        if key in figures:
            print(f"{title:<34} {figures[key]:>8{form}} {unit}")
    write_figures(options.json, figures)


if __name__ == "__main__":
    main()
