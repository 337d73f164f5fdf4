"""Read and write whole files; say what went wrong."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path


def read_whole(path: Path, most: int | None = None) -> bytes:
    """Return a regular file's content.

    Raises OSError, before reading, for a file of more than ``most`` bytes, and for a pipe or
    a device: it would never end.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if most is not None and path.stat().st_size > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return path.read_bytes()


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file beside its place and rename it.

    Raises OSError with the file's name, which a full disk leaves out; the old file stays.
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
    """Return whose temporary file of ``write_whole`` has this name: ".a.txt.123" is a.txt's;
    empty for other names."""
    found = re.fullmatch(r"\.(.+)\.\d+", name)
    return found.group(1) if found else ""


def reason(error: OSError) -> str:
    """Return what went wrong with which file, in words: "runs/x: No space left on device"."""
    place = error.filename2 or error.filename
    words = error.strerror or str(error) or type(error).__name__
    if isinstance(error, FileExistsError | NotADirectoryError):
        words = "it or a folder above it is a file"
    return f"{place}: {words}" if place else words
