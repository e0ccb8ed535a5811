"""How loops are compiled: by numba, without the interpreter's lock, cached on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import numba
from numba.core import event


def compiled(function: Callable[..., Any], *, inlined: bool = False) -> Callable[..., Any]:
    """Compile a loop; the result is cached on disk where a disk lets us.

    What other loops call is inlined: left apart, the linker takes another copy of it when
    it comes from the cache than when it has just been compiled, and last bits differ.
    """
    # NaN and infinities keep their meaning, and a quotient is no product with a reciprocal:
    # "nnan", "ninf" and "arcp" are left out.
    fast = {"contract", "reassoc", "nsz"}
    options: dict[str, Any] = {"nogil": True, "fastmath": fast, "forceinline": inlined}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no writable place for the cache: compile in every process
        return numba.njit(**options)(function)


inlined = partial(compiled, inlined=True)


class FirstCompilation(event.Listener):
    """Says why the first seconds of the first hearing are silent."""

    has_said = False

    def on_start(self, event: event.Event) -> None:
        """Something is compiled, for it was not in the cache."""
        if not self.has_said:
            self.has_said = True
            logging.getLogger("echoic").info("compiling, which takes some seconds, once")

    def on_end(self, event: event.Event) -> None:
        """It has been compiled."""


event.register("numba:compile", FirstCompilation())  # type: ignore[no-untyped-call]
