"""Texts as code points in a file: what is cut, counted, hashed and encoded is the text, whatever the size of the blocks."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from rnnzoo.corpora import points
from rnnzoo.corpora.points import Points
from rnnzoo.vocabulary import Vocabulary

TEXT = "Grüße, 世界! 🦉 " * 3


@pytest.fixture(params=[1, 7, 1 << 20])
def text(request, tmp_path, monkeypatch) -> Points:
    monkeypatch.setattr(points, "BLOCK", request.param)
    return Points.write(tmp_path / "text.u4", [TEXT[:5], "", TEXT[5:]])


def read(text: Points) -> str:
    return "".join(block.tobytes().decode("utf-32-le") for block in text.blocks())


def test_it_reads_as_it_was_written(text):
    assert len(text) == len(TEXT)
    assert read(text) == TEXT
    assert (text.path.stat().st_size, text.begin, text.end) == (4 * len(TEXT), 0, len(TEXT))


def test_parts_of_parts_are_those_of_the_text(text):
    assert read(text.part(3, 20)) == TEXT[3:20]
    assert read(text.part(3, 20).part(2, 1000)) == TEXT[3:20][2:1000]
    assert read(text.part(4, 4)) == ""


def test_distinct_characters_of_all_texts(text):
    assert [chr(point) for point in points.distinct([text.part(0, 3), text.part(6, 9)])] == sorted(set(TEXT[:3] + TEXT[6:9]))


def test_the_hash_is_that_of_the_texts_in_utf8_joined_by_a_newline(text):
    expected = hashlib.sha256(f"{TEXT[:4]}\n{TEXT}".encode()).hexdigest()
    assert points.sha256([text.part(0, 4), text]) == expected


def test_numbers_are_those_of_the_vocabulary_in_the_smallest_type(text, tmp_path):
    for symbols, kind in ((sorted(set(TEXT) - {"ü"}), np.uint8), (map(chr, range(32, 32 + 300)), np.uint16)):
        vocabulary = Vocabulary(symbols)
        points.encode(text, vocabulary, tmp_path / "numbers.npy")
        numbers = np.load(tmp_path / "numbers.npy", mmap_mode="r")
        assert numbers.dtype == kind
        np.testing.assert_array_equal(numbers, vocabulary.encode(TEXT))
        assert (numbers == 0).any()  # the characters that it lacks
