"""Compile loops with numba: without the interpreter's lock, cached on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import numba
from numba.core import event


def compiled(function: Callable[..., Any], *, inlined: bool = False) -> Callable[..., Any]:
    """Compile a loop; the result is cached on disk where that is writable.

    Functions that other loops call are inlined: otherwise the linker takes a different copy
    when they come from the cache than when freshly compiled, and the last bits differ.
    """
    # NaN and infinities keep their meaning, and division is not replaced by multiplication with
    # a reciprocal: "nnan", "ninf" and "arcp" are left out.
    fast = {"contract", "reassoc", "nsz"}
    options: dict[str, Any] = {"nogil": True, "fastmath": fast, "forceinline": inlined}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no writable folder for the cache: compile in every process
        return numba.njit(**options)(function)


inlined = partial(compiled, inlined=True)


class FirstCompilation(event.Listener):
    """Logs once that loops are being compiled, which delays the first output."""

    has_said = False

    def on_start(self, event: event.Event) -> None:
        """Log a compilation, which means that a function was not in the cache."""
        if not self.has_said:
            self.has_said = True
            logging.getLogger("echoic").info("compiling, which takes some seconds, once")

    def on_end(self, event: event.Event) -> None:
        """Do nothing."""


event.register("numba:compile", FirstCompilation())  # type: ignore[no-untyped-call]
