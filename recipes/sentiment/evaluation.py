"""Accuracy, F1 and confusion on held-out sentences, the most confident mistakes, and the baselines on the same sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnzoo.metrics import accuracy, confusion, f1_per_class, macro_f1, wilson_interval

from .corpus import Corpus, Split, encode

SHOWN = 8  # mistakes, and sentences labelled beside predicted


def evaluate(model: Any, split: Split) -> dict[str, Any]:
    """Metrics of a model's labels for the sentences of a split.

    Returns:
        "accuracy" with "accuracy_95" (its interval, Wilson), "f1" (of the second class in the alphabet, "positive", where
        there are two; else the mean over classes), "nats" (mean of -log probability of the label), and "confusion" (row the
        label, column the prediction, in alphabetical order).
    """
    probabilities = model.predict(split)
    labels = np.asarray(split.labels)
    true = probabilities[np.arange(len(labels)), labels]
    return {**_scores(labels, probabilities.argmax(axis=1), probabilities.shape[1]), "nats": _nats(true)}


class Ensemble:
    """Several models of one corpus as one: the mean of their probabilities. Each reads the texts in its own way."""

    def __init__(self, models: list[Any]):
        self.models, self.classes, self.vocabulary = models, models[0].classes, models[0].vocabulary

    def predict(self, split: Split) -> np.ndarray:
        """Probabilities `[sentences, classes]`."""

        def read_by(model: Any) -> Split:
            words, grams, _ = encode(split.texts, model.vocabulary, model.config)
            return Split(words, grams, split.labels, split.read_texts)

        return np.mean([model.predict(read_by(model)) for model in self.models], axis=0)


def ensemble(models: list[Any]) -> Ensemble:
    """Several models evaluated as one (`eval --run A,B,C`)."""
    return Ensemble(models)


def _nats(true: np.ndarray) -> float:
    return float(-np.log(np.maximum(true, 1e-12)).mean())


def _scores(labels: np.ndarray, predictions: np.ndarray, classes: int) -> dict[str, Any]:
    matrix = confusion(labels, predictions, classes)
    low, high = wilson_interval(int((labels == predictions).sum()), len(labels))
    return {
        "accuracy": accuracy(labels, predictions),
        "accuracy_95": [round(low, 4), round(high, 4)],
        "f1": float(f1_per_class(matrix)[1]) if classes == 2 else macro_f1(matrix),
        "confusion": matrix.tolist(),
    }


def baselines(corpus: Corpus, split: str = "test") -> dict[str, dict[str, Any]]:
    """The majority label, and NB-weighted logistic regression; both fitted on the training sentences."""
    from .linear import NBLogisticRegression

    own, labels = corpus.split(split), np.asarray(corpus.split(split).labels)
    classes = len(corpus.vocabulary["labels"]) - 1
    train, valid = corpus.train, corpus.validation
    counts = np.bincount(train.labels, minlength=classes)
    majority = _scores(labels, np.full(len(labels), counts.argmax()), classes)
    majority["nats"] = _nats(counts[labels] / counts.sum())
    linear = NBLogisticRegression(train.texts, np.asarray(train.labels), valid.texts, np.asarray(valid.labels), classes)
    return {
        "majority label": majority,
        "NB-weighted logistic regression, words 1-2": _scores(labels, linear.predict(own.texts), classes),
    }


def inspect(model: Any, corpus: Corpus, split: str = "test") -> dict[str, Any]:
    """The most confident mistakes, and the first sentences of a split labelled beside predicted."""
    own = corpus.split(split)
    labels, probabilities = np.asarray(own.labels), model.predict(own)
    predictions = probabilities.argmax(axis=1)

    def row(i: int) -> dict[str, Any]:
        label, predicted = model.classes[labels[i]], model.classes[predictions[i]]
        return {
            "label": label,
            "predicted": predicted,
            "probability": round(float(probabilities[i].max()), 4),
            "text": own.texts[i],
        }

    wrong = np.flatnonzero(labels != predictions)
    worst = wrong[np.argsort(-probabilities.max(axis=1)[wrong], kind="stable")][:SHOWN]
    return {
        "most_confident_mistakes": [row(i) for i in worst],
        "labelled_beside_predicted": [row(i) for i in range(min(SHOWN, len(own)))],
    }
