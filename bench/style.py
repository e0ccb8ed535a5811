"""Style transfer: every method and control on pairs of recordings, scored on held-out style.

    ./do bench style --methods hearing vocoder --pairs rain fire --strengths .5 1 --out FILE
    ./do bench style --out FILE --table

Every run is one JSON row in --out; runs that are in the file already are skipped,
so that an interrupted study resumes where it stopped (nohup … &). Each style is
cut in two: methods get the first part and are scored on the second.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from figures import machine
from style_material import PAIRS, SAMPLE_RATE, Material, Wave, controls, load, read
from style_tables import line_of, print_gaps, print_margins, print_methods, print_table, read_rows

from echoic import audio
from echoic.style import METHODS, texture
from echoic.style.cochlea import Cochlea
from echoic.style.scoring import Scorer
from echoic.style.scoring.copying import largest_copy
from echoic.style.statistics import CLASS_SPREADS, TextureStatistics, audible_bands, class_snr_db
from echoic.style.styling import STRENGTH, How, transfer_as

# Running ---------------------------------------------------------------------------------------


class Run(NamedTuple):
    """What identifies a row."""

    pair: str
    method: str
    domain: str
    strength: float
    seed: int
    seconds: float
    steps: int | None
    low_cut_hz: float = 0.0  # rows from before this field have none


def wanted_runs(options: argparse.Namespace) -> Iterator[Run]:
    """All requested combinations."""
    for pair in options.pairs:
        if options.controls:
            names = controls(load(PAIRS[pair], options.seconds))
            yield from (
                Run(pair, name, "-", 0.0, 0, options.seconds, None, options.low_cut_hz)
                for name in names
            )
        for name in options.methods:
            method = METHODS[name]
            domains = {method.domain} if options.domain == "published" else {options.domain}
            if options.domain == "both":
                domains = {method.domain, "waveform"}
            steps = options.steps if method.optimises else None
            for domain in sorted(domains if method.optimises else {"-"}):
                for strength in options.strengths if method.has_strength else [STRENGTH]:
                    for seed in options.seeds:
                        yield Run(
                            *(pair, name, domain, strength, seed),
                            *(options.seconds, steps, options.low_cut_hz),
                        )


def perform(run: Run, material: Material, scorer: Scorer, keep: Path | None) -> dict[str, Any]:
    """Perform one run and score it."""
    row: dict[str, Any] = run._asdict()
    started = time.process_time()
    if run.method in METHODS:
        how = How(
            strength=run.strength,
            seed=run.seed,
            domain=None if run.domain == "-" else run.domain,
            n_steps=run.steps,
        )
        found = transfer_as(
            how.by(run.method), material.content, material.style, sample_rate=SAMPLE_RATE
        )
        wave = found.wave
        row |= {"style_before": found.style_before, "style_after": found.style_after}
        row["evaluations"] = len(found.losses)
        row["final"] = found.losses[-1] if found.losses else {}
    else:
        wave = controls(material)[run.method]()
    row["cpu_s"] = time.process_time() - started
    row |= scorer(wave)
    if keep is not None:
        name = f"{run.pair}-{run.method}-{run.domain}-{run.strength:g}-{run.seed}.flac"
        peak = max(1.0, float(np.abs(wave).max()))
        audio.write(keep / name, wave / peak, sample_rate=SAMPLE_RATE, force=True)
    return row


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in row.items()}


def run_all(options: argparse.Namespace) -> None:
    done = {
        Run(**{field: row[field] for field in Run._fields if field in row})
        for row in read_rows(options.out)
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    at: str | None = None
    for run in wanted_runs(options):
        if run in done:
            continue
        if run.pair != at:
            material = load(PAIRS[run.pair], options.seconds, low_cut_hz=options.low_cut_hz)
            scorer = Scorer(*material, sample_rate=SAMPLE_RATE)
            at = run.pair
        row = rounded(perform(run, material, scorer, options.keep))
        with options.out.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")
        print(line_of(row), file=sys.stderr, flush=True)


# Textures --------------------------------------------------------------------------------------


def print_textures(pairs: list[str], seconds: float) -> None:
    """Print how closely textures match the style's statistics, and whether they copy."""
    print(f"{'style':10} {'lowest':>7} {'NCC':>5} {'own':>5} {'CPU s':>6}  SNR of each class, dB")
    for pair in pairs:
        material = load(PAIRS[pair], seconds)
        found = texture(material.style, sample_rate=SAMPLE_RATE, seconds=seconds)
        measured = [_statistics(wave) for wave in (found.wave, material.style)]
        snr_db = class_snr_db(measured[0][0], *measured[1])
        ncc, own = (
            largest_copy(wave, material.style, sample_rate=SAMPLE_RATE)
            for wave in (found.wave, material.held_out)
        )
        classes = " ".join(f"{name} {value:.0f}" for name, value in snr_db.items())
        lowest = min(snr_db.values())
        print(f"{pair:10} {lowest:7.1f} {ncc:5.2f} {own:5.2f} {found.elapsed_s:6.1f}  {classes}")


