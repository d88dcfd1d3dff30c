"""What a word's spelling says: every kind by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.recipes.postag.features import KINDS, LOWERCASE, Encoder, canonical, spelling
from rnnzoo.vocabulary import Vocabularies, Vocabulary


@pytest.mark.parametrize("word", ["a", "Mid-1980s", "U.S.", "--", "é", "-", "co-", "x" * 50, "Ünïcödé", "\U0001f600"])
def test_every_word_has_one_feature_of_each_kind(word):
    kinds = [feature.partition("=")[0] for feature in spelling(word)]
    assert len(kinds) == KINDS == len(set(kinds))


def test_by_hand():
    found = dict(feature.split("=", 1) for feature in spelling("Mid-1980s"))
    assert found["word"] == "mid-0000s"
    assert [found[f"suffix{n}"] for n in (1, 2, 3, 4)] == ["s", "0s", "00s", "000s"]
    assert [found[f"prefix{n}"] for n in (1, 2, 3)] == ["m", "mi", "mid"]
    assert found["shape"] == "Xx-0x"
    assert (found["first"], found["last"]) == ("mid", "0000s")


def test_an_affix_is_shorter_than_the_word():
    found = dict(feature.split("=", 1) for feature in spelling("of"))
    assert [found[f"suffix{n}"] for n in (1, 2, 3, 4)] == ["f", "", "", ""]


def test_one_spelling_for_brackets_slashes_and_quotes():
    assert [canonical(word) for word in ("-LRB-", "1\\/2", "don’t", "“", "Ada")] == ["(", "1/2", "don't", "``", "Ada"]


def test_numbers_and_unknowns():
    features = Vocabulary(["word=cat", "suffix1=t"])
    vocabularies = Vocabularies({"words": Vocabulary(["cat"]), "features": features, "tags": Vocabulary(["NN"])})
    numbers = Encoder(vocabularies, with_features=True)(["cat", "rat"])
    np.testing.assert_array_equal(numbers[:, :3], [[1, 1, 2], [0, 0, 2]])
    assert numbers.shape == (2, 1 + KINDS) and not numbers[:, 3:].any()
    np.testing.assert_array_equal(Encoder(vocabularies, with_features=False)(["cat", "rat"]), [[1], [0]])
    assert Encoder(vocabularies, with_features=True)([]).shape == (0, 1 + KINDS)


def test_words_are_looked_up_in_lower_case_where_the_vocabularies_say_so():
    """The capital is seen by the spelling features, not by the word itself."""
    words, features = Vocabulary(["cat"]), Vocabulary(["shape=Xx", "shape=x"])
    lower = Encoder(Vocabularies({"words": words, "features": features}, LOWERCASE), with_features=True)(["cat", "Cat"])
    assert lower[:, 0].tolist() == [1, 1]
    assert [set(row) - {0} for row in lower[:, 1:].tolist()] == [{2}, {1}]
    assert Encoder(Vocabularies({"words": words}), with_features=False)(["cat", "Cat"])[:, 0].tolist() == [1, 0]
