"""Levels against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echoic import audio
from echoic.errors import ParameterError

LEVELS = st.floats(min_value=-200, max_value=200)


def test_a_full_scale_square_is_0_dbfs():
    assert audio.level_dbfs(np.tile([1.0, -1.0], 100)) == pytest.approx(0.0, abs=1e-12)


def test_a_full_scale_sine_is_3_db_below():
    sine = np.sin(2 * np.pi * np.arange(1600) / 16)
    assert audio.level_dbfs(sine) == pytest.approx(-10 * np.log10(2), abs=1e-9)
    assert audio.peak_dbfs(sine) == pytest.approx(0.0, abs=1e-12)


def test_a_constant_counts_in_full():
    assert audio.level_dbfs([0.1, 0.1, 0.1]) == pytest.approx(-20.0)


def test_each_channel_has_its_level():
    wave = np.stack([np.full(8, 1.0), np.full(8, 0.1), np.zeros(8)])
    np.testing.assert_allclose(audio.level_dbfs(wave), [0.0, -20.0, -np.inf], atol=1e-9)
    np.testing.assert_allclose(audio.peak_dbfs(wave), [0.0, -20.0, -np.inf], atol=1e-9)
    assert audio.level_dbfs(np.ones((4, 3, 8))).shape == (4, 3)


def test_silence_is_minus_infinity_without_a_warning():
    assert audio.level_dbfs(np.zeros(9)) == -np.inf
    assert audio.peak_dbfs(np.zeros(9, np.float32)) == -np.inf
    assert audio.dbfs_to_db_spl(-np.inf) == -np.inf
    assert audio.db_to_gain(-np.inf) == 0.0
    assert audio.gain_to_db(0.0) == -np.inf


def test_small_float32_samples_do_not_underflow():
    assert audio.level_dbfs(np.full(9, 1e-30, np.float32)) == pytest.approx(-600, abs=1e-3)


@pytest.mark.parametrize("empty", [np.zeros(0), np.zeros((2, 0))])
def test_nothing_has_no_level(empty):
    for level in (audio.level_dbfs, audio.peak_dbfs):
        with pytest.raises(ParameterError, match="at least one sample"):
            level(empty)


def test_integers_without_their_full_scale_have_no_level():
    for level in (audio.level_dbfs, audio.peak_dbfs):
        with pytest.raises(ParameterError, match=r"got int16 .* divide it by 32768"):
            level(np.zeros(9, np.int16))


@given(LEVELS)
def test_gain_and_decibels_are_inverse(level_db):
    assert audio.gain_to_db(audio.db_to_gain(level_db)) == pytest.approx(level_db, abs=1e-9)


@given(LEVELS, st.floats(min_value=0, max_value=140))
def test_spl_and_full_scale_are_inverse(dbfs, full_scale_db_spl):
    db_spl = audio.dbfs_to_db_spl(dbfs, full_scale_db_spl=full_scale_db_spl)
    assert db_spl == pytest.approx(dbfs + full_scale_db_spl)
    back = audio.db_spl_to_dbfs(db_spl, full_scale_db_spl=full_scale_db_spl)
    assert back == pytest.approx(dbfs, abs=1e-9)


@given(st.floats(min_value=-60, max_value=20))
def test_a_gain_moves_the_level_by_its_decibels(level_db):
    wave = np.random.default_rng(0).standard_normal(500)
    moved = audio.level_dbfs(wave * audio.db_to_gain(level_db))
    assert moved - audio.level_dbfs(wave) == pytest.approx(level_db, abs=1e-9)


def test_lists_and_integers_are_levels_too():
    np.testing.assert_allclose(audio.db_to_gain([0, 20, -20]), [1.0, 10.0, 0.1])
    np.testing.assert_allclose(audio.gain_to_db([1, 10, -10]), [0.0, 20.0, 20.0])
