"""Losses in nats with their gradients, weighted so that padding counts nothing."""

from __future__ import annotations

import numpy as np

BLOCK = 1 << 16  # logits handled at a time


def softmax_cross_entropy(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None, smoothing: float = 0.0
) -> tuple[float, np.ndarray]:
    """Sum over rows of -log softmax(logits)[target].

    Args:
        logits: `[rows, classes]`; overwritten by the gradient.
        targets: class of each row, integers `[rows]`.
        weights: weight of each row `[rows]`, 1 if None.
        smoothing: share of the target's probability that is spread evenly over all classes (Szegedy et al. 2016).

    Returns:
        the loss, and dL/d logits `[rows, classes]`.
    """
    loss, classes = 0.0, logits.shape[1]
    block = max(1, BLOCK // classes)  # the passes over a block find it in cache
    for start in range(0, len(targets), block):
        part, true = logits[start : start + block], targets[start : start + block]
        weight = np.ones(len(true), logits.dtype) if weights is None else weights[start : start + block].astype(logits.dtype)
        row = np.arange(len(true))
        part -= part.max(axis=1, keepdims=True)
        expected = part[row, true]
        if smoothing:
            expected = (1 - smoothing) * expected + smoothing * part.mean(axis=1)
        np.exp(part, out=part)
        total = part.sum(axis=1)
        loss += float(((np.log(total) - expected) * weight).sum(dtype=np.float64))
        part *= (weight / total)[:, None]
        if smoothing:
            part -= (weight * (smoothing / classes))[:, None]
        part[row, true] -= (1 - smoothing) * weight
    return loss, logits


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
