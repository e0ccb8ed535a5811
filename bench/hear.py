"""How well a whole system hears: what sounds, when, and each sound by itself.

    ECHOIC_DATA=FOLDER python bench/hear.py [--system NAME] [--n-scenes 100] [--json FILE]

Scenes are those of `hear_scenes.py`; all systems hear the same ones. The columns:

    set     F1 of the labels of a whole scene
    1 s     F1 in segments of one second
    event   F1 of events, collars of 200 ms, offsets also 20 % of the length
    gain    SI-SDR improvement in dB of the true labels' stems, over the samples where another
            sound is active too, within ±30; 0 where the label was missed or its stem is silent
            there; sounds with less than 0.25 s of overlap are left out
    false   events in ambiences that hold none of the labels, in 10 s

The last rows: F1 of the counts of all labels (micro), mean of the labels' F1 (macro), and the
level of `rest` against the input in dB, which ought to be low: all that sounds has a label.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from hear_scenes import SAMPLE_RATE, Scene, other_scenes, scenes
from hear_scores import Heard, Scores
from numpy.typing import NDArray

from echoic.errors import EchoicError
from echoic.labels import LABELS


class UnavailableError(Exception):
    """A system that cannot be measured here; the message says why."""


# Systems -----------------------------------------------------------------------------------


class System(Protocol):
    """What is measured."""

    name: str

    def hear(self, wave: NDArray[np.float32], sample_rate: int) -> Heard:
        """Hear a whole scene, (time,)."""


class EchoicSystem:
    """The shipped network behind `echoic hear`."""

    name = "echoic"

    def __init__(self) -> None:
        import echoic

        try:
            self._hear = echoic.hear
        except (AttributeError, ImportError) as error:
            raise UnavailableError(str(error)) from error

    def hear(self, wave: NDArray[np.float32], sample_rate: int) -> Heard:
        scene = self._hear(wave[np.newaxis], sample_rate=sample_rate)
        return Heard(list(scene.events), {label: stem[0] for label, stem in scene.stems.items()})


def spectrogram_unet() -> System:
    """The 2-D U-Net on a log spectrogram, trained by `hear_unet.py`."""
    try:
        from hear_unet import UnetSystem

        return UnetSystem()
    except ImportError as error:
        raise UnavailableError(str(error)) from error


# A further system is one line here: its name, and what makes it or raises UnavailableError.
SYSTEMS: dict[str, Callable[[], System]] = {"echoic": EchoicSystem, "unet": spectrogram_unet}


# Measuring ---------------------------------------------------------------------------------


def measure(systems: Sequence[System], n_scenes: int) -> dict[str, Scores]:
    """Let every system hear every scene, one scene after another."""
    scores = {system.name: Scores() for system in systems}

    def listen(system: System, scene: Scene) -> Heard:
        start = time.perf_counter()
        heard = Heard(*system.hear(scene.mixture, SAMPLE_RATE))
        scores[system.name].seconds += time.perf_counter() - start
        return heard

    for scene in scenes(n_scenes):
        progress(scene.name)
        for system in systems:
            scores[system.name].add(scene, listen(system, scene))
    for scene in other_scenes():
        progress(scene.name)
        for system in systems:
            scores[system.name].add_other(listen(system, scene))
    progress("")
    return scores


def progress(text: str) -> None:
    """One line on stderr, written over; lines of their own where that is no terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


COLUMNS = {  # title -> key for all labels together; ".LABEL" behind it is one label's
    "set": "label_set_f1",
    "1 s": "segment_f1",
    "event": "event_f1",
    "gain": "si_sdri_db",
    "false": "false_events_in_10_s",
}
MACRO = ("label_set_macro_f1", "segment_macro_f1", "event_macro_f1", "si_sdri_macro_db", None)


def table(figures: Mapping[str, Mapping[str, float]], missing: Mapping[str, str]) -> str:
    """One row a label, then the totals; the systems side by side, and what is missing below."""
    notes = [f"{name}: not measured: {why}" for name, why in missing.items()]
    if not figures:
        return "\n".join(notes)

    def row(title: str, keys: Iterable[str | None]) -> str:
        keys = list(keys)
        blocks = (
            " ".join("      " if key is None else f"{own[key]:6.2f}" for key in keys)
            for own in figures.values()
        )
        return " | ".join([f"{title:16}", *blocks])

    width = 7 * len(COLUMNS) - 1
    titles = " ".join(f"{title:>6}" for title in COLUMNS)
    lines = [" | ".join([" " * 16, *(f"{name:^{width}}" for name in figures)])]
    lines.append(" | ".join([" " * 16, *(titles for _ in figures)]))
    lines += [row(label, (f"{key}.{label}" for key in COLUMNS.values())) for label in LABELS]
    lines += [row("all (micro)", COLUMNS.values()), row("all (macro)", MACRO)]
    for title, key in (
        ("rest mean dB", "rest_mean_db"),
        ("rest median dB", "rest_median_db"),
        ("× real time", "times_real_time"),
    ):
        lines.append(row(title, [None, None, None, key, None]))
    return "\n".join([*lines, *notes])


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--system", choices=[*SYSTEMS, "all"], default="all")
    parser.add_argument("--n-scenes", type=int, default=100)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    systems: list[System] = []
    missing: dict[str, str] = {}
    for name in SYSTEMS if options.system == "all" else [options.system]:
        try:
            system = SYSTEMS[name]()
            # Weights that are missing show here; what is compiled on first use is not timed.
            system.hear(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
            systems.append(system)
        except (UnavailableError, EchoicError) as error:
            missing[name] = str(error)
    try:
        scores = measure(systems, options.n_scenes) if systems else {}
    except EchoicError as error:
        print(f"hear.py: {error}", file=sys.stderr)
        return 1
    figures = {name: own.figures() for name, own in scores.items()}
    if options.json:
        flat = {
            f"{name}.{key}": value for name, own in figures.items() for key, value in own.items()
        }
        finite = {key: None if math.isnan(value) else value for key, value in flat.items()}
        options.json.write_text(json.dumps(finite, indent=2) + "\n", encoding="utf-8")
    print(table(figures, missing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
