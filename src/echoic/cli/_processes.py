"""Several files at a time, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from echoic.cli._signals import leave_on_signals
from echoic.cli._streams import is_verbose, prepare_streams
from echoic.errors import EchoicError

Result = TypeVar("Result")
_AGAIN_S = 1.0


def in_processes(
    function: Callable[[str], Result], paths: Sequence[str], n_jobs: int
) -> Iterator[tuple[str, Result | EchoicError]]:
    """Call a function for every path, several at a time; results come in order.

    What is no plain file, such as standard input or a pipe, belongs to this process
    and is worked on here. A process that the system ends, as when memory is short,
    harms no other input: what it had begun is tried once more, alone, and if that
    fails too, an error stands in place of the result.

    Args:
        function: Picklable.
        paths: Its arguments.
        n_jobs: Processes.
    """
    files = [path for path in paths if os.path.isfile(path)]
    with _pool(n_jobs, function) as pool:
        futures = {path: _submit(pool, path) for path in files}
        for path in paths:
            if path in futures:
                result = _result(futures.pop(path), function, path)
                yield path, result
            else:
                yield path, function(path)


def _submit(pool: ProcessPoolExecutor, path: str) -> Future[Any] | None:
    try:
        return pool.submit(_until_told, path)
    except BrokenProcessPool:
        return None


def _result(
    future: Future[Any] | None, function: Callable[[str], Result], path: str
) -> Result | EchoicError:
    try:
        if future is not None:
            result: Result = future.result()
            return result
    except BrokenProcessPool:
        pass
    try:
        with _pool(1, function) as alone:
            result = alone.submit(_until_told, path).result()
            return result
    except BrokenProcessPool:
        return EchoicError(f"{path}: the process that worked on it was ended")


_function: Callable[[str], Any]  # of this process: sent once, not with every path


def _until_told(path: str) -> Any:
    """Call the function; where a signal ends it, and it has cleaned up, the process ends, too."""
    try:
        return _function(path)
    except SystemExit:
        os._exit(1)  # an exception would be sent to the parent, and the next path begun


@contextmanager
def _pool(n_processes: int, function: Callable[[str], Any]) -> Iterator[ProcessPoolExecutor]:
    """Processes that call the function, and clean up and leave when this one is told to."""
    # Threads of libraries do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        n_processes, mp_context=context, initializer=_begin, initargs=(function,)
    )
    try:
        yield pool
    except BaseException:
        while processes := multiprocessing.active_children():
            for process in processes:
                process.terminate()
            # A library may have caught what the signal raised: it is sent until it is heard.
            processes[0].join(_AGAIN_S)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(function: Callable[[str], Any]) -> None:
    """Of all processes of a terminal, which Ctrl-C reaches, the first alone ends the others."""
    global _function
    _function = function
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # the files share the cores, not their channels
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_on_signals()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    prepare_streams(mute_libraries=not is_verbose(sys.argv))


def _leave_with_parent() -> None:
    """End this process when the one that made it is gone without a word."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
