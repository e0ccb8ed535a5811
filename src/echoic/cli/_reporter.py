"""Run a verb over its inputs: print results, notes, errors and progress."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import typer

from echoic.cli._inputs import STDIN, expand_one, is_one_file, without_repetition
from echoic.cli._records import in_one_line, one_line, to_json
from echoic.cli._signals import exit_code
from echoic.errors import EchoicError, EchoicWarning, FileError
from echoic.outputs import describe_os_error

if TYPE_CHECKING:
    from rich.progress import Progress


def n_cores() -> int:
    """Number of CPU cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class Outcome(NamedTuple):
    """The outcome of one input: a record or an error, and the notes collected."""

    record: Any
    error: Exception | None
    notes: list[str]


class Reporter:
    """One run of a verb: its output options, and the number of failures so far."""

    def __init__(
        self, *, as_json: bool = False, quiet: bool = False, verbose: bool = False
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose
        self.n_failed = 0
        self._of_several = False
        self._bars: Progress | None = None
        if sys.stderr.isatty():
            _pass_on_log(self.note)

    def expand(self, inputs: Sequence[str], *, recursive: bool = False) -> list[str]:
        """Expand files, folders, globs and "-" to a list of files and "-".

        A folder is expanded to its audio files (with `recursive` also those of its
        subfolders), selected by suffix and sorted; other entries are skipped with a
        note. An existing name is never treated as a glob. A folder without audio or a
        glob without a match is a failure at once; a missing file only when it is read.
        A file that is named twice counts once, however its folder is written.

        Raises:
            typer.BadParameter: "-" is given twice.
        """
        if list(inputs).count(STDIN) > 1:
            raise typer.BadParameter("standard input (-) can be read only once")
        paths: list[str] = []
        for given in inputs:
            try:
                paths += expand_one(given, self.note, recursive=recursive)
            except OSError as error:
                self.fail(given, error)
        paths = without_repetition(paths)
        self._of_several = not is_one_file(paths, inputs)
        return paths

    def each(
        self,
        paths: Sequence[str],
        work: Callable[[str, Reporter], Any],
        show: Callable[[Any], str] | None = None,
        *,
        jobs: int | None = 1,
        table: AbstractContextManager[Callable[[Any], None]] | None = None,
    ) -> None:
        """Process every input and print each record; a failure does not stop the others.

        Args:
            paths: From `expand`.
            work: Processes one input and returns its record: a dict, a dataclass, or None.
            show: Formats a record as text, "" to print nothing; with None only JSON is printed.
            jobs: Number of inputs processed in parallel; None: the number of cores.
            table: Yields a function that is called with every record, see `open_table`.

        Raises:
            typer.Exit: After the last input: the signal's code if one has ended the work early,
                or 1 if an input has failed.
        """
        several = self._of_several or len(paths) > 1
        with table or nullcontext(lambda _record: None) as tabulate:
            for path, outcome in self._outcomes(paths, work, jobs):
                for words in outcome.notes:
                    self.note(words)
                if outcome.error is not None:
                    self.fail(path, outcome.error)
                    continue
                record = outcome.record
                if record is None:
                    continue
                tabulate(record)
                if self.as_json:
                    self.data(to_json(record, indent=None if several else 2))
                elif show is not None and (text := show(record)):
                    self.data(text)
        if self.n_failed or exit_code() is not None:
            raise typer.Exit(exit_code() or 1)

    def _outcomes(
        self, paths: Sequence[str], work: Callable[[str, Reporter], Any], jobs: int | None
    ) -> Iterator[tuple[str, Outcome]]:
        """Yield every input with its outcome, in order."""
        jobs = min(jobs or n_cores(), len(paths))
        if jobs < 2:
            for path in paths:
                yield path, _attempt(path, work, self)
            return
        from echoic.cli._processes import in_processes

        apart = partial(_attempt_apart, work=work, verbose=self.verbose)
        with self.progress("files", total=len(paths)) as advance:
            for path, outcome in in_processes(apart, paths, jobs):
                if isinstance(outcome, EchoicError):
                    outcome = Outcome(None, outcome, [])
                yield path, outcome
                advance(1)

    def data(self, text: str) -> None:
        """Print a result on standard output.

        Raises:
            FileError: it cannot be written, for example to a full disk.
            BrokenPipeError: the reader has closed the pipe.
        """
        try:
            with self._bars_hidden():
                print(text, flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise FileError(f"-: cannot be written: {describe_os_error(error)}") from error

    def note(self, text: str) -> None:
        """Print a note, neither result nor error, on standard error, unless `quiet`."""
        if not self.quiet:
            self._say(text)

    def fail(self, path: str, error: Exception) -> None:
        """Print the error of an input as one line, and count the failure."""
        self.n_failed += 1
        words = one_line(error)
        name = in_one_line(path)
        self._say(words if words.startswith(f"{name}:") else f"{name}: {words}")
        if self.verbose and not isinstance(error, EchoicError):
            traceback.print_exception(error)

    @contextmanager
    def progress(
        self, what: str, *, total: float | None = None
    ) -> Iterator[Callable[[float], None]]:
        """Show a progress bar while the block runs, if standard error is a terminal.

        Args:
            what: Description of the task, a word or two.
            total: Amount of work, in any unit; None if unknown.

        Yields:
            A function to call with the amount done since the last call.
        """
        if self.quiet or not sys.stderr.isatty():
            yield lambda _amount: None
            return
        outermost = self._bars is None
        bars = self._bars = self._bars or _new_bars()
        if outermost:
            bars.start()
        task = bars.add_task(what, total=total)
        try:
            yield lambda amount: bars.advance(task, amount)
        finally:
            bars.remove_task(task)
            if outermost:
                bars.stop()
                self._bars = None

    def _say(self, text: str) -> None:
        with self._bars_hidden():
            print(f"echoic: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def _bars_hidden(self) -> Iterator[None]:
        if self._bars is None:
            yield
            return
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()

    @contextmanager
    def warnings_as_notes(self) -> Iterator[None]:
        """Print every `EchoicWarning` as a one-line note; other warnings are not changed."""
        with warnings.catch_warnings():
            from_python = warnings.showwarning

            def show(
                message: Warning | str,
                category: type[Warning],
                filename: str,
                lineno: int,
                file: TextIO | None = None,
                line: str | None = None,
            ) -> None:
                if issubclass(category, EchoicWarning):
                    self.note(str(message))
                else:
                    from_python(message, category, filename, lineno, file, line)

            warnings.simplefilter("always", EchoicWarning)
            warnings.showwarning = show
            yield


class SilentReporter(Reporter):
    """A reporter for a worker process: collects notes, and shows no progress."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(quiet=True, verbose=verbose)
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """Store the note."""
        self.said.append(text)


def _pass_on_log(note: Callable[[str], None]) -> None:
    """Print log records of the library, at level INFO and above, as notes."""

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(record.getMessage())

    log = logging.getLogger("echoic")
    log.setLevel(logging.INFO)
    log.handlers[:] = [Notes()]


def _attempt(path: str, work: Callable[[str, Reporter], Any], reporter: Reporter) -> Outcome:
    """Process one input; an exception becomes the outcome's error."""
    record = failed = None
    try:
        with reporter.warnings_as_notes():
            record = work(path, reporter)
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except Exception as error:
        if exit_code() is not None:
            raise SystemExit(exit_code()) from error
        failed = error
    return Outcome(record, failed, [])


def _attempt_apart(path: str, work: Callable[[str, Reporter], Any], verbose: bool) -> Outcome:
    """Like `_attempt`, in a worker process: its notes are returned with the outcome."""
    reporter = SilentReporter(verbose=verbose)
    outcome = _attempt(path, work, reporter)
    if verbose and outcome.error is not None:
        # Tracebacks cannot be pickled, but notes can.
        outcome.error.add_note("".join(traceback.format_exception(outcome.error)).rstrip())
        outcome.error.with_traceback(None)
    return outcome._replace(notes=reporter.said)


def _new_bars() -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    # Standard output is not redirected: it carries data.
    return Progress(
        console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    )
