"""Vocabularies: number 0 is the unknown symbol; the others go by their place in the list."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnzoo.vocabulary import UNICODE, UNKNOWN, Vocabularies, Vocabulary, load


def test_known_symbols_are_numbered_from_one():
    vocabulary = Vocabulary("bca")
    assert vocabulary.encode("abc").tolist() == [3, 1, 2]
    assert [vocabulary[number] for number in (1, 2, 3)] == ["b", "c", "a"]
    assert len(vocabulary) == 4  # with UNK
    assert "a" in vocabulary
    assert "d" not in vocabulary


def test_words_are_symbols_too():
    assert Vocabulary(["the", "cat"]).encode(["cat", "sat", "the"]).tolist() == [2, UNKNOWN, 1]


def test_unknown_symbols_have_number_zero():
    assert UNKNOWN == 0
    assert Vocabulary("ab").encode("xay").tolist() == [0, 1, 0]
    assert Vocabulary("").encode("a").tolist() == [0]
    assert Vocabulary("ab").encode("").tolist() == []


@pytest.mark.parametrize("number", [0, 3, -1])
def test_no_symbol_has_another_number(number):
    with pytest.raises(IndexError, match=f"from 1 to 2, received {number}"):
        Vocabulary("ab")[number]


def test_a_symbol_occurs_once():
    with pytest.raises(ValueError, match="same symbol twice"):
        Vocabulary("aba")


@pytest.mark.parametrize(("known", "kind"), [("ab𝄞\n", np.uint16), (map(chr, range(0x4E00, 0x4E00 + 70_000)), np.int32)])
def test_code_points_encode_as_encode_does(known, kind):
    vocabulary = Vocabulary(known)
    text = "ba?𝄞\n一丁\U00014e00"
    points = np.array([ord(c) for c in text])
    assert vocabulary.code_points.shape == (UNICODE,)
    assert vocabulary.code_points.dtype == kind
    assert vocabulary.code_points[points].tolist() == vocabulary.encode(text).tolist()


def test_fitted_symbols_go_by_frequency_then_by_the_alphabet():
    counts = {"the": 5, "cat": 2, "a": 5, "rare": 1, "bat": 2}
    assert Vocabulary.fit(counts).symbols == ("a", "the", "bat", "cat", "rare")
    assert Vocabulary.fit(counts, min_count=2).symbols == ("a", "the", "bat", "cat")
    assert Vocabulary.fit(counts, size=3).symbols == ("a", "the", "bat")
    assert Vocabulary.fit(counts, min_count=5, size=9).symbols == ("a", "the")


def test_saved_and_loaded(tmp_path):
    path = tmp_path / "vocabulary.json"
    Vocabulary(["é", "\n", '"', "𝄞", "two words"]).save(path)
    assert load(path).symbols == ("é", "\n", '"', "𝄞", "two words")
    assert json.loads(path.read_text("utf-8"))["symbols"][0] == "é"


def test_several_saved_and_loaded(tmp_path):
    path = tmp_path / "vocabulary.json"
    Vocabularies({"words": Vocabulary(["cat"]), "tags": Vocabulary(["N", "V"])}, extra={"merges": "a b"}).save(path)
    loaded = load(path)
    assert {name: own.symbols for name, own in loaded.items()} == {"words": ("cat",), "tags": ("N", "V")}
    assert loaded.extra == {"merges": "a b"}
    assert len(loaded) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"symbol": []}',
        b'{"symbols": 3}',
        b'{"symbols": [["a"], {}]}',
        b'{"symbols": ["a", "a"]}',
        b'{"symbols": {"words": ["a"]}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_vocabulary_is_refused(tmp_path, content):
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with pytest.raises(ValueError):
        load(path)
