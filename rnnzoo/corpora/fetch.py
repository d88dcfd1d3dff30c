"""Public files: each downloaded once, verified, kept in the cache.

The rule: what bears a file's name in the cache is complete, and what is damaged there later is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnzoo import paths
from rnnzoo.corpora.download import RemoteFile, download, flaw_of, replacing
from rnnzoo.errors import RnnzooError

__all__ = ["RemoteFile", "available", "fetch", "recorded_sha256"]


def fetch(file: RemoteFile, report: Callable[[str], None] = lambda line: None) -> Path:
    """The path of `file` in the cache, where it is downloaded to unless a sound copy is there.

    Sources in order: the cache, `$RNNZOO_MIRROR` (a folder, or a file: or http(s): address, that holds files by name),
    the file's addresses. A file put into the cache by hand is taken if it is sound. `report` is told what is tried, in
    lines. Servers that do not answer cost at most PATIENCE seconds; a download that makes progress may take longer.

    Raises:
        DownloadError: no source has the file; the hint says how to put it into the cache by hand.
        RnnzooError: the cache cannot be read or written.
    """
    path = paths.downloads() / file.name
    with _cache_errors(path.parent):
        # A sound copy needs neither a lock nor a folder that can be written.
        if _flaw_in_cache(file, path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(path, report):
                # The flaw may be gone: another process may have held the lock to download the same file.
                if flaw := _flaw_in_cache(file, path):
                    _clear(path, flaw, report)
                    download(file, path, report)
        if file.sha256 is None and not _sidecar(path).exists():
            with suppress(OSError):  # the record shows later damage; a read-only cache serves without
                _record(path)
    return path


def available(file: RemoteFile) -> Path | None:
    """The path of `file` in the cache if a sound copy is there; never uses the network, never writes.

    Raises:
        RnnzooError: the cache cannot be read.
    """
    path = paths.downloads() / file.name
    with _cache_errors(path.parent):
        return None if _flaw_in_cache(file, path) else path


def recorded_sha256(path: Path) -> str:
    """The SHA-256 (hexadecimal) of a fetched file, to be recorded in a run.

    Computed from the bytes: `fetch` has compared them with its own record, and a record may be older than the file.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _cache_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # of `report`, no trouble of the cache
        raise
    except OSError as error:
        flaw = f"{error.strerror or error} ({error.filename or folder})"
        raise RnnzooError(
            f"expected a folder to read and write at {folder}, received: {flaw}",
            "set RNNZOO_HOME to a folder you can write to, on a disk that has room",
        ) from None


def _flaw_in_cache(file: RemoteFile, path: Path) -> str | None:
    """Why the cached copy cannot be used, None if it can."""
    if not path.exists():
        return "is missing"
    if not path.is_file():
        return "is not a file"
    try:
        sha256, size = (file.sha256, None) if file.sha256 else _recorded(path)
    except ValueError:
        return f"has a damaged record ({_sidecar(path).name})"
    with path.open("rb") as stream:
        if size not in (None, path.stat().st_size):
            return f"has {path.stat().st_size} bytes, {size} were downloaded"
        return flaw_of(stream, file.kind, sha256)


def _clear(path: Path, flaw: str, report: Callable[[str], None]) -> None:
    """Make room for a download; only the holder of the lock may, for then every unfinished download is a dead one."""
    for part in path.parent.glob(f"{path.name}.*.part"):
        part.unlink(missing_ok=True)
    if path.exists():
        # Not deleted: it may be a newer version that the user put there.
        aside = path.with_name(f"{path.name}.damaged")
        report(f"{path} {flaw}; it is moved to {aside.name} and fetched again")
        os.replace(path, aside)
    # After the file, for a file without a record is one that the user vouches for.
    _sidecar(path).unlink(missing_ok=True)


@contextmanager
def _one_at_a_time(path: Path, report: Callable[[str], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(f"another process is fetching {path.name}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _record(path: Path) -> None:
    with replacing(_sidecar(path)) as stream:
        stream.write(json.dumps({"sha256": recorded_sha256(path), "bytes": path.stat().st_size}).encode())


def _recorded(path: Path) -> tuple[str | None, int | None]:
    """The SHA-256 and length that the file had when it came, if there is a record; ValueError if it makes no sense."""
    try:
        record = json.loads(_sidecar(path).read_bytes())
        return record["sha256"], record["bytes"]
    except FileNotFoundError:
        return None, None
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(_sidecar(path)) from error
