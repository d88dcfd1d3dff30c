"""The linear baseline: it finds the minimum, and predicts what it should."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.recipes.sentiment.linear import Features, NBLogisticRegression, _fit, word_grams
from rnnzoo.vocabulary import Vocabulary


def test_words_and_neighbouring_pairs():
    assert word_grams("Not bad, not bad!") == ["not", "bad", "not bad", "bad not"]


def test_products_are_those_of_the_dense_matrix():
    features = Features(["a b", "b", "c"], Vocabulary(["a", "b", "a b"]))
    dense = np.array([[0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    w, s = np.arange(4.0), np.array([1.0, -2.0, 3.0])
    assert features.times(w) == pytest.approx(dense @ w)
    assert features.transposed_times(s) == pytest.approx(dense.T @ s)


def test_the_fit_is_the_minimum():
    """Where the gradient of the penalised loss, computed densely, is zero."""
    rng = np.random.default_rng(0)
    x, y, ratios = rng.random((60, 8)) < 0.4, rng.random(60) < 0.5, rng.standard_normal(9)
    symbols = Vocabulary("abcdefgh")
    features = Features([" . ".join("abcdefgh"[j] for j in np.flatnonzero(row)) for row in x], symbols)
    weights, bias = _fit(features, ratios, y.astype(float), penalty=0.5)
    scaled = np.concatenate([np.zeros((60, 1)), x], axis=1) * ratios
    errors = 1 / (1 + np.exp(-(scaled @ weights + bias))) - y
    assert scaled.T @ errors + 0.5 * weights == pytest.approx(np.zeros(9), abs=1e-3)
    assert errors.sum() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_it_learns_words_that_tell_the_label(classes):
    kinds = ["bad film", "good film", "odd film"][:classes]
    texts, labels = [f"{kind} {i}" for i in range(20) for kind in kinds], np.tile(np.arange(classes), 20)
    model = NBLogisticRegression(texts, labels, texts, labels, classes)
    assert model.predict(["bad", "this film is good", "odd"][:classes]).tolist() == list(range(classes))
