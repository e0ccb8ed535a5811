"""Compiled loops: the first compilation is announced in the log."""

from __future__ import annotations

import logging

import numpy as np
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
