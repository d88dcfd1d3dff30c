"""One public file from the first of its addresses that gives it whole, in bounded time, whatever the servers do.

A download grows under another name and is renamed when it is on disk and has passed its checks. What no check here can
see is an unpinned text that a server cut short without having said its length; the parser, which knows how a text ends,
must guard against that.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import quote, urlsplit

from rnnzoo.corpora.archive import is_sound_zip
from rnnzoo.errors import DownloadError

MIB = 1 << 20
CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 10.0  # seconds in which a server must send something, and at least BLOCK bytes
BLOCK = 16 * 1024  # bytes: less than this in READ_TIMEOUT is a drip, not a download
PATIENCE = 27.0  # seconds that one fetch may lose to servers that hang, drip or fail, all addresses together
PAUSES = (1.0, 3.0)  # seconds before the second and the third try of the addresses that may recover
# manythings.org answers 406 to the agents of Python's libraries.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 rnnzoo"
_WEB = ("http://", "https://")


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


def download(file: RemoteFile, path: Path, report: Callable[[str], None]) -> None:
    """Store `file` at `path` from the first address that gives it.

    Raises:
        DownloadError: no address has the file; the hint says how to put it into the cache by hand.
    """
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


def _addresses(file: RemoteFile) -> list[str]:
    mirror = os.environ.get("RNNZOO_MIRROR", "").strip()
    if not mirror:
        return list(file.urls)
    name = quote(file.name) if mirror.startswith((*_WEB, "file:")) else file.name
    return [f"{mirror.rstrip('/')}/{name}", *file.urls]


def _store(file: RemoteFile, path: Path, address: str, patience: _Patience) -> None:
    pieces = _arrivals(address, patience) if address.startswith(_WEB) else _copied(address)
    with closing(pieces), replacing(path) as stream:
        for piece in pieces:
            stream.write(piece)
            if stream.tell() > file.max_bytes:
                raise _Failed(f"more than {file.max_bytes} bytes")
        if flaw := flaw_of(stream, file.kind, file.sha256):
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


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
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


def flaw_of(stream: BinaryIO, kind: str, sha256: str | None) -> str | None:
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
    if kind == "zip" and not (head.startswith(b"PK") and is_sound_zip(stream)):
        return "is not a complete zip file"
    return f"has SHA-256 {received}, expected {sha256}" if sha256 else None
