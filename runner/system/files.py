"""Read files, write them atomically, and describe an OSError in words."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path


def read_whole(path: Path, most: int | None = None) -> bytes:
    """Return the content of a regular file.

    Raises OSError before reading if the file has more than ``most`` bytes. Also raises it for a
    pipe or a device, because reading one might never end.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if most is not None and path.stat().st_size > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return path.read_bytes()


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file atomically: write a temporary file beside it, then rename that.

    After an error the old file is unchanged. Raises OSError, always with the file's name, which the
    error for a full disk lacks.
    """
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}")  # see temporary_of
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)


def temporary_of(name: str) -> str:
    """Return "a.txt" for ".a.txt.123", the name of its temporary file in ``write_whole``.

    Return "" if ``name`` is not of that form.
    """
    found = re.fullmatch(r"\.(.+)\.\d+", name)
    return found.group(1) if found else ""


def reason(error: OSError) -> str:
    """Return the file and the error in words: "runs/x: No space left on device"."""
    place = error.filename2 or error.filename
    words = error.strerror or str(error) or type(error).__name__
    if isinstance(error, FileExistsError | NotADirectoryError):
        words = "it or a folder above it is a file"
    return f"{place}: {words}" if place else words
