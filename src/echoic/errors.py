"""All errors and warnings that echoic raises deliberately.

Each message is one line that names the offending value, and the file where
there is one, so that a caller can print it as it is.
"""

from __future__ import annotations


class EchoicError(Exception):
    """Base of all deliberate errors; its message is one printable line."""


class ParameterError(EchoicError, ValueError):
    """A parameter or an array is outside the documented range."""


class FileError(EchoicError, OSError):
    """A file or folder cannot be read or written."""


class AudioError(FileError):
    """An audio file cannot be read or written."""


class LabelError(ParameterError):
    """A label is unknown to the model."""


class MissingExtraError(EchoicError, ImportError):
    """A command or class needs an optional dependency that is not installed."""


class ModelError(EchoicError):
    """Weights cannot be found or loaded, or do not fit this version."""


class EchoicWarning(UserWarning):
    """Base of all deliberate warnings; its message is one printable line."""


class AudioWarning(EchoicWarning):
    """Sample values were changed on input or output."""
