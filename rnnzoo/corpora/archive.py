"""The members of a zip archive, read with care: it came from the network, or from the user's hands."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from rnnzoo.errors import CorpusError

# What zipfile raises on damaged archives, and on features that it does not know.
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


def read_members(archive: Path, accept: Callable[[str], bool], max_bytes: int = 256 << 20) -> dict[str, bytes]:
    """The members of a zip archive whose name `accept` likes, by name; folders and macOS's extra files are none.

    Raises:
        CorpusError: the archive is damaged, would unpack to more than `max_bytes`, or has a member that no honest
            archive has: outside of the archive's own folder, a link, encrypted, or not compressed by deflate.
    """
    members: dict[str, bytes] = {}
    unpacked, name = 0, ""
    try:
        with zipfile.ZipFile(archive) as unpacker:
            for info in unpacker.infolist():
                # As stored: `filename` has been cut at a NUL and, on Windows, had its backslashes turned.
                name = info.orig_filename
                if flaw := _flaw_of_member(info):
                    raise _bad_archive(archive, f"its member {name!r} {flaw}")
                if info.is_dir() or _is_clutter(name) or not accept(name):
                    continue
                unpacked += info.file_size
                if unpacked > max_bytes:
                    raise _bad_archive(archive, f"with its member {name!r} it unpacks to more than {max_bytes} bytes")
                with unpacker.open(info) as member:
                    # A size, for without one zipfile inflates all there is before it cuts it to the declared size.
                    members[name] = member.read(info.file_size + 1)
    except _ZIP_ERRORS as error:
        raise _bad_archive(archive, f"its member {name!r} is damaged ({error})" if name else str(error)) from None
    return members


def _bad_archive(archive: Path, flaw: str) -> CorpusError:
    return CorpusError(f"{archive} cannot be used: {flaw}", "delete it and run `rnnzoo data fetch` again")


def _flaw_of_member(info: zipfile.ZipInfo) -> str | None:
    name = info.orig_filename
    if name.startswith("/") or "\\" in name or "\0" in name or re.match("[A-Za-z]:", name) or ".." in name.split("/"):
        return "has a path that leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):  # the upper half is the Unix file mode
        return "is a symbolic link"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # zipfile cannot bound the others
        return "is compressed by a method other than deflate"
    return None


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.split("/")[-1] == ".DS_Store"


def is_sound_zip(stream: BinaryIO) -> bool:
    """Whether it is a zip archive and the checksum of every member is right."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.testzip() is None
    except _ZIP_ERRORS:
        return False
