"""Character n-gram models: the baseline that a character RNN has to beat.

Two interpolated models in the notation of Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language
Modeling" (TR-10-98, Harvard, 1998). Both are

    p(w | h) = discounted(h w) / total(h) + backoff(h) p(w | h without its first symbol)

down to the uniform distribution over the vocabulary:

- `witten-bell`: counts as they are; total(h) = c(h) + T(h) and backoff(h) = T(h) / total(h), where T(h) is the
  number of distinct symbols seen after h.
- `kneser-ney`, in the modified form that the report introduces: three discounts per order, for counts of one, of two
  and of more; below the highest order the count of an n-gram is the number of distinct symbols seen before it.

n-grams never cross from one text to the next. What precedes a text is one boundary, the same for all texts: it is
one more distinct symbol before an n-gram, and never part of one. So every n-gram that was seen has a count of at
least one at each order. The first symbols of a text have shorter contexts and are scored by the lower orders alone.

An n-gram is known by its rank among the n-grams of its order; its key is `rank of its context * vocabulary + last
symbol`. So counting is sorting, and looking up is a binary search in a sorted array. Measured on 10 MB of text,
choosing among all orders up to ten takes 2 seconds a megabyte and holds at most 90 bytes per training symbol.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

SMOOTHINGS = ("kneser-ney", "witten-bell")
ABSENT = -1  # the rank of an n-gram that was not seen in training, or that would begin before its text
NO_KEY = np.iinfo(np.int64).max  # above every key


@dataclass
class Grams:
    """The distinct n-grams of one order in the training texts, by rank."""

    keys: np.ndarray  # [grams] ascending
    occurrences: np.ndarray  # [grams]
    predecessors: np.ndarray | None = None  # [grams] distinct symbols before it; not counted for the longest order


class NgramModel:
    """An interpolated n-gram model over the symbols 0..vocabulary-1.

    Attributes:
        order: the length of the longest n-gram: a symbol is predicted from the order-1 symbols before it.
        vocabulary: the number of symbols.
        smoothing: one of `SMOOTHINGS`.
    """

    def __init__(self, grams: Sequence[Grams], vocabulary: int, smoothing: str):
        """The model of order len(grams); `fit` counts the n-grams first."""
        if smoothing not in SMOOTHINGS:
            raise ValueError(f"expected a smoothing of {', '.join(SMOOTHINGS)}, received {smoothing!r}")
        self.order, self.vocabulary, self.smoothing = len(grams), vocabulary, smoothing
        self._levels = []
        contexts = 1  # the empty one
        for level in grams:
            highest = level is grams[-1]
            counts = level.occurrences if highest or smoothing == "witten-bell" else level.predecessors
            seen, backoff = _smooth(counts, level.keys // vocabulary, contexts, smoothing)
            contexts = len(level.keys)
            # One more of each: a search then always ends on an element, and the rank ABSENT, being the last index,
            # reads as nothing seen (0) and all weight to the shorter context (1).
            self._levels.append((np.append(level.keys, NO_KEY), np.append(seen, 0.0), np.append(backoff, 1.0)))

    @classmethod
    def fit(cls, texts: Sequence[np.ndarray], order: int, vocabulary: int, smoothing: str = "kneser-ney") -> NgramModel:
        """Count the n-grams of `texts` (each [symbols], integers 0..vocabulary-1) up to length `order`; smooth them.

        Raises:
            ValueError: there is nothing to count, a symbol is out of range, the order is below one, or the smoothing
                is unknown.
        """
        return cls(count(texts, order, vocabulary), vocabulary, smoothing)

    def log2_probabilities(self, text: np.ndarray) -> np.ndarray:
        """log2 p(text[i] | up to order-1 symbols before it), from the beginning of a text: [symbols] -> [symbols].

        Raises:
            ValueError: a symbol is out of range.
        """
        text, starts = _joined([text], self.vocabulary)
        probabilities = np.full(len(text), 1 / self.vocabulary)
        contexts = np.zeros(len(text), np.int64)
        for keys, seen, backoff in self._levels:
            wanted = contexts * self.vocabulary + text  # negative, hence not found, where the context is ABSENT
            places = np.searchsorted(keys, wanted)
            ranks = np.where(keys[places] == wanted, places, ABSENT)
            probabilities = seen[ranks] + backoff[contexts] * probabilities
            contexts = _contexts(ranks, starts)
        return np.log2(probabilities)

    def bits(self, texts: Sequence[np.ndarray]) -> float:
        """Mean bits per symbol over all `texts`, each scored from its beginning.

        Raises:
            ValueError: there is nothing to score, or a symbol is out of range.
        """
        symbols = sum(map(len, texts))
        if not symbols:
            raise ValueError("expected texts to score, received none that is not empty")
        return float(-sum(self.log2_probabilities(text).sum() for text in texts) / symbols)


def best_order(
    train: Sequence[np.ndarray],
    validation: Sequence[np.ndarray],
    vocabulary: int,
    orders: Iterable[int] = range(2, 11),
    smoothings: Iterable[str] = SMOOTHINGS,
) -> NgramModel:
    """The model fitted on `train` whose smoothing and order give the fewest bits on `validation`.

    n-grams are counted once for all of them. Raises ValueError as `NgramModel.fit` and `NgramModel.bits` do.
    """
    orders = tuple(orders)
    grams = count(train, max(orders), vocabulary)
    models = (NgramModel(grams[:order], vocabulary, smoothing) for smoothing in smoothings for order in orders)
    return min(models, key=lambda model: model.bits(validation))


def count(texts: Sequence[np.ndarray], order: int, vocabulary: int) -> list[Grams]:
    """The n-grams of `texts` of the lengths 1 to `order`. Errors as for `NgramModel.fit`."""
    symbols, starts = _joined(texts, vocabulary)
    if order < 1 or not len(symbols):
        raise ValueError(f"expected an order above 0 and texts to count, received {order} and {len(symbols)} symbols")
    levels: list[Grams] = []
    contexts = np.zeros(len(symbols), np.int32)
    suffixes = contexts  # the rank of the n-gram of the order below that ends at each symbol
    for _ in range(order):
        keys = np.multiply(contexts, vocabulary, dtype=np.int64) + symbols
        by_key = np.argsort(keys)[np.count_nonzero(contexts == ABSENT) :]  # the keys of absent contexts are below zero
        keys = keys[by_key]
        groups = np.flatnonzero(np.diff(keys, prepend=ABSENT))  # where each distinct key begins
        occurrences = np.diff(groups, append=len(keys))
        if levels:
            before = suffixes[by_key[groups]]  # each distinct n-gram is one more predecessor of its suffix,
            at_start = np.unique(suffixes[(contexts == ABSENT) & (suffixes != ABSENT)])  # and so is the boundary
            levels[-1].predecessors = np.bincount(np.append(before, at_start), minlength=len(levels[-1].keys))
        levels.append(Grams(keys[groups], occurrences))
        suffixes = np.full(len(symbols), ABSENT, np.int32)
        suffixes[by_key] = np.repeat(np.arange(len(groups), dtype=np.int32), occurrences)
        contexts = _contexts(suffixes, starts)
    return levels


def _joined(texts: Sequence[np.ndarray], vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """All texts in one array [symbols], and where each that is not empty starts in it."""
    lengths = np.array([len(text) for text in texts if len(text)], np.int64)
    symbols = np.concatenate([np.empty(0, np.int32), *texts], dtype=np.int32)
    if len(symbols) and not 0 <= symbols.min() <= symbols.max() < vocabulary:
        raise ValueError(f"expected symbols of 0 to {vocabulary - 1}, received {symbols.min()} to {symbols.max()}")
    return symbols, np.cumsum(lengths) - lengths


def _contexts(ranks: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The rank of the n-gram that ends just before each symbol, from the ranks of those that end at it."""
    contexts = np.roll(ranks, 1)
    contexts[starts] = ABSENT
    return contexts


