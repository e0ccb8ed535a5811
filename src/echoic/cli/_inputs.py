"""What a user names, as a list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence

from echoic.errors import FileError

STDIN = "-"
AUDIO_SUFFIXES = {".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus"}
AUDIO_SUFFIXES |= {".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"}


def expand_one(given: str, note: Callable[[str], None], *, recursive: bool = False) -> list[str]:
    """Turn one file, folder, glob or "-" into files.

    Args:
        given: What the user typed.
        note: Called with a line on what a folder holds besides audio.
        recursive: Whether a folder stands for what lies deeper in it, too.

    Raises:
        FileError: A glob matches nothing, or a folder holds no audio file.
        OSError: A folder cannot be listed.
    """
    if os.path.isdir(given):
        return _audio_files(given, note, recursive)
    if given == STDIN or os.path.lexists(given) or not glob.has_magic(given):
        return [given]
    found = sorted(glob.glob(given, recursive=True))
    if not found:
        raise FileError(f"{given}: no file matches")
    return [
        path
        for match in found
        for path in (_audio_files(match, note, recursive) if os.path.isdir(match) else [match])
    ]


def is_one_file(paths: Sequence[str], given: Sequence[str]) -> bool:
    """Whether one file was named itself: a folder or glob of one file may hold two tomorrow.

    Args:
        paths: The files that were found.
        given: What the user typed.
    """
    return len(paths) == 1 and list(paths) == list(given)


def _audio_files(folder: str, note: Callable[[str], None], recursive: bool) -> list[str]:
    audio: list[str] = []
    others: list[str] = []
    for name in _names(folder, recursive):
        is_audio = os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES
        known = is_audio and _may_be_a_file(os.path.join(folder, name))
        (audio if known else others).append(name)
    if not audio:
        raise FileError(f"{folder}: holds no audio files")
    if others:
        more = ", ..." if len(others) > 3 else ""
        note(f"{folder}: skipped {len(others)} not audio: {', '.join(others[:3])}{more}")
    return [os.path.join(folder, name) for name in audio]


def _names(folder: str, recursive: bool) -> list[str]:
    """What lies in a folder, and in those below it if wanted, but for what is hidden.

    A hearing that echoic has written is not looked into: its stems are results.
    """
    names = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith("."):
            continue
        # A link to a folder may lead back up.
        is_folder = os.path.isdir(path) and not os.path.islink(path)
        if recursive and is_folder and not _is_hearing(path):
            names += [os.path.join(name, deeper) for deeper in _names(path, recursive)]
        else:
            names.append(name)
    return names


def _is_hearing(folder: str) -> bool:
    from echoic.cli._folder import MARK

    mark, stems = (os.path.join(folder, name) for name in (MARK, "stems"))
    return os.path.isfile(mark) and os.path.isdir(stems)


def _may_be_a_file(path: str) -> bool:
    """Not a folder, nor a pipe or device, which nobody who names a folder means to wait for."""
    return os.path.isfile(path) or not os.path.exists(path)
