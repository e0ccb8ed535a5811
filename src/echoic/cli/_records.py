"""Format records as strict JSON, and errors as one line."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from typing import Any

from echoic.errors import EchoicError, EchoicWarning


def one_line(error: BaseException) -> str:
    """Format an error as one line, with its type unless it is an error or warning of echoic's.

    Example:
        >>> one_line(EchoicError("a.wav: is empty (0 bytes)"))
        'a.wav: is empty (0 bytes)'
        >>> one_line(ZeroDivisionError("division by zero"))
        'ZeroDivisionError: division by zero'
    """
    words = in_one_line(str(error))
    if isinstance(error, EchoicError | EchoicWarning):
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def in_one_line(text: str) -> str:
    r"""Replace line breaks by spaces; other whitespace stays, since file names may contain it.

    Example:
        >>> in_one_line("two  spaces\nand a break")
        'two  spaces and a break'
    """
    return " ".join(text.splitlines())


def to_json(record: Any, *, indent: int | None = None) -> str:
    """Encode a record as strict JSON: non-finite numbers become null, paths become strings.

    Example:
        >>> to_json({"level_dbfs": -math.inf, "n": 3})
        '{"level_dbfs": null, "n": 3}'
    """
    return json.dumps(_plain(record), indent=indent, allow_nan=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if hasattr(value, "tolist"):  # NumPy arrays and scalars
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return os.fspath(value) if isinstance(value, os.PathLike) else value
