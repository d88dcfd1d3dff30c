"""Reading text files: any common encoding, any line end, any size; what is no text is refused with its offset."""

from __future__ import annotations

import os
import tracemalloc

import pytest

from rnnzoo.corpora import text
from rnnzoo.corpora.text import decode_text, detect_encoding
from rnnzoo.errors import CallError, CorpusError


@pytest.fixture
def write(tmp_path):
    def write(data: bytes):
        path = tmp_path / "corpus.txt"
        path.write_bytes(data)
        return path

    return write


def read(path) -> tuple[str, list[str]]:
    remarks: list[str] = []
    return "".join(decode_text(path, remarks.append)), remarks


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("déjà vu 𝄞".encode(), "utf-8"),
        ("déjà vu 𝄞".encode("utf-8-sig"), "utf-8-sig"),
        (b"\xff\xfe" + "déjà vu 𝄞".encode("utf-16-le"), "utf-16"),
        (b"\xfe\xff" + "déjà vu 𝄞".encode("utf-16-be"), "utf-16"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
def test_unicode_is_read_as_it_is_however_it_is_cut_into_chunks(write, monkeypatch, data, encoding, chunk):
    monkeypatch.setattr(text, "CHUNK", chunk)
    path = write(data)
    assert detect_encoding(path) == (encoding, None)
    assert read(path) == ("déjà vu 𝄞", [])
    assert path.read_text(encoding) == "déjà vu 𝄞"  # the name serves with open() too


@pytest.mark.parametrize("chunk", [1, 4, 1 << 20])
def test_what_is_not_utf8_is_read_as_latin1_and_that_is_said(write, monkeypatch, chunk):
    monkeypatch.setattr(text, "CHUNK", chunk)
    path = write("naïve café – 5 €".encode("cp1252"))
    assert detect_encoding(path)[0] == "cp1252"
    assert read(path) == (
        "naïve café – 5 €",
        [f"{path} is not UTF-8 (byte 0xef at offset 2); read as Latin-1 (cp1252)"],
    )


def test_a_byte_that_cp1252_leaves_undefined_makes_it_plain_latin1(write):
    path = write(b"caf\xe9 \x81")
    assert detect_encoding(path)[0] == "latin-1"
    assert read(path) == ("café \x81", [f"{path} is not UTF-8 (byte 0xe9 at offset 3); read as Latin-1"])


def test_the_whole_file_decides_not_its_beginning(write):
    path = write(b"a" * 3 * text.CHUNK + b"\xe9")
    content, (remark,) = read(path)
    assert content.endswith("aé")
    assert f"byte 0xe9 at offset {3 * text.CHUNK}" in remark


def test_a_character_cut_off_at_the_end_is_not_utf8(write):
    content, (remark,) = read(write("né".encode()[:-1]))
    assert content == "nÃ"
    assert "byte 0xc3 at offset 1" in remark


def test_remarks_come_before_the_text(write):
    remarks: list[str] = []
    decode_text(write(b"\xe9"), remarks.append)  # not iterated
    assert len(remarks) == 1


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 1 << 20])
def test_every_line_end_becomes_a_newline(write, monkeypatch, chunk):
    monkeypatch.setattr(text, "CHUNK", chunk)
    assert read(write(b"a\r\nb\rc\nd\r\r\ne\r"))[0] == "a\nb\nc\nd\n\ne\n"


def test_other_separators_are_characters_like_any_other(write):
    assert read(write("a\x85b\u2028c\x0cd".encode()))[0] == "a\x85b\u2028c\x0cd"


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"abc\0def", 3),
        ("é\0".encode(), 2),
        ("hi".encode("utf-16-le"), 1),  # no byte order mark
        ("hi".encode("utf-16-be"), 0),
        (b"\xff\xfe" + "hé\0".encode("utf-16-le"), 6),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 8),
        (b"\x7fELF\x02\x81\0", 6),
    ],
)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_a_nul_character_means_binary_and_its_offset_in_bytes_is_said(write, monkeypatch, chunk, data, offset):
    monkeypatch.setattr(text, "CHUNK", chunk)
    path = write(data)
    with pytest.raises(CorpusError) as refused:
        decode_text(path)
    assert refused.value.message == f"{path} is not text: NUL character at offset {offset}"
    assert "UTF-16 without a byte order mark" in refused.value.hint


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (b"\xff\xfea\0\x00\xd8b\0", "utf-16, received byte 0x00 at offset 4"),  # a surrogate on its own
        (b"\xff\xfea\0b", "utf-16, received byte 0x62 at offset 4"),  # an odd number of bytes
        (b"\xef\xbb\xbfab\xe9 ", "utf-8-sig, received byte 0xe9 at offset 5"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_what_its_mark_belies_is_refused_and_not_guessed_at(write, monkeypatch, chunk, data, flaw):
    monkeypatch.setattr(text, "CHUNK", chunk)
    with pytest.raises(CorpusError, match=flaw) as refused:
        decode_text(write(data))
    assert "save the file as UTF-8" in refused.value.hint


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", "\u00a0".encode(), b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe \0"])
def test_a_blank_file_is_refused(write, data):
    with pytest.raises(CorpusError, match="is blank, expected text"):
        decode_text(write(data))


def test_a_missing_file_is_a_wrong_call(tmp_path):
    with pytest.raises(CallError, match="there is no .*nowhere.txt"):
        decode_text(tmp_path / "nowhere.txt")


def test_a_folder_is_a_wrong_call(tmp_path):
    with pytest.raises(CallError, match="which is not a regular file"):
        decode_text(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_a_wrong_call_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CallError, match="which is not a regular file"):
        decode_text(tmp_path / "pipe")


def test_a_file_that_cannot_be_read_is_said_with_the_reason(write):
    path = write(b"text") / "below"  # permissions do not stop root, who runs many a container
    with pytest.raises(CorpusError, match="cannot be read: Not a directory") as refused:
        decode_text(path)
    assert "permissions" in refused.value.hint


def test_a_file_that_changes_between_the_two_readings_is_an_error_of_ours(write):
    path = write(b"text")
    pieces = decode_text(path)
    path.write_bytes(b"\xe9")
    with pytest.raises(CorpusError, match="byte 0xe9 at offset 0"):
        next(pieces)


def test_memory_does_not_grow_with_the_file(write):
    path = write(("é" * 511 + "\r\n").encode() * 16 * 1024)  # 16 MiB
    tracemalloc.start()
    try:
        characters = sum(map(len, decode_text(path)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert characters == 512 * 16 * 1024
    assert peak < 8 * text.CHUNK
