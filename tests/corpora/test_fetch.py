"""Fetching: whatever servers, archives and dying processes do, the cache holds whole files or none."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import rnnzoo
from rnnzoo.corpora import download as room
from rnnzoo.corpora.fetch import RemoteFile, available, fetch, recorded_sha256
from rnnzoo.errors import DownloadError, RnnzooError

PATIENCE = room.PATIENCE
BOOK = b"Alice was beginning to get very tired\n" * 2000  # 76,000 bytes: a few blocks


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, no mirror, no proxy, and no long pauses between tries. The folder of downloads."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "RNNZOO_MIRROR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("RNNZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(room, "PAUSES", (0.01, 0.02))
    return tmp_path / "home" / "downloads"


class Server:
    """A web server on the loopback: `pages` maps a path to what to do with a request for it."""

    def __init__(self):
        self.pages = {}
        self.asked: list[str] = []
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                outer.pages.get(self.path, status(404))(self)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.shutdown_request = self._server.close_request  # else a reset comes after a proper end
        self._server.handle_error = lambda *args: None  # clients that give up are what these tests are about
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def url(self, path: str, page=None) -> str:
        if page:
            self.pages[path] = page
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def gives(data: bytes, length: int | None = None, code: int = 200):
    """Answer with `data`, said to be `length` bytes (-1: its length is not said)."""

    def page(request):
        request.send_response(code)
        if length != -1:
            request.send_header("Content-Length", str(len(data) if length is None else length))
        request.end_headers()
        request.wfile.write(data)

    return page


def status(code: int):
    return gives(b"<html>sorry</html>", code=code)


def in_turn(*pages):
    """The first page to the first request, and so on; the last to all that follow."""
    left = list(pages)
    return lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)


def hangs(server):
    return lambda request: server.closing.wait(10)


def drips(server, data: bytes, size: int = 1, pause: float = 0.2, head: bytes = b"HTTP/1.0 200 OK\r\n\r\n"):
    """Send `head` at once and `data` in pieces of `size` bytes, each after `pause` seconds."""

    def page(request):
        request.wfile.write(head)
        for start in range(0, len(data), size):
            if server.closing.wait(pause):
                return
            request.wfile.write(data[start : start + size])

    return page


def breaks_off(data: bytes, reset: bool):
    """Send `data` as the beginning of more, then close or reset the connection."""

    def page(request):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if reset:  # close() does, when told to linger for no time
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return page


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refused(file: RemoteFile) -> DownloadError:
    """The error of a fetch that must fail, after which the cache must hold nothing but the lock."""
    with pytest.raises(DownloadError) as error:
        fetch(file)
    folder = Path(os.environ["RNNZOO_HOME"]) / "downloads"
    assert [path.name for path in folder.iterdir()] == [f"{file.name}.lock"]
    assert "\n" not in error.value.message
    return error.value


# Download and cache


def test_a_file_is_downloaded_once_and_then_comes_from_the_cache(server, cache):
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),))
    lines: list[str] = []
    assert available(file) is None
    assert fetch(file, lines.append) == cache / "book.txt"
    assert lines == [f"fetching book.txt from {server.url('/book')}"]
    assert (cache / "book.txt").read_bytes() == BOOK
    assert json.loads((cache / "book.txt.json").read_text()) == {"sha256": sha256(BOOK), "bytes": len(BOOK)}
    assert recorded_sha256(cache / "book.txt") == sha256(BOOK)

    assert fetch(file, lines.append) == available(file) == cache / "book.txt"
    assert server.asked == ["/book"]
    assert len(lines) == 1


def test_a_pinned_file_is_checked_by_its_pin(server):
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),), sha256=sha256(BOOK))
    assert fetch(file).read_bytes() == BOOK


def test_other_bytes_than_the_pinned_ones_are_refused_and_both_hashes_said(server):
    error = refused(RemoteFile("book.txt", (server.url("/book", gives(b"other")),), sha256=sha256(BOOK)))
    assert f"has SHA-256 {sha256(b'other')}, expected {sha256(BOOK)}" in error.message
    assert server.asked == ["/book"]  # asking again would give the same


def test_a_redirect_is_followed(server):
    def moved(request):
        request.send_response(302)
        request.send_header("Location", server.url("/new", gives(BOOK)))
        request.end_headers()

    assert fetch(RemoteFile("book.txt", (server.url("/old", moved),))).read_bytes() == BOOK
    assert server.asked == ["/old", "/new"]


def test_the_next_address_is_tried_when_one_fails(server):
    urls = (server.url("/gone"), server.url("/book", gives(BOOK)))
    assert fetch(RemoteFile("book.txt", urls)).read_bytes() == BOOK


def test_an_address_that_works_comes_before_a_second_try_of_one_that_does_not(server):
    urls = (server.url("/busy", status(503)), server.url("/book", gives(BOOK)))
    fetch(RemoteFile("book.txt", urls))
    assert server.asked == ["/busy", "/book"]


def test_a_refused_connection_is_final():
    lines: list[str] = []
    with pytest.raises(DownloadError, match="Connection refused"):
        fetch(RemoteFile("book.txt", ("http://127.0.0.1:9/closed",)), lines.append)
    assert lines == ["fetching book.txt from http://127.0.0.1:9/closed"]


@pytest.mark.parametrize("code", [404, 403, 406])
def test_a_refusal_is_final(server, code):
    error = refused(RemoteFile("book.txt", (server.url("/book", status(code)),)))
    assert f"/book: HTTP {code}" in error.message
    assert len(server.asked) == 1


def test_a_server_that_turns_pythons_agents_away_serves_ours(server):
    def picky(request):
        agent = request.headers["User-Agent"].lower()
        (status(406) if "python" in agent or not agent.startswith("mozilla/") else gives(BOOK))(request)

    assert fetch(RemoteFile("book.txt", (server.url("/book", picky),))).read_bytes() == BOOK


def test_the_body_is_asked_for_as_it_is(server):
    def page(request):
        gives(request.headers["Accept-Encoding"].encode())(request)

    assert fetch(RemoteFile("book.txt", (server.url("/", page),))).read_bytes() == b"identity"


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_busy_server_is_asked_again(server, code):
    assert fetch(RemoteFile("book.txt", (server.url("/book", in_turn(status(code), gives(BOOK))),))).is_file()
    assert len(server.asked) == 2


def test_a_server_that_stays_busy_is_asked_three_times(server):
    assert "HTTP 503" in refused(RemoteFile("book.txt", (server.url("/book", status(503)),))).message
    assert len(server.asked) == 3


def test_the_error_names_every_address_with_its_reason_and_the_hint_what_to_do_by_hand(server, cache):
    urls = (server.url("/gone"), server.url("/page", gives(b"\n<!DOCTYPE HTML><html>")), "http://127.0.0.1:9/closed")
    error = refused(RemoteFile("book.txt", urls))
    assert error.message == (
        f"book.txt could not be downloaded ({urls[0]}: HTTP 404; {urls[1]}: what came is an HTML page; "
        f"{urls[2]}: Connection refused)"
    )
    assert error.hint == f"fetch book.txt by hand from {urls[0]} and put it at {cache / 'book.txt'}"


# Bodies that are not what they should be


def test_a_body_shorter_than_its_content_length_is_refused_and_asked_for_again(server):
    cut = gives(BOOK[:1000], length=len(BOOK))
    error = refused(RemoteFile("book.txt", (server.url("/book", cut),)))
    assert "1000 bytes read, 75000 more expected" in error.message
    assert len(server.asked) == 3

    server.pages["/book"] = in_turn(cut, gives(BOOK))
    assert fetch(RemoteFile("book.txt", (server.url("/book"),))).read_bytes() == BOOK


@pytest.mark.parametrize(("reset", "reason"), [(False, "ended prematurely"), (True, "Connection reset by peer")])
def test_a_connection_that_breaks_in_the_middle_of_the_body_is_noticed_and_tried_again(server, reset, reason):
    broken = breaks_off(BOOK[:30_000], reset)
    assert reason in refused(RemoteFile("book.txt", (server.url("/book", broken),))).message
    assert len(server.asked) == 3

    server.pages["/book"] = in_turn(broken, gives(BOOK))
    assert fetch(RemoteFile("book.txt", (server.url("/book"),))).read_bytes() == BOOK


def test_a_body_cut_short_without_a_length_is_caught_by_the_pin(server):
    cut = gives(BOOK[:1000], length=-1)
    error = refused(RemoteFile("book.txt", (server.url("/book", cut),), sha256=sha256(BOOK)))
    assert f"expected {sha256(BOOK)}" in error.message


def test_a_zip_cut_short_without_a_length_is_caught_by_its_form(server):
    cut = gives(zipped({"a.txt": BOOK})[:-10], length=-1)
    error = refused(RemoteFile("corpus.zip", (server.url("/zip", cut),), kind="zip"))
    assert "what came is not a complete zip file" in error.message


def test_an_unpinned_text_cut_short_without_a_length_passes_for_only_its_parser_can_know(server):
    cut = gives(BOOK[:1000], length=-1)
    assert fetch(RemoteFile("book.txt", (server.url("/book", cut),))).stat().st_size == 1000


def test_a_zip_with_a_flipped_bit_is_refused(server):
    data = bytearray(zipped({"a.txt": os.urandom(1000)}))
    data[500] ^= 1
    error = refused(RemoteFile("corpus.zip", (server.url("/zip", gives(bytes(data))),), kind="zip"))
    assert "what came is not a complete zip file" in error.message


def test_a_zip_behind_something_else_is_refused(server):
    data = b"Warning: quota exceeded\n" + zipped({"a.txt": b"x"})
    error = refused(RemoteFile("corpus.zip", (server.url("/zip", gives(data)),), kind="zip"))
    assert "what came is not a complete zip file" in error.message


@pytest.mark.parametrize("kind", ["text", "zip"])
@pytest.mark.parametrize("pinned", [None, sha256(BOOK)])
@pytest.mark.parametrize("head", [b"<!doctype html><title>", b"\xef\xbb\xbf \r\n<HTML lang=en>"])
def test_an_html_page_with_status_200_is_refused(server, kind, pinned, head):
    error = refused(RemoteFile("corpus", (server.url("/page", gives(head)),), kind=kind, sha256=pinned))
    assert "what came is an HTML page" in error.message


def test_an_empty_body_is_refused(server):
    assert "what came is empty" in refused(RemoteFile("book.txt", (server.url("/book", gives(b"")),))).message


def test_a_body_above_the_bound_is_refused_one_at_the_bound_is_not(server):
    url = server.url("/book", gives(BOOK))
    error = refused(RemoteFile("book.txt", (url,), max_bytes=len(BOOK) - 1))
    assert "more than 75999 bytes" in error.message
    assert fetch(RemoteFile("book.txt", (url,), max_bytes=len(BOOK))).is_file()


def test_a_body_without_end_is_not_read_on_when_it_is_above_the_bound(server):
    ended = threading.Event()

    def endless(request):
        try:
            gives(b"", length=-1)(request)
            while not server.closing.is_set():
                request.wfile.write(BOOK)
        except OSError:
            ended.set()

    refused(RemoteFile("book.txt", (server.url("/book", endless),), max_bytes=len(BOOK)))
    assert ended.wait(5)


# Time


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(room, "CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(room, "READ_TIMEOUT", 0.4)
    monkeypatch.setattr(room, "PATIENCE", 1.5)


@pytest.fixture
def in_time(impatient):
    """The test must take no longer than the patience."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < room.PATIENCE + 0.5