def _smooth(counts: np.ndarray, contexts: np.ndarray, size: int, smoothing: str) -> tuple[np.ndarray, np.ndarray]:
    """The discounted share of each n-gram in its context [grams], and the weight of the order below [size].

    Args:
        counts: [grams].
        contexts: [grams] the rank of each n-gram's context.
        size: the number of contexts; one that nothing follows leaves all to the order below.
    """
    totals = np.bincount(contexts, counts, size)
    if smoothing == "witten-bell":
        freed = np.bincount(contexts, minlength=size)
        totals += freed
    else:
        discounts = _discounts(counts)[np.minimum(counts, 3)]
        freed = np.bincount(contexts, discounts, size)
        counts = counts - discounts
    return counts / totals[contexts], np.divide(freed, totals, out=np.ones(size), where=totals > 0)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """[0, D1, D2, D3+] by Chen and Goodman's estimate, from how many n-grams have a count of 1, 2, 3 and 4.

    Where those are too few to tell (one of the four is zero, or a discount is not above zero), KenLM's fallback of 1/2,
    1 and 3/2: a discount of nothing would leave what was never seen without probability.
    """
    n1, n2, n3, n4 = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if n1 and n2 and n3 and n4:
        y = n1 / (n1 + 2 * n2)
        discounts = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
        if discounts[1:].min() > 0:
            return discounts
    return np.array([0, 0.5, 1, 1.5])
