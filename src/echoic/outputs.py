"""Files that appear whole or not at all.

Whatever echoic writes is written under a temporary name in the same folder and
renamed when it is complete, so that neither a full disk nor Ctrl-C leaves half
a file behind, or harms one that was there before.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from echoic.errors import FileError


def describe_os_error(error: OSError) -> str:
    """Say in a few words what the system refused.

    Example:
        >>> describe_os_error(PermissionError(13, "Permission denied"))
        'permission denied'
    """
    return (error.strerror or str(error) or type(error).__name__).lower()


def check_writable(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Refuse, before any long work, an output that could not be written.

    Args:
        path: The file to come.
        force: Whether a file that is there already may be replaced.

    Raises:
        FileError: The file exists and `force` is false, something that is not
            a plain file has its name, or its folder is not there.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = os.stat(target).st_mode if os.path.lexists(target) else None
        if mode is None and not target.parent.is_dir():
            raise FileError(f"{path}: cannot be written: there is no folder {target.parent}")
    except FileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        words = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise FileError(f"{path}: cannot be written: {words}") from error
    if mode is None:
        return
    if stat.S_ISDIR(mode):
        raise FileError(f"{path}: is a folder, not a file to write")
    if not stat.S_ISREG(mode):
        raise FileError(f"{path}: is not a plain file; echoic does not replace it")
    if not force:
        raise FileError(f"{path}: exists already (force replaces it)")


@contextmanager
def fresh_file(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[Path]:
    """Give a temporary path that becomes `path` once the block has succeeded.

    Args:
        path: Where the finished file is to lie. A link is followed.
        force: Whether a file that is there already may be replaced.

    Yields:
        The path of an empty temporary file in the same folder. It is removed
        when the block raises anything, KeyboardInterrupt included.

    Raises:
        FileError: `check_writable` refuses, or the system does: no right to
            write there, a full disk.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "note.txt"
        >>> with fresh_file(target) as part:
        ...     _ = part.write_text("heard")
        >>> target.read_text(), len(list(target.parent.iterdir()))
        ('heard', 1)
    """
    check_writable(path, force=force)
    target = Path(os.path.realpath(path))
    # Not named after the target, whose name may already be as long as the system allows.
    part = target.parent / f".echoic-{secrets.token_hex(6)}.part"
    try:
        # 0o666 leaves the rights to the user's umask, as any new file does; mkstemp would not.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield part
        check_writable(path, force=force)  # someone else may have written it meanwhile
        os.replace(part, target)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {describe_os_error(error)}") from error
    finally:
        part.unlink(missing_ok=True)
