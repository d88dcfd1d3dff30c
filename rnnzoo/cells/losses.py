"""Losses in nats with their gradients, weighted so that padding counts nothing."""

from __future__ import annotations

import numpy as np


def softmax_cross_entropy(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Sum over rows of -log softmax(logits)[target].

    Args:
        logits: `[rows, classes]`; overwritten by the gradient.
        targets: class of each row, integers `[rows]`.
        weights: weight of each row `[rows]`, 1 if None.

    Returns:
        the loss, and dL/d logits `[rows, classes]`.
    """
    row = np.arange(len(targets))
    logits -= logits.max(axis=1, keepdims=True)
    true = logits[row, targets]
    np.exp(logits, out=logits)
    total = logits.sum(axis=1)
    losses = np.log(total) - true
    logits /= total[:, None]
    logits[row, targets] -= 1
    if weights is not None:
        losses = losses * weights
        logits *= weights[:, None]
    return float(losses.sum(dtype=np.float64)), logits


def sigmoid_cross_entropy(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Sum over rows of -y log s(a) - (1 - y) log(1 - s(a)), for logits a and targets y in [0, 1], each `[rows]`."""
    losses = np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits)))
    gradient = 0.5 * (1 + np.tanh(0.5 * logits)) - targets
    if weights is not None:
        losses, gradient = losses * weights, gradient * weights
    return float(losses.sum(dtype=np.float64)), gradient


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """log softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
