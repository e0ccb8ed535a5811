"""Detection and separation quality of whole systems: labels, events and stems.

    ./do bench hear [--system NAME] [--parts PART,…] [--n-scenes 100]

All recordings are from the `dev` split (`hear_scenes.py`); all systems get the same ones.

    twelve  scenes of the ten labels of ESC-10, speech and music
    asked   the same, with detection restricted to these twelve (`hear --labels`)
    all     scenes of all fifty-two labels
    minute  the same, six concatenated into one
    native  scenes of all labels, resampled to 44.1 kHz
    other   recordings of none of the labels, alone: false events, by label and recording
    clips   clips of one sound alone: how often the best label is the right one
    example each sound of scenes of all labels requested by its name, and by another recording of
            its kind (`attend --keep`, `--like`): SI-SDR improvement where sounds overlap

For scenes:

    set     F1 of the set of labels of a whole scene
    1 s     F1 in segments of one second
    event   F1 of events, with collars of 200 ms; offsets: or 20 % of the length, if that is more
    gain    SI-SDR improvement in dB of the true labels' stems, over the samples where another
            sound is active too, clipped to ±30; 0 where the label was missed or its stem is silent
            there; sounds with less than 0.25 s of overlap are left out

The last rows: F1 of the counts of all labels (micro), mean of the labels' F1 (macro); the gain of
the stems that were not missed, and the share that was; the level of `rest` relative to the input
in dB, which should be low, since every sound has a label; and the expected calibration error of
the events' confidence, where an event is true if its label is active for half of it.
"""

from __future__ import annotations

import one_core  # noqa: F401 - before numpy

# isort: split
import argparse
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from figures import machine, write_figures
from hear_scenes import (
    SAMPLE_RATE,
    TWELVE,
    Scene,
    lone_clips,
    minutes,
    other_scenes,
    scenes,
    with_examples,
)
from hear_scores import ClipScores, ExampleScores, Heard, OtherScores, SceneScores, is_overlapped
from numpy.typing import NDArray

import echoic
from echoic.errors import EchoicError, LabelError, ModelError
from echoic.labels import LABELS


class UnavailableError(Exception):
    """A system that cannot be measured here; the message says why."""


# Systems -----------------------------------------------------------------------------------


class System(Protocol):
    """A system under test."""

    name: str

    def hear(
        self, wave: NDArray[np.float32], sample_rate: int, labels: Sequence[str] = LABELS
    ) -> Heard:
        """Detect and separate these labels in a whole scene, (time,)."""

    def tag(self, wave: NDArray[np.float32], sample_rate: int) -> list[tuple[str, float]]:
        """Tag a clip, (time,): every label with its confidence, best first."""


class EchoicSystem:
    """The shipped network behind `echoic hear`."""

    name = "echoic"

    def hear(
        self, wave: NDArray[np.float32], sample_rate: int, labels: Sequence[str] = LABELS
    ) -> Heard:
        hearing = echoic.hear(wave, sample_rate=sample_rate, labels=labels)
        return Heard(hearing.events, hearing.stems)

    def tag(self, wave: NDArray[np.float32], sample_rate: int) -> list[tuple[str, float]]:
        return echoic.tag(wave, sample_rate=sample_rate)

    def asked_for(
        self,
        wave: NDArray[np.float32],
        sample_rate: int,
        label: str,
        example: NDArray[np.float32],
    ) -> dict[str, NDArray[np.float32]] | None:
        """The stems kept, by kind of query; None where the network does not support it."""
        try:
            return {
                "by_label": echoic.attend(wave, keep=[label], sample_rate=sample_rate),
                "by_example": echoic.attend(wave, like=example, sample_rate=sample_rate),
            }
        except (ModelError, LabelError):
            return None


def spectrogram_unet() -> System:
    """The 2-D U-Net on a log spectrogram, trained by `hear_unet.py`."""
    try:
        from hear_unet import UnetSystem

        return UnetSystem()
    except ImportError as error:
        raise UnavailableError(str(error)) from error


# To add a system, add its name and a factory, which raises UnavailableError if it cannot run.
SYSTEMS: dict[str, Callable[[], System]] = {"echoic": EchoicSystem, "unet": spectrogram_unet}


# Measuring ---------------------------------------------------------------------------------

