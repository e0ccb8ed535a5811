"""Reads the rows of the style benches, and prints the tables of `bench/style.py`."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from style_material import PAIRS

from echoic.style import METHODS

DEPTHS = (0.2, 0.35, 0.5, 0.7)
CONTROL = "vocoder"
SECONDS = 4.0  # usual length of the content

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


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the finished runs; none if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


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


def print_gaps(rows: list[dict[str, Any]]) -> None:
    """Print gap and ESTOI of each method at equal depths, beside the vocoder's, pair by pair.

    Interpolated between the strengths that were run; nothing is extrapolated.
    """
    curves: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        curves[row["pair"], _name(row)].append(row)
    titles = " ".join(f"{depth:>15.2f}" for depth in DEPTHS)
    print(f"gap and ESTOI at depth\n{'pair':10} {'method':24} {titles}")
    for (pair, name), curve in sorted(curves.items()):
        if len(curve) > 1:
            cells = " ".join(f"{_at(curve, 'gap', d)}   {_at(curve, 'estoi', d)}" for d in DEPTHS)
            print(f"{pair:10} {name:24} {cells}")


def print_margins(rows: list[dict[str, Any]]) -> None:
    """Print each method's margin over the vocoder at the same depth, averaged over pairs."""
    curves = _vocoder_curves(rows)
    margins: dict[tuple[str, float], list[tuple[float, ...]]] = defaultdict(list)
    for row in rows:
        margin = _margin(row, curves[_where(row)])
        if row["method"] != CONTROL and margin is not None:
            margins[_name(row), row["strength"]].append((row["depth"], *margin, row["passes"]))
    print("above the vocoder at the same depth, mean over pairs")
    print(f"{'method':24} {'str':>4} {'runs':>4} {'depth':>6} {'gap':>6} {'ESTOI':>6}  pass")
    for (name, strength), found in sorted(margins.items()):
        depth, gap, estoi, passes = np.mean(found, axis=0)
        print(
            f"{name:24} {strength:4.2f} {len(found):4} {depth:6.2f} {gap:+6.2f} {estoi:+6.2f}  "
            f"{passes * len(found):.0f}"
        )


def print_methods(rows: list[dict[str, Any]]) -> None:
    """Print a line of Markdown per method at strength 0.5 and per control, seed 0.

    Runs of another length or number of steps have lines of their own. Means over pairs; of NCC
    the largest; of the style loss after reconstruction, over that before it, the median. "Above"
    is the gap above that of the vocoder at the same depth.
    """
    curves = _vocoder_curves(rows)
    found = defaultdict(list)
    for row in rows:
        is_control = row["method"] not in METHODS
        if row["seed"] == 0 and (row["strength"] == 0.5 or is_control):
            found[_name(row)].append(row)
    for name, own in found.items():
        margins = [margin for row in own if (margin := _margin(row, curves[_where(row)]))]
        after = [row["style_after"] / row["style_before"] for row in own if row.get("style_before")]
        is_learned = bool(np.isfinite(after).any())
        cells = [
            f"`{name}`",
            ", ".join(row["pair"] for row in own) if len(own) < len(PAIRS) else "all",
            *(_short(_mean(own, key)) for key in ("depth", "gap")),
            _short(np.mean(margins, axis=0)[0], "+") if margins else "n/a",
            *(_short(_mean(own, key)) for key in ("env", "estoi", "mee")),
            *(_short(max(row[key] for row in own)) for key in ("ncc_style", "ncc_content")),
            f"{sum(bool(row['passes']) for row in own)} of {len(own)}",
            f"{np.median(after):.2g}" if is_learned else "–",
            f"{_mean(own, 'cpu_s'):.0f}",
        ]
        print("| " + " | ".join(cells) + " |")


def _short(value: float, sign: str = "-") -> str:
    """Two decimals, without the zero before the point."""
    text = f"{value:{sign}.2f}".replace("-", "−")
    return text if abs(value) >= 0.995 else text.replace("0.", ".", 1)


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def _where(row: dict[str, Any]) -> tuple[str, float, float]:
    """What results must share to be compared: the pair, its length and its low cut."""
    return row["pair"], row["seconds"], row.get("low_cut_hz", 0.0)


def _vocoder_curves(
    rows: list[dict[str, Any]],
) -> dict[tuple[str, float, float], list[tuple[float, float, float]]]:
    """`_where` -> (depth, gap, ESTOI) of the vocoder's strengths by depth, seed 0."""
    curves = defaultdict(list)
    for row in rows:
        if row["method"] == CONTROL and row["seed"] == 0:
            curves[_where(row)].append((row["depth"], row["gap"], row["estoi"]))
    return defaultdict(list, {where: sorted(curve) for where, curve in curves.items()})


def _margin(
    row: dict[str, Any], curve: list[tuple[float, float, float]]
) -> tuple[float, float] | None:
    """Gap and ESTOI above the vocoder's at this depth; None where it does not reach it."""
    if not curve or not curve[0][0] < row["depth"] < curve[-1][0]:
        return None
    depths, gaps, estois = zip(*curve, strict=True)
    gap, estoi = (np.interp(row["depth"], depths, values) for values in (gaps, estois))
    return row["gap"] - float(gap), row["estoi"] - float(estoi)


def _name(row: dict[str, Any]) -> str:
    """The method, and what is unusual about its run."""
    unusual = {
        "waveform": row["domain"] == "waveform",
        f"{row['seconds']:g} s": row["seconds"] != SECONDS,
        f"{row['steps']} steps": row["steps"] is not None,
        f"from {row.get('low_cut_hz', 0):g} Hz": row.get("low_cut_hz", 0) != 0,
    }
    words = ", ".join(word for word, applies in unusual.items() if applies)
    return f"{row['method']} ({words})" if words else str(row["method"])


def _at(curve: list[dict[str, Any]], key: str, depth: float) -> str:
    points = sorted((row["depth"], row[key]) for row in curve)
    depths, values = zip(*points, strict=True)
    if not depths[0] <= depth <= depths[-1]:
        return f"{'–':>6}"
    return f"{np.interp(depth, depths, values):6.2f}"
