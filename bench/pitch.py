"""Accuracy and speed of the pitch tracker, beside pyin (librosa) and Praat (parselmouth).

    python bench/pitch.py [--peers] [--utterances N] [--json FILE]

`--peers` creates a separate environment for the two (in .cache) and runs in it; without it a peer
that is not installed is a missing row. All search 50 to 600 Hz and output a frame every 10 ms;
echoic decides with a look-ahead of 40 ms, the peers on the whole signal. An error is a frame more
than 5 or 20 % off (20 % is the usual gross error); a frame in which no pitch is found is an error
of both kinds, and counts as missed as well.

- vowels: ten vowels of three speakers on gliding fundamentals, 70 to 450 Hz, clean and in pink
  noise 10 dB below. F0 is known at every frame, and every frame is voiced.
- espeak-ng: sentences on one note (range 0 %), by all its numbered male and female voices, three
  notes each. The note is estimated from the spectrum of the whole sentence, where its harmonics
  stand out clearly; where a voice weakens every second cycle it is an octave below what is heard,
  for all systems alike. A frame is voiced where 20 ms around its middle repeat after one period of
  the note (± 3 %, as voices flutter), before as well as after, with a correlation of 0.8 or more,
  and are no more than 40 dB below the loudest frame. All systems are scored on these frames;
  "voiced" is their share, and "false" the share of the others in which a pitch is found, which
  counts what is voiced less clearly as well.
- dev: readers not used for training or tuning (ECHOIC_DATA). There is no ground truth: frames
  where pyin and Praat agree within 5 % serve as reference, frames where both find no pitch count
  as unvoiced ("false" is the share of those in which one is found).

Speed is seconds of sound per second of CPU time, on one core.
"""

from __future__ import annotations

import one_core  # noqa: F401 - before numpy

# isort: split
import argparse
import io
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from ear_sound import readers
from figures import machine, write_figures
from numpy.typing import NDArray
from peers import run_with_peers

from echoic.ear import Correlogram, Pitch
from echoic.streaming import in_blocks, run
from echoic.synthesis import VOWELS, pink_noise, vowel

RATE = 16_000
LOW_HZ, HIGH_HZ, HOP_S = 50.0, 600.0, 0.01
PACKAGES = ["librosa==0.11.0", "praat-parselmouth==0.4.7"]
SENTENCES = (
    "the quick brown fox jumps over a lazy dog and runs away",
    "she had your dark suit in greasy wash water all year",
)
# All numbered variants.
VOICES = (*(f"en+m{k}" for k in range(1, 9)), *(f"en+f{k}" for k in range(1, 6)))
CORRELATED, AUDIBLE_DB, AROUND_S, FLUTTER = 0.8, 40.0, 0.02, 0.03

Wave = NDArray[np.float32]
F0 = NDArray[np.float64]
Track = Callable[[Wave, int], F0]  # F0 at the middle of every 10 ms, 0 where there is none


# Systems -----------------------------------------------------------------------------------


def n_frames(wave: Wave, rate: int) -> int:
    return int(wave.size / rate / HOP_S + 1e-9)


def middles_s(count: int) -> F0:
    return (np.arange(count) + 0.5) * HOP_S


def echoic_pitch() -> Track:
    def track(wave: Wave, rate: int) -> F0:
        pitch = Pitch(sample_rate=rate, low_f0_hz=LOW_HZ, high_f0_hz=HIGH_HZ, hop_s=HOP_S)
        parts = run(pitch, in_blocks(wave, rate))
        return np.concatenate([part.f0_hz for part in parts]).astype(np.float64)

    return track


