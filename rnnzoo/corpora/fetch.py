"""Public files: each downloaded once, verified, kept in the cache; the members of a zip read with care.

The rule: what bears a file's name in the cache is complete. A download grows under another name and is renamed when it
is on disk and has passed its checks. What no check here can see is an unpinned text that a server cut short without
having said its length; the parser, which knows how a text ends, must guard against that.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import stat
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import quote, urlsplit

from rnnzoo import paths
from rnnzoo.errors import CorpusError, DownloadError, RnnzooError

MIB = 1 << 20
CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 10.0  # seconds in which a server must send something, and at least BLOCK bytes
BLOCK = 16 * 1024  # bytes: less than this in READ_TIMEOUT is a drip, not a download
PATIENCE = 27.0  # seconds that one fetch may lose to servers that hang, drip or fail, all addresses together
PAUSES = (1.0, 3.0)  # seconds before the second and the third try of the addresses that may recover
# manythings.org answers 406 to the agents of Python's libraries.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 rnnzoo"


@dataclass(frozen=True)
class RemoteFile:
    """A public file: its name in the cache and in a mirror, its addresses in order of preference, what it must be.

    `sha256` is pinned (hexadecimal) where the file never changes. `kind` tells a file from the error page that some
    servers send in its place with status 200.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str | None = None
    max_bytes: int = 64 * MIB
    kind: Literal["text", "zip"] = "text"


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
                    _download(file, path, report)
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


def read_members(archive: Path, accept: Callable[[str], bool], max_bytes: int = 256 * MIB) -> dict[str, bytes]:
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


# What zipfile raises on damaged archives, and on features that it does not know.
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


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


# The cache


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
        return _flaw(stream, file.kind, sha256)


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


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the name `path` when it is complete and on disk, and vanishes if it does not get there."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _record(path: Path) -> None:
    with _replacing(_sidecar(path)) as stream:
        stream.write(json.dumps({"sha256": recorded_sha256(path), "bytes": path.stat().st_size}).encode())


def _recorded(path: Path) -> tuple[str | None, int | None]:
    """The SHA-256 and length that the file had when it came, if there is a record; ValueError if it makes no sense."""
    try:
        record = json.loads(_sidecar(path).read_bytes())
        return record["sha256"], record["bytes"]
    except FileNotFoundError:
        return None, None
    except (TypeError, KeyError) as error:
        raise ValueError(record) from error


def _flaw(stream: BinaryIO, kind: str, sha256: str | None) -> str | None:
    """Why the content is not the file expected, None if it is."""
    stream.seek(0)
    received = sha256 and hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 and received == sha256:
        return None
    stream.seek(0)
    head = stream.read(1024)
    if not head:
        return "is empty"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "is an HTML page"
    if kind == "zip" and not (head.startswith(b"PK") and _is_sound_zip(stream)):
        return "is not a complete zip file"
    return f"has SHA-256 {received}, expected {sha256}" if sha256 else None


