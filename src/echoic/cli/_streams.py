"""Standard streams that can be relied on: open, able to print any name, and our own."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections.abc import Iterable

_ANY_NAME = "echoic-any-name"


def is_verbose(arguments: Iterable[str]) -> bool:
    """Whether a command line asks for -v, which must be known before it is parsed.

    Example:
        >>> is_verbose(["info", "a.wav", "-qv"]), is_verbose(["info", "v.wav"])
        (True, False)
    """
    return any(one == "--verbose" or re.fullmatch("-q*v[qv]*", one) for one in arguments)


def prepare_streams(*, mute_libraries: bool) -> None:
    """Make the three streams of this process fit for use.

    Args:
        mute_libraries: Whether what libraries in C print by themselves goes nowhere.
    """
    _open_closed_streams()
    codecs.register_error(_ANY_NAME, _any_name)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ANY_NAME)
    if mute_libraries:
        _keep_stderr_to_ourselves()


def _any_name(error: UnicodeError) -> tuple[str | bytes, int]:
    """A file name need not be UTF-8, and need not fit the terminal: its bytes, or else escapes."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def _open_closed_streams() -> None:
    """Give closed streams something to write to.

    Otherwise the next file to be opened gets their number, and whatever is
    printed to standard error lands in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    # They stay open as long as the process does.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _keep_stderr_to_ourselves() -> None:
    """libmpg123 and others print to number 2, unasked and uncounted; ours gets another."""
    ours = sys.stderr
    if ours is not sys.__stderr__ or not isinstance(ours, io.TextIOWrapper):
        return  # someone has replaced it, and knows why
    ours.flush()
    sys.stderr = open(  # noqa: SIM115
        os.dup(2), "w", buffering=1, encoding=ours.encoding, errors=ours.errors
    )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