def pyin() -> Track:
    import librosa

    def track(wave: Wave, rate: int) -> F0:
        # pyin centres its first frame on sample 0, so start in the middle of our first frame.
        f0_hz, voiced, _ = librosa.pyin(
            wave[round(rate * HOP_S / 2) :].astype(np.float64),
            sr=rate,
            fmin=LOW_HZ,
            fmax=HIGH_HZ,
            frame_length=1 << int(np.log2(rate * 0.064)),
            hop_length=round(rate * HOP_S),
        )
        middle = np.where(voiced, f0_hz, 0)[: n_frames(wave, rate)]
        return np.pad(middle, (0, n_frames(wave, rate) - middle.size))

    return track


def praat() -> Track:
    import parselmouth

    def track(wave: Wave, rate: int) -> F0:
        sound = parselmouth.Sound(wave.astype(np.float64), rate)
        pitch = sound.to_pitch_ac(time_step=HOP_S, pitch_floor=LOW_HZ, pitch_ceiling=HIGH_HZ)
        values = [pitch.get_value_at_time(float(t)) for t in middles_s(n_frames(wave, rate))]
        return np.nan_to_num(np.array(values))

    return track


SYSTEMS: dict[str, tuple[str, Callable[[], Track]]] = {
    "echoic": ("echoic Pitch", echoic_pitch),
    "pyin": ("pyin (librosa)", pyin),
    "praat": ("Praat, autocorrelation", praat),
}


# Sounds whose F0 is known ------------------------------------------------------------------


class Known(NamedTuple):
    """A sound, its sample rate, and the true F0 at the middle of its frames, 0 where unvoiced."""

    wave: Wave
    rate: int
    f0_hz: F0


def gliding_vowels(snr_db: float | None, rng: np.random.Generator) -> Iterator[Known]:
    for speaker, low_hz, high_hz in (("man", 70, 200), ("woman", 130, 330), ("child", 200, 450)):
        for name in VOWELS:
            log_hz = rng.uniform(np.log(low_hz), np.log(high_hz), size=4)
            at = np.linspace(0, 3, RATE)
            f0_hz = np.exp(np.interp(at, np.arange(4), log_hz))
            wave = vowel(name, 1.0, sample_rate=RATE, f0_hz=f0_hz, speaker=speaker)
            if snr_db is not None:
                wave += pink_noise(1.0, sample_rate=RATE, rng=rng, level_dbfs=-20 - snr_db)
            middle = (middles_s(n_frames(wave, RATE)) * RATE).astype(int)
            yield Known(wave, RATE, f0_hz[middle])


def speak(text: str, voice: str, note: int) -> tuple[Wave, int]:
    """Synthesise one sentence on one note."""
    ssml = f'<speak><prosody range="0%">{text}</prosody></speak>'
    command = ["espeak-ng", "-m", "-v", voice, "-p", str(note), "--stdout", ssml]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    # The header is written to the pipe before the length is known.
    sized = wav[:40] + (len(wav) - 44).to_bytes(4, "little") + wav[44:]
    wave, rate = soundfile.read(io.BytesIO(sized), dtype="float32")
    return wave, rate


def note_hz(wave: Wave, rate: int) -> float:
    """Estimate the fundamental of a whole sentence on one note.

    The mean spectrum is high at its harmonics and low halfway between them, which does not
    hold for half or twice the fundamental.
    """
    n_fft = 1 << int(np.log2(rate / 2))
    frames = np.lib.stride_tricks.sliding_window_view(wave, n_fft)[:: n_fft // 4]
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(n_fft))) ** 2, axis=0)
    level = 10 * np.log10(power + 1e-12)
    candidates = np.geomspace(LOW_HZ, 400, 3000)
    numbers = np.arange(1, 9)

    def at(multiples: F0) -> F0:
        return np.interp(
            candidates[:, None] * multiples * n_fft / rate, np.arange(level.size), level
        )

    contrast = np.sum(at(numbers) - (at(numbers - 0.5) + at(numbers + 0.5)) / 2, axis=1)
    return float(candidates[np.argmax(contrast)])


