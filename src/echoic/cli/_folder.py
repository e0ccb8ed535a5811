"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from echoic.errors import FileError
from echoic.outputs import describe_os_error

MARK = "events.json"  # what tells a hearing's folder from any other
HEARING = {MARK, "events.csv", "events.txt", "stems", "cochleagram.png", "report.html"}


@contextmanager
def fresh_folder(folder: Path, *, force: bool) -> Iterator[Path]:
    """Give a temporary folder that becomes `folder` once the block has succeeded.

    With `force` a former hearing is replaced as a whole, and an empty folder
    is filled; a folder that holds anything else is never touched.

    Yields:
        The path of an empty folder beside the final one. It is removed when
        the block raises anything, KeyboardInterrupt included.

    Raises:
        FileError: the folder is there already, or the system refuses.
    """
    _check(folder, force=force)
    target = Path(os.path.realpath(folder))
    part = target.parent / f".echoic-{secrets.token_hex(6)}.part"
    former = part.with_suffix(".old")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        yield part
        _check(folder, force=force)  # someone else may have written it meanwhile
        if target.exists():
            os.replace(target, former)
        os.replace(part, target)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{folder}: cannot be written: {describe_os_error(error)}") from error
    finally:
        if former.exists() and not target.exists():
            os.replace(former, target)
        shutil.rmtree(former, ignore_errors=True)
        shutil.rmtree(part, ignore_errors=True)


def _check(folder: Path, *, force: bool) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise FileError(f"{folder}: is a file, not a folder to write into")
    is_empty = not any(folder.iterdir())
    if is_empty:
        return
    if not force:
        raise FileError(f"{folder}: exists already (--force replaces it)")
    others = _others(folder)
    if others or not (folder / MARK).is_file():
        found = f" ({others[0]})" if others else ""
        raise FileError(f"{folder}: holds other things than a hearing{found}; it is not replaced")


def _others(folder: Path) -> list[str]:
    """What lies there besides a hearing; a system's hidden files do not count."""
    names = [path.name for path in folder.iterdir() if path.name not in HEARING]
    names += [f"stems/{path.name}" for path in folder.glob("stems/*") if path.suffix != ".wav"]
    return sorted(name for name in names if not name.removeprefix("stems/").startswith("."))
