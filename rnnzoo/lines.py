"""Lines of text in, files of answers out: read as they are asked for, written so that a file is there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from . import paths
from .errors import CallError


def of_file(path: str) -> Iterator[str]:
    """The lines of a file, read as they are asked for; the file is opened by this call.

    Raises:
        CallError: if it cannot be read; in reading, if it is not UTF-8.
    """
    try:
        file = open(paths.given(path), "rb")  # noqa: SIM115 - read lazily, closed when it is no longer referred to
    except OSError as error:
        raise CallError(f"{path} cannot be read: {error.strerror}", "give a text file with one text per line") from None
    return decoded(file, path)


def decoded(file: Iterable[bytes], name: str) -> Iterator[str]:
    """The lines of a UTF-8 stream without their ends, of any kind; a byte order mark is left out. `name` is for errors."""
    for number, line in enumerate(file, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise CallError(
                f"line {number} of {name} is not UTF-8 (byte 0x{line[error.start]:02x} at {error.start})",
                "convert it first: iconv -f latin1 -t utf-8",
            ) from None


@contextmanager
def writing(name: str) -> Iterator[TextIO]:
    """A text file that takes its name when it is complete and on the disk, and vanishes if it does not get there.

    Raises:
        CallError: if it cannot be written.
    """
    path = paths.given(name)
    partial = path.with_name(path.name + ".partial")
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        file = open(partial, "w", encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CallError(f"{name} cannot be written: {error.strerror}", "give a file in a folder you may write to") from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
