"""Hair cell and nerve against their closed forms, and the closed forms against the literature."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from echoic.ear import Ear, Filterbank, HairCell, Nerve, compress_power
from echoic.errors import ParameterError

RATE = 48_000


def subband(frequency_hz: float, amplitude: float, rate: int = RATE) -> NDArray[np.complex64]:
    """What a tone makes of the band at its frequency, (1, time), a quarter of a second."""
    turn = np.exp(2j * np.pi * frequency_hz * np.arange(rate // 4) / rate)
    return (amplitude / 2 * turn).astype(np.complex64)[np.newaxis]


def locking(potential: np.ndarray, frequency_hz: float, rate: int = RATE) -> float:
    """Synchronization index: the mean phase vector, weighted by the response."""
    settled = potential[rate // 20 : rate // 20 + rate // 10].astype(np.float64)
    turn = np.exp(-2j * np.pi * frequency_hz * np.arange(settled.size) / rate)
    return float(np.abs(np.sum(settled * turn)) / settled.sum())


@pytest.mark.parametrize("frequency_hz", [200, 500, 1000, 2000, 3000, 4000])
def test_synchronization_index_is_the_closed_form(frequency_hz: int) -> None:
    cell = HairCell(sample_rate=RATE)
    potential, _ = cell(subband(frequency_hz, 0.1))
    wanted = cell.synchronization_index(np.array(frequency_hz))
    # Harmonics of the rectified wave alias slightly at this rate.
    assert locking(potential[0], frequency_hz) == pytest.approx(float(wanted), abs=0.003)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000, 192_000])
def test_phase_locking_falls_off_towards_4_khz(rate: int) -> None:
    """Seven analogue one-poles at 3.8 kHz, at every rate: good to 1 kHz, hardly any at 4 kHz."""
    frequency_hz = np.array([250.0, 1000.0, 1900.0, 3000.0, 3999.0])
    index = HairCell(sample_rate=rate).synchronization_index(frequency_hz)
    analogue = np.pi / 4 * (1 + (frequency_hz / 3800) ** 2) ** -3.5
    assert (np.diff(index) < 0).all()
    assert index[2] == pytest.approx(analogue[2], rel=1e-9)
    np.testing.assert_allclose(index[:3], analogue[:3], atol=0.025)
    # Close to Nyquist a digital one-pole attenuates less than an analogue one: looser at 8 kHz.
    np.testing.assert_allclose(index[3:], analogue[3:], atol=0.12 if rate == 8_000 else 0.025)


@pytest.mark.parametrize("exponent", [0.3, 1.0])
def test_mean_follows_the_compressed_envelope(exponent: float) -> None:
    cell = HairCell(sample_rate=RATE, exponent=exponent)
    for amplitude in (1e-4, 1e-2, 1.0):
        potential, _ = cell(subband(500, amplitude))
        mean = potential[0, 4800:9600].mean(dtype=np.float64)
        assert mean == pytest.approx(amplitude**exponent / np.pi, rel=2e-3)


def test_locking_does_not_depend_on_the_level() -> None:
    cell = HairCell(sample_rate=RATE)
    loud, soft = (locking(cell(subband(1000, a))[0][0], 1000) for a in (1.0, 1e-4))
    assert loud == pytest.approx(soft, rel=1e-3)


def test_high_places_follow_the_envelope() -> None:
    """100 Hz beats on 6 kHz: the carrier is gone, the beats are there."""
    t = np.arange(RATE // 4) / RATE
    beats = subband(6000, 1.0) * (1 + np.cos(2 * np.pi * 100 * t)).astype(np.float32)
    potential, _ = HairCell(sample_rate=RATE)(beats)
    assert locking(potential[0], 6000) < 0.02
    assert locking(potential[0], 100) > 0.15


def test_a_hair_cell_behind_the_cochlea() -> None:
    bank = Filterbank(sample_rate=16_000, n_bands=8, low_hz=200, high_hz=6000)
    cell = HairCell(sample_rate=16_000)
    for band in (0, 4):
        center_hz = bank.center_hz[band]
        t = np.arange(8000) / 16_000
        tone = np.sin(2 * np.pi * center_hz * t).astype(np.float32)
        potential, _ = cell(bank(tone)[0])
        wanted = cell.synchronization_index(center_hz)
        assert locking(potential[band], center_hz, 16_000) == pytest.approx(float(wanted), abs=0.02)


@pytest.mark.parametrize("rate", [16_000, 192_000])
def test_silence_stays_clear_of_denormals(rate: int) -> None:
    cell = HairCell(sample_rate=rate)
    _, state = cell(np.ones((2, 100), np.complex64))
    silent, state = cell(np.zeros((2, 5000), np.complex64), state)
    assert np.finfo(np.float32).tiny < silent[:, -1].min() <= silent[:, -1].max() < 1e-15
    assert state.stages.min() > np.finfo(np.float32).tiny


def test_nan_does_not_stay() -> None:
    cell = HairCell(sample_rate=16_000)
    _, state = cell(np.full((2, 10), np.nan, np.complex64))
    assert np.isfinite(cell(np.ones((2, 10), np.complex64), state)[0]).all()
    nerve = Nerve(hop_s=0.001)
    _, adapted = nerve(np.full((2, 10), np.nan, np.float32))
    assert np.isfinite(nerve(np.ones((2, 10), np.float32), adapted)[0]).all()


def step(n_before: int, n_during: int, n_after: int = 0, level: float = 1.0) -> np.ndarray:
    parts = [np.zeros(n_before), np.full(n_during, level), np.zeros(n_after)]
    return np.concatenate(parts)[np.newaxis].astype(np.float32)


@pytest.mark.parametrize("hop_s", [0.001, 0.0025])
@pytest.mark.parametrize("level", [0.01, 1.0])
def test_adaptation_is_the_sum_of_two_exponentials(hop_s: float, level: float) -> None:
    rate, _ = Nerve(hop_s=hop_s)(step(20, 400, level=level))
    t = np.arange(400) * hop_s
    steady = 1 / 8.6
    rapid, short = (1 - steady) * 6 / 7, (1 - steady) / 7
    wanted = level * (steady + rapid * np.exp(-t / 0.002) + short * np.exp(-t / 0.06))
    np.testing.assert_allclose(rate[0, 20:], wanted, rtol=2e-4)
    assert not rate[0, :20].any()


@pytest.mark.parametrize("ratio", [1.0, 2.5, 8.6])
def test_onset_to_steady_ratio(ratio: float) -> None:
    rate, _ = Nerve(hop_s=0.001, onset_to_steady=ratio)(step(1, 1000))
    assert rate[0, 1] / rate[0, -1] == pytest.approx(ratio, rel=1e-3)


def test_recovery_after_offset() -> None:
    """A second onset is full again as what was got used to fades."""
    steady = 1 / 8.6
    for gap in (1, 5, 20, 60, 300):
        level = np.concatenate([step(0, 1000, gap), step(0, 1)], axis=1)
        rate, _ = Nerve(hop_s=0.001)(level)
        assert not rate[0, 1000:-1].any()  # silence after the offset
        lost = 6 / 7 * np.exp(-gap / 2) + 1 / 7 * np.exp(-gap / 60)
        assert rate[0, -1] == pytest.approx(1 - (1 - steady) * lost, rel=1e-3)


def test_increments_add_to_what_is_adapted() -> None:
    """Smith and Zwislocki (1975): an increment is worth the same from rest and on a pedestal."""
    level = step(0, 600)
    level[0, 300:] += 0.5
    rate, _ = Nerve(hop_s=0.001)(level)
    assert rate[0, 300] - rate[0, 299] == pytest.approx(0.5, abs=1e-3)


def test_nerve_behind_the_ear() -> None:
    ear = Ear(sample_rate=16_000, compression="power")
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    rate, _ = Nerve(hop_s=0.0025)(ear(tone)[0])
    band = int(np.argmin(np.abs(ear.center_hz - 1000)))
    assert rate[band].max() > 2 * rate[band, -1] > 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"sample_rate": 7_999}, "sample_rate=7999"),
        ({"exponent": 0}, "exponent=0 is not above 0 and up to 1"),
        ({"exponent": 1.1}, "exponent=1.1"),
        ({"corner_hz": 0}, "corner_hz=0 is outside 0 to 8000 Hz"),
        ({"corner_hz": 8000}, "corner_hz=8000"),
        ({"exponent": ".3"}, "exponent='.3' is not a number"),
        ({"corner_hz": None}, "corner_hz=None is not a number"),
        ({"order": 0}, "order=0 is not an integer from 1 to 8"),
        ({"order": 2.5}, "order=2.5"),
    ],
)
def test_bad_hair_cells_are_named(options: dict, named: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ParameterError, match=named):
        HairCell(**{"sample_rate": 16_000, **options})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"hop_s": 0}, "hop_s=0"),
        ({"hop_s": -1}, "hop_s=-1"),
        ({"rapid_s": 0}, "rapid_s=0"),
        ({"short_term_s": float("nan")}, "short_term_s=nan"),
        ({"onset_to_steady": 0.5}, "onset_to_steady=0.5 is not 1 or more"),
        ({"onset_to_steady": "8"}, "onset_to_steady='8' is not a number"),
        ({"rapid_share": None}, "rapid_share=None is not a number"),
        ({"rapid_share": 1.5}, "rapid_share=1.5 is outside 0 to 1"),
    ],
)
def test_bad_nerves_are_named(options: dict, named: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ParameterError, match=named):
        Nerve(**{"hop_s": 0.001, **options})


def test_what_is_neither_subband_nor_level_is_refused() -> None:
    with pytest.raises(ParameterError, match="complex numpy array, not float32"):
        HairCell(sample_rate=16_000)(np.zeros((4, 10), np.float32))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="level must hold floats"):
        Nerve(hop_s=0.001)(np.zeros((4, 10), np.int64))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="exponent=2"):
        compress_power(np.ones(3, np.float32), exponent=2)


def test_a_state_of_another_is_refused() -> None:
    subbands = np.zeros((4, 10), np.complex64)
    _, state = HairCell(sample_rate=16_000, order=3)(subbands)
    with pytest.raises(ParameterError, match="does not belong to this HairCell"):
        HairCell(sample_rate=16_000)(subbands, state)
    _, adapted = Nerve(hop_s=0.001)(np.zeros((4, 10), np.float32))
    with pytest.raises(ParameterError, match="does not belong to this Nerve"):
        Nerve(hop_s=0.001)(np.zeros((5, 10), np.float32), adapted)
