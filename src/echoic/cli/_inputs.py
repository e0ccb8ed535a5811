"""Expand the inputs of a command line to a list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from echoic.errors import FileError
from echoic.outputs import describe_os_error

STDIN = "-"
AUDIO_SUFFIXES = {".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus"}
AUDIO_SUFFIXES |= {".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"}


class NoAudioError(FileError):
    """Nothing that was named is an audio file."""


def expand_one(given: str, note: Callable[[str], None], *, recursive: bool = False) -> list[str]:
    """Expand one file, folder, glob or "-" to files.

    Args:
        given: The argument as typed.
        note: Called with a line about skipped entries of a folder.
        recursive: Whether subfolders are searched, too.

    Raises:
        NoAudioError: A glob matches nothing, or a folder holds no audio file.
        FileError: A folder cannot be listed.
    """
    if os.path.isdir(given):
        return _audio_files(given, note, recursive)
    found: dict[str, None] = {}  # in order, without repetition: ** matches a folder and its files
    for match in _matches(given):
        if not os.path.isdir(match):
            found[match] = None
        elif not _is_result(match):
            with suppress(NoAudioError):
                found |= dict.fromkeys(_audio_files(match, note, recursive))
    if not found:
        raise NoAudioError(f"{given}: no file matches")
    return list(found)


def named_folders(given: Sequence[str]) -> list[str]:
    """The folders among arguments, and among the matches of globs."""
    return [path for one in given for path in _matches(one) if os.path.isdir(path)]


def _matches(given: str) -> list[str]:
    """The matches of a glob; any other argument, and an existing name, as it is."""
    if os.path.lexists(given) or not glob.has_magic(given):
        return [given]
    return sorted(glob.glob(given, recursive=True))


def is_one_file(paths: Sequence[str], given: Sequence[str]) -> bool:
    """Whether a single file was named explicitly.

    A folder or glob that matches one file does not count, since it may match more later.

    Args:
        paths: The files found.
        given: The arguments as typed.
    """
    return len(paths) == 1 and list(paths) == list(given)


def without_repetition(paths: Sequence[str]) -> list[str]:
    """The paths, but of those that lead to one name in one folder, such as ./a.wav, the first.

    A link under another name is another input: it may have been made to name the result.
    """
    first: dict[str, str] = {}
    for path in paths:
        folder, name = os.path.split(path)
        place = path if path == STDIN else os.path.join(os.path.realpath(folder), name)
        first.setdefault(place, path)
    return list(first.values())


def _audio_files(folder: str, note: Callable[[str], None], recursive: bool) -> list[str]:
    audio: list[str] = []
    others: list[str] = []
    for name in _names(folder, note, recursive):
        is_audio = os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES
        known = is_audio and _may_be_a_file(os.path.join(folder, name))
        (audio if known else others).append(name)
    if not audio:
        raise NoAudioError(f"{folder}: holds no audio files")
    if others:
        more = ", ..." if len(others) > 3 else ""
        note(f"{folder}: skipped {len(others)} not audio: {', '.join(others[:3])}{more}")
    return [os.path.join(folder, name) for name in audio]


def _names(folder: str, note: Callable[[str], None], recursive: bool) -> list[str]:
    """List a folder, with `recursive` also its subfolders, without hidden entries.

    Folders that `hear` or `voices` has written are not descended into. A subfolder
    that cannot be listed is skipped with a note.

    Raises:
        FileError: the folder itself cannot be listed.
    """
    try:
        entries = sorted(os.listdir(folder))
    except OSError as error:
        raise FileError(f"{folder}: cannot be listed: {describe_os_error(error)}") from error
    names = []
    for name in entries:
        path = os.path.join(folder, name)
        if name.startswith("."):
            continue
        # A symbolic link to a folder may form a loop.
        is_folder = os.path.isdir(path) and not os.path.islink(path)
        if recursive and is_folder and not _is_result(path):
            try:
                deeper = _names(path, note, recursive)
            except FileError as error:
                note(str(error))
                continue
            names += [os.path.join(name, one) for one in deeper]
        else:
            names.append(name)
    return names


def _is_result(folder: str) -> bool:
    """Whether `hear` or `voices` has written it."""
    from echoic.cli._folder import MARK

    mark, stems = (os.path.join(folder, name) for name in (MARK, "stems"))
    if os.path.isfile(mark) and os.path.isdir(stems):
        return True
    talkers = ("voice-1.wav", "voice-2.wav", "background.wav")
    return all(os.path.isfile(os.path.join(folder, name)) for name in talkers)


def _may_be_a_file(path: str) -> bool:
    """Neither a folder nor a pipe or device, on which reading could block."""
    return os.path.isfile(path) or not os.path.exists(path)
