"""From logits to symbols: temperature, top-k, top-p, greedy, beam. Pure NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


def probabilities(logits: np.ndarray, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> np.ndarray:
    """The distribution that symbols are drawn from.

    Args:
        logits: `[batch, symbols]`; -inf for symbols that must not occur.
        temperature: logits are divided by it; above 0. The largest logit is subtracted first, so that none overflows.
        top_k: only the k most probable symbols remain (ties with the k-th remain too); 0 for all.
        top_p: only the smallest set of most probable symbols whose probability reaches p (Holtzman et al. 2020); 1 for all.

    Returns:
        probabilities `[batch, symbols]` in float64.
    """
    scaled = (logits - logits.max(axis=-1, keepdims=True)).astype(np.float64)
    scaled /= temperature
    if 0 < top_k < logits.shape[-1]:
        kth = np.partition(scaled, -top_k, axis=-1)[..., -top_k, None]
        scaled[scaled < kth] = -np.inf
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=-1, keepdims=True)
    if top_p < 1:
        order = np.argsort(-scaled, axis=-1, kind="stable")
        ordered = np.take_along_axis(scaled, order, axis=-1)
        # A symbol stays if those before it have not reached p; the first one always stays.
        kept = np.cumsum(ordered, axis=-1) - ordered < top_p
        kept[..., 0] = True
        np.put_along_axis(scaled, order, ordered * kept, axis=-1)
        scaled /= scaled.sum(axis=-1, keepdims=True)
    return scaled


def draw(
    logits: np.ndarray, rng: np.random.Generator, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> np.ndarray:
    """One symbol per row, `[batch]`. Temperature 0 takes the most probable one (greedy)."""
    if temperature == 0:
        return logits.argmax(axis=-1)
    cumulative = np.cumsum(probabilities(logits, temperature, top_k, top_p), axis=-1)
    thresholds = rng.random((len(logits), 1)) * cumulative[:, -1:]
    return (cumulative <= thresholds).sum(axis=-1)


@dataclass(frozen=True)
class Hypothesis:
    """A decoded sequence: its symbols without the end symbol, and its log-probability in nats."""

    symbols: tuple[int, ...]
    log_probability: float
    ended: bool


def beam_search(
    step: Callable[[np.ndarray, Any], tuple[np.ndarray, Any]],
    logits: np.ndarray,
    state: Any,
    select: Callable[[Any, np.ndarray], Any],
    beam: int,
    length: int,
    end: int | None = None,
    alpha: float = 0.0,
) -> list[Hypothesis]:
    """Beam search for one item.

    Args:
        step: `(symbols [k], state) -> (logits [k, symbols], state)`.
        logits: `[1, symbols]`, for the first symbol.
        state: the state those logits came with, batch 1.
        select: `(state, indices [k]) -> state` with the rows `indices`.
        beam: hypotheses kept.
        length: the most symbols of a hypothesis; decoding always ends there.
        end: the symbol that ends a hypothesis; None if none does.
        alpha: hypotheses are ranked by log-probability / ((5 + length) / 6) ** alpha (Wu et al. 2016).

    Returns:
        up to `beam` hypotheses, the best first.
    """

    def rank(hypothesis: Hypothesis) -> float:
        return hypothesis.log_probability / ((5 + len(hypothesis.symbols) + hypothesis.ended) / 6) ** alpha

    ended: list[Hypothesis] = []
    scores = np.zeros(1)
    history = np.empty((1, 0), np.int64)
    for position in range(length):
        shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
        total = scores[:, None] + shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        flat = total.ravel()
        best = np.argsort(-flat, kind="stable")[: 2 * beam]  # twice, so that ends do not empty the beam
        best = best[np.isfinite(flat[best])]
        rows, symbols = np.divmod(best, logits.shape[-1])
        if end is not None:
            for i in np.flatnonzero(symbols[:beam] == end):
                ended.append(Hypothesis(tuple(history[rows[i]].tolist()), float(flat[best[i]]), True))
            going = symbols != end
            best, rows, symbols = best[going], rows[going], symbols[going]
        best, rows, symbols = best[:beam], rows[:beam], symbols[:beam]
        scores, history = flat[best], np.concatenate([history[rows], symbols[:, None]], axis=1)
        if len(ended) >= beam or not len(best):
            break
        if position + 1 < length:
            logits, state = step(symbols, select(state, rows))
    else:
        ended += [Hypothesis(tuple(h), float(s), False) for h, s in zip(history.tolist(), scores, strict=True)]
    return sorted(ended, key=rank, reverse=True)[:beam]
