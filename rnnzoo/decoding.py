"""From logits to symbols: temperature, top-k, top-p, greedy, beam. Pure NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SMALLEST_TEMPERATURE = 1e-200  # below it float32 logits divided by it could overflow; all weight is on the largest anyway
BLOCK = 1 << 17  # logits handled at a time: the passes over them find them in cache


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
    weights = _weights(logits, temperature, top_k, top_p)
    return weights / weights.sum(axis=-1, keepdims=True)


def draw(
    logits: np.ndarray, rng: np.random.Generator, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> np.ndarray:
    """One symbol per row, `[batch]`. Temperature 0 takes the most probable one (greedy)."""
    if temperature == 0:
        return logits.argmax(axis=-1)
    cumulative = _weights(logits, temperature, top_k, top_p).cumsum(axis=-1)
    # A threshold below the total: the symbol drawn is the first whose cumulative weight exceeds it.
    thresholds = rng.random((len(logits), 1)) * cumulative[:, -1:]
    return (cumulative > thresholds).argmax(axis=-1)


def _weights(logits: np.ndarray, temperature: float, top_k: int, top_p: float) -> np.ndarray:
    """What `probabilities` returns, up to a factor for each row."""
    weights = logits.astype(np.float64)
    weights -= np.maximum.reduce(weights, axis=-1, keepdims=True)  # logits.max without its overhead, a tenth of a drawing
    weights /= max(temperature, SMALLEST_TEMPERATURE)
    if 0 < top_k < logits.shape[-1]:
        kth = np.partition(weights, -top_k, axis=-1)[..., -top_k, None]
        weights[weights < kth] = -np.inf
    np.exp(weights, out=weights)
    if top_p < 1:
        order = np.argsort(-weights, axis=-1, kind="stable")
        ordered = np.take_along_axis(weights, order, axis=-1)
        # A symbol stays if those before it have not reached p; the first one always stays.
        kept = np.cumsum(ordered, axis=-1) - ordered < top_p * weights.sum(axis=-1, keepdims=True)
        kept[..., 0] = True
        np.put_along_axis(weights, order, ordered * kept, axis=-1)
    return weights


@dataclass(frozen=True)
class Hypothesis:
    """A decoded sequence: its symbols without the end symbol, and its log-probability in nats."""

    symbols: tuple[int, ...]
    log_probability: float
    ended: bool


Step = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]
Select = Callable[[Any, np.ndarray], Any]


def beam_search(
    step: Step,
    logits: np.ndarray,
    state: Any,
    select: Select,
    beam: int,
    length: int,
    end: int | None = None,
    alpha: float = 0.0,
) -> list[Hypothesis]:
    """Beam search for one item: `beam_search_batch` of one."""
    return beam_search_batch(step, logits, state, select, beam, [length], end, alpha)[0]


def beam_search_batch(
    step: Step,
    logits: np.ndarray,
    state: Any,
    select: Select,
    beam: int,
    lengths: Sequence[int],
    end: int | None = None,
    alpha: float = 0.0,
) -> list[list[Hypothesis]]:
    """Beam search for several items side by side; with a beam of 1 it is greedy. Items that are done take no more steps.

    Args:
        step: `(symbols [k], state) -> (logits [k, symbols], state)`.
        logits: `[items, symbols]`, for the first symbol.
        state: the state those logits came with, a row for each item.
        select: `(state, indices [k]) -> state` with the rows `indices`.
        beam: hypotheses kept of each item.
        lengths: the most symbols of a hypothesis of each item; decoding always ends there.
        end: the symbol that ends a hypothesis; None if none does.
        alpha: hypotheses are ranked by log-probability / ((5 + length) / 6) ** alpha (Wu et al. 2016).

    Returns:
        for each item up to `beam` hypotheses, the best first.
    """

    def rank(hypothesis: Hypothesis) -> float:
        return hypothesis.log_probability / ((5 + len(hypothesis.symbols) + hypothesis.ended) / 6) ** alpha

    limits = np.asarray(lengths)
    ended = [[] if limit > 0 else [Hypothesis((), 0.0, False)] for limit in limits]
    items = np.flatnonzero(limits > 0)  # those not done
    if len(items) < len(limits):
        logits, state = logits[items], select(state, items)
    scores = np.zeros((len(items), 1))
    history = np.empty((len(items), 1, 0), np.int64)
    for position in range(limits.max(initial=0)):
        # Twice the beam, so that ends do not empty it.
        symbols, gains = _most_probable(logits, 2 * beam)
        choices = gains.shape[1]
        total = (scores[:, :, None] + gains.reshape(*scores.shape, choices)).reshape(len(items), -1)
        best = np.argsort(-total, axis=1, kind="stable")[:, : 2 * beam]
        rows, total = best // choices, np.take_along_axis(total, best, axis=1)
        symbols = np.take_along_axis(symbols.reshape(len(items), -1), best, axis=1)
        going = np.isfinite(total)
        if end is not None:
            ends = going & (symbols == end)
            for i, j in np.argwhere(ends[:, :beam]):
                ended[items[i]].append(Hypothesis(tuple(history[i, rows[i, j]].tolist()), float(total[i, j]), True))
            going &= ~ends
        first = np.argsort(~going, axis=1, kind="stable")[:, :beam]
        rows, symbols, going, total = (np.take_along_axis(a, first, axis=1) for a in (rows, symbols, going, total))
        scores = np.where(going, total, -np.inf)
        history = np.concatenate([np.take_along_axis(history, rows[:, :, None], axis=1), symbols[:, :, None]], axis=2)
        on = np.array([len(ended[item]) < beam for item in items]) & going.any(axis=1)
        for i in np.flatnonzero(on & (limits[items] <= position + 1)):
            found = zip(history[i][going[i]].tolist(), scores[i][going[i]].tolist(), strict=True)
            ended[items[i]] += [Hypothesis(tuple(h), s, False) for h, s in found]
            on[i] = False
        if not on.any():
            break
        rows = (rows + np.arange(len(items))[:, None] * (len(logits) // len(items)))[on]
        items, scores, history, symbols = items[on], scores[on], history[on], symbols[on]
        logits, state = step(symbols.ravel(), select(state, rows.ravel()))
    return [sorted(found, key=rank, reverse=True)[:beam] for found in ended]


def _most_probable(logits: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k most probable symbols of each row, in the order of their numbers, and their log-probabilities in float64."""
    rows = max(1, BLOCK // logits.shape[-1])
    blocks = [_most_probable_of_block(logits[at : at + rows], k) for at in range(0, len(logits), rows)]
    symbols, gains = zip(*blocks, strict=True)
    return np.concatenate(symbols), np.concatenate(gains)


def _most_probable_of_block(logits: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    np.exp(shifted, out=shifted)
    norm = np.log(shifted.sum(axis=-1, keepdims=True)).astype(np.float64)
    symbols = np.sort(_largest(logits, k), axis=-1)
    return symbols, np.take_along_axis(logits, symbols, axis=-1).astype(np.float64) - top - norm


def _largest(values: np.ndarray, k: int, block: int = 64) -> np.ndarray:
    """Indices `[rows, k]` of the k largest of each row of `[rows, n]`; all of them where n is not larger than k.

    The k largest lie in the k blocks with the largest maxima: finding these needs one fast pass over the values, and only
    their content is sorted out.
    """
    rows, n = values.shape
    if n <= k:
        return np.broadcast_to(np.arange(n), (rows, n))
    whole = n // block
    if whole <= 2 * k:
        return np.argpartition(values, -k, axis=-1)[:, -k:]
    maxima = values[:, : whole * block].reshape(rows, whole, block).max(axis=-1)
    chosen = np.argpartition(maxima, -k, axis=-1)[:, -k:]
    candidates = (chosen[:, :, None] * block + np.arange(block)).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(whole * block, n), (rows, n - whole * block))
    candidates = np.concatenate([candidates, rest], axis=1)
    within = np.argpartition(np.take_along_axis(values, candidates, axis=-1), -k, axis=-1)[:, -k:]
    return np.take_along_axis(candidates, within, axis=-1)
