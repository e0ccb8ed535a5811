"""What a user names, as a list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable

from echoic.errors import FileError

STDIN = "-"
AUDIO_SUFFIXES = {".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus"}
AUDIO_SUFFIXES |= {".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"}


def expand_one(given: str, note: Callable[[str], None]) -> list[str]:
    """Turn one file, folder, glob or "-" into files.

    Args:
        given: What the user typed.
        note: Called with a line on what a folder holds besides audio.

    Raises:
        FileError: A glob matches nothing, or a folder holds no audio file.
        OSError: A folder cannot be listed.
    """
    if os.path.isdir(given):
        return _audio_files(given, note)
    if given == STDIN or os.path.lexists(given) or not glob.has_magic(given):
        return [given]
    found = sorted(glob.glob(given, recursive=True))
    if not found:
        raise FileError(f"{given}: no file matches")
    return [
        path
        for match in found
        for path in (_audio_files(match, note) if os.path.isdir(match) else [match])
    ]


def _audio_files(folder: str, note: Callable[[str], None]) -> list[str]:
    names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    audio = [
        name
        for name in names
        if os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES
        and _may_be_a_file(os.path.join(folder, name))
    ]
    others = sorted(set(names) - set(audio))
    if not audio:
        raise FileError(f"{folder}: holds no audio files")
    if others:
        more = ", ..." if len(others) > 3 else ""
        note(f"{folder}: skipped {len(others)} not audio: {', '.join(others[:3])}{more}")
    return [os.path.join(folder, name) for name in audio]


def _may_be_a_file(path: str) -> bool:
    """Not a folder, nor a pipe or device, which nobody who names a folder means to wait for."""
    return os.path.isfile(path) or not os.path.exists(path)
