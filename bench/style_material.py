"""The pairs of `bench/style.py`, cut into parts, and the controls, which are not transfers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from echoic import audio
from echoic.style.vocoder import lengthen

SAMPLE_RATE = 22_050
Wave = NDArray[np.float32]


class Pair(NamedTuple):
    """A content and a style."""

    content: str
    style: str
    style_start_s: float = 0.0


SPEECH, AMBIENCE = "librispeech-mini/dev", "ambience/moodist"
PAIRS = {
    "rain": Pair(f"{SPEECH}/3005/3005-163389-0000.flac", "esc10/audio/1-17367-A.ogg"),
    "waves": Pair(f"{SPEECH}/3080/3080-5032-0001.flac", f"{AMBIENCE}-nature-waves.ogg"),
    "waterfall": Pair(f"{SPEECH}/3331/3331-159605-0002.flac", f"{AMBIENCE}-nature-waterfall.ogg"),
    "wind": Pair(f"{SPEECH}/533/533-1066-0003.flac", f"{AMBIENCE}-nature-wind-in-trees.ogg"),
    "boiling": Pair("music/sorohanro-solo-trumpet-06.ogg", f"{AMBIENCE}-things-boiling-water.ogg"),
    "fire": Pair(f"{SPEECH}/533/533-1066-0002.flac", "esc10/audio/1-17150-A.ogg"),
    "clock": Pair(f"{SPEECH}/3005/3005-163389-0003.flac", f"{AMBIENCE}-things-clock.ogg"),
    "typewriter": Pair(f"{SPEECH}/3080/3080-5032-0004.flac", f"{AMBIENCE}-things-typewriter.ogg"),
    "chimes": Pair(f"{SPEECH}/3331/3331-159605-0004.flac", f"{AMBIENCE}-things-wind-chimes.ogg"),
    "strings": Pair(
        f"{SPEECH}/3005/3005-163389-0005.flac",
        "music/hungarian_dance_number_5-allegro_in_f_sharp_minor_string_orchestra.ogg",
        5.0,
    ),
}


class Material(NamedTuple):
    """The waves of a pair."""

    content: Wave
    style: Wave
    held_out: Wave


def load(pair: Pair, seconds: float, *, low_cut_hz: float = 0.0) -> Material:
    """The first `seconds` of the content; two parts of the style, each that long or half of it.

    Args:
        pair: The recordings.
        seconds: Of content.
        low_cut_hz: Lower frequencies are removed from all three.
    """
    content = trimmed(read(pair.content))[: round(seconds * SAMPLE_RATE)]
    style = read(pair.style)[round(pair.style_start_s * SAMPLE_RATE) :]
    size = min(content.size, style.size // 2)
    waves = (content, style[:size], style[size : 2 * size])
    return Material(*(without_low(wave, low_cut_hz) for wave in waves))


def without_low(wave: Wave, low_cut_hz: float) -> Wave:
    """Remove all frequencies below one."""
    if not low_cut_hz:
        return wave
    spectrum = np.fft.rfft(wave)
    spectrum[np.fft.rfftfreq(wave.size, 1 / SAMPLE_RATE) < low_cut_hz] = 0
    return np.fft.irfft(spectrum, wave.size).astype(np.float32)


def read(name: str) -> Wave:
    """Read a recording as one channel at 22.05 kHz."""
    wave, rate = audio.read(Path(os.environ["ECHOIC_DATA"], name))
    return audio.resample(wave.mean(axis=0), sample_rate=rate, to_sample_rate=SAMPLE_RATE)


def trimmed(wave: Wave) -> Wave:
    """Remove the silence before the first sound, but for its last 0.1 s."""
    blocks = np.abs(wave[: wave.size // 441 * 441]).reshape(-1, 441).max(axis=1)
    first = int(np.argmax(blocks > 0.05 * blocks.max())) * 441
    return wave[max(0, first - 2205) :]


# Controls: results that the metrics must not reward -------------------------------------------


def controls(material: Material) -> dict[str, Callable[[], Wave]]:
    """Results that are not style transfers, by name."""
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
