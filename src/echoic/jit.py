"""Compile loops with numba: without the interpreter's lock, cached on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numba
from numba.core import event
from numba.core.caching import FunctionCache


class _Cache(FunctionCache):
    """A cache that is done without where the disk is full or cannot be read or written."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function for a signature; None if the cache does not give it."""
        with suppress(OSError):
            return super().load_overload(sig, target_context)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store a compiled function if possible."""
        try:
            super().save_overload(sig, data)
        except OSError:
            # The index may list it already, under a name that a former version's code has.
            with suppress(OSError):
                self.flush()


def compiled(function: Callable[..., Any], *, inlined: bool = False) -> Callable[..., Any]:
    """Compile a loop; the result is cached on disk where that is possible.

    Functions that other loops call are inlined: otherwise the linker takes a different copy
    when they come from the cache than when freshly compiled, and the last bits differ.
    """
    # NaN and infinities keep their meaning, and division is not replaced by multiplication with
    # a reciprocal: "nnan", "ninf" and "arcp" are left out.
    fast = {"contract", "reassoc", "nsz"}
    options: dict[str, Any] = {"nogil": True, "fastmath": fast, "forceinline": inlined}
    loop = numba.njit(**options)(function)
    with suppress(RuntimeError):  # no writable folder for the cache: compile in every process
        loop._cache = _Cache(function)  # as cache=True would
    return loop


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


event.register("numba:compile", FirstCompilation())
