"""Whatever bytes a file holds: what it should hold, or one clear error. RNNZOO_TEST_CASES sets how many are tried.

Arguments are fuzzed in tests/cli/test_fuzz.py; `tests/benchmarks/fuzz.py --cases 10000` runs both.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnzoo import inference, runs, zoo
from rnnzoo.corpora.archive import is_sound_zip, read_members
from rnnzoo.corpora.fetch import RemoteFile, available
from rnnzoo.errors import CorpusError, RnnzooError
from rnnzoo.training.reporter import Reporter

CASES = int(os.environ.get("RNNZOO_TEST_CASES", "150"))
fuzzed = settings(
    max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

# Archives


MEMBERS = {"words/a.txt": b"Alice " * 30, "words/ünïcode.txt": "Grüße".encode(), "words/": b""}


def zipped(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
        archive.comment = b"of no use"
    return buffer.getvalue()


ARCHIVES = [zipped(zipfile.ZIP_STORED), zipped(zipfile.ZIP_DEFLATED)]
NUMBERS = [0, 1, 0x7F, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]  # where archives hold lengths, offsets and flags


@st.composite
def damaged(draw, originals: list[bytes]) -> bytes:
    """Bytes with some of them changed, cut out, repeated or overwritten by a number."""
    content = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        if not content:
            break
        at, length = draw(st.integers(0, len(content) - 1)), draw(st.integers(1, 40))
        way = draw(st.sampled_from(["flip", "number", "cut", "repeat", "end"]))
        if way == "flip":
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif way == "number":
            content[at : at + 4] = struct.pack("<I", draw(st.sampled_from(NUMBERS)))
        elif way == "cut":
            del content[at : at + length]
        elif way == "repeat":
            content[at:at] = content[at : at + length]
        else:
            del content[at:]
    return bytes(content)


@fuzzed
@given(damaged(ARCHIVES))
def test_any_archive(tmp_path, content):
    (tmp_path / "corpus.zip").write_bytes(content)
    assert is_sound_zip(io.BytesIO(content)) in (True, False)
    try:
        members = read_members(tmp_path / "corpus.zip", lambda name: True, max_bytes=10_000)
    except CorpusError as error:
        assert "\n" not in error.message
    else:
        assert set(members.values()) <= {*MEMBERS.values(), b""}, "a checksum vouches for each"


# The cache


@fuzzed
@given(st.binary(max_size=40) | st.sampled_from([b"[" * 9999, b'{"sha256": 1, "bytes": 2}', b'{"sha256": {}, "bytes": []}']))
def test_any_record_beside_a_download(home, content):
    (home / "downloads").mkdir(parents=True, exist_ok=True)
    (home / "downloads" / "book.txt").write_text("Alice")
    (home / "downloads" / "book.txt.json").write_bytes(content)
    assert available(RemoteFile("book.txt", ())) is None


# Runs


@fuzzed
@given(st.data())
def test_any_damage_to_a_run(tiny, data):
    """Any file of a run, changed in any way: the run is refused, or it is the run it was."""
    expected = "Alice and the hedg"[:5] + inference.load("chargen", "tiny")("Alice", length=3, seed=1)[5:]
    path = data.draw(st.sampled_from(sorted(path for path in tiny.iterdir() if path.suffix in (".json", ".safetensors"))))
    original = path.read_bytes()
    try:
        path.write_bytes(data.draw(damaged([original])))
        try:
            assert inference.load("chargen", "tiny")("Alice", length=3, seed=1) == expected
            run = runs.open_run(tiny)
            for entry in run.record["last"]:
                run.read_arrays(entry["file"], entry["sha256"])
        except RnnzooError as error:
            assert "\n" not in error.message
        runs.runs_of("chargen")
    finally:
        path.write_bytes(original)


# Corpora

pieces = st.sampled_from(
    ["\t", "\n", "\r\n", " ", "/", "\\", '"', "'", ",", ";", "_", "-", "1", "0", "pos", "neg", "label", "text", "sentence",
     "dog/NN", "barks/VBZ", "./.", "I am hungry.", "Ich habe Hunger.", "Ünïcode", "日本", "\u2028", "\x85", "\0", "#", "(", ")"]
) | st.text(max_size=4)  # fmt: skip
rows = st.lists(st.lists(pieces, max_size=8).map("".join), max_size=12).map("\n".join)
texts = (rows | st.builds(lambda row, n: row * n, rows, st.integers(2, 60))).map(lambda text: text.encode("utf-8", "replace"))


@pytest.mark.parametrize("name", zoo.names())
@fuzzed
@given(texts | texts.map(lambda text: b"\xef\xbb\xbf" + text) | st.binary(max_size=200))
def test_any_file_as_a_corpus(tmp_path, name, content):
    recipe = zoo.load(name)
    (tmp_path / "own.txt").write_bytes(content)
    try:
        corpus = recipe.part("corpus").load_corpus(recipe.card.Config(), str(tmp_path / "own.txt"), Reporter())
    except RnnzooError as error:
        assert "\n" not in error.message
    else:
        assert len(corpus.batches(recipe.card.Config(), 0, 0)) > 0
        assert all(corpus.items(part) > 0 for part in ("train", "validation", "test"))
