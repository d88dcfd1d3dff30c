"""Where a cell's projected inputs `x W + b` come from, and where their gradients go.

`Projected` multiplies real-valued inputs, a block of steps at a time: large products, yet the block is still in cache when
the walk reaches it. `Symbols` needs no product at all: with a small vocabulary, `E W + b` is a table with a row per symbol.
"""

from __future__ import annotations

import numpy as np

BLOCK = 1 << 19  # floats in one projected block: 2 MB, about a core's second-level cache


class Inputs:
    """The source of a walk's inputs: `at(t)` is `[batch, gates * units]`, lasts until the next call, and may be overwritten."""

    time: int
    batch: int

    def at(self, t: int) -> np.ndarray:
        raise NotImplementedError

    def gradients(self, d_projected: list[np.ndarray]) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """From dL/d projected inputs (arrays `[time, batch, width]` side by side): dL/d x, and dL/d weights by name."""
        raise NotImplementedError


class Projected(Inputs):
    """Real-valued inputs `[batch, time, features]`, as for `keras.layers.GRU`."""

    def __init__(self, x: np.ndarray, kernel: np.ndarray, bias: np.ndarray):
        self.batch, self.time, self.features = x.shape
        self.x = np.ascontiguousarray(x.transpose(1, 0, 2))
        self.kernel, self.bias = kernel, bias
        self.steps = max(1, min(self.time, BLOCK // max(1, self.batch * kernel.shape[1])))
        self.block = np.empty((self.steps, self.batch, kernel.shape[1]), kernel.dtype)
        self.start = None

    def at(self, t: int) -> np.ndarray:
        start = t - t % self.steps
        if start != self.start:
            steps = self.x[start : start + self.steps]
            out = self.block[: len(steps)]
            np.matmul(steps.reshape(-1, self.features), self.kernel, out=out.reshape(-1, out.shape[-1]))
            out += self.bias
            self.start = start
        return self.block[t - start]

    def gradients(self, d_projected):
        x = self.x.reshape(-1, self.features)
        d_x = np.zeros_like(x)
        d_kernel, d_bias = np.empty_like(self.kernel), np.empty_like(self.kernel[0])
        for columns, part in _columns(d_projected):
            np.matmul(x.T, part, out=d_kernel[:, columns])
            np.sum(part, axis=0, out=d_bias[columns])
            d_x += part @ self.kernel[:, columns].T
        return d_x.reshape(self.x.shape).transpose(1, 0, 2), {"kernel": d_kernel, "bias": d_bias}


class Symbols(Inputs):
    """Symbols `[batch, time]` of a small vocabulary, embedded by `embeddings` `[vocabulary, features]`.

    The embedding is folded into the projection: one table `E W + b` instead of a product per step. Its gradient is a product
    with the one-hot matrix of the symbols, so time and memory grow with the vocabulary: for some hundreds of symbols.
    """

    def __init__(self, symbols: np.ndarray, embeddings: np.ndarray, kernel: np.ndarray, bias: np.ndarray):
        self.batch, self.time = symbols.shape
        if symbols.size and not (symbols.min() >= 0 and symbols.max() < len(embeddings)):
            raise IndexError(f"symbols run from 0 to {len(embeddings) - 1}, received {symbols.min()} to {symbols.max()}")
        self.symbols = np.ascontiguousarray(symbols.T)
        self.embeddings, self.kernel = embeddings, kernel
        self.table = embeddings @ kernel + bias
        self.rows = np.empty((self.batch, self.table.shape[1]), self.table.dtype)

    def at(self, t: int) -> np.ndarray:
        # All symbols are in range (see above); "clip" spares NumPy the copy that it makes to leave `out` whole if one is not.
        return np.take(self.table, self.symbols[t], axis=0, out=self.rows, mode="clip")

    def gradients(self, d_projected):
        one_hot = np.zeros((self.symbols.size, len(self.table)), self.table.dtype)
        one_hot[np.arange(self.symbols.size), self.symbols.ravel()] = 1
        d_table = np.empty_like(self.table)
        for columns, part in _columns(d_projected):
            np.matmul(one_hot.T, part, out=d_table[:, columns])
        return None, {
            "embeddings": d_table @ self.kernel.T,
            "kernel": self.embeddings.T @ d_table,
            "bias": d_table.sum(axis=0),
        }


def _columns(parts: list[np.ndarray]):
    """Each array as `[time * batch, width]`, with the columns it covers."""
    start = 0
    for part in parts:
        stop = start + part.shape[-1]
        yield slice(start, stop), part.reshape(-1, part.shape[-1])
        start = stop
