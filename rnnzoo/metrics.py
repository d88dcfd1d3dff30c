"""Metrics: pure functions on arrays. Each says what it counts."""

from __future__ import annotations

import math

import numpy as np


def accuracy(labels: np.ndarray, predictions: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Share of predictions that equal their label, over all items, or over those where `mask` is True.

    The mask must come from the labels or lengths, never from the predictions.
    """
    right = labels == predictions
    return float(right.mean() if mask is None else right[mask].mean())


def confusion(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Counts `[classes, classes]`: row the label, column the prediction."""
    return np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes)


def f1_per_class(matrix: np.ndarray) -> np.ndarray:
    """F1 of each class from a confusion matrix; 0 for a class that is neither a label nor predicted."""
    right = np.diag(matrix).astype(np.float64)
    occurrences = matrix.sum(axis=0) + matrix.sum(axis=1)
    return np.divide(2 * right, occurrences, out=np.zeros(len(matrix)), where=occurrences > 0)


def macro_f1(matrix: np.ndarray) -> float:
    """Mean F1 over the classes that occur among labels or predictions."""
    occurs = (matrix.sum(axis=0) + matrix.sum(axis=1)) > 0
    return float(f1_per_class(matrix)[occurs].mean())


def wilson_interval(right: int, items: int, z: float = 1.959964) -> tuple[float, float]:
    """Interval for a share of `right` among `items` (Wilson 1927); z = 1.96 makes it 95 %."""
    share = right / items
    centre = share + z * z / (2 * items)
    spread = z * math.sqrt(share * (1 - share) / items + z * z / (4 * items * items))
    return (centre - spread) / (1 + z * z / items), (centre + spread) / (1 + z * z / items)
