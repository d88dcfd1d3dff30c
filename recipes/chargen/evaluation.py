"""Bits per character on held-out text, and the baselines on the same characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnzoo.cells.losses import log_softmax
from rnnzoo.vocabulary import UNICODE, UNKNOWN

from . import Options
from .corpus import START, Corpus

WINDOW = 256  # time steps read at once; the state is carried from one to the next
COUNTED = 10_000_000  # characters of training text that n-grams are counted in: 20 seconds, and 0.9 GB of memory


def evaluate(model: Any, texts: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean cost of each character of `texts` given those before it.

    The state is zero at the start of each text and carried through to its end; every character counts, the first one too.
    A character never seen in training costs the UNK symbol and an equal share of the characters outside the vocabulary.

    Returns:
        "bits_per_char", "nats_per_char" and "perplexity" (2 to the power of the bits; at most e^700, where floats end).
    """
    nats = sum(nats_per_text(model, texts))
    characters = sum(len(text) for text in texts)
    mean = nats / characters
    return {"bits_per_char": mean / math.log(2), "nats_per_char": mean, "perplexity": math.exp(min(mean, 700))}


def nats_per_text(model: Any, texts: Sequence[np.ndarray]) -> np.ndarray:
    """Cost of each text in nats, `[texts]`. Texts are read side by side."""
    time = max(len(text) for text in texts)
    state, nats = model.initial_state(len(texts)), np.zeros(len(texts))
    for at in range(0, time, WINDOW):
        x = np.full((len(texts), min(WINDOW, time - at)), START, np.int64)
        y, real = np.zeros_like(x), np.zeros(x.shape, bool)
        for row, text in enumerate(texts):
            piece = text[at : at + WINDOW]
            before = text[max(at - 1, 0) : at + len(piece)]
            y[row, : len(piece)], real[row, : len(piece)] = piece, True
            x[row, len(piece) - len(before) + 1 : len(piece)] = before[:-1]
        logits, state = model.call(x, state)
        costs = -np.take_along_axis(log_softmax(logits), y[..., None], axis=-1)[..., 0].astype(np.float64)
        nats += (costs * real).sum(axis=1)
    unknown = np.array([np.count_nonzero(text == UNKNOWN) for text in texts])
    return nats + unknown * math.log(UNICODE - len(model.vocabulary) + 1)


def baselines(corpus: Corpus, split: str = "test") -> dict[str, dict[str, float]]:
    """Costs of n-gram models counted on the training text; smoothing and order are chosen on validation."""
    from .ngram import best_order

    size = len(corpus.vocabulary)
    texts = corpus.split(split)
    share = min(1.0, COUNTED / corpus.items("train"))
    train = [text[: math.ceil(share * len(text))] for text in corpus.train]
    model = best_order(train, corpus.validation, size, orders=range(2, 17))
    unknown = sum(np.count_nonzero(text == UNKNOWN) for text in texts) / corpus.items(split)
    bits = model.bits(texts) + unknown * math.log2(UNICODE - size + 1)
    return {
        f"{model.smoothing} {model.order}-gram" + ("" if share == 1 else f" on {share:.1%} of the training text"): {
            "bits_per_char": bits,
            "nats_per_char": bits * math.log(2),
            "perplexity": 2**bits,
        },
        "uniform over the vocabulary": {
            "bits_per_char": math.log2(size),
            "nats_per_char": math.log(size),
            "perplexity": float(size),
        },
    }


def inspect(model: Any, corpus: Corpus, split: str = "test") -> dict[str, Any]:
    """The longest passage of a generated sample that is copied from the training text."""
    from .copied import longest_copied

    sample = "".join(piece.text for piece in model.generate([""], Options(length=2000), seed=0))
    passage = longest_copied(sample, corpus.training_text())
    return {"sample_characters": len(sample), "longest_copied": len(passage), "copied_passage": passage}