def _statistics(wave: Wave) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    cochlea = Cochlea.wide(wave.size, sample_rate=SAMPLE_RATE)
    heard = cochlea(torch.from_numpy(wave / np.std(wave)))
    statistics = TextureStatistics(cochlea.n_frames, heard.linear.shape[0])
    return statistics(heard), audible_bands(heard)


# Scales ----------------------------------------------------------------------------------------


def print_scales(seconds: float = 4.0) -> None:
    """Print the spread of each class over many recordings: `statistics.CLASS_SPREADS`."""
    folder = Path(os.environ["ECHOIC_DATA"])
    paths = [
        *sorted(folder.glob("esc10/audio/*.ogg"))[::5],
        *sorted(folder.glob("ambience/*.ogg"))[::3],
        *sorted(folder.glob("librispeech-mini/train/*.flac"))[::10],
    ]
    pool: dict[str, list[torch.Tensor]] = {name: [] for name in CLASS_SPREADS}
    for path in paths:
        wave = torch.from_numpy(read(str(path.relative_to(folder)))[: round(seconds * SAMPLE_RATE)])
        if wave.square().mean() < 1e-8 or wave.shape[-1] < 2 * SAMPLE_RATE:
            continue
        cochlea = Cochlea(wave.shape[-1], sample_rate=SAMPLE_RATE)
        heard = cochlea(wave / wave.square().mean().sqrt())
        for name, values in TextureStatistics(cochlea.n_frames, 30)(heard).items():
            pool[name].append(values)
    for name, values in pool.items():
        spread = torch.stack(values).std(0).square().mean().sqrt()
        print(f'    "{name}": {spread:.3g},')


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--pairs", nargs="*", default=list(PAIRS), choices=PAIRS)
    parser.add_argument("--strengths", nargs="*", type=float, default=[0.5])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of content")
    parser.add_argument("--steps", type=int, help="evaluations; default: as published")
    parser.add_argument("--domain", choices=["published", "waveform", "both"], default="published")
    parser.add_argument("--controls", action="store_true", help="run the controls as well")
    parser.add_argument("--low-cut-hz", type=float, default=0.0, help="of all recordings")
    parser.add_argument("--out", type=Path, default=Path("runs/style.jsonl"))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write all results there")
    parser.add_argument("--table", action="store_true", help="only print what --out holds")
    parser.add_argument("--textures", action="store_true", help="only synthesise textures")
    parser.add_argument("--scales", action="store_true", help="only print the statistics' scales")
    options = parser.parse_args()
    print(machine())
    if not options.table and not os.environ.get("ECHOIC_DATA"):
        parser.error("ECHOIC_DATA does not name the folder of recordings")
    torch.set_num_threads(1)
    if options.scales:
        print_scales()
        return
    if options.textures:
        print_textures(options.pairs, options.seconds)
    elif options.table:
        rows = read_rows(options.out)
        print_table(rows)
        print_gaps(rows)
        print_margins(rows)
        print_methods(rows)
    else:
        run_all(options)


if __name__ == "__main__":
    main()
