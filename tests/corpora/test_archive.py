"""Archives: a zip that no honest archive resembles is refused with one clear error, before it fills the memory."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from rnnzoo.corpora.archive import read_members
from rnnzoo.errors import CorpusError


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def archive(tmp_path):
    def archive(data: bytes) -> Path:
        path = tmp_path / "corpus.zip"
        path.write_bytes(data)
        return path

    return archive


def bad(path: Path, **kwargs) -> str:
    with pytest.raises(CorpusError) as error:
        read_members(path, lambda name: True, **kwargs)
    assert str(path) in error.value.message
    assert error.value.hint == "delete it and run `rnnzoo data fetch` again"
    return error.value.message


def test_the_members_asked_for_are_read(archive):
    path = archive(zipped({"d/": b"", "d/a.txt": b"A", "d/b.csv": b"B", "c.txt": b""}))
    assert read_members(path, lambda name: name.endswith(".txt")) == {"d/a.txt": b"A", "c.txt": b""}


def test_folders_and_what_macos_adds_are_no_members(archive):
    path = archive(zipped({"d/": b"", "d/.DS_Store": b"x", "__MACOSX/d/._a.txt": b"x", "d/a.txt": b"A"}))
    assert read_members(path, lambda name: True) == {"d/a.txt": b"A"}


@pytest.mark.parametrize("name", ["../a.txt", "d/../../a.txt", "/etc/passwd", "C:/a.txt", "c:a.txt", "d\\a.txt"])
def test_a_path_out_of_the_archive_is_refused_even_where_it_is_not_asked_for(archive, name):
    path = archive(zipped({"good.txt": b"", name: b"x"}))
    with pytest.raises(CorpusError, match="leads out of the archive") as error:
        read_members(path, lambda name: name == "good.txt")
    assert repr(name) in error.value.message


def test_names_that_only_look_like_it_are_fine(archive):
    assert read_members(archive(zipped({"a..b/c...txt": b"x"})), lambda name: True) == {"a..b/c...txt": b"x"}


def test_a_symbolic_link_is_refused(archive):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    assert "'link' is a symbolic link" in bad(archive(zipped({link: b"/etc/passwd"})))


def test_an_encrypted_member_is_refused(archive):
    data = bytearray(zipped({"a.txt": b"x"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flags in the central directory
    assert "'a.txt' is encrypted" in bad(archive(bytes(data)))


def test_a_method_that_zipfile_cannot_bound_is_refused(archive):
    member = zipfile.ZipInfo("a.txt")
    member.compress_type = zipfile.ZIP_BZIP2
    assert "'a.txt' is compressed by a method other than deflate" in bad(archive(zipped({member: b"x"})))


def test_members_that_unpack_to_more_than_the_bound_in_all_are_refused(archive):
    path = archive(zipped({"a": b"x" * 600, "b": b"x" * 400, "c": b"x"}))
    assert "with its member 'c' it unpacks to more than 1000 bytes" in bad(path, max_bytes=1000)
    assert len(read_members(path, lambda name: name != "c", max_bytes=1000)) == 2


def test_a_member_larger_than_it_says_is_refused_before_it_fills_the_memory(archive):
    size = 64 << 20
    data = bytearray(zipped({"bomb": bytes(size)}))
    for place in (data.index(b"PK\x01\x02") + 24, 22):  # the size in the central directory and before the data
        assert struct.unpack_from("<I", data, place) == (size,)
        struct.pack_into("<I", data, place, 10)
    path = archive(bytes(data))
    tracemalloc.start()
    try:
        assert "'bomb' is damaged" in bad(path)
        assert tracemalloc.get_traced_memory()[1] < size / 16
    finally:
        tracemalloc.stop()


def test_a_corrupt_member_is_refused(archive):
    content = os.urandom(1000)  # does not compress, so byte 500 is content
    data = bytearray(zipped({"a.txt": b"fine", "b.txt": content}))
    data[-600] ^= 1
    path = archive(bytes(data))
    assert "'b.txt' is damaged" in bad(path)
    assert read_members(path, lambda name: name == "a.txt") == {"a.txt": b"fine"}


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all"])
def test_what_is_no_archive_is_refused(archive, data):
    assert "not a zip file" in bad(archive(data))


def test_a_missing_archive_is_said(tmp_path):
    assert "No such file" in bad(tmp_path / "missing.zip")
