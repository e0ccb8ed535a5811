"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from echoic.errors import FileError
from echoic.labels import LABELS, REST
from echoic.outputs import describe_os_error, resolve_output, write_through

MARK = "events.json"  # what tells a hearing's folder from any other; it lists the stems
FIXED = {MARK, "events.csv", "events.txt", "cochleagram.png", "report.html"}
_KNOWN_STEMS = {
    f"stems/{label}{suffix}" for label in (*LABELS, REST) for suffix in (".wav", ".flac")
}


@contextmanager
def fresh_folder(folder: Path, *, force: bool) -> Iterator[Path]:
    """Give a temporary folder whose files lie in `folder` once the block has succeeded.

    A folder that is there already, empty or a former hearing, stays the folder
    that it is, with its mode and owner, mounted or not. With `force` the files
    that its events.json lists are replaced; whatever else lies there is spared.

    Yields:
        The path of an empty folder on the same file system. It is removed when
        the block raises anything, signals included.

    Raises:
        FileError: the folder holds other things than a hearing, or a hearing and
            `force` is false; its name is too long; or the system refuses.
    """
    target, mode = resolve_output(folder)
    name = f".echoic-{secrets.token_hex(6)}.part"
    part = (target.parent if mode is None else target) / name
    try:
        _former_files(folder, force=force)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        yield part
        write_through(part)
        if mode is None and resolve_output(folder)[1] is None:
            os.replace(part, target)
        else:
            # Someone else may have written it meanwhile.
            _fill(folder, part, _former_files(folder, force=force, besides=part.name))
    except FileError as error:  # to its user a file in the part is one in the folder
        raise type(error)(str(error).replace(str(part), str(folder))) from error
    except OSError as error:
        raise FileError(f"{folder}: cannot be written: {describe_os_error(error)}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(folder: Path, part: Path, former: set[str]) -> None:
    """Move the files of a part to their places, where the former ones make room.

    The mark leaves first and comes last, so that no folder passes for a hearing
    of which it does not hold all files. What fails puts the former files back.
    """
    new = sorted(str(path.relative_to(part)) for path in part.rglob("*") if path.is_file())
    backup = part / "former"
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        moved.append((source, target))  # before the move: a signal may come right after it
        os.replace(source, target)

    try:
        for name in sorted(former, key=lambda name: name != MARK):
            if name in new:  # as private as it was
                os.chmod(part / name, stat.S_IMODE(os.stat(folder / name).st_mode))
            move(folder / name, backup / name)
        for name in sorted(new, key=lambda name: name == MARK):
            if os.path.lexists(folder / name):
                raise FileError(f"{folder}: {name} exists already and is of no hearing")
            move(part / name, folder / name)
    except BaseException:
        for source, target in reversed(moved):
            if not os.path.lexists(source):
                os.replace(target, source)
        raise


def _former_files(folder: Path, *, force: bool, besides: str = "") -> set[str]:
    """The files of the hearing that may be replaced; none where there is none.

    Raises:
        FileError: it is no folder, or holds what must not be touched.
    """
    if str(folder) == "-":
        raise FileError("-: a hearing is a folder, which standard output cannot be")
    target, mode = resolve_output(folder)
    if mode is None:
        return set()
    if not target.is_dir():
        raise FileError(f"{folder}: is a file, not a folder to write into")
    # Hidden files are a system's own and never touched.
    names = {path.name for path in target.iterdir() if not path.name.startswith(".")} - {besides}
    if not names:
        return set()
    if not force:
        raise FileError(f"{folder}: exists already (--force replaces it)")
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
    return {name for name in listed | FIXED if os.path.lexists(target / name)}


def _listed_stems(folder: Path) -> set[str]:
    """The stems of a hearing by its events.json; no path that leads out of `stems`.

    Raises:
        FileError: it is no such file.
    """
    try:
        record = json.loads((folder / MARK).read_text(encoding="utf-8"))
        paths = {str(path) for path in record["stems"].values()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise FileError(f"{folder}: its {MARK} is not of a hearing; it is not replaced") from error
    return {path for path in paths if path == f"stems/{Path(path).name}"}
