"""What is read of a sentence: words, negation marks, n-grams."""

from __future__ import annotations

from rnnzoo.recipes.sentiment.tokens import grams, negated, tokens


def test_words_marks_contractions_and_digits():
    assert tokens("I don't LIKE it... 45 min?!") == ["i", "do", "n't", "like", "it", "...", "00", "min", "?!"]
    assert tokens("It’s the cook's, cant say") == ["it", "'s", "the", "cook", "'s", ",", "ca", "n't", "say"]


def test_without_punctuation_as_published():
    assert tokens("I don't LIKE it... 45 min?!", punctuation=False) == ["i", "don't", "like", "it", "45", "min"]


def test_blank_texts_have_no_words():
    assert tokens(" \t\u0085 ") == tokens("") == tokens("?!", punctuation=False) == []


def test_a_negation_marks_three_words_of_its_clause():
    marked = ["it", "is", "not", "a_NEG", "very_NEG", "good_NEG", "cook"]
    assert negated([word.removesuffix("_NEG") for word in marked]) == marked
    assert negated(["no", ",", "good"]) == ["no", ",", "good"]
    assert negated(["not", "never", "good"]) == ["not", "never", "good_NEG"]


def test_grams_are_distinct_runs_of_words_and_of_characters():
    assert grams(["so", "so", "good"], 2, 0) == ["so", "good", "so so", "so good"]
    assert grams(["ab"], 0, 4) == ["\0 ab", "\0ab ", "\0 ab "]
    assert grams(["ab"], 0, 0) == []
