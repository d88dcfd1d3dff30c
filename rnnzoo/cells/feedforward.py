"""The layers around a recurrent one, with their gradients: embedding, dense, dropout."""

from __future__ import annotations

import numpy as np


def rows(x: np.ndarray) -> np.ndarray:
    """`[batch, time, width]` as `[time * batch, width]`: time-major, as recurrent outputs lie in memory, so without a copy."""
    return x.transpose(1, 0, 2).reshape(-1, x.shape[-1])


def unrows(flat: np.ndarray, batch: int) -> np.ndarray:
    """The inverse of `rows`: `[time * batch, width]` as `[batch, time, width]`."""
    return flat.reshape(-1, batch, flat.shape[-1]).transpose(1, 0, 2)


def embed(symbols: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
    """Rows of `embeddings` `[vocabulary, features]` for `symbols` of any shape: `[..., features]`."""
    return embeddings[symbols]


def embed_backward(symbols: np.ndarray, d_output: np.ndarray, vocabulary: int) -> np.ndarray:
    """dL/d embeddings `[vocabulary, features]`. Rows are summed by symbol after a sort: `np.add.at` is many times slower."""
    symbols, d_output = symbols.ravel(), d_output.reshape(-1, d_output.shape[-1])
    order = np.argsort(symbols, kind="stable")
    ordered = symbols[order]
    gradient = np.zeros((vocabulary, d_output.shape[1]), d_output.dtype)
    if symbols.size:
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        gradient[ordered[starts]] = np.add.reduceat(d_output[order], starts, axis=0)
    return gradient


def dense(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """`x W + b` for `x` `[rows, features]`: `[rows, units]`."""
    y = x @ kernel
    y += bias
    return y


def dense_backward(x: np.ndarray, kernel: np.ndarray, d_output: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """dL/d x `[rows, features]`, and dL/d kernel and bias by name."""
    return d_output @ kernel.T, {"kernel": x.T @ d_output, "bias": d_output.sum(axis=0)}


def dropout_mask(shape: tuple[int, ...], rate: float, rng: np.random.Generator, dtype=np.float32) -> np.ndarray:
    """Zeros with probability `rate`, else 1 / (1 - rate): multiply by it, forward and backward."""
    mask = (rng.random(shape, np.float32) >= rate).astype(dtype)
    mask /= 1 - rate
    return mask