def test_by_default_the_patience_ends_before_thirty_seconds_have_passed():
    assert PATIENCE < 30


@pytest.mark.usefixtures("in_time")
def test_a_server_that_hangs_is_given_up(server):
    assert ": timed out" in refused(RemoteFile("book.txt", (server.url("/book", hangs(server)),))).message


@pytest.mark.usefixtures("in_time")
def test_many_servers_that_hang_cost_no_more_time_than_one(server):
    urls = tuple(server.url(f"/{number}", hangs(server)) for number in range(9))
    error = refused(RemoteFile("book.txt", urls))
    assert "/0: timed out" in error.message
    assert "/8: not tried, the others took too long" in error.message


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize(
    ("head", "data", "size"),
    [
        (b"", b"HTTP/1.0 200 OK\r\nServer: " + b"x" * 100, 1),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 76000\r\n\r\n", BOOK, 1),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 100, 6),
    ],
    ids=["headers", "body", "chunks"],
)
def test_a_server_that_drips_is_given_up(server, head, data, size):
    # Each piece comes in good time, so that no timeout of a single read ends this.
    page = drips(server, data, size=size, head=head)
    error = refused(RemoteFile("book.txt", (server.url("/drip", page),)))
    assert "no answer, or too slow a one" in error.message


@pytest.mark.usefixtures("in_time")
def test_the_patience_may_end_in_the_middle_of_a_try(server, monkeypatch):
    monkeypatch.setattr(room, "READ_TIMEOUT", 5.0)
    refused(RemoteFile("book.txt", (server.url("/drip", drips(server, BOOK)),)))


