"""A text file as a stream of characters: its encoding found out, its line ends made `\\n`, in bounded memory."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from rnnzoo.errors import CallError, CorpusError

CHUNK = 1 << 20  # bytes read at a time

# A byte order mark settles the encoding: (mark, the codec that skips it, the codec of what follows it).
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)


def decode_text(path: str | PathLike[str], report: Callable[[str], None] = lambda line: None) -> Iterator[str]:
    """The characters of a text file in pieces of at most a megabyte, every line end as `\\n`, no byte order mark.

    The file is read twice, first to find its encoding (see `detect_encoding`), then to yield it, so that a file that
    cannot be used is refused by this call, before anything is yielded. `report` is told if the encoding is a guess.

    Raises:
        CallError: there is no such file, or it is not a regular file.
        CorpusError: the file cannot be read, is blank, or is not text.
    """
    encoding, remark = detect_encoding(path)
    if remark:
        report(remark)
    return _with_newlines(_decoded(Path(path), encoding))


def detect_encoding(path: str | PathLike[str]) -> tuple[str, str | None]:
    """The Python codec that reads the whole of a text file, and a remark for the user where that is a guess.

    A byte order mark decides (UTF-8, UTF-16); else the file is UTF-8 if all of it is valid UTF-8; else Latin-1, in its
    Windows form (cp1252) unless the file uses a byte that cp1252 leaves undefined.

    Raises: as `decode_text`.
    """
    path = Path(path)
    with _reading(path) as file:
        head = file.read(3)
    marked = next((encoding for mark, encoding, _ in _MARKS if head.startswith(mark)), None)
    try:
        _check(path, marked or "utf-8")
        return marked or "utf-8", None
    except _Undecodable as flaw:
        if marked:
            raise
        remark = f"{path} is not UTF-8 (byte 0x{flaw.byte:02x} at offset {flaw.offset}); read as Latin-1"
    try:
        _check(path, "cp1252")
        return "cp1252", f"{remark} (cp1252)"
    except _Undecodable:
        _check(path, "latin-1")
        return "latin-1", remark


class _Undecodable(CorpusError):
    """The byte at `offset` means nothing in the encoding that was tried."""

    def __init__(self, path: Path, encoding: str, byte: int, offset: int):
        message = f"{path} should be {encoding}, received byte 0x{byte:02x} at offset {offset}, which is not"
        super().__init__(message, "save the file as UTF-8")
        self.byte, self.offset = byte, offset


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """The file, open; whatever keeps it from being read is an error of ours."""
    try:
        # Only a regular file can be read twice, and opening a pipe would wait for its writer.
        if path.exists() and not path.is_file():
            raise CallError(f"expected a text file, received {path}, which is not a regular file", "name one text file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise CallError(f"expected a text file, but there is no {path}", "check the path") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}", "check its permissions and its disk") from None


def _check(path: Path, encoding: str) -> None:
    """Decode the whole file for its errors, to be blank being one."""
    blank = True
    for piece in _decoded(path, encoding):
        blank = blank and piece.isspace()
    if blank:
        raise CorpusError(f"{path} is blank, expected text", "name a file that has text in it")


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    """The characters of the file, line ends untouched; an error says at which byte the file is no text."""
    with _reading(path) as file:
        head = file.read(3)
        # Codecs that skip a mark miscount the offsets of errors, so it is skipped here.
        marks = ((mark, rest) for mark, name, rest in _MARKS if name == encoding and head.startswith(mark))
        mark, codec = next(marks, (b"", encoding))
        decoder = codecs.getincrementaldecoder(codec)()
        start = file.seek(len(mark))  # offset of the first byte not yet turned into a character
        final = False
        while not final:
            chunk = file.read(CHUNK)
            final = not chunk
            try:
                piece = decoder.decode(chunk, final)
            except UnicodeDecodeError as error:
                raise _Undecodable(path, encoding, error.object[error.start], start + error.start) from None
            if "\0" in piece:
                offset = start + len(piece[: piece.index("\0")].encode(codec))
                raise CorpusError(
                    f"{path} is not text: NUL character at offset {offset}",
                    "name a text file; UTF-16 without a byte order mark must be saved as UTF-8 first",
                )
            start = file.tell() - len(decoder.getstate()[0])
            if piece:
                yield piece


def _with_newlines(pieces: Iterator[str]) -> Iterator[str]:
    """The same characters with `\\r\\n` and `\\r` as `\\n`, also where a piece ends between the two."""
    translator = io.IncrementalNewlineDecoder(None, translate=True)
    for piece in pieces:
        if translated := translator.decode(piece):
            yield translated
    if last := translator.decode("", final=True):  # a `\r` held back until it was known what follows
        yield last
