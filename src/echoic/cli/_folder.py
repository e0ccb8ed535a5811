"""Atomic writing of a folder of results: complete, or not there."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from echoic.cli._targets import made_folders
from echoic.errors import FileError
from echoic.labels import LABELS, REST
from echoic.moves import move_all
from echoic.outputs import describe_os_error, resolve_output, write_through

MARK = "events.json"  # identifies a folder as a hearing, and lists its stems
FIXED = {MARK, "events.csv", "events.txt", "cochleagram.png", "report.html"}
_KNOWN_STEMS = {
    f"stems/{label}{suffix}" for label in (*LABELS, REST) for suffix in (".wav", ".flac")
}


@contextmanager
def fresh_folder(folder: Path, *, force: bool) -> Iterator[Path]:
    """Yield a temporary folder whose files are moved to `folder` when the block succeeds.

    An existing folder, empty or with an earlier hearing, is kept and filled, so that its
    mode, owner and any mount survive. With `force` the files that its events.json lists are
    replaced; other files are left alone.

    Yields:
        The path of an empty folder on the same file system. It is removed when
        the block raises anything, signals included.

    Raises:
        FileError: the folder holds anything but a hearing, or a hearing and
            `force` is false; its name is too long; or the system refuses.
    """
    target, mode = resolve_output(folder)
    name = f".echoic-{secrets.token_hex(6)}.part"
    part = (target.parent if mode is None else target) / name
    with _naming(folder, part):
        former_files(folder, force=force)
        with made_folders(part.parent):
            try:
                part.mkdir()
                yield part
                write_through(part)
                if mode is None and resolve_output(folder)[1] is None:
                    os.replace(part, target)
                else:
                    # Check again: another process may have written to it meanwhile.
                    _fill(folder, part, former_files(folder, force=force))
            finally:
                shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _naming(folder: Path, part: Path) -> Iterator[None]:
    """Name the final folder where errors and warnings name the temporary one."""

    def named(message: object) -> str:
        return str(message).replace(str(part), str(folder))

    with warnings.catch_warnings():
        show_as_before = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **how: Any) -> None:
            if str(part) in str(message):
                message = category(named(message))
            show_as_before(message, category, *where, **how)

        warnings.showwarning = show
        try:
            yield
        except FileError as error:
            raise type(error)(named(error)) from error
        except OSError as error:
            raise FileError(f"{folder}: cannot be written: {describe_os_error(error)}") from error


def _fill(folder: Path, part: Path, former: set[str]) -> None:
    """Move the files of a temporary folder into place, after moving the former ones out.

    `MARK` is moved out first and in last, so that an incomplete folder is never taken for
    a hearing. On failure the former files are moved back.
    """
    new = sorted(str(path.relative_to(part)) for path in part.rglob("*") if path.is_file())
    backup = part / "former"
    for name in new:
        if name in former:  # keeps its permissions
            os.chmod(part / name, stat.S_IMODE(os.stat(folder / name).st_mode))
        elif os.path.lexists(folder / name):
            raise FileError(f"{folder}: {name} exists already and is of no hearing")
    moves = [
        *((folder / name, backup / name) for name in sorted(former, key=lambda name: name != MARK)),
        *((part / name, folder / name) for name in sorted(new, key=lambda name: name == MARK)),
    ]
    with made_folders(*{target.parent for _, target in moves}):
        move_all(moves)
    for emptied in {Path(name).parent for name in former} - {Path()}:
        with suppress(OSError):  # not empty: it has new files, or some that are not ours
            (folder / emptied).rmdir()


def former_files(folder: Path, *, force: bool) -> set[str]:
    """Return the files of an existing hearing that may be replaced; empty if there is none.

    Raises:
        FileError: it is not a folder, or holds files that must not be replaced.
    """
    target, mode = resolve_output(folder)
    if mode is None:
        return set()
    if not target.is_dir():
        raise FileError(f"{folder}: is a file, not a folder to write into")
    # Hidden files belong to the system, or are our own temporary folder.
    names = {path.name for path in target.iterdir() if not path.name.startswith(".")}
    if not names:
        return set()
    others = sorted(names - FIXED - {"stems"} if MARK in names else names)
    if others:
        raise FileError(
            f"{folder}: holds other things than a hearing ({others[0]}); it is not replaced"
        )
    listed = _listed_stems(folder)
    found = {f"stems/{path.name}" for path in target.glob("stems/*")}
    foreign = sorted(found & _KNOWN_STEMS - listed)
    if foreign:
        raise FileError(f"{folder}: its {MARK} does not list {foreign[0]}; it is not replaced")
    if not force:
        raise FileError(f"{folder}: exists already (--force replaces it)")
    return {name for name in listed | FIXED if os.path.lexists(target / name)}


def _listed_stems(folder: Path) -> set[str]:
    """Return the stems listed in a hearing's events.json, without paths outside `stems`.

    Raises:
        FileError: the file cannot be read or is not of a hearing.
    """
    try:
        record = json.loads((folder / MARK).read_text(encoding="utf-8"))
        paths = {str(path) for path in record["stems"].values()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise FileError(f"{folder}: its {MARK} is not of a hearing; it is not replaced") from error
    return {path for path in paths if path == f"stems/{Path(path).name}"}
