"""Atomic output files.

Every output is written under a temporary name in the same folder and renamed when
it is complete and on the disk, so that neither a full disk nor a signal nor a loss
of power leaves a partial file, or damages one that existed before. No output is, or
contains, its own input.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from echoic.errors import FileError


def describe_os_error(error: OSError) -> str:
    """Describe an OS error in a few words.

    Example:
        >>> describe_os_error(PermissionError(13, "Permission denied"))
        'permission denied'
    """
    return (error.strerror or str(error) or type(error).__name__).lower()


def check_writable(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Reject an output that could not be written, before any long computation.

    Args:
        path: The file to be written.
        force: Whether an existing file may be replaced.

    Raises:
        FileError: The file exists and `force` is false, something that is not
            a plain file has its name, the name is too long, or its folder does
            not exist.
    """
    target, mode = resolve_output(path)
    if mode is None:
        if not target.parent.is_dir():
            raise FileError(f"{path}: cannot be written: there is no folder {target.parent}")
        return
    if stat.S_ISDIR(mode):
        raise FileError(f"{path}: is a folder, not a file to write")
    if not stat.S_ISREG(mode):
        raise FileError(f"{path}: is not a plain file; echoic does not replace it")
    if not force:
        raise FileError(f"{path}: exists already (force replaces it)")


def resolve_output(path: str | os.PathLike[str]) -> tuple[Path, int | None]:
    """Return the path of an output, links resolved, and the mode of what exists there, or None.

    Raises:
        FileError: the system rejects the name.
    """
    try:
        target = Path(os.path.realpath(path))
        return target, os.stat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return target, None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        words = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise FileError(f"{path}: cannot be written: {words}") from error


class InputFiles:
    """The files that a run reads, which no output may overwrite.

    Args:
        paths: Their paths; those that do not exist (such as "-") are ignored.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._files: dict[tuple[int, int], str] = {}  # by device and inode
        self._above: dict[Path, str] = {}  # every parent folder of one
        for path in paths:
            source = Path(os.path.realpath(path))
            with suppress(OSError):
                self._files[_identity(source)] = path
                self._above |= dict.fromkeys(source.parents, path)

    def check_apart(self, output: str | os.PathLike[str]) -> None:
        """Reject an output that is one of the files, or a folder that contains one.

        Args:
            output: The file or folder to be written.

        Raises:
            FileError: it would overwrite an input.
        """
        target, mode = resolve_output(output)
        if mode is None:
            return
        if target in self._above:
            raise FileError(f"{self._above[target]}: lies in {output}, which is to be written")
        if (same := _identity(target)) in self._files:
            raise FileError(f"{self._files[same]}: is both input and output")

    def check_output(self, output: str | os.PathLike[str], *, force: bool) -> None:
        """Reject a file that must not or cannot be written, before any long computation.

        Raises:
            FileError: as `check_apart` and `check_writable`.
        """
        self.check_apart(output)
        check_writable(output, force=force)


def _identity(path: Path) -> tuple[int, int]:
    about = os.stat(path)
    return about.st_dev, about.st_ino


def write_through(path: Path) -> None:
    """Flush a file, or all files in a folder, to disk (fsync)."""
    for one in [*path.rglob("*")] if path.is_dir() else [path]:
        if one.is_file():
            with open(one, "rb") as file:
                os.fsync(file.fileno())


@contextmanager
def fresh_file(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` once the block has succeeded.

    Args:
        path: Path of the finished file. A link is followed, and the mode of a
            file that is replaced is kept.
        force: Whether an existing file may be replaced.

    Yields:
        The path of an empty temporary file in the same folder. It is removed
        when the block raises anything, signals included.

    Raises:
        FileError: `check_writable` rejects the path, or writing fails: no
            permission, a full disk.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "note.txt"
        >>> with fresh_file(target) as part:
        ...     _ = part.write_text("heard")
        >>> target.read_text(), len(list(target.parent.iterdir()))
        ('heard', 1)
    """
    check_writable(path, force=force)
    target, mode = resolve_output(path)
    # Not named after the target, whose name may already have the maximum length.
    part = target.parent / f".echoic-{secrets.token_hex(6)}.part"
    try:
        # 0o666 leaves permissions to the user's umask, as for any new file; mkstemp would not.
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 & (mode or 0o666))
        if mode is not None:
            os.fchmod(descriptor, stat.S_IMODE(mode))
        os.close(descriptor)
        yield part
        write_through(part)
        check_writable(path, force=force)  # it may have been created in the meantime
        os.replace(part, target)
    except (FileError, BrokenPipeError):  # a broken pipe is not an error of this file
        raise
    except OSError as error:
        if error.filename not in (None, str(part), part):  # an error of another file
            raise
        raise FileError(f"{path}: cannot be written: {describe_os_error(error)}") from error
    finally:
        part.unlink(missing_ok=True)
