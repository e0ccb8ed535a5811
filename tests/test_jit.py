"""Compiled loops: the first compilation is announced in the log; they do without a cache."""

from __future__ import annotations

import importlib.util
import logging
import shutil

import numba
import numpy as np
import pytest
from numba.core import event

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
