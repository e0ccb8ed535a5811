"""Every error echoic raises, and every warning it gives, on purpose.

Each message is one line that names the offending value, and the file where
there is one, so that a caller can print it as it is.
"""

from __future__ import annotations


class EchoicError(Exception):
    """Base of all deliberate errors; its message is one printable line."""


class ParameterError(EchoicError, ValueError):
    """A parameter, or an array handed in, is outside of what is documented."""


class FileError(EchoicError, OSError):
    """A file or folder cannot be read or written."""


class AudioError(FileError):
    """An audio file cannot be read or written."""


class LabelError(ParameterError):
    """A label that the model does not know."""


class MissingExtraError(EchoicError, ImportError):
    """A verb or class needs an optional dependency that is not installed."""


class ModelError(EchoicError):
    """Weights that cannot be found or loaded, or do not fit this version."""


class EchoicWarning(UserWarning):
    """Base of all deliberate warnings; its message is one printable line."""


class AudioWarning(EchoicWarning):
    """Something in the samples themselves was changed on the way in or out."""
