"""Process several files in parallel, each in a worker process."""

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
    """Call a function for every path in parallel; yield the results in order.

    Inputs that are not regular files, such as standard input or a pipe, are processed in
    this process. If the system kills a worker, for example when memory runs out, the
    inputs in progress are retried once, one at a time in a fresh process; if that fails too,
    an error is yielded in place of the result. Other inputs are not affected.

    Args:
        function: Picklable.
        paths: Its arguments.
        n_jobs: Number of worker processes.
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
            # Inputs are started in order: the first n_jobs were running, and one killed its worker.
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
    """Wait for the result; return whether the worker was killed before there was one."""
    return isinstance(future.exception(), BrokenProcessPool)


def _alone(function: Callable[[str], Result], path: str) -> Result | EchoicError:
    """Retry one path in a process of its own, so that a crash is due to this input."""
    try:
        with _pool(1, function) as pool:
            result: Result = pool.submit(_call_or_exit, path).result()
            return result
    except BrokenProcessPool:
        return EchoicError(f"{path}: the process that worked on it was ended")


_function: Callable[[str], Any]  # set once per worker, instead of being pickled with every path


def _call_or_exit(path: str) -> Any:
    """Call the function; exit the worker if a signal ended it, after its cleanup."""
    try:
        return _function(path)
    except SystemExit:
        os._exit(1)  # an exception would go to the parent, and the next path would start


@contextmanager
def _pool(n_processes: int, function: Callable[[str], Any]) -> Iterator[ProcessPoolExecutor]:
    """A pool of workers that call the function; on an exception here they are terminated."""
    # spawn, not fork: library threads do not survive a fork.
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
            # A library may have swallowed the exception that the signal raised: repeat it.
            processes[0].join(_AGAIN_S)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(function: Callable[[str], Any]) -> None:
    """Initialise a worker.

    Ctrl-C reaches every process of the terminal, so workers ignore SIGINT: the parent alone
    handles it and terminates them.
    """
    global _function
    _function = function
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # parallel over files, not channels
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    prepare_streams(mute_libraries=not is_verbose(sys.argv))
    leave_on_signals()  # last: an exception raised during initialisation would be printed


def _leave_with_parent() -> None:
    """Terminate this worker when its parent has died without terminating it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
