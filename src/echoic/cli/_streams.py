"""Set up the standard streams: open, able to print any file name, free of library output."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections.abc import Iterable

_ANY_NAME = "echoic-any-name"


def is_verbose(arguments: Iterable[str]) -> bool:
    """Whether a command line contains -v, which must be known before it is parsed.

    Example:
        >>> is_verbose(["info", "a.wav", "-qv"]), is_verbose(["info", "v.wav"])
        (True, False)
    """
    return any(one == "--verbose" or re.fullmatch("-q*v[qv]*", one) for one in arguments)


def prepare_streams(*, mute_libraries: bool) -> None:
    """Set up the three standard streams of this process.

    Args:
        mute_libraries: Whether to discard what C libraries print to standard error.
    """
    _open_closed_streams()
    codecs.register_error(_ANY_NAME, _any_name)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ANY_NAME)
    if mute_libraries:
        _keep_stderr_to_ourselves()


def _any_name(error: UnicodeError) -> tuple[str | bytes, int]:
    """Encode file names that are not UTF-8 or that the terminal's encoding lacks.

    Undecodable bytes are written as they are, other characters as backslash escapes.
    """
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def _open_closed_streams() -> None:
    """Open closed standard streams on the null device.

    Otherwise the next file opened would get their descriptor, and output to standard error
    would be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor
    # Not closed: they stay open until the process exits.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _keep_stderr_to_ourselves() -> None:
    """Move our standard error to another descriptor, and point descriptor 2 to the null device.

    libmpg123 and other libraries print to descriptor 2 of their own accord.
    """
    ours = sys.stderr
    if ours is not sys.__stderr__ or not isinstance(ours, io.TextIOWrapper):
        return  # has been replaced by the caller
    ours.flush()
    sys.stderr = open(  # noqa: SIM115
        os.dup(2), "w", buffering=1, encoding=ours.encoding, errors=ours.errors
    )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
