"""The command line as a user meets it: speed on one core, memory, start-up.

    ./do bench verbs [--hours 1] [--json FILE]

Every figure is of a whole process bound to one core, but for the row "after
start-up", which hears the same minute twice in one process and counts the
second time. The sound is a street scene repeated, so that all labels occur.
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

SAMPLE_RATE = 16_000
ECHOIC = str(Path(sys.executable).with_name("echoic"))
SCENE = Path(__file__).parent.parent / "examples" / "street.wav"


def one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def run(command: list[str], folder: str) -> tuple[float, float]:
    """Wall time in s and peak memory in MB of a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, preexec_fn=one_core, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: ended with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def make_file(path: Path, duration_s: float) -> None:
    """The street at 16 kHz, over and over, written in blocks."""
    from echoic.audio import open_writer, read, resample

    wave, rate = read(SCENE)
    wave = resample(wave, sample_rate=rate, to_sample_rate=SAMPLE_RATE)
    n_left = round(duration_s * SAMPLE_RATE)
    with open_writer(path, sample_rate=SAMPLE_RATE, channels=1, subtype="PCM_16") as writer:
        while n_left > 0:
            writer.write(wave[:, :n_left])
            n_left -= wave.shape[-1]


def after_start_up(path: Path) -> float:
    """Times real time of `echoic.hear` on a minute, one core, the second time."""
    code = (
        "import sys, time, echoic\n"
        "wave, rate = echoic.read(sys.argv[1])\n"
        "for _ in range(2):\n"
        "    start = time.perf_counter(); echoic.hear(wave, sample_rate=rate)\n"
        "    elapsed = time.perf_counter() - start\n"
        "print(wave.shape[-1] / rate / elapsed)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        preexec_fn=one_core,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(found.stdout)


def measure(hours: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    folder = tempfile.mkdtemp()
    try:
        minute, long = Path(folder) / "minute.wav", Path(folder) / "long.wav"
        make_file(minute, 60)
        run([ECHOIC, "hear", str(minute), "-o", "warm"], folder)  # compiles once, for all
        helps = [run([ECHOIC, "--help"], folder)[0] for _ in range(7)]
        figures["help_s"] = statistics.median(helps)
        imports = [run([sys.executable, "-c", "import echoic"], folder)[0] for _ in range(7)]
        figures["import_s"] = statistics.median(imports)
        figures["hear_minute_x_real_time"] = after_start_up(minute)
        elapsed_s, _ = run([ECHOIC, "hear", str(minute), "-o", "again"], folder)
        figures["hear_minute_whole_process_s"] = elapsed_s
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
    figures = measure(options.hours)
    hours = f"hear, {options.hours:g} h"
    rows = [
        ("echoic --help", figures["help_s"], ".2f", "s"),
        ("import echoic", figures["import_s"], ".2f", "s"),
        ("hear, a minute, after start-up", figures["hear_minute_x_real_time"], ".1f", "x"),
        ("hear, a minute, whole process", figures["hear_minute_whole_process_s"], ".1f", "s"),
        (f"{hours}, whole process", figures["long_x_real_time"], ".1f", "x"),
        (f"{hours}, peak memory", figures["long_peak_mb"], ".0f", "MB"),
    ]
    for title, value, form, unit in rows:
        print(f"{title:<32} {value:>8{form}} {unit}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
