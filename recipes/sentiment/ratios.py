"""Log-count ratios: what a training set says of an n-gram and a class, before any model is trained.

    r(g, c) = log (a + n(g, c)) / T(c)  -  log (a + n(g, not c)) / T(not c),     T = sum over n-grams of a + n

n counts sentences. Source: Wang, Manning, "Baselines and bigrams", ACL 2012.
"""

from __future__ import annotations

import numpy as np

from rnnzoo.corpora.ragged import Ragged


def outputs(classes: int) -> int:
    """Logits of a classifier: one for two classes (that of the second), else one for each class."""
    return 1 if classes == 2 else classes


def class_counts(grams: Ragged, labels: np.ndarray, size: int, classes: int) -> np.ndarray:
    """Sentences of each class that have each n-gram, `[size, classes]`, from the distinct n-grams of each sentence."""
    cells = np.asarray(grams.flat, np.int64) * classes + np.repeat(labels, grams.lengths)
    return np.bincount(cells, minlength=size * classes).reshape(size, classes)


def log_count_ratios(counts: np.ndarray, table: np.ndarray, smoothing: float) -> np.ndarray:
    """Ratios `[..., outputs]` from `counts` `[..., classes]`; T is taken of the whole `table` `[grams, classes]`."""
    own, size = table.sum(axis=0), smoothing * len(table)
    prior = np.log((own + size) / (own.sum() - own + size))
    rest = counts.sum(axis=-1, keepdims=True) - counts
    ratios = np.log((counts + smoothing) / (rest + smoothing)) - prior
    return (ratios[..., 1:] if len(own) == 2 else ratios).astype(np.float32)


def written(counts: np.ndarray) -> str:
    """Counts as text, a line for each n-gram."""
    return "\n".join(" ".join(map(str, row)) for row in counts.tolist())


def read(text: str, classes: int) -> np.ndarray:
    """What `written` wrote: `[grams, classes]`."""
    return np.array(text.split(), np.int64).reshape(-1, classes)
