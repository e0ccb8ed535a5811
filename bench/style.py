"""Style transfer: every method and control on pairs of recordings, scored on what was not shown.

    ./do bench style --methods hearing vocoder --pairs rain fire --strengths .5 1 --out FILE
    ./do bench style --out FILE --table

Every run is one JSON row in --out; what is there already is not run again, so
that the study can be stopped and goes on where it was (nohup … &). Each style
is cut in two: methods are shown the first part and scored on the second.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from echoic import audio
from echoic.style import METHODS, transfer
from echoic.style.cochlea import Cochlea
from echoic.style.scoring import Scorer
from echoic.style.statistics import SCALES, TextureStatistics
from echoic.style.vocoder import lengthen

SAMPLE_RATE = 22_050
Wave = NDArray[np.float32]


class Pair(NamedTuple):
    """A content, a style, and what kind of style it is."""

    content: str
    style: str
    kind: str
    style_start_s: float = 0.0


SPEECH, AMBIENCE = "librispeech-mini/dev", "ambience/moodist"
PAIRS = {
    "rain": Pair(f"{SPEECH}/3005/3005-163389-0000.flac", "esc10/audio/1-17367-A.ogg", "noise"),
    "waves": Pair(f"{SPEECH}/3080/3080-5032-0001.flac", f"{AMBIENCE}-nature-waves.ogg", "noise"),
    "waterfall": Pair(
        f"{SPEECH}/3331/3331-159605-0002.flac", f"{AMBIENCE}-nature-waterfall.ogg", "noise"
    ),
    "wind": Pair(
        f"{SPEECH}/533/533-1066-0003.flac", f"{AMBIENCE}-nature-wind-in-trees.ogg", "noise"
    ),
    "boiling": Pair(
        "music/sorohanro-solo-trumpet-06.ogg", f"{AMBIENCE}-things-boiling-water.ogg", "noise"
    ),
    "fire": Pair(f"{SPEECH}/533/533-1066-0002.flac", "esc10/audio/1-17150-A.ogg", "impulsive"),
    "clock": Pair(
        f"{SPEECH}/3005/3005-163389-0003.flac", f"{AMBIENCE}-things-clock.ogg", "impulsive"
    ),
    "typewriter": Pair(
        f"{SPEECH}/3080/3080-5032-0004.flac", f"{AMBIENCE}-things-typewriter.ogg", "impulsive"
    ),
    "chimes": Pair(
        f"{SPEECH}/3331/3331-159605-0004.flac", f"{AMBIENCE}-things-wind-chimes.ogg", "pitched"
    ),
    "strings": Pair(
        f"{SPEECH}/3005/3005-163389-0005.flac",
        "music/hungarian_dance_number_5-allegro_in_f_sharp_minor_string_orchestra.ogg",
        "pitched",
        5.0,
    ),
}


class Material(NamedTuple):
    """The waves of a pair."""

    content: Wave
    style: Wave
    held_out: Wave


def load(pair: Pair, seconds: float) -> Material:
    """Cut the first `seconds` of the content, and two parts of the style, as long or half of it."""
    content = trimmed(read(pair.content))[: round(seconds * SAMPLE_RATE)]
    style = read(pair.style)[round(pair.style_start_s * SAMPLE_RATE) :]
    size = min(content.size, style.size // 2)
    return Material(content, style[:size], style[size : 2 * size])


def read(name: str) -> Wave:
    """A recording as one channel at 22.05 kHz."""
    wave, rate = audio.read(Path(os.environ["ECHOIC_DATA"], name))
    return audio.resample(wave.mean(axis=0), sample_rate=rate, to_sample_rate=SAMPLE_RATE)


def trimmed(wave: Wave) -> Wave:
    """Without the silence before the first sound."""
    blocks = np.abs(wave[: wave.size // 441 * 441]).reshape(-1, 441).max(axis=1)
    first = int(np.argmax(blocks > 0.05 * blocks.max())) * 441
    return wave[max(0, first - 2205) :]


# Controls: what a metric must not be fooled by ------------------------------------------------


def controls(material: Material) -> dict[str, Callable[[], Wave]]:
    """Results that are no style transfer."""
    content, style = material.content, material.style
    looped = lengthen(torch.from_numpy(style.copy()), content.size, sample_rate=SAMPLE_RATE).numpy()
    looped = looped * (np.std(content) / np.std(looped))

    def mix(style_db: float) -> Callable[[], Wave]:
        return lambda: content + looped * np.float32(10 ** (style_db / 20))

    def equalised() -> Wave:
        """The content with the style's long-term spectrum."""
        n_fft = 1024
        spectra = [
            np.sqrt(np.mean(np.abs(np.fft.rfft(_blocks(w, n_fft), axis=1)) ** 2, axis=0))
            for w in (style, content)
        ]
        gain = spectra[0] / np.maximum(spectra[1], spectra[1].max() * 1e-3)
        bins = np.linspace(0, n_fft // 2, content.size // 2 + 1)
        gain = np.interp(bins, np.arange(n_fft // 2 + 1), gain)
        return np.fft.irfft(np.fft.rfft(content) * gain, content.size).astype(np.float32)

    def gated() -> Wave:
        """The style with the content's broadband envelope."""
        power = np.convolve(np.square(content), np.hanning(800) / 400, mode="same")
        return (looped * np.sqrt(np.maximum(power, 0))).astype(np.float32)

    return {
        "content": lambda: content,
        "style-looped": lambda: looped,
        "style-shifted": lambda: np.roll(looped, SAMPLE_RATE),
        "mix-10": mix(-10),
        "mix0": mix(0),
        "mix+10": mix(10),
        "equalised": equalised,
        "gated": gated,
    }


def _blocks(wave: Wave, size: int) -> NDArray[np.floating]:
    return np.lib.stride_tricks.sliding_window_view(wave, size)[:: size // 2] * np.hanning(size)


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


def wanted_runs(options: argparse.Namespace) -> Iterator[Run]:
    """All combinations that were asked for."""
    for pair in options.pairs:
        if options.controls:
            names = controls(load(PAIRS[pair], options.seconds))
            yield from (Run(pair, name, "-", 0.0, 0, options.seconds, None) for name in names)
        for name in options.methods:
            method = METHODS[name]
            domains = {method.domain} if options.domain == "published" else {options.domain}
            if options.domain == "both":
                domains = {method.domain, "waveform"}
            for domain in sorted({"-"} if method.solve else domains):
                for strength in options.strengths:
                    for seed in options.seeds:
                        yield Run(
                            pair, name, domain, strength, seed, options.seconds, options.steps
                        )


def perform(run: Run, material: Material, scorer: Scorer, keep: Path | None) -> dict[str, Any]:
    """One run, scored."""
    row: dict[str, Any] = {**run._asdict(), "kind": PAIRS[run.pair].kind}
    started = time.process_time()
    if run.method in METHODS:
        found = transfer(
            material.content,
            material.style,
            sample_rate=SAMPLE_RATE,
            method=run.method,
            strength=run.strength,
            seed=run.seed,
            domain=None if run.domain == "-" else run.domain,
            n_steps=run.steps,
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


def read_rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def run_all(options: argparse.Namespace) -> None:
    done = {tuple(row[field] for field in Run._fields) for row in read_rows(options.out)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    at: str | None = None
    for run in wanted_runs(options):
        if tuple(run) in done:
            continue
        if run.pair != at:
            material = load(PAIRS[run.pair], options.seconds)
            scorer = Scorer(*material, sample_rate=SAMPLE_RATE)
            at = run.pair
        row = rounded(perform(run, material, scorer, options.keep))
        with options.out.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")
        print(line_of(row), file=sys.stderr, flush=True)


# Tables ----------------------------------------------------------------------------------------

COLUMNS = {
    "d_over_floor": "D/floor",
    "gap": "gap",
    "depth": "depth",
    "env": "env",
    "env6": "env6",
    "estoi": "ESTOI",
    "f0": "F0",
    "gram": "gram",
    "mel": "mel",
    "carrier_w1": "carW1",
    "mee": "MEE",
    "mixture_r2": "mixR2",
    "ncc_style": "nccS",
    "ncc_content": "nccC",
    "cpu_s": "CPU s",
}


def line_of(row: dict[str, Any]) -> str:
    name = f"{row['pair']:10} {row['method']:13} {row['domain'][:4]:4} {row['strength']:4.2f}"
    cells = " ".join(f"{row[key]:7.2f}" for key in COLUMNS)
    return f"{name} {cells} {'' if row['passes'] else 'fails a gate'}"


def print_table(rows: list[dict[str, Any]]) -> None:
    print(
        f"{'pair':10} {'method':13} {'':4} {'str':>4} "
        + " ".join(f"{c:>7}" for c in COLUMNS.values())
    )
    for row in sorted(rows, key=lambda r: (r["pair"], r["method"], r["domain"], r["strength"])):
        print(line_of(row))


# Scales ----------------------------------------------------------------------------------------


def print_scales(seconds: float = 4.0) -> None:
    """Spread of each class of statistics over a pool of recordings: `statistics.SCALES`."""
    folder = Path(os.environ["ECHOIC_DATA"])
    paths = [
        *sorted(folder.glob("esc10/audio/*.ogg"))[::5],
        *sorted(folder.glob("ambience/*.ogg"))[::3],
        *sorted(folder.glob("librispeech-mini/train/*.flac"))[::10],
    ]
    pool: dict[str, list[torch.Tensor]] = {name: [] for name in SCALES}
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
    parser.add_argument("--out", type=Path, default=Path("runs/style.jsonl"))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write all results there")
    parser.add_argument("--table", action="store_true", help="only print what --out holds")
    parser.add_argument("--scales", action="store_true", help="only print the statistics' scales")
    options = parser.parse_args()
    if not os.environ.get("ECHOIC_DATA"):
        parser.error("ECHOIC_DATA does not name the folder of recordings")
    torch.set_num_threads(1)
    if options.scales:
        print_scales()
        return
    if options.table:
        print_table(read_rows(options.out))
    else:
        run_all(options)


if __name__ == "__main__":
    main()
