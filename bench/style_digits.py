"""Digits restyled by textures: recognition rates of the digit and of the texture.

    ./do bench style_digits --out FILE
    ./do bench style_digits --out FILE --table

Rows of ten spoken digits, from takes 0 to 4, are restyled by a recording of fold 4 of ESC-10: of
each kind the one that is recognised best unprocessed. Each digit is then cut out and classified by
two judges (`style_judges.py`), which were trained separately. Every run is one JSON row in --out;
runs that are in the file already are skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from figures import machine
from style_judges import (
    DIGIT_SAMPLES,
    KINDS,
    SAMPLE_RATE,
    TEXTURES,
    Judge,
    Wave,
    digits,
    fitted,
    judged,
    textures,
    trained_judges,
)
from style_tables import read_rows

from echoic.style import METHODS
from echoic.style.styling import How, transfer_as

STRENGTHS = (0.1, 0.3, 0.5, 0.7, 0.9)
DEFAULT_METHODS = ("hearing", "vocoder", "gatys")
STYLES = ("rain", "sea_waves", "fire_crackling", "helicopter")


class Run(NamedTuple):
    """What identifies a row."""

    method: str
    domain: str
    style: str
    strength: float
    row: int


def rows_of_digits(n_rows: int) -> list[tuple[Wave, list[int]]]:
    """Rows of the ten digits in random order, by random speakers, and their labels."""
    rng = np.random.default_rng(1)
    spoken = digits(range(5))
    rows = []
    for _ in range(n_rows):
        order = rng.permutation(10)
        chosen = [
            rng.choice([k for k, (_, d) in enumerate(spoken) if d == digit]) for digit in order
        ]
        rows.append((np.concatenate([spoken[k][0] for k in chosen]), order.tolist()))
    return rows


def wanted_runs(options: argparse.Namespace) -> Iterator[Run]:
    for row in range(options.rows):
        for strength in options.strengths:
            for style in options.styles:
                for name in options.methods:
                    method = METHODS[name]
                    domain = "waveform" if options.waveform else method.domain
                    if method.solve:  # nothing is optimised
                        domain = "-"
                    yield Run(name, domain, style, strength, row)


def run_all(options: argparse.Namespace) -> None:
    done = {tuple(row[field] for field in Run._fields) for row in read_rows(options.out)}
    left = [run for run in wanted_runs(options) if tuple(run) not in done]
    if not left:
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    judges = trained_judges()
    print_judges(*judges)
    contents = rows_of_digits(options.rows)
    styles = recognised_styles(judges[1])
    for run in left:
        content, said = contents[run.row]
        how = How(
            strength=run.strength,
            seed=run.row,
            domain=None if run.domain == "-" else run.domain,  # type: ignore[arg-type]
        )
        found = transfer_as(how.by(run.method), content, styles[run.style], sample_rate=SAMPLE_RATE)
        parts = [fitted(part) for part in found.wave.reshape(-1, DIGIT_SAMPLES)]
        row = {
            **run._asdict(),
            "kept": float(np.mean(judged(judges[0], parts) == said)),
            "styled": float(np.mean(judged(judges[1], parts) == KINDS.index(run.style))),
            "cpu_s": round(found.elapsed_s, 2),
        }
        with options.out.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")
        print(row, file=sys.stderr, flush=True)


def recognised_styles(kind_judge: Judge) -> dict[str, Wave]:
    """For each texture, the fold-4 recording that the judge recognises best unprocessed.

    What the judge does not recognise in the style itself, it cannot recognise in a result.
    """
    best: dict[str, tuple[float, Wave]] = {}
    for wave, kind in textures({"4"}):
        known = float(np.mean(judged(kind_judge, pieces(wave)) == kind))
        if known > best.get(TEXTURES[kind], (-1.0, wave))[0]:
            best[TEXTURES[kind]] = known, wave
    for name, (known, _) in best.items():
        print(f"{name}: {100 * known:.0f} % of the style itself", file=sys.stderr, flush=True)
    return {name: wave for name, (_, wave) in best.items()}


def pieces(wave: Wave) -> list[Wave]:
    """Cut a recording into half seconds, leaving out silent ones."""
    whole = wave[: wave.size // DIGIT_SAMPLES * DIGIT_SAMPLES].reshape(-1, DIGIT_SAMPLES)
    return [fitted(part) for part in whole if np.std(part) > 1e-3 * np.abs(wave).max()]


def print_judges(digit_judge: Judge, kind_judge: Judge) -> None:
    """Print the judges' accuracy on recordings that they were not trained on."""
    spoken = digits(range(5))
    waves = [wave for wave, _ in spoken]
    scenes = [(part, kind) for wave, kind in textures({"4"}) for part in pieces(wave)]
    right = judged(digit_judge, waves) == [digit for _, digit in spoken]
    speech = judged(kind_judge, waves) == len(TEXTURES)
    scened = judged(kind_judge, [wave for wave, _ in scenes]) == [kind for _, kind in scenes]
    print(
        f"digits right {100 * right.mean():.0f} %, called speech {100 * speech.mean():.0f} %, "
        f"textures right {100 * scened.mean():.0f} %",
        file=sys.stderr,
        flush=True,
    )


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print style heard and digits kept, in percent, by strength; and digits kept at 80 % style.

    n is the number of digits that a cell rests on, the fewest of the line.
    """
    curves: dict[str, dict[float, list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        name = row["method"] + (" (waveform)" if row["domain"] == "waveform" else "")
        curves[name][row["strength"]].append((row["styled"], row["kept"]))
    print("style heard / digits kept, %, by strength; digits kept where style is heard in 80 %")
    for name, curve in sorted(curves.items()):
        points = {s: 100 * np.mean(scores, axis=0) for s, scores in sorted(curve.items())}
        cells = "  ".join(f"{s:g}: {p[0]:3.0f}/{p[1]:3.0f}" for s, p in points.items())
        n = 10 * min(map(len, curve.values()))
        print(f"{name:20} n {n:3}  {cells}   at 80 %: {_kept_at(80, list(points.values()))}")


def _kept_at(styled: float, points: list[Any]) -> str:
    """Interpolate between neighbouring strengths; nothing is extrapolated."""
    best = None
    for (s0, k0), (s1, k1) in pairwise(points):
        if min(s0, s1) <= styled <= max(s0, s1) and s0 != s1:
            kept = k0 + (k1 - k0) * (styled - s0) / (s1 - s0)
            best = kept if best is None else max(best, kept)
    return "not reached" if best is None else f"{best:.0f}"


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", nargs="*", default=DEFAULT_METHODS, choices=METHODS)
    parser.add_argument("--styles", nargs="*", default=STYLES, choices=TEXTURES)
    parser.add_argument("--strengths", nargs="*", type=float, default=STRENGTHS)
    parser.add_argument("--rows", type=int, default=2, help="of ten digits each")
    parser.add_argument("--waveform", action="store_true", help="optimise the wave in all methods")
    parser.add_argument("--out", type=Path, default=Path("runs/style-digits.jsonl"))
    parser.add_argument("--judges", action="store_true", help="only print what the judges know")
    parser.add_argument("--table", action="store_true", help="only print what --out holds")
    options = parser.parse_args()
    print(machine())
    if not options.table and not os.environ.get("ECHOIC_DATA"):
        parser.error("ECHOIC_DATA does not name the folder of recordings")
    torch.set_num_threads(1)
    if options.table:
        print_table(read_rows(options.out))
    elif options.judges:
        print_judges(*trained_judges())
    else:
        run_all(options)


if __name__ == "__main__":
    main()
