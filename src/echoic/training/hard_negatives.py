"""Hard negatives: labelled recordings altered until the label no longer applies.

A call with a mirrored spectrum, or a siren with randomised phases, keeps the levels,
the rhythm or the colour of its label, but must raise no event. Without such sounds a
network decides by one of these cues alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from numpy.typing import NDArray

from echoic.training.data import CHANGED, OTHER, Clip, Recordings, Wave, make_clip
from echoic.training.synthetic import SAMPLE_RATE

_LONGEST_S = 5.0
Change = Callable[[Wave, np.random.Generator], Wave]


def mirrored(wave: Wave, rng: np.random.Generator) -> Wave:
    """Mirror the spectrum, f -> 8 kHz − f, and restore its slope by a low-pass."""
    turned = wave.copy()
    turned[1::2] *= -1
    spectrum = np.fft.rfft(turned)
    corner = rng.uniform(0.05, 0.5)
    frequency = np.linspace(0, 1, spectrum.size)
    return _inverse(spectrum / (1 + (frequency / corner) ** 2), wave.size)


def modulated(wave: Wave, rng: np.random.Generator) -> Wave:
    """Ring modulation: every partial splits into two inharmonic ones."""
    carrier_hz = np.exp(rng.uniform(np.log(150), np.log(2500)))
    t = np.arange(wave.size) / SAMPLE_RATE
    return (wave * np.sin(2 * np.pi * carrier_hz * t)).astype(np.float32)


def phases_randomised(wave: Wave, rng: np.random.Generator) -> Wave:
    """Randomise the phases: steady noise with the same long-term spectrum."""
    spectrum = np.abs(np.fft.rfft(wave))
    phase = rng.uniform(0, 2 * np.pi, spectrum.size)
    return _inverse(spectrum * np.exp(1j * phase), wave.size)


def noise_vocoded(wave: Wave, rng: np.random.Generator) -> Wave:
    """Noise of another colour with the envelope of the recording."""
    width = round(0.01 * SAMPLE_RATE)
    envelope = np.sqrt(np.convolve(wave**2, np.full(width, 1 / width), mode="same"))
    spectrum = np.fft.rfft(rng.standard_normal(wave.size))
    frequency = np.linspace(0.003, 1, spectrum.size)
    noise = _inverse(spectrum * frequency ** -rng.uniform(-0.3, 1.0), wave.size)
    return (noise * envelope).astype(np.float32)


def much_faster(wave: Wave, rng: np.random.Generator) -> Wave:
    """Speed and pitch up by 1.3 to 2.3 octaves."""
    return _at_speed(wave, 2 ** rng.uniform(1.3, 2.3))


def much_slower(wave: Wave, rng: np.random.Generator) -> Wave:
    """Speed and pitch down by 1.3 to 2.3 octaves."""
    return _at_speed(wave[: wave.size // 2], 2 ** -rng.uniform(1.3, 2.3))


def shuffled(wave: Wave, rng: np.random.Generator) -> Wave:
    """Snippets of 30 to 120 ms in random order."""
    n = round(rng.uniform(0.03, 0.12) * SAMPLE_RATE)
    ramp = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / 80)
    snippets = wave[: wave.size // n * n].reshape(-1, n) * ramp
    return np.asarray(rng.permutation(snippets).reshape(-1), dtype=np.float32)


def _at_speed(wave: Wave, speed: float) -> Wave:
    return np.asarray(soxr.resample(wave, SAMPLE_RATE * speed, SAMPLE_RATE), dtype=np.float32)


def _inverse(spectrum: NDArray[np.complexfloating], n_samples: int) -> Wave:
    return np.fft.irfft(spectrum, n_samples).astype(np.float32)


# Only changes after which a listener would no longer use the label: rain in another colour
# is still rain, and a tick in another colour still a tick.
_CALL = (mirrored, modulated, phases_randomised, noise_vocoded, much_slower, shuffled)
_BREATH = (mirrored, modulated, phases_randomised, much_faster, much_slower)
_MACHINE = (modulated, much_faster, much_slower)
_IMPACT = (phases_randomised, much_slower)
CHANGES: dict[str, tuple[Change, ...]] = {
    **dict.fromkeys(("cat", "cow", "crow", "frog", "hen", "laughing", "pig", "sheep"), _CALL),
    **dict.fromkeys(("breathing", "coughing", "drinking_sipping", "snoring"), _BREATH),
    **dict.fromkeys(("airplane", "engine", "train", "washing_machine"), _MACHINE),
    **dict.fromkeys(("can_opening", "door_wood_knock", "footsteps", "glass_breaking"), _IMPACT),
    **dict.fromkeys(("fireworks", "keyboard_typing", "mouse_click", "thunderstorm"), _IMPACT),
    **dict.fromkeys(("car_horn", "church_bells", "clock_alarm"), (phases_randomised, shuffled)),
    **dict.fromkeys(("chirping_birds", "crickets", "insects"), (phases_randomised, much_slower)),
    **dict.fromkeys(("brushing_teeth", "clapping", "hand_saw"), (phases_randomised, much_slower)),
    "door_wood_creaks": _CALL,
    "siren": (phases_randomised, noise_vocoded, shuffled),
    "water_drops": (phases_randomised, much_slower),
    "baby_cry": _CALL,
    "chainsaw": (mirrored, modulated, phases_randomised, much_faster, much_slower),
    "clock_tick": (phases_randomised, much_faster, shuffled),
    "dog_bark": (*_CALL, much_faster),
    "fire_crackling": (phases_randomised, much_slower),
    "helicopter": (modulated, phases_randomised, much_faster, shuffled),
    "music": (modulated, phases_randomised, noise_vocoded, shuffled),
    "person_sneeze": _BREATH,
    "rooster": (*_CALL, much_faster),
    "sea_waves": (much_faster,),
    "speech": (mirrored, modulated, phases_randomised, noise_vocoded, much_slower, shuffled),
}


def make_hard_negatives(recordings: Recordings, *, n_clips: int, seed: int) -> list[Clip]:
    """Make clips without label, at 16 kHz, from labelled clips.

    Args:
        recordings: Recordings to draw from.
        n_clips: Number of clips per label; the changes of the label are used in turn.
        seed: Random seed.
    """
    made = []
    for place, (label, changes) in enumerate(CHANGES.items()):
        for index in range(n_clips):
            rng = np.random.default_rng((seed, place, index))
            if not recordings.n_recordings(label):
                continue
            clip = recordings.draw(label, rng)
            length = round(_LONGEST_S * clip.sample_rate)
            start = int(rng.integers(max(clip.wave.size - length, 0) + 1))
            excerpt = clip.wave[start : start + length]
            excerpt = soxr.resample(excerpt, clip.sample_rate, SAMPLE_RATE)
            wave = changes[index % len(changes)](np.asarray(excerpt, np.float32), rng)
            made.append(make_clip(f"{CHANGED}{label}-{index}x", OTHER, wave, SAMPLE_RATE))
    return [clip for clip in made if clip is not None]