@pytest.mark.usefixtures("in_time")
def test_a_drip_after_a_good_start_is_given_up_too(server):
    def page(request):
        gives(BOOK[:40_000], length=len(BOOK))(request)
        drips(server, BOOK[40_000:], head=b"")(request)

    assert "too slow" in refused(RemoteFile("book.txt", (server.url("/drip", page),))).message


@pytest.mark.usefixtures("in_time")
def test_a_name_server_that_hangs_is_given_up(server, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: server.closing.wait(10))
    assert "no answer" in refused(RemoteFile("book.txt", ("http://example.invalid/book",))).message


@pytest.mark.usefixtures("impatient")
def test_a_slow_download_that_makes_progress_may_take_longer_than_the_patience(server, monkeypatch):
    monkeypatch.setattr(room, "PATIENCE", 0.6)
    page = drips(server, BOOK, size=room.BLOCK, pause=0.2)  # five blocks: a second
    assert fetch(RemoteFile("book.txt", (server.url("/book", page),))).read_bytes() == BOOK
    assert len(server.asked) == 1


# The cache


@pytest.mark.parametrize(
    ("damage", "flaw"),
    [
        (BOOK[:-1], "has 75999 bytes, 76000 were downloaded"),
        (BOOK[:-1] + b"x", f"expected {sha256(BOOK)}"),
        (b"", "has 0 bytes"),
    ],
)
def test_a_damaged_file_in_the_cache_is_said_and_fetched_again(server, cache, damage, flaw):
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),))
    fetch(file).write_bytes(damage)
    assert available(file) is None
    lines: list[str] = []
    assert fetch(file, lines.append).read_bytes() == BOOK
    assert flaw in lines[0]
    assert "moved to book.txt.damaged and fetched again" in lines[0]
    assert (cache / "book.txt.damaged").read_bytes() == damage
    assert len(server.asked) == 2


