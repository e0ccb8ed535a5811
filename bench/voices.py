"""Live separation of two talkers: SI-SDR improvement, exchanges of the two, and CPU cost.

    ./do bench voices [--n 40] [--long 4] [--json FILE]

The scenes are those of `attend_scenes.two_talkers`: every pair of five readers not used in
training. Printed are the SI-SDR improvement over the mixture, the mean of both talkers in their
better order; over a minute also the share of exchanged seconds among those in which both talk; the
improvement by `attend --like`, which keeps one talker given 5 s of another utterance of the same
talker, and the share of these cases in which the output is closer to the other talker; the first
and the last improvement as for files, with look-ahead; and the time to process a push.
"""

from __future__ import annotations

import one_core  # noqa: F401 - before numpy

# isort: split
import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from attend import PUSH_S, step_times
from attend_scenes import Talkers, Wave, two_talkers
from figures import machine, write_figures
from hear_scenes import SAMPLE_RATE
from pushes import pushes

import echoic
from echoic.metrics import si_sdr_db
from echoic.processors.masks import WHOLE_LOOK_AHEAD_S

LONG_S = 60.0
ORDERS = ((0, 1), (1, 0))
_QUIET_DB = 20.0  # a talker this far below their own mean level is not talking


def taken_apart(scene: Talkers, look_ahead_s: float = 0.0) -> Wave:
    """(3, time), from a live stream."""
    live = echoic.stream("voices", sample_rate=SAMPLE_RATE, look_ahead_s=look_ahead_s)
    fed = pushes(live, scene.wave[np.newaxis], PUSH_S)
    heard = [*(one.out for one in fed), live.flush()]
    delay = round(live.latency_s * SAMPLE_RATE)
    return np.concatenate(heard, axis=-1)[:, 0, delay:]


def by_example(scene: Talkers, look_ahead_s: float = 0.0) -> Wave:
    """(2, time): each talker, kept by an example of that voice."""
    kept = [
        echoic.attend(scene.wave, like=example, sample_rate=SAMPLE_RATE, look_ahead_s=look_ahead_s)
        for example in scene.examples
    ]
    return np.stack(kept)


def gained(found: Wave, scene: Talkers, order: tuple[int, int] = (0, 1)) -> float:
    """SI-SDR improvement over the mixture, the mean of both talkers."""
    before = si_sdr_db(scene.wave, scene.voices)
    return float(np.mean(si_sdr_db(found[list(order)], scene.voices) - before))


def part_wrong(found: Wave, voices: Wave) -> float:
    """Share of the talkers kept whose output has a higher SI-SDR with the other talker."""
    return float(np.mean(si_sdr_db(found, voices[::-1]) > si_sdr_db(found, voices)))


def best_order(found: Wave, voices: Wave) -> tuple[int, int]:
    """The assignment of separated signals to talkers with the higher SI-SDR."""
    return max(ORDERS, key=lambda order: float(np.mean(si_sdr_db(found[list(order)], voices))))


def in_better_order(found: Wave, scene: Talkers) -> float:
    """SI-SDR improvement in the better order of the talkers."""
    return gained(found, scene, best_order(found, scene.voices))


def part_exchanged(found: Wave, voices: Wave) -> float:
    """Share of the seconds with both talking whose better order is not that of the whole."""
    whole = best_order(found, voices)
    level = 10 * np.log10(np.mean(np.square(voices), axis=1))
    exchanged = []
    for start, stop in pairwise(range(0, voices.shape[1] + 1, SAMPLE_RATE)):
        second = voices[:, start:stop]
        if (10 * np.log10(np.mean(np.square(second), axis=1) + 1e-12) > level - _QUIET_DB).all():
            exchanged.append(best_order(found[:, start:stop], second) != whole)
    return float(np.mean(exchanged))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=40, help="scenes")
    parser.add_argument("--long", type=int, default=4, help="scenes of a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    print(machine())
    scenes = list(two_talkers(options.n))
    gains = [in_better_order(taken_apart(scene), scene) for scene in scenes]
    kept = [by_example(scene) for scene in scenes]
    liked = [gained(one, scene) for one, scene in zip(kept, scenes, strict=True)]
    wrong = [part_wrong(one, scene.voices) for one, scene in zip(kept, scenes, strict=True)]
    gains_ahead = [in_better_order(taken_apart(one, WHOLE_LOOK_AHEAD_S), one) for one in scenes]
    liked_ahead = [gained(by_example(one, WHOLE_LOOK_AHEAD_S), one) for one in scenes]
    minutes = list(two_talkers(options.long, duration_s=LONG_S))
    found = [taken_apart(scene)[:2] for scene in minutes]
    over_minutes = [in_better_order(one, scene) for one, scene in zip(found, minutes, strict=True)]
    exchanged = [
        part_exchanged(one, scene.voices) for one, scene in zip(found, minutes, strict=True)
    ]
    figures = {
        "gain dB": float(np.mean(gains)),
        "gain dB, 10th percentile": float(np.percentile(gains, 10)),
        "gain dB, 90th percentile": float(np.percentile(gains, 90)),
        "gain dB over a minute": float(np.mean(over_minutes)),
        "part of the seconds exchanged": float(np.mean(exchanged)),
        "by example, gain dB": float(np.mean(liked)),
        "by example, part of the wrong talker": float(np.mean(wrong)),
        "files, gain dB": float(np.mean(gains_ahead)),
        "files, by example, gain dB": float(np.mean(liked_ahead)),
        **{
            f"ms a push of 5 ms, {name}": value
            for name, value in step_times("voices", minutes[0].wave).items()
        },
    }
    for name, value in figures.items():
        print(f"{name:36}{value:9.3f}")
    write_figures(options.json, figures)


if __name__ == "__main__":
    main()