def voiced(wave: Wave, rate: int, note: float) -> NDArray[np.bool_]:
    """The frames whose middle repeats after a period of this note in Hz."""
    period, size = rate / note, round(AROUND_S * rate)
    middle = np.rint(middles_s(n_frames(wave, rate)) * rate).astype(int)
    at = middle[:, None] - size // 2 + np.arange(size)

    def part(shift: float) -> F0:
        there = at + round(shift)
        inside = (there >= 0) & (there < wave.size)
        found = np.where(inside, wave[there.clip(0, wave.size - 1)], 0).astype(np.float64)
        return found - found.mean(axis=1, keepdims=True)

    here = part(0)
    energy = np.sum(here**2, axis=1)

    def alike(there: F0) -> F0:
        return np.sum(here * there, axis=1) / np.sqrt(energy * np.sum(there**2, axis=1) + 1e-20)

    near = np.linspace(1 - FLUTTER, 1 + FLUTTER, 13)
    before, after = (
        np.max([alike(part(sign * factor * period)) for factor in near], axis=0) for sign in (-1, 1)
    )
    is_audible = energy > energy.max() * 10 ** (-AUDIBLE_DB / 10)
    return is_audible & (np.minimum(before, after) >= CORRELATED)


def notes() -> Iterator[Known]:
    for text in SENTENCES:
        for voice in VOICES:
            for note in (20, 50, 80):
                wave, rate = speak(text, voice, note)
                true_hz = note_hz(wave, rate)
                yield Known(wave, rate, np.where(voiced(wave, rate, true_hz), true_hz, 0.0))


# Counting ----------------------------------------------------------------------------------


def percent(part: NDArray[np.bool_]) -> float:
    return float(100 * np.mean(part)) if part.size else float("nan")


def errors(found: F0, true_hz: F0) -> dict[str, float]:
    off = np.abs(found / true_hz - 1)
    return {
        "error_20": percent(off > 0.2),
        "error_5": percent(off > 0.05),
        "missed": percent(found == 0),
    }


def on_vowels(tracks: dict[str, Track], snr_db: float | None) -> dict[str, dict[str, float]]:
    known = list(gliding_vowels(snr_db, np.random.default_rng(0)))
    inner = slice(3, -3)  # leaves out the ramps
    true_hz = np.concatenate([one.f0_hz[inner] for one in known])
    return {
        key: errors(np.concatenate([track(one.wave, one.rate)[inner] for one in known]), true_hz)
        for key, track in tracks.items()
    }


def on_notes(tracks: dict[str, Track]) -> dict[str, dict[str, float]]:
    known = list(notes())
    true_hz = np.concatenate([one.f0_hz for one in known])
    is_voiced = true_hz > 0
    rows = {}
    for key, track in tracks.items():
        found = np.concatenate([track(one.wave, one.rate) for one in known])
        rows[key] = errors(found[is_voiced], true_hz[is_voiced])
        rows[key] |= {"false": percent(found[~is_voiced] > 0), "voiced": percent(is_voiced)}
    return rows


def on_readers(tracks: dict[str, Track], waves: list[Wave]) -> dict[str, dict[str, float]]:
    """Errors of echoic alone: the peers are the reference."""
    judged = {}
    for key in ("pyin", "praat", "echoic"):
        print(f"{key} hears {len(waves)} readings", file=sys.stderr)
        judged[key] = np.concatenate([tracks[key](wave, RATE) for wave in waves])
    one, other, found = judged["pyin"], judged["praat"], judged["echoic"]
    agreed = (one > 0) & (other > 0)
    agreed[agreed] = np.abs(one[agreed] / other[agreed] - 1) < 0.05
    row = errors(found[agreed], np.sqrt(one * other)[agreed])
    silent = (one == 0) & (other == 0)
    heard = agreed & (found > 0)
    of_heard = errors(found[heard], np.sqrt(one * other)[heard])
    return {
        "echoic": {**row, "false": percent(found[silent] > 0), "frames": float(agreed.sum())},
        "echoic, heard": of_heard,
    }


