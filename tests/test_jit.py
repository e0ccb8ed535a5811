"""Compiled loops: the first compilation is announced in the log; they do without a cache."""

from __future__ import annotations

import importlib.util
import logging
import shutil

import numba
import numpy as np
import pytest
from numba.core import event

from echoic.ear import Ear, Filterbank, Inverse, kernels
from echoic.jit import FirstCompilation, compiled


def fresh_loop():
    """A function that no cache holds, because it has no file."""
    names: dict = {}
    exec("def add(x, y):\n    return x + y", names)
    return compiled(names["add"])


def test_the_first_compilation_is_said_once(caplog):
    caplog.set_level(logging.INFO, logger="echoic")
    with event.install_listener("numba:compile", FirstCompilation()):
        assert [fresh_loop()(1, 2), fresh_loop()(1.5, np.float32(2))] == [3, 3.5]
    said = [record.getMessage() for record in caplog.records]
    assert said[-1:] == ["compiling, which takes some seconds, once"]
    assert len(said) <= 2  # from the listener installed here and from the process's own


@pytest.fixture
def loop_of(tmp_path, monkeypatch):
    """Write a module of one loop, and load it as a new process would."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))

    def load(code: str = "x + 1"):
        path = tmp_path / "loops.py"
        path.write_text(f"def loop(x):\n    return {code}\n")
        spec = importlib.util.spec_from_file_location("loops", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return compiled(module.loop)

    return load


def test_a_loop_is_cached(loop_of):
    assert loop_of()(1) == 2
    again = loop_of()
    assert again(1) == 2
    assert sum(again.stats.cache_hits.values()) == 1


def test_without_its_folder_a_loop_is_compiled_all_the_same(loop_of, tmp_path):
    """A full disk, and a folder that has gone, gave an error of the output file."""
    loop = loop_of()
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("no folder")
    assert loop(1) == 2


def test_code_that_cannot_be_stored_is_not_taken_for_that_of_a_former_version(
    loop_of, tmp_path, monkeypatch
):
    from numba.core.caching import IndexDataCacheFile

    assert loop_of()(1) == 2

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(IndexDataCacheFile, "_save_data", full_disk)
        assert loop_of("x + 10")(1) == 11
    assert [*tmp_path.glob("cache/*/*.nbc")]  # of the former version
    assert loop_of("x + 10")(1) == 11


def test_read_only_chunks_compile_nothing_anew():
    """As of `np.frombuffer` and memory-mapped files: a live stream would stall for seconds."""
    wave = np.random.default_rng(0).standard_normal(800).astype(np.float32)
    modules = [
        Ear(sample_rate=16_000, features=("envelope", "onset", "fine")),
        Filterbank(sample_rate=16_000),
    ]
    bands, _ = Filterbank.separating(sample_rate=16_000)(wave)
    cases = [(module, wave) for module in modules] + [(Inverse(sample_rate=16_000), bands)]
    expected = [module(chunk)[0] for module, chunk in cases]
    wave.flags.writeable = bands.flags.writeable = False
    compilations = event.RecordingListener()
    with event.install_listener("numba:compile", compilations):
        loops = [kernels.hear, kernels.subbands_of_batch, kernels.align]
        n_before = [len(loop.signatures) for loop in loops]
        outputs = [module(chunk)[0] for module, chunk in cases]
    assert not compilations.buffer
    assert [len(loop.signatures) for loop in loops] == n_before
    for output, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(output, wanted)
