"""Signals as exceptions, as with Ctrl-C, so that cleanup code removes partial output."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from echoic.moves import ENDING

_CLEANING_S = 3.0
_AGAIN_S = 0.01


_received: int | None = None


def exit_code() -> int | None:
    """128 + the signal received; None if there was none.

    Needed since a library may convert the signal's exception to another, such as an ImportError.
    """
    return None if _received is None else 128 + _received


def leave_on_signals() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into exceptions; the exit code is 128 + the signal.

    Signals that the parent process has set to be ignored (nohup, background jobs) stay
    ignored. Further signals are ignored for 3 s, while the first is cleaned up after.
    """
    global _received
    left_at, _received = -_CLEANING_S, None

    def leave(number: int, frame: FrameType | None) -> None:
        nonlocal left_at
        global _received
        if time.monotonic() < left_at + _CLEANING_S:
            return
        if _is_in_callback(frame):
            # An exception in a callback from C would be printed and lost: resend the signal soon.
            threading.Timer(_AGAIN_S, _send_to_main_thread, [number]).start()
            return
        left_at, _received = time.monotonic(), number
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set handlers
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, leave)


@contextmanager
def first_interrupt(end: Callable[[], None]) -> Iterator[None]:
    """While the block runs, the first SIGINT calls a function; another does what it did before."""
    former = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or former in (None, signal.SIG_IGN):
        yield
        return

    def call_once(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, former)
        end()

    signal.signal(signal.SIGINT, call_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _send_to_main_thread(number: int) -> None:
    if hasattr(signal, "pthread_kill"):  # interrupts a blocking system call
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _is_in_callback(frame: FrameType | None) -> bool:
    """Whether a callback of soundfile is on the stack (their names begin with vio_)."""
    while frame is not None:
        if frame.f_code.co_name.startswith("vio_"):
            return True
        frame = frame.f_back
    return False