def test_a_damaged_pinned_file_is_fetched_again(server, cache):
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),), sha256=sha256(BOOK))
    fetch(file).write_bytes(b"damage")
    assert fetch(file).read_bytes() == BOOK


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b'{"sha256": ', b"\xff"])
def test_a_damaged_record_vouches_for_nothing(server, cache, record):
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),))
    fetch(file)
    (cache / "book.txt.json").write_bytes(record)
    assert available(file) is None
    assert fetch(file).read_bytes() == BOOK
    assert len(server.asked) == 2
    assert available(file)


def test_a_damaged_file_is_not_taken_after_a_download_in_vain(server, cache):
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),))
    fetch(file).write_bytes(b"damage")
    del server.pages["/book"]
    for _ in range(2):
        with pytest.raises(DownloadError):
            fetch(file)
    assert available(file) is None


def test_an_unpinned_file_that_changed_upstream_is_taken_with_its_new_hash(server, cache):
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),))
    fetch(file).unlink()
    server.pages["/book"] = gives(b"a new edition")
    assert recorded_sha256(fetch(file)) == sha256(b"a new edition")
    assert json.loads((cache / "book.txt.json").read_text())["sha256"] == sha256(b"a new edition")
    assert available(file)


def test_a_file_put_there_by_hand_is_taken_and_guarded_from_then_on(cache):
    cache.mkdir(parents=True)
    (cache / "book.txt").write_bytes(BOOK)
    file = RemoteFile("book.txt", ())
    assert available(file) == cache / "book.txt"
    assert [path.name for path in cache.iterdir()] == ["book.txt"]  # to ask writes nothing
    assert fetch(file) == cache / "book.txt"
    (cache / "book.txt").write_bytes(BOOK + b"x")
    assert available(file) is None


def test_a_sound_file_is_served_by_a_cache_that_cannot_be_written(cache, monkeypatch):
    def read_only(descriptor):
        raise OSError(30, "Read-only file system")

    cache.mkdir(parents=True)
    (cache / "book.txt").write_bytes(BOOK)
    monkeypatch.setattr(os, "fsync", read_only)
    assert fetch(RemoteFile("book.txt", ())) == cache / "book.txt"
    assert fetch(RemoteFile("book.txt", (), sha256=sha256(BOOK))) == cache / "book.txt"
    assert [path.name for path in cache.iterdir()] == ["book.txt"]  # not even a lock


@pytest.mark.parametrize(
    "file",
    [
        RemoteFile("corpus", (), kind="zip"),
        RemoteFile("corpus", (), sha256=sha256(BOOK)),
    ],
)
def test_a_wrong_file_put_there_by_hand_is_not_taken(cache, file):
    cache.mkdir(parents=True)
    (cache / "corpus").write_bytes(b"Not Found")
    assert available(file) is None
    with pytest.raises(DownloadError) as error:
        fetch(file)
    assert error.value.message == "corpus could not be downloaded (it has no address)"
    assert error.value.hint == f"find a copy of corpus and put it at {cache / 'corpus'}"


