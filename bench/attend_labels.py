"""Named sounds in scenes: SI-SDR gained by keeping one, attenuation by muting one.

    ./do bench attend_labels [--n 200] [--json FILE]

Uses the scenes of two and three sounds among the first n of `hear_scenes.py`, of twelve labels and
of all; each sound is requested by its name, as by a user who knows that it is present. Printed per
label and overall: the SI-SDR improvement from keeping it, where it is overlapped; the level change
of itself and of the others from muting it (least-squares fit of the output to the references, in
dB), and the SI-SDR improvement of the others together, where it is overlapped; and the level of the
rest, relative to the scene, where all sounds present are requested.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from figures import machine, write_figures
from hear_scenes import TWELVE, Scene, scenes
from hear_scores import gain_db, gains_db, is_overlapped, level_db, mean

import echoic
from echoic.labels import LABELS
from echoic.processors import Separate
from echoic.streaming import run

FEWEST, MOST = 2, 3
FIGURES = ("kept, gain", "muted, itself", "muted, others", "muted, gain", "rest")


def asked_scenes(n_scenes: int, names: Sequence[str]) -> Iterator[Scene]:
    """The scenes of two and three sounds."""
    for scene in scenes(n_scenes, names):
        if FEWEST <= len(scene.references) <= MOST:
            yield scene


def levels_db(scene: Scene, wave: np.ndarray) -> dict[str, float]:
    """Level of every sound in a wave relative to the scene, in dB, by least squares."""
    references = np.stack([*scene.references.values()], axis=1).astype(np.float64)
    factors = np.linalg.lstsq(references, wave.astype(np.float64), rcond=None)[0]
    found_db = 20 * np.log10(np.maximum(np.abs(factors), 1e-4))
    return dict(zip(scene.references, map(float, found_db), strict=True))


def measure(n_scenes: int, names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """{label: {figure: values}}; those of the rest under "all"."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for scene in asked_scenes(n_scenes, names):
        rate, present = scene.sample_rate, list(scene.references)
        kept = {
            label: echoic.attend(scene.mixture, keep=[label], sample_rate=rate) for label in present
        }
        for label, gain in gains_db(scene, kept):
            found[label]["kept, gain"].append(0.0 if gain is None else gain)
        for label in present:
            muted = echoic.attend(scene.mixture, mute=[label], sample_rate=rate)
            for other, level in levels_db(scene, muted).items():
                found[label]["muted, itself" if other == label else "muted, others"].append(level)
            if is_overlapped(scene, label):
                others = scene.mixture - scene.references[label]
                found[label]["muted, gain"].append(gain_db(scene, label, muted, others))
        module = Separate(labels=present, sample_rate=rate)
        signals = np.concatenate([*run(module, [scene.mixture[np.newaxis]])], axis=-1)
        found["all"]["rest"].append(level_db(signals[-1, 0], scene.mixture))
    for figure in FIGURES[:-1]:
        of_all = [value for own in found.values() for value in own.get(figure, ())]
        found["all"][figure] = of_all
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=200, help="scenes, of which half are used")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    print(machine())
    figures: dict[str, float | None] = {}
    for part, names in (("twelve", TWELVE), ("all", LABELS)):
        found = measure(options.n, names)
        print(f"{part:18}" + "".join(f"{figure:>16}" for figure in FIGURES))
        for label in (*names, "all"):
            row = [mean(found[label].get(figure, ())) for figure in FIGURES]
            print(f"{label:18}" + "".join(f"{value:16.2f}" for value in row))
            figures |= {
                f"{part} {label} {figure}": value
                for figure, value in zip(FIGURES, row, strict=True)
            }
        print()
    write_figures(options.json, figures)


if __name__ == "__main__":
    main()
