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
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

from echoic.errors import FileError
from echoic.moves import move_all


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
    except FileNotFoundError:
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


class _Begun(NamedTuple):
    """A file of a set: its path as given, its temporary one, its final one with links resolved."""

    path: str | os.PathLike[str]
    part: Path
    target: Path
    force: bool


class FileSet:
    """Files that get their names together, when the `with` block has succeeded, or not at all.

    If the block raises anything, signals included, the temporary files are removed.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with FileSet() as files:
        ...     for name in "ab":
        ...         _ = files.begin(folder / name).write_text("heard")
        >>> sorted(path.name for path in folder.iterdir())
        ['a', 'b']
    """

    def __init__(self) -> None:
        self._begun: list[_Begun] = []

    def begin(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Create an empty temporary file in the folder of an output, and return its path.

        Raises:
            FileError: `check_writable` rejects the path, the set has it already, or the folder
                is not writable.
        """
        check_writable(path, force=force)
        target, mode = resolve_output(path)
        if any(target == other.target for other in self._begun):
            raise FileError(f"{path}: would be written twice")
        # Not named after the target, whose name may already have the maximum length.
        part = target.parent / f".echoic-{secrets.token_hex(6)}.part"
        self._begun.append(_Begun(path, part, target, force))  # before a signal can arrive
        with _naming(path, part):
            # 0o666 leaves permissions to the umask, as for any new file; mkstemp would not.
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
            descriptor = os.open(part, flags, 0o666 & (mode or 0o666))
            if mode is not None:
                os.fchmod(descriptor, stat.S_IMODE(mode))
            os.close(descriptor)
        return part

    def __enter__(self) -> FileSet:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            for one in self._begun:
                one.part.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Rename, after everything else that may fail."""
        with ExitStack() as stack:
            for path, part, _, force in self._begun:
                stack.enter_context(_naming(path, part))
                write_through(part)
                check_writable(path, force=force)  # it may have been created in the meantime
            move_all((part, target) for _, part, target, _ in self._begun)


def file_set(together: FileSet | None) -> AbstractContextManager[FileSet]:
    """A set that is left open for its owner, or a new one if it is None."""
    return nullcontext(together) if together else FileSet()


@contextmanager
def _naming(path: str | os.PathLike[str], part: Path) -> Iterator[None]:
    """Convert errors of a temporary file to errors that name its final path."""
    try:
        yield
    except (FileError, BrokenPipeError):  # a broken pipe is not an error of this file
        raise
    except OSError as error:
        if error.filename not in (None, str(part), part):  # an error of another file
            raise
        raise FileError(f"{path}: cannot be written: {describe_os_error(error)}") from error


@contextmanager
def fresh_file(
    path: str | os.PathLike[str], *, force: bool = False, together: FileSet | None = None
) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` once the block has succeeded.

    Args:
        path: Path of the finished file. A link is followed, and the mode of a
            file that is replaced is kept.
        force: Whether an existing file may be replaced.
        together: The set of files that it appears with; None: alone.

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
    with file_set(together) as files:
        part = files.begin(path, force=force)
        with _naming(path, part):
            yield part