def test_a_cache_below_a_regular_file_is_one_clear_error(tmp_path, monkeypatch, server):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RNNZOO_HOME", str(tmp_path / "file" / "home"))
    file = RemoteFile("book.txt", (server.url("/book", gives(BOOK)),))
    assert available(file) is None
    with pytest.raises(RnnzooError) as error:
        fetch(file)
    assert str(tmp_path / "file" / "home" / "downloads") in error.value.message
    assert "Not a directory" in error.value.message
    assert "RNNZOO_HOME" in error.value.hint
    assert server.asked == []


def test_a_disk_that_fills_up_is_one_clear_error_and_leaves_nothing(server, cache, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RnnzooError, match="No space left on device"):
        fetch(RemoteFile("book.txt", (server.url("/book", gives(BOOK)),)))
    assert [path.name for path in cache.iterdir()] == ["book.txt.lock"]


def test_a_closed_pipe_behind_the_report_is_no_trouble_of_the_cache(server):
    def closed(line):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        fetch(RemoteFile("book.txt", (server.url("/book", gives(BOOK)),)), closed)


# The mirror


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}"])
def test_a_mirror_that_is_a_folder_comes_before_the_addresses(tmp_path, monkeypatch, server, cache, form):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "my book.txt").write_bytes(BOOK)
    monkeypatch.setenv("RNNZOO_MIRROR", form.format(tmp_path / "mirror"))
    path = fetch(RemoteFile("my book.txt", (server.url("/book", gives(b"not this")),)))
    assert path == cache / "my book.txt"
    assert path.read_bytes() == BOOK
    assert server.asked == []


def test_a_mirror_on_the_web_comes_before_the_addresses(monkeypatch, server):
    monkeypatch.setenv("RNNZOO_MIRROR", server.url("/mirror/"))
    server.pages["/mirror/my%20book.txt"] = gives(BOOK)
    fetch(RemoteFile("my book.txt", (server.url("/book", gives(b"not this")),)))
    assert server.asked == ["/mirror/my%20book.txt"]


@pytest.mark.parametrize("content", [None, b"<html>"])
def test_what_the_mirror_lacks_or_has_spoilt_comes_from_the_addresses(tmp_path, monkeypatch, server, content):
    monkeypatch.setenv("RNNZOO_MIRROR", str(tmp_path))
    if content:
        (tmp_path / "book.txt").write_bytes(content)
    assert fetch(RemoteFile("book.txt", (server.url("/book", gives(BOOK)),))).read_bytes() == BOOK


@pytest.mark.parametrize("mirror", ["/nowhere/at/all", "http://[bad", "file://[bad", "ftp://host/x", "http://"])
def test_a_mirror_that_makes_no_sense_is_a_reason_among_others(monkeypatch, server, mirror):
    monkeypatch.setenv("RNNZOO_MIRROR", mirror)
    error = refused(RemoteFile("book.txt", (server.url("/gone"),)))
    assert f"({mirror.rstrip('/')}/book.txt: " in error.message
    assert "/gone: HTTP 404" in error.message


# Several processes


def python(code: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(Path(rnnzoo.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)


def start_fetch(url: str) -> subprocess.Popen:
    return python(
        f"from rnnzoo.corpora.fetch import RemoteFile, fetch; print(fetch(RemoteFile('book.txt', ({url!r},)), print))"
    )


def until(condition, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_two_processes_that_want_a_file_at_once_download_it_once(server, cache):
    url = server.url("/book", drips(server, BOOK, size=room.BLOCK, pause=0.2))
    first = start_fetch(url)
    until(lambda: server.asked)
    second = start_fetch(url)
    outputs = [process.communicate(timeout=20)[0].splitlines() for process in (first, second)]
    assert outputs[0][-1] == outputs[1][-1] == str(cache / "book.txt")
    assert outputs[1][0] == "another process is fetching book.txt; waiting for it"
    assert server.asked == ["/book"]


def test_a_download_that_was_killed_leaves_nothing_that_is_taken_for_the_file(server, cache):
    url = server.url("/book", in_turn(drips(server, BOOK, size=room.BLOCK, pause=0.3), gives(BOOK)))
    process = start_fetch(url)
    until(lambda: any(part.stat().st_size for part in cache.glob("book.txt.*.part")))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    file = RemoteFile("book.txt", (url,))
    assert len(list(cache.glob("*.part"))) == 1
    assert available(file) is None

    assert fetch(file).read_bytes() == BOOK
    assert list(cache.glob("*.part")) == []


def test_importing_the_room_imports_no_web_library():
    slow = {"requests", "urllib3", "filelock", "http.client"}
    loaded = python(f"import sys, rnnzoo.corpora.fetch; print({slow} & set(sys.modules))").communicate()[0]
    assert loaded == "set()\n"
