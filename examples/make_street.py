"""Make street.wav, a street scene of 20 seconds, and street.json, its true events.

Everything but the two sentences (examples/speech) is synthesised here, from fixed seeds. To use
other sounds, edit the table.

    python examples/make_street.py [-o DIR] [--stems DIR]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from echoic import synthesis

HERE = Path(__file__).parent
RATE = 44100
DURATION_S = 20.0
BACKGROUND_DB = -38.0  # a soft, distant hum, relative to the first sentence
PEAK_DBFS = -1.5

Wave = NDArray[np.float32]
Maker = Callable[[float, np.random.Generator], Wave]


class Row(NamedTuple):
    """One sound of the scene."""

    label: str
    maker: str  # a name in MAKERS
    onset_s: float
    duration_s: float  # number of dog barks; ignored by speech and single calls
    level_db: float  # RMS over the active spans, relative to the first row
    distance: float  # of reverberation: 0 is dry, 1 is far down the street
    seed: int


# fmt: off
SCENE = (
    #   label         maker         onset  length level  dist  seed
    Row("speech",     "market",       0.8,   0.0,   0.0,  0.2,    1),
    Row("music",      "music",        4.4,   6.0,  -8.0,  0.5,    3),
    Row("dog_bark",   "dog_bark",     7.4,   4.0,   4.0,  0.15,  11),
    Row("speech",     "flowers",     11.2,   0.0,   2.0,  0.2,    1),
    Row("helicopter", "helicopter",  13.5,   6.5,   2.0,  0.0,    5),
    Row("dog_bark",   "dog_bark",    17.4,   2.0,   5.0,  0.4,   15),
)
# fmt: on


def speech(name: str) -> Maker:
    """Read a sentence, resampled to the scene rate."""

    def make(_duration_s: float, _rng: np.random.Generator) -> Wave:
        wave, rate = soundfile.read(HERE / "speech" / f"{name}.flac", dtype="float32")
        resampled: Wave = soxr.resample(wave, rate, RATE)
        return resampled

    return make


MAKERS: dict[str, Maker] = {
    "market": speech("market"),
    "flowers": speech("flowers"),
    "music": lambda s, rng: faded(synthesis.music(s, sample_rate=RATE, rng=rng), 0.4),
    # For dog barks the duration is a number of barks.
    "dog_bark": lambda n, rng: synthesis.dog_bark(round(n), sample_rate=RATE, rng=rng),
    "rooster": lambda _, rng: synthesis.rooster(sample_rate=RATE, rng=rng),
    "person_sneeze": lambda _, rng: synthesis.sneeze(sample_rate=RATE, rng=rng),
    "baby_cry": lambda s, rng: synthesis.baby_cry(s, sample_rate=RATE, rng=rng),
    "clock_tick": lambda s, rng: synthesis.clock_tick(s, sample_rate=RATE, rng=rng),
    "chainsaw": lambda s, rng: faded(synthesis.chainsaw(s, sample_rate=RATE, rng=rng), 0.2),
    "helicopter": lambda s, rng: faded(
        synthesis.helicopter(s, sample_rate=RATE, rng=rng, swell_db=12), 0.5
    ),
    "rain": lambda s, rng: faded(synthesis.rain(s, sample_rate=RATE, rng=rng), 0.5),
    "sea_waves": lambda s, rng: faded(synthesis.sea_waves(s, sample_rate=RATE, rng=rng), 0.5),
    "fire_crackling": lambda s, rng: faded(synthesis.fire(s, sample_rate=RATE, rng=rng), 0.2),
}


def faded(wave: Wave, ramp_s: float) -> Wave:
    """Fade a sound in and out with raised-cosine ramps."""
    n_ramp = round(ramp_s * RATE)
    gains = np.ones(len(wave), np.float32)
    gains[:n_ramp] = np.sin(0.5 * np.pi * np.arange(n_ramp) / n_ramp) ** 2
    gains[-n_ramp:] = gains[:n_ramp][::-1]
    return wave * gains


def clip(row: Row) -> synthesis.Clip:
    """Synthesise the sound of a row, with the reverberation of the street, at its onset."""
    rng = np.random.default_rng(row.seed)
    wave = MAKERS[row.maker](row.duration_s, rng)
    if row.distance > 0:
        walls = synthesis.room_response(
            sample_rate=RATE,
            rng=rng,
            rt60_s=0.5,
            predelay_s=0.015,
            direct_to_reverberant_db=20.0 - 16.0 * row.distance,
        )
        wave = synthesis.reverberate(wave, walls)
    return synthesis.Clip(wave, row.label, onset_s=row.onset_s, snr_db=row.level_db)


def street() -> synthesis.Soundscape:
    """Compose the scene, scaled to a peak of PEAK_DBFS."""
    hum = synthesis.coloured_noise(
        DURATION_S, sample_rate=RATE, rng=np.random.default_rng(0), slope_db_per_octave=-5.0
    )
    clips = [clip(row) for row in SCENE]
    clips.append(synthesis.Clip(hum, None, snr_db=BACKGROUND_DB))
    peak = np.abs(synthesis.compose(clips, sample_rate=RATE, duration_s=DURATION_S).mixture).max()
    # All levels are relative to the first clip, so its gain is the gain of the scene.
    first = synthesis.Clip(
        clips[0].wave,
        clips[0].label,
        onset_s=clips[0].onset_s,
        gain_db=PEAK_DBFS - 20 * float(np.log10(peak)),
    )
    return synthesis.compose([first, *clips[1:]], sample_rate=RATE, duration_s=DURATION_S)


def main() -> None:
    """Write the scene, its events and, on request, its stems."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--stems", type=Path, help="folder for the true stems, 32-bit float")
    options = parser.parse_args()
    scene = street()
    soundfile.write(options.output / "street.wav", scene.mixture, RATE, subtype="PCM_16")
    truth = {
        "file": "street.wav",
        "sample_rate": RATE,
        "duration_s": scene.duration_s,
        "events": [
            {
                "label": event.label,
                "onset_s": round(event.onset_s, 2),
                "offset_s": round(event.offset_s, 2),
            }
            for event in scene.events
        ],
    }
    (options.output / "street.json").write_text(json.dumps(truth, indent=2) + "\n")
    if options.stems is not None:
        options.stems.mkdir(parents=True, exist_ok=True)
        for name, stem in {**scene.references, "rest": scene.background}.items():
            soundfile.write(options.stems / f"{name}.wav", stem, RATE, subtype="FLOAT")


if __name__ == "__main__":
    main()
