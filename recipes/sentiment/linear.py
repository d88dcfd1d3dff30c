"""The linear baseline: NB-weighted logistic regression on word n-grams, and the majority label.

Each n-gram that a sentence has counts its log-count ratio; on these features L2-regularised logistic regression is fitted
by Newton's method, its steps solved by conjugate gradients. Source: Wang, Manning, "Baselines and bigrams", ACL 2012.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from rnnzoo.cells.base import sigmoid
from rnnzoo.corpora.ragged import Ragged
from rnnzoo.vocabulary import UNKNOWN, Vocabulary

from .ratios import class_counts, log_count_ratios, outputs

SMOOTHING = (0.3, 1.0)
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)  # of half the squared weights, against the summed loss; which one validation says


def word_grams(text: str) -> list[str]:
    """The distinct words and pairs of neighbouring words of a text, in lower case, without punctuation."""
    words = re.findall(r"\w+", text.lower())
    return list(dict.fromkeys(words + [f"{a} {b}" for a, b in zip(words, words[1:], strict=False)]))


class Features:
    """Sentences as rows of a sparse matrix with ones where they have an n-gram."""

    def __init__(self, texts: Sequence[str], vocabulary: Vocabulary):
        encoded = (vocabulary.encode(word_grams(text)) for text in texts)
        self.grams = Ragged.of(numbers[numbers != UNKNOWN] for numbers in encoded)
        self.rows = np.repeat(np.arange(len(texts)), self.grams.lengths)
        self.columns, self.size = self.grams.flat, (len(texts), len(vocabulary))

    def times(self, weights: np.ndarray) -> np.ndarray:
        """X w, `[sentences]`."""
        return np.bincount(self.rows, weights[self.columns], self.size[0])

    def transposed_times(self, sentences: np.ndarray) -> np.ndarray:
        """X^T s, `[grams]`."""
        return np.bincount(self.columns, sentences[self.rows], self.size[1])


class NBLogisticRegression:
    """Fitted on training texts; smoothing and penalty are those with the best accuracy on the validation texts.

    More than two classes are told apart one against the rest.
    """

    def __init__(self, texts: Sequence[str], labels: np.ndarray, valid: Sequence[str], valid_labels: np.ndarray, classes: int):
        counts = Counter(gram for text in texts for gram in word_grams(text))
        self.vocabulary = Vocabulary.fit(counts)
        train, held = Features(texts, self.vocabulary), Features(valid, self.vocabulary)
        table = class_counts(train.grams, labels, len(self.vocabulary), classes)
        best = -1.0
        for smoothing in SMOOTHING:
            ratios = log_count_ratios(table, table, smoothing).astype(np.float64)
            for penalty in PENALTIES:
                fitted = []
                for k in range(outputs(classes)):
                    targets = labels == (1 if classes == 2 else k)
                    weights, bias = _fit(train, ratios[:, k], targets.astype(np.float64), penalty)
                    fitted.append((weights * ratios[:, k], bias))
                accuracy = float((_classify(held, fitted) == valid_labels).mean())
                if accuracy > best:
                    best, self.fitted = accuracy, fitted

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """The class of each text, `[texts]`."""
        return _classify(Features(texts, self.vocabulary), self.fitted)


def _classify(features: Features, fitted: list[tuple[np.ndarray, float]]) -> np.ndarray:
    scores = np.stack([features.times(weights) + bias for weights, bias in fitted], axis=1)
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)


def _fit(x: Features, ratios: np.ndarray, y: np.ndarray, penalty: float, steps: int = 30) -> tuple[np.ndarray, float]:
    """Weights and bias that minimise sum log(1 + exp(-+ z)) + penalty/2 |w|^2 for z = X (r w) + b; the bias is free."""
    w, b = np.zeros(len(ratios)), 0.0
    penalties = np.append(np.full(len(w), penalty), 0.0)

    def forward(v):
        return x.times(ratios * v[:-1]) + v[-1]

    def back(s):
        return np.append(ratios * x.transposed_times(s), s.sum())

    v = np.append(w, b)

    def loss(v):
        z = forward(v)
        return np.logaddexp(0, z).sum() - y @ z + 0.5 * (penalties * v) @ v

    value = loss(v)
    for _ in range(steps):
        p = sigmoid(forward(v))
        gradient = back(p - y) + penalties * v
        size = np.linalg.norm(gradient)
        if size < 1e-4:
            break
        curvature = p * (1 - p)
        step = _conjugate_gradients(lambda d, c=curvature: back(c * forward(d)) + penalties * d, -gradient, 1e-2 * size)
        length = 1.0
        while length > 1e-6 and (tried := loss(v + length * step)) > value:
            length /= 2
        if length <= 1e-6 or value - tried < 1e-9 * abs(value):
            break
        v, value = v + length * step, tried
    return v[:-1], float(v[-1])


def _conjugate_gradients(product, target: np.ndarray, tolerance: float, steps: int = 100) -> np.ndarray:
    """The solution of `product(x) = target` to a residual of `tolerance`."""
    x, residual = np.zeros_like(target), target.copy()
    direction, square = residual.copy(), residual @ residual
    for _ in range(steps):
        if square**0.5 < tolerance:
            break
        image = product(direction)
        along = square / (direction @ image)
        x += along * direction
        residual -= along * image
        square, before = residual @ residual, square
        direction = residual + (square / before) * direction
    return x
