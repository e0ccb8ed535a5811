"""Truncate and corrupt files of ten formats: no crash, hang, short result or traceback may occur.

    python bench/mutations.py [--cuts 4200] [--mutations 4200] [--seed 0] [--limit-s 600]

Each format gets the same number of cuts, at random positions and at all positions near the
beginning and the end, and of mutations: bytes changed in the header or anywhere, runs
of bytes removed, duplicated or zeroed. Every file is read whole by `echoic.audio.read`
in a monitored subprocess: a file that takes longer than two seconds is a hang, a
subprocess that ends is a crash. What the subprocesses print themselves is captured and
searched for tracebacks. A truncated file must be refused, or yield every sample of the
whole one (where what was cut off is not audio, such as a chunk after the samples). Exit
code 1 if any of these failures occurred, or if the time limit ended the run early.

The MP3 files have an Info header; without one, a cut between two frames cannot be detected.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "wav float": ("WAV", "FLOAT"),
    "rf64": ("RF64", "PCM_24"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_24"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg vorbis": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
HANG_S = 2.0
# Reads file names from standard input, one per line; answers each with a line of JSON.
READER = """
import json, os, sys, warnings
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
warnings.simplefilter("ignore")
from echoic import audio
from echoic.errors import EchoicError
for line in sys.stdin:
    try:
        wave, _ = audio.read(line.rstrip("\\n"))
        answer = {"n_samples": wave.shape[1]}
    except EchoicError as error:
        answer = {"refused": str(error)}
    except BaseException as error:
        answer = {"escaped": repr(error)}
    print(json.dumps(answer), file=answers)
"""


def whole_file(container: str, subtype: str) -> bytes:
    """An intact file of half a second, two channels."""
    wave = 0.1 * np.random.default_rng(0).standard_normal((RATE // 2, 2))
    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format=container, subtype=subtype)
    return file.getvalue()


def cuts(whole: bytes, n: int, rng: np.random.Generator) -> Iterator[bytes]:
    """A third near the beginning, a third near the end, a third anywhere."""
    for k in range(n):
        near = 1 + k // 3
        length = (near, len(whole) - near, int(rng.integers(1, len(whole))))[k % 3]
        yield whole[: max(1, min(length, len(whole) - 1))]


def mutations(whole: bytes, n: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Bytes changed in the header or anywhere; runs removed, doubled or zeroed."""
    for k in range(n):
        content = bytearray(whole)
        reach = 128 if k % 2 else len(whole)
        if k % 8 < 5:
            for place in rng.integers(0, reach, size=int(rng.integers(1, 9))):
                content[place] = int(rng.choice([0, 0x7F, 0x80, 0xFF, rng.integers(256)]))
        else:
            start = int(rng.integers(0, reach))
            run = content[start : start + int(rng.integers(1, 600))]
            content[start : start + len(run)] = (b"", run + run, bytes(len(run)))[k % 8 - 5]
        yield bytes(content)


class Reader:
    """A subprocess that reads one file after another; restarted when it ends or hangs."""

    def __init__(self, noise: io.BufferedRandom) -> None:
        self._noise = noise
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            text=True,
            bufsize=1,
        )
        self.read(Path("/nowhere"), limit_s=60.0)  # keeps imports out of the timing

    def read(self, path: Path, limit_s: float = HANG_S) -> dict[str, object]:
        """The answer for a file; "hang" or "crash" if the subprocess had to be restarted."""
        import select

        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(path, file=self._process.stdin)
        ready, _, _ = select.select([self._process.stdout], [], [], limit_s)
        line = self._process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        self._process.kill()
        code = self._process.wait()
        self._start()
        return {"crash": code} if ready else {"hang": limit_s}

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def judge(answer: dict[str, object], n_whole: int, *, is_cut: bool) -> str:
    for kind in ("crash", "hang", "escaped"):
        if kind in answer:
            return kind
    if "refused" in answer:
        return "refused" if "\n" not in str(answer["refused"]) else "several lines"
    if is_cut and answer["n_samples"] < n_whole:
        return "accepted short"
    return "whole" if answer["n_samples"] == n_whole else "another length"


GOOD = {"refused", "whole", "another length"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=4200)
    parser.add_argument("--mutations", type=int, default=4200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit-s", type=float, default=600.0)
    args = parser.parse_args()
    started, total, bad = time.monotonic(), Counter(), []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as noise:
        path, reader = Path(folder) / "a", Reader(noise)
        for name, (container, subtype) in FORMATS.items():
            whole = whole_file(container, subtype)
            path.write_bytes(whole)
            n_whole = reader.read(path)["n_samples"]
            for kind, make, n in (
                ("cuts", cuts, args.cuts),
                ("mutations", mutations, args.mutations),
            ):
                counts = Counter()
                rng = np.random.default_rng(args.seed)
                for content in make(whole, -(-n // len(FORMATS)), rng):
                    if time.monotonic() - started > args.limit_s:
                        break
                    path.write_bytes(content)
                    verdict = judge(reader.read(path), n_whole, is_cut=kind == "cuts")
                    counts[verdict] += 1
                    if verdict not in GOOD:
                        kept = Path(tempfile.gettempdir()) / f"mutation-{len(bad)}"
                        kept.write_bytes(content)
                        bad.append(f"{name}, {kind}: {verdict}: {kept}")
                total[kind] += sum(counts.values())
                shown = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
                print(f"{name:<11} {kind:<10} {shown}", flush=True)
        reader.close()
        noise.seek(0)
        n_tracebacks = noise.read().count(b"Traceback")
    n_done, seconds = sum(total.values()), time.monotonic() - started
    print(f"{total['cuts']} cuts, {total['mutations']} mutations in {seconds:.0f} s: ", end="")
    print(f"{len(bad)} bad, {n_tracebacks} tracebacks", *bad, sep="\n")
    is_complete = n_done >= args.cuts + args.mutations
    return int(bool(bad or n_tracebacks or not is_complete))


if __name__ == "__main__":
    sys.exit(main())