PARTS = ("twelve", "asked", "all", "minute", "native", "other", "clips", "example")
SCENES: dict[str, Callable[[int], Iterable[Scene]]] = {
    "twelve": lambda n: scenes(n),
    "asked": lambda n: scenes(n),
    "all": lambda n: scenes(n, LABELS),
    "minute": minutes,
    "native": lambda n: scenes(n // 2, LABELS, sample_rate=44_100),
}
LISTENED_FOR = {"asked": TWELVE}  # all labels elsewhere
AnyScores = SceneScores | OtherScores | ClipScores | ExampleScores


def measure(
    systems: Sequence[System], parts: Sequence[str], n_scenes: int
) -> dict[str, dict[str, AnyScores]]:
    """Part -> system -> scores. All systems process a scene before the next one is made."""
    found: dict[str, dict[str, AnyScores]] = {}
    for part in parts:
        if part == "clips":
            found[part] = {system.name: ClipScores() for system in systems}
            for clip in lone_clips():
                progress(clip.file)
                for system in systems:
                    ranked = system.tag(clip.wave, clip.sample_rate)
                    found[part][system.name].add(clip.label, ranked)
            continue
        if part == "example":
            found[part] = by_example(systems, n_scenes)
            continue
        kind = OtherScores if part == "other" else SceneScores
        found[part] = {system.name: kind() for system in systems}
        for scene in other_scenes() if part == "other" else SCENES[part](n_scenes):
            progress(f"{part} {scene.name}")
            for system in systems:
                scores = found[part][system.name]
                start = time.perf_counter()
                labels = LISTENED_FOR.get(part, LABELS)
                heard = system.hear(scene.mixture, scene.sample_rate, labels)
                if isinstance(scores, SceneScores):
                    scores.seconds += time.perf_counter() - start
                scores.add(scene, heard)
    progress("")
    return found


def by_example(systems: Sequence[System], n_scenes: int) -> dict[str, AnyScores]:
    """Score queries by label and by example, on the systems that support them."""
    asking = [system for system in systems if isinstance(system, EchoicSystem)]
    found = {system.name: ExampleScores() for system in asking}
    for scene, examples in with_examples(n_scenes):
        progress(f"example {scene.name}")
        for label, example in examples.items():
            if not is_overlapped(scene, label):
                continue
            for system in asking:
                stems = system.asked_for(scene.mixture, scene.sample_rate, label, example.wave)
                if stems is not None:
                    found[system.name].add(scene, label, stems)
    return dict(found)


def progress(text: str) -> None:
    """Print to stderr: on a terminal overwriting one line, otherwise line by line."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


COLUMNS = {  # title -> key over all labels; with ".LABEL" appended, of one label
    "set": "label_set_f1",
    "1 s": "segment_f1",
    "event": "event_f1",
    "gain": "si_sdri_db",
}
MACRO = ("label_set_macro_f1", "segment_macro_f1", "event_macro_f1", "si_sdri_macro_db")
LAST_ROWS = (
    ("gain of found dB", "si_sdri_of_found_db"),
    ("part missed", "missed_stems"),
    ("rest mean dB", "rest_mean_db"),
    ("rest median dB", "rest_median_db"),
    ("calibration err.", "calibration_error"),
    ("× real time", "times_real_time"),
)


def table(part: str, scores: Mapping[str, AnyScores]) -> str:
    """The systems side by side."""
    figures = {name: own.figures() for name, own in scores.items()}
    if part in SCENES:
        return scene_table(part, figures)
    lines = [f"{part:24}" + "".join(f"{name:>10}" for name in figures)]
    shown = [key for key in next(iter(figures.values())) if "." not in key]
    lines += [
        f"{key:24}" + "".join(f"{own[key]:10.2f}" for own in figures.values()) for key in shown
    ]
    for name, own in scores.items():
        if isinstance(own, OtherScores | ClipScores):
            lines += [f"{name}, most often:", own.worst()]
    return "\n".join(lines)


def scene_table(part: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    """One row per label, then the totals."""

    def row(title: str, keys: Iterable[str | None]) -> str:
        keys = list(keys)
        blocks = (
            " ".join("      " if key is None else f"{own[key]:6.2f}" for key in keys)
            for own in figures.values()
        )
        return " | ".join([f"{title:16}", *blocks])

    width = 7 * len(COLUMNS) - 1
    titles = " ".join(f"{title:>6}" for title in COLUMNS)
    lines = [" | ".join([f"{part:16}", *(f"{name:^{width}}" for name in figures)])]
    lines.append(" | ".join([" " * 16, *(titles for _ in figures)]))
    lines += [
        row(label, (f"{key}.{label}" for key in COLUMNS.values()))
        for label in LABELS
        if any(not math.isnan(own[f"segment_f1.{label}"]) for own in figures.values())
    ]
    lines += [row("all (micro)", COLUMNS.values()), row("all (macro)", MACRO)]
    lines += [row(title, [None, None, None, key]) for title, key in LAST_ROWS]
    return "\n".join(lines)


def available(names: Iterable[str]) -> tuple[list[System], dict[str, str]]:
    """The systems that can be measured here, and why the others cannot."""
    systems: list[System] = []
    missing: dict[str, str] = {}
    for name in names:
        try:
            system = SYSTEMS[name]()
            # Fails here if weights are missing, and keeps compilation out of the timing.
            system.hear(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
            systems.append(system)
        except (UnavailableError, EchoicError) as error:
            missing[name] = str(error)
    return systems, missing


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--system", choices=[*SYSTEMS, "all"], default="all")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--n-scenes", type=int, default=100)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    print(machine())
    parts = options.parts.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"--parts {unknown[0]}: not one of {', '.join(PARTS)}")
    systems, missing = available(SYSTEMS if options.system == "all" else [options.system])
    try:
        scores = measure(systems, parts, options.n_scenes) if systems else {}
    except EchoicError as error:
        print(f"hear.py: {error}", file=sys.stderr)
        return 1
    flat = {
        f"{part}.{name}.{key}": value
        for part, own in scores.items()
        for name, one in own.items()
        for key, value in one.figures().items()
    }
    write_figures(options.json, flat)
    for part, own in scores.items():
        if not own:
            print(f"{part}: no system supports it", end="\n\n")
            continue
        print(table(part, own), end="\n\n")
    for name, why in missing.items():
        print(f"{name}: not measured: {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