def times_real_time(work: Callable[[], object], duration_s: float, rounds: int) -> float:
    work()  # the first one compiles and loads
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return duration_s / statistics.median(seconds)


def speeds(tracks: dict[str, Track], rounds: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    found = {}
    for rate in (16_000, 48_000):
        wave = np.tile(vowel("aa", 1.0, sample_rate=rate), 10)
        wave += pink_noise(10.0, sample_rate=rate, rng=rng, level_dbfs=-40)
        for key, track in tracks.items():
            print(f"timing {key} at {rate} Hz", file=sys.stderr)
            speed = times_real_time(lambda t=track, w=wave, r=rate: t(w, r), 10.0, rounds)  # type: ignore[misc]
            found[f"{key}.{rate}_hz"] = speed
        for n_bands in (32, 64):
            pitch = Pitch(sample_rate=rate, n_bands=n_bands)
            full = Correlogram(sample_rate=rate, n_bands=n_bands)
            chunk = round(0.01 * rate)

            def by_chunks(wave: Wave = wave, pitch: Pitch = pitch, chunk: int = chunk) -> None:
                state = None
                for start in range(0, wave.size, chunk):
                    _, state = pitch(wave[start : start + chunk], state)

            makers = {
                f"pitch.{n_bands}_bands": lambda p=pitch, w=wave: p(w),  # type: ignore[misc]
                f"pitch.{n_bands}_bands.by_10_ms": by_chunks,
                f"correlogram.{n_bands}_bands": lambda c=full, w=wave: c(w),  # type: ignore[misc]
            }
            for key, work in makers.items():
                found[f"{key}.{rate}_hz"] = times_real_time(work, 10.0, rounds)
    return found


def show(title: str, rows: dict[str, dict[str, float]], missing: dict[str, str]) -> None:
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    print(f"\n{title:34}" + "".join(f"{name:>10}" for name in columns))
    for key, row in rows.items():
        cells = (
            f"{row[name]:10.2f}" if np.isfinite(row.get(name, np.nan)) else f"{'–':>10}"
            for name in columns
        )
        print(f"{SYSTEMS[key][0] if key in SYSTEMS else key:34}" + "".join(cells))
    for key, why in missing.items():
        print(f"{SYSTEMS[key][0]:34}   missing: {why}")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="run where the peers are installed")
    parser.add_argument("--utterances", type=int, default=50, help="of the dev readers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    if options.peers:
        run_with_peers("pitch", PACKAGES)
    print(machine())
    tracks, missing = {}, {}
    for key, (_, make) in SYSTEMS.items():
        try:
            tracks[key] = make()
        except ImportError as error:
            missing[key] = str(error)
    tables = {
        "vowels, clean": on_vowels(tracks, None),
        "vowels, 10 dB above noise": on_vowels(tracks, 10.0),
    }
    if shutil.which("espeak-ng"):
        tables["espeak-ng on one note"] = on_notes(tracks)
    else:
        print("espeak-ng is not installed: no sentences on one note", file=sys.stderr)
    waves = readers(options.utterances)
    if waves and not missing:
        tables["dev, where the peers agree"] = on_readers(tracks, waves)
    else:
        why = f"{', '.join(missing)} missing" if missing else "ECHOIC_DATA names no recordings"
        print(f"no readers: {why}", file=sys.stderr)
    for title, rows in tables.items():
        show(f"{title} (%)", rows, missing)
    found = speeds(tracks, options.rounds)
    print(f"\n{'one core':34}{'× real time':>14}")
    for key, speed in found.items():
        print(f"{key:34}{speed:14.1f}")
    if options.json:
        flat: dict[str, float | None] = {f"{key}.times_real_time": v for key, v in found.items()}
        for title, rows in tables.items():
            for key, row in rows.items():
                flat |= {f"{title}.{key}.{n}": v for n, v in row.items() if np.isfinite(v)}
        flat |= {f"{key}.missing": None for key in missing}
        write_figures(options.json, flat)


if __name__ == "__main__":
    main()
