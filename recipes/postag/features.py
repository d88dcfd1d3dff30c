"""What a word's spelling says about it: the features that let the tagger judge words it has never seen.

Each feature is a string "kind=value"; a word has the same number of them, one of each kind. Their embeddings are summed.
The kinds are those of Ratnaparkhi 1996 (affixes, hyphen, digits, capitals), with the shape of Collins 2002.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from rnnzoo.vocabulary import Vocabularies

KINDS = 12  # features of a word
LOWERCASE = {"case": "lower"}  # beside the vocabularies of a model that looks words up in lower case

# The treebank writes brackets as names and slashes behind a backslash; other texts have the characters themselves.
_WRITTEN = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "\u201c": "``",
    "\u201d": "''",
    "\u2018": "`",
    "\u2019": "'",
}


@lru_cache(maxsize=1 << 17)
def canonical(word: str) -> str:
    """One spelling for what corpora and texts spell in several ways: brackets, escaped slashes, curly quotes."""
    return _WRITTEN.get(word) or word.replace("\\/", "/").replace("\u2019", "'")


def spelling(word: str) -> tuple[str, ...]:
    """The features of a canonical word."""
    lower = re.sub(r"\d", "0", word.lower())
    shape = "".join("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word)
    short = re.sub(r"(.)\1+", r"\1", shape)
    last = lower.rpartition("-")[2] if "-" in lower.strip("-") else ""
    first = lower.partition("-")[0] if last else ""
    return (
        f"word={lower}",
        *(f"suffix{n}={lower[-n:] if len(lower) > n else ''}" for n in (1, 2, 3, 4)),
        *(f"prefix{n}={lower[:n] if len(lower) > n else ''}" for n in (1, 2, 3)),
        f"shape={short}",
        f"length={min(len(word), 9)}{'+' if len(word) > 9 else ''}{shape[0]}",
        f"last={last}",
        f"first={first}",
    )


class Encoder:
    """Words as numbers: of the word itself and of its spelling's features, `[1 + KINDS]`, or `[1]` for a words-only model."""

    def __init__(self, vocabularies: Vocabularies, with_features: bool):
        self.words = vocabularies["words"]
        self.features = vocabularies["features"] if with_features else None
        self.lowercase = vocabularies.extra == LOWERCASE
        self._known: dict[str, tuple[int, ...]] = {}

    def __call__(self, words: Iterable[str]) -> np.ndarray:
        """`[words, 1 + KINDS]`, int32; 0 where the vocabulary lacks the word or the feature."""
        return np.array([self._numbers(word) for word in words], np.int32).reshape(-1, 1 + (KINDS if self.features else 0))

    def _numbers(self, word: str) -> tuple[int, ...]:
        numbers = self._known.get(word)
        if numbers is None:
            form = canonical(word)
            numbers = tuple(self.words.encode([form.lower() if self.lowercase else form]).tolist())
            if self.features:
                numbers += tuple(self.features.encode(spelling(form)).tolist())
            if len(self._known) < 1 << 18:  # a stream of ever new words must not fill the memory
                self._known[word] = numbers
        return numbers
