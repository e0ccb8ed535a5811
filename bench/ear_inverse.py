"""Reconstruction error of filterbank and inverse on noisy speech: second half of `bench/ear.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ear_peers import pyfar_bank
from ear_sound import Wave, read_speech, synthetic_speech, with_noise
from numpy.typing import NDArray

from echoic import audio
from echoic.ear import Filterbank, Inverse, invert_exactly
from echoic.ear.design import design_separating
from echoic.processors.masks import DELAY_S

SPEECH_RATE = 16_000
LOW_HZ, HIGHEST = 60.0, 0.9  # the band that counts, up to this part of Nyquist
PYFAR_DELAYS_MS = (4, 8, 16)


class Identity(NamedTuple):
    """A bank and an inverse; delay 0: the exact one for files, n_bands None: the networks' bank."""

    rate_hz: int
    delay_ms: int
    n_taps: int = 1
    n_bands: int | None = None
    floor_hz: int = 100

    @property
    def key(self) -> str:
        bands = "" if self.n_bands is None else f".{self.n_bands}_bands"
        how = f"{self.delay_ms}_ms.{self.n_taps}_taps" if self.delay_ms else "exact"
        return f"inverse.{self.rate_hz}_hz{bands}.floor_{self.floor_hz}_hz.{how}"


IDENTITIES = (
    Identity(16_000, round(1000 * DELAY_S)),
    Identity(16_000, 4),
    *(Identity(16_000, delay_ms, n_taps=2) for delay_ms in (2, 4, 8, 16)),
    Identity(16_000, 4, n_bands=64),
    Identity(16_000, 8, n_taps=2, n_bands=96, floor_hz=50),
    Identity(16_000, 16, n_taps=2, n_bands=96, floor_hz=50),
    Identity(48_000, 4, n_bands=96),
    Identity(48_000, 4, n_taps=2, n_bands=96),
    *(Identity(rate_hz, 4, n_taps=2) for rate_hz in (8_000, 44_100, 96_000)),
    *(Identity(rate_hz, 0) for rate_hz in (8_000, 16_000, 48_000)),
)


def difference_db(wave: Wave, given: NDArray[np.floating]) -> float:
    """Energy of the input over that of the reconstruction error, in dB."""
    taken = wave[: given.size].astype(np.float64)
    return float(10 * np.log10(np.sum(taken**2) / np.sum((given - taken) ** 2)))


def noisy(speech: Wave, rate: int) -> Wave:
    """Speech in noise, without what lies outside the band that counts.

    The band's edges are slopes inside it, 20 Hz and 5 % of Nyquist wide.
    """
    wave = np.pad(with_noise(speech, np.random.default_rng(0), rate), rate // 2)
    frequency_hz = np.fft.rfftfreq(wave.size, 1 / rate)
    edges_hz = [LOW_HZ, LOW_HZ + 20, (HIGHEST - 0.05) * rate / 2, HIGHEST * rate / 2]
    gain = np.interp(frequency_hz, edges_hz, [0, 1, 1, 0])
    return np.fft.irfft(np.fft.rfft(wave) * gain, wave.size).astype(np.float32)


def measure(row: Identity, speech: Wave) -> tuple[int, float, float]:
    """Number of bands, identity in dB, ripple in dB (−∞ where exact)."""
    rate = row.rate_hz
    design = design_separating(
        sample_rate=rate, n_bands=row.n_bands, bandwidth_floor_hz=row.floor_hz
    )
    resampled = audio.resample(speech, sample_rate=SPEECH_RATE, to_sample_rate=rate)
    wave = noisy(resampled, rate)
    bank = Filterbank(sample_rate=rate, design=design)
    if not row.delay_ms:
        wave = wave[: 10 * rate]
        subbands, _ = bank(np.pad(wave, (0, design.ring_samples)))
        given = invert_exactly(subbands, design=design)[: wave.size]
        return design.n_bands, difference_db(wave, given), -np.inf
    inverse = Inverse(
        sample_rate=rate, delay_s=row.delay_ms / 1000, n_taps=row.n_taps, design=design
    )
    bank_state, inverse_state, parts = None, None, []
    for start in range(0, wave.size, rate):
        subbands, bank_state = bank(wave[start : start + rate], bank_state)
        bands, inverse_state = inverse(subbands, inverse_state)
        parts.append(bands.sum(axis=0, dtype=np.float64))
    frequency_hz = np.linspace(LOW_HZ, HIGHEST * rate / 2, 4000)
    back = np.exp(2j * np.pi * frequency_hz * inverse.delay / rate)
    ripple = np.abs(inverse.design.frequency_response(design, frequency_hz) * back - 1).max()
    identity_db = difference_db(wave, np.concatenate(parts)[inverse.delay :])
    return design.n_bands, identity_db, float(20 * np.log10(ripple))


def of_pyfar(delay_ms: int, speech: Wave) -> float:
    """Identity in dB of pyfar's bank and inverse, 64 bands from 50 Hz to 7.6 kHz at 16 kHz."""
    wave = noisy(speech, SPEECH_RATE)[: 10 * SPEECH_RATE]
    bank, to_signal = pyfar_bank(SPEECH_RATE, delay_s=delay_ms / 1000)
    given = bank.reconstruct(*bank.process(to_signal(wave))).time.ravel()
    return difference_db(wave, given[round(delay_ms / 1000 * SPEECH_RATE) :])


def print_identities() -> dict[str, float | str]:
    """Measure and print every row; the figures by key."""
    recorded = read_speech()
    speech = recorded
    if speech is None:
        speech = synthetic_speech(60, np.random.default_rng(0), SPEECH_RATE)
    source = "synthetic" if recorded is None else "recorded"
    title = f"bank and inverse, noisy {source} speech"
    print(f"\n{title:44} {'bands':>5} {'floor':>7} {'identity':>10} {'ripple':>9}")
    figures: dict[str, float | str] = {"separating.speech": source}
    for row in IDENTITIES:
        n_bands, identity_db, ripple_db = measure(row, speech)
        taps = f", {row.n_taps} taps" if row.n_taps > 1 else ""
        how = f"{row.delay_ms} ms{taps}" if row.delay_ms else "exact, whole file"
        spread = ", spread to Nyquist" if row.n_bands else ""
        name = f"{row.rate_hz / 1000:g} kHz, {how}{spread}"
        ripple = f"{ripple_db:6.1f} dB" if row.delay_ms else f"{'–':>9}"
        print(f"{name:44} {n_bands:5d} {row.floor_hz:4d} Hz {identity_db:7.1f} dB {ripple}")
        figures[f"{row.key}.identity_db"] = identity_db
        if row.delay_ms:
            figures[f"{row.key}.ripple_db"] = ripple_db
    figures["separating.identity_db"] = figures[f"{IDENTITIES[0].key}.identity_db"]
    for delay_ms in PYFAR_DELAYS_MS:
        name = f"pyfar, 16 kHz, {delay_ms} ms"
        try:
            identity_db = of_pyfar(delay_ms, speech)
        except (ImportError, AttributeError) as error:
            print(f"{name:44} {'missing':>5}   {error}")
            continue
        print(f"{name:44} {64:5d} {'–':>7} {identity_db:7.1f} dB {'–':>9}")
        figures[f"inverse.pyfar.{delay_ms}_ms.identity_db"] = identity_db
    return figures
