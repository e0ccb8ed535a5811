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
from contextlib import ExitStack, contextmanager
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
    waiting = [k for k, path in enumerate(paths) if os.path.isfile(path)]
    futures: dict[int, Future[Any]] = {}
    with ExitStack() as stack:

        def submit(numbers: Sequence[int]) -> None:
            pool = stack.enter_context(_pool(n_jobs, function))
            futures.update((k, _submit(pool, paths[k])) for k in numbers)

        submit(waiting)
        for k, path in enumerate(paths):
            if k not in futures:
                yield path, function(path)
                continue
            if not _is_broken(futures[k]):
                yield path, futures.pop(k).result()
                continue
            stack.close()
            without = [one for one in waiting if one in futures and _is_broken(futures[one])]
            # Inputs are begun in order: these were, and one of them has ended its process.
            for begun in without[:n_jobs]:
                futures[begun] = _settled(_alone(function, paths[begun]))
            submit(without[n_jobs:])
            yield path, futures.pop(k).result()


def _submit(pool: ProcessPoolExecutor, path: str) -> Future[Any]:
    try:
        return pool.submit(_call_or_exit, path)
    except BrokenProcessPool as error:
        return _settled(error=error)


def _settled(result: Any = None, error: BaseException | None = None) -> Future[Any]:
    future: Future[Any] = Future()
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
    return future


def _is_broken(future: Future[Any]) -> bool:
    """Whether its process was ended before there was a result; waits for either."""
    return isinstance(future.exception(), BrokenProcessPool)


def _alone(function: Callable[[str], Result], path: str) -> Result | EchoicError:
    """Once more, where no other input can have ended the process."""
    try:
        with _pool(1, function) as pool:
            result: Result = pool.submit(_call_or_exit, path).result()
            return result
    except BrokenProcessPool:
        return EchoicError(f"{path}: the process that worked on it was ended")


_function: Callable[[str], Any]  # of this process: sent once, not with every path


def _call_or_exit(path: str) -> Any:
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
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    prepare_streams(mute_libraries=not is_verbose(sys.argv))
    leave_on_signals()  # last: what they raise in here would be printed


def _leave_with_parent() -> None:
    """End this process when the one that made it is gone without a word."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
