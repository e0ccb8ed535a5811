"""Fixtures shared by several test files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from echoic.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `echoic` in this process, from the command line on."""

    def run_echoic(*args: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["echoic", *map(str, args)])
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        return Result(0 if code is None else int(code), *capsys.readouterr())

    return run_echoic
