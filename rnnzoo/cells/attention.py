"""Attention: for each query a mean of the memory, weighted by how well query and memory entry match; with gradients.

    a(t, s) = softmax over s of score(q(t), m(s)),     context(t) = sum over s of a(t, s) m(s)

    multiplicative   score = q W m                           Luong, Pham, Manning, "Effective approaches to
                                                             attention-based neural machine translation", EMNLP 2015 ("general")
    additive         score = v tanh(q W_q + m W_m)           Bahdanau, Cho, Bengio, "Neural machine translation by jointly
                                                             learning to align and translate", ICLR 2015

The queries of all time steps are taken at once: with the context behind the recurrent layer, not fed back into it, nothing
here waits for the step before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .feedforward import rows, unrows

KINDS = ("multiplicative", "additive")


def weight_shapes(kind: str, units: int, width: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights by name, for queries of `units` and memory entries of `width`."""
    if kind == "multiplicative":
        return {"kernel": (units, width)}
    if kind == "additive":
        return {"query.kernel": (units, units), "memory.kernel": (width, units), "score.kernel": (units, 1)}
    raise ValueError(f"attention must be one of {', '.join(KINDS)}, received {kind!r}")


class Attention:
    """Attention over weights by name, held by reference; their names say which kind it is.

    `keys(memory)` is what of the score depends on the memory alone, to be computed once per memory when decoding.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]):
        self.weights = dict(weights)
        self.additive = "score.kernel" in self.weights

    def keys(self, memory: np.ndarray) -> np.ndarray:
        """`[batch, entries, units]` for a memory `[batch, entries, width]`."""
        return _project(memory, self.weights["memory.kernel"] if self.additive else self.weights["kernel"].T)

    def attend(
        self, queries: np.ndarray, memory: np.ndarray, mask: np.ndarray, keys: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Contexts `[batch, queries, width]` and weights `[batch, queries, entries]`, without a tape.

        Args:
            queries: `[batch, queries, units]`.
            memory: `[batch, entries, width]`.
            mask: booleans `[batch, entries]`; entries where it is False get weight zero. At least one must be True.
            keys: `keys(memory)`.
        """
        if self.additive:
            matches = np.tanh((_project(queries, self.weights["query.kernel"]))[:, :, None] + keys[:, None])
            scores = (matches @ self.weights["score.kernel"])[..., 0]
        else:
            scores = queries @ keys.transpose(0, 2, 1)
        weights = masked_softmax(scores, mask)
        return weights @ memory, weights

    def forward(self, queries: np.ndarray, memory: np.ndarray, mask: np.ndarray):
        """As `attend`, and the tape for `backward`."""
        if self.additive:
            matches = (_project(queries, self.weights["query.kernel"]))[:, :, None] + self.keys(memory)[:, None]
            np.tanh(matches, out=matches)
            scores = (matches @ self.weights["score.kernel"])[..., 0]
        else:  # the queries are projected, not the memory: its entries may be many more
            matches = _project(queries, self.weights["kernel"])
            scores = matches @ memory.transpose(0, 2, 1)
        weights = masked_softmax(scores, mask)
        return weights @ memory, weights, (queries, memory, matches, weights)

    def backward(self, tape, d_context: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """dL/d queries, dL/d memory, and dL/d weights by name. The tape is used up."""
        queries, memory, matches, weights = tape
        d_weights = d_context @ memory.transpose(0, 2, 1)
        d_memory = weights.transpose(0, 2, 1) @ d_context
        d_scores = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True))
        if not self.additive:
            d_matches = d_scores @ memory
            d_memory += d_scores.transpose(0, 2, 1) @ matches
            d_queries = _project(d_matches, self.weights["kernel"].T)
            return d_queries, d_memory, {"kernel": _product(queries, d_matches)}
        gradients = {"score.kernel": _product(matches, d_scores[..., None])}
        # `matches` becomes dL/d what went into the tanh.
        np.multiply(matches, matches, out=matches)
        np.subtract(1, matches, out=matches)
        matches *= self.weights["score.kernel"][:, 0]
        matches *= d_scores[..., None]
        d_query, d_key = matches.sum(axis=2), matches.sum(axis=1)
        gradients["query.kernel"] = _product(queries, d_query)
        gradients["memory.kernel"] = _product(memory, d_key)
        d_memory += _project(d_key, self.weights["memory.kernel"].T)
        return _project(d_query, self.weights["query.kernel"].T), d_memory, gradients


def masked_softmax(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Softmax over the last axis of `[batch, queries, entries]` where `mask` `[batch, entries]` is True, zero elsewhere."""
    if not mask.all():
        scores = np.where(mask[:, None], scores, -np.inf)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def _project(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """x W for `[batch, time, width]` as one product: NumPy makes one of each batch entry, several times slower.

    Recurrent outputs lie time-major in memory, so that order needs no copy; the result lies so too.
    """
    return unrows(rows(x) @ kernel, len(x))


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a^T b summed over all leading axes: the gradient of a kernel."""
    if a.ndim == 3:
        return rows(a).T @ rows(b)
    return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])