def _is_sound_zip(stream: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.testzip() is None
    except _ZIP_ERRORS:
        return False


# The network

_WEB = ("http://", "https://")


class _Failed(Exception):
    """One address did not give the file; `again` if it may when asked a second time."""

    def __init__(self, reason: str, again: bool = False):
        super().__init__(reason)
        self.reason, self.again = reason, again


@dataclass
class _Patience:
    """When a fetch gives up. Time in which data flows is not lost, so it moves the end on."""

    end: float  # as time.monotonic() counts

    def left(self) -> float:
        return self.end - time.monotonic()


def _download(file: RemoteFile, path: Path, report: Callable[[str], None]) -> None:
    """Store `file` at `path` from the first address that gives it."""
    patience = _Patience(time.monotonic() + PATIENCE)
    reasons: dict[str, str] = {}
    addresses = _addresses(file)
    # In rounds: an address that works is worth more than a second try of one that does not.
    for pause in (0.0, *PAUSES):
        if not addresses or patience.left() < pause + CONNECT_TIMEOUT:
            break
        time.sleep(pause)
        recoverable = []
        for address in addresses:
            if patience.left() < CONNECT_TIMEOUT:
                reasons.setdefault(address, "not tried, the others took too long")
                continue
            report(f"fetching {file.name} from {address}")
            try:
                return _store(file, path, address, patience)
            except _Failed as failure:
                reasons[address] = failure.reason
                if failure.again:
                    recoverable.append(address)
        addresses = recoverable
    tried = "; ".join(f"{address}: {reason}" for address, reason in reasons.items())
    by_hand = f"fetch {file.name} by hand from {file.urls[0]}" if file.urls else f"find a copy of {file.name}"
    raise DownloadError(
        f"{file.name} could not be downloaded ({tried or 'it has no address'})", f"{by_hand} and put it at {path}"
    )


def _addresses(file: RemoteFile) -> list[str]:
    mirror = os.environ.get("RNNZOO_MIRROR", "").strip()
    if not mirror:
        return list(file.urls)
    name = quote(file.name) if mirror.startswith((*_WEB, "file:")) else file.name
    return [f"{mirror.rstrip('/')}/{name}", *file.urls]


def _store(file: RemoteFile, path: Path, address: str, patience: _Patience) -> None:
    pieces = _arrivals(address, patience) if address.startswith(_WEB) else _copied(address)
    with closing(pieces), _replacing(path) as stream:
        for piece in pieces:
            stream.write(piece)
            if stream.tell() > file.max_bytes:
                raise _Failed(f"more than {file.max_bytes} bytes")
        if flaw := _flaw(stream, file.kind, file.sha256):
            raise _Failed(f"what came {flaw}")


def _copied(address: str) -> Iterator[bytes]:
    """The bytes of a file in a mirror that is a folder."""
    from urllib.request import url2pathname

    try:
        is_url = address.startswith("file:")
        source = Path(url2pathname(urlsplit(address).path)) if is_url else Path(address).expanduser()
        with source.open("rb") as stream:
            while piece := stream.read(MIB):
                yield piece
    except (OSError, ValueError) as error:  # ValueError: the address makes no sense
        raise _Failed(getattr(error, "strerror", None) or str(error)) from None


def _arrivals(url: str, patience: _Patience) -> Iterator[bytes]:
    """The bytes behind `url` as they arrive.

    A thread reads while this function watches the clock, for the library's timeouts do not bound looking up a name, nor
    a server that now and then sends one byte of its headers or of the file.
    """
    arrived: queue.SimpleQueue[bytes | Exception | None] = queue.SimpleQueue()
    abandoned = threading.Event()

    def read() -> None:
        try:
            for piece in _body(url):
                arrived.put(piece)
                if abandoned.is_set():
                    return
            arrived.put(None)
        except Exception as error:
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    mark, allowed, gathered = time.monotonic(), CONNECT_TIMEOUT + READ_TIMEOUT, 0
    try:
        while True:
            end = min(mark + allowed, patience.end)
            try:
                piece = arrived.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                waited = time.monotonic() - mark
                raise _Failed(f"no answer, or too slow a one, in {waited:.0f} s", again=True) from None
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece
            gathered += len(piece)
            if gathered >= BLOCK:
                now = time.monotonic()
                patience.end += now - mark
                mark, allowed, gathered = now, READ_TIMEOUT, 0
    finally:
        abandoned.set()


def _body(url: str) -> Iterator[bytes]:
    """The bytes behind `url`; urllib3 2, under requests, checks them against Content-Length."""
    import requests

    headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
    try:
        with requests.get(url, headers=headers, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), stream=True) as response:
            if response.status_code != 200:
                busy = response.status_code == 429 or response.status_code >= 500
                raise _Failed(f"HTTP {response.status_code}", again=busy)
            yield from response.iter_content(BLOCK)
    except (OSError, ValueError) as error:  # requests' errors are OSErrors, those about addresses ValueErrors too
        cause = _cause(error)
        refused = isinstance(cause, ConnectionRefusedError)
        broken = isinstance(error, requests.exceptions.ChunkedEncodingError)  # broken off, chunked or not
        again = broken or isinstance(cause, (TimeoutError, ConnectionError)) and not refused
        raise _Failed(" ".join(str(getattr(cause, "strerror", None) or cause).split()), again) from None


def _cause(error: BaseException) -> BaseException:
    """The innermost error of the network among the layers that the libraries wrap around it."""
    from http.client import HTTPException

    layer: BaseException | None = error
    while layer := layer.__cause__ or layer.__context__:
        if isinstance(layer, (OSError, HTTPException)):
            error = layer
    return error
