"""Rename several files, all or none."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
ENDING = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]  # no SIGHUP on Windows


def move_all(moves: Iterable[tuple[Path, Path]]) -> None:
    """Rename files while signals wait; if one rename fails, undo those before it.

    What a file has replaced does not come back: its new content stays.

    Args:
        moves: (from, to) pairs, on one file system each, in order.
    """
    done: list[tuple[Path, Path]] = []
    with _signals_held():
        try:
            for source, target in moves:
                if not os.path.lexists(target):
                    done.append((source, target))
                os.replace(source, target)
        except BaseException:
            for source, target in reversed(done):
                if not os.path.lexists(source):
                    os.replace(target, source)
            raise


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let signals that would end the process wait until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread only
        return
    came: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    former = {number: signal.getsignal(number) for number in ENDING}
    # None: not set from Python, so that it could not be set again.
    former = {n: handler for n, handler in former.items() if handler not in (None, signal.SIG_IGN)}
    try:
        for number in former:
            signal.signal(number, hold)
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
