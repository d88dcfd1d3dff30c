"""Metrics by hand: what counts is a matter of the labels, and padding only of the number that says so."""

from __future__ import annotations

import pytest

from rnnzoo.recipes.postag.corpus import Corpus, Split
from rnnzoo.recipes.postag.evaluation import baselines, inspect, most_frequent_tags, score
from rnnzoo.recipes.postag.readers import Sentence
from rnnzoo.vocabulary import Vocabularies


def sentence(text: str) -> Sentence:
    return Sentence.of(token.rpartition("/")[::2] for token in text.split())


TRAIN = [sentence("the/DT dog/NN runs/VBZ"), sentence("the/DT run/NN"), sentence("they/PRP run/VBP"), sentence("dog/NN run/NN")]
SEEN = frozenset(word for own in TRAIN for word in own.words)


def split(*texts: str, longest: int = 10) -> Split:
    return Split([sentence(text) for text in texts], longest, SEEN)


class Fixed:
    """A model that gives the tags it was made with."""

    def __init__(self, *tags: str):
        self.tags = [own.split() for own in tags]

    def tag(self, sentences):
        return self.tags


def test_metrics_by_hand():
    # Right: DT, NN, -, PRP; unseen: cat (right), sleeps (wrong). Padding: 2 sentences of 10 positions, 4 of the 20 are words.
    found = score(split("the/DT cat/NN sleeps/VBZ", "they/PRP"), [["DT", "NN", "NN"], ["PRP"]])
    assert found["accuracy"] == 3 / 4
    assert found["accuracy_with_padding"] == (3 + 16) / 20
    assert found["oov_accuracy"] == 1 / 2
    assert found["sentence_accuracy"] == 1 / 2
    # F1: DT 1, PRP 1, NN 2 * 1 / (1 + 2) = 2/3, VBZ 0.
    assert found["macro_f1"] == pytest.approx((1 + 1 + 2 / 3 + 0) / 4)


def test_a_prediction_cannot_take_a_word_out_of_the_count():
    # The published "masked" accuracy left out what was *predicted* to be padding.
    assert score(split("the/DT dog/NN"), [["DT", "<PAD>"]])["accuracy"] == 1 / 2


def test_without_unseen_words_their_accuracy_is_no_number():
    assert score(split("the/DT"), [["DT"]])["oov_accuracy"] is None


def test_a_tag_too_many_or_too_few_is_refused():
    with pytest.raises(ValueError, match="one tag for each word"):
        score(split("the/DT dog/NN"), [["DT"]])


def test_the_most_frequent_tag_by_hand():
    assert most_frequent_tags(TRAIN, [["run", "the", "cat"], []]) == [["NN", "DT", "NN"], []]


def test_confusions_and_sentences_with_wrong_tags():
    test = split("the/DT run/NN", "they/PRP run/VBP", "a/DT run/NN")
    corpus = Corpus(Vocabularies({}), split(), split(), test, {})
    details = inspect(Fixed("DT NN", "PRP NN", "DT VB"), corpus)
    assert details["worst_confusions"] == [
        {"label": "NN", "predicted": "VB", "times": 1, "share_of_label": 1 / 2},
        {"label": "VBP", "predicted": "NN", "times": 1, "share_of_label": 1},
    ]
    assert details["labelled_beside_predicted"] == [
        {"labelled": "they/PRP run/VBP", "predicted": "they/PRP run/[NN]"},
        {"labelled": "a/DT run/NN", "predicted": "a/DT run/[VB]"},
    ]


def test_both_baselines_are_scored_on_the_same_words():
    corpus = Corpus(Vocabularies({}), Split(TRAIN * 5, 10, SEEN), Split(TRAIN, 10, SEEN), split("the/DT dog/NN runs/VBZ"), {})
    found = baselines(corpus)
    assert set(found) == {"most frequent tag", "averaged perceptron (NLTK)"}
    assert found["most frequent tag"]["accuracy"] == 1
    assert all(set(metrics) == set(score(corpus.test, [["DT", "NN", "VBZ"]])) for metrics in found.values())
