"""Symbols and their numbers. Number 0 is the unknown symbol, in every vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

UNKNOWN = 0
UNICODE = 0x110000  # code points


class Vocabulary:
    """An immutable list of symbols, fitted on training text only.

    Args:
        symbols: the known symbols; they get the numbers 1, 2, ... Number 0 is UNK.

    Raises:
        ValueError: if a symbol occurs twice.
    """

    def __init__(self, symbols: Iterable[str]):
        self.symbols: tuple[str, ...] = tuple(symbols)
        self._numbers = {symbol: number for number, symbol in enumerate(self.symbols, start=1)}
        if len(self._numbers) != len(self.symbols):
            raise ValueError("a vocabulary cannot hold the same symbol twice")

    def __len__(self) -> int:
        """Number of symbols, UNK included."""
        return len(self.symbols) + 1

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._numbers

    def __getitem__(self, number: int) -> str:
        if not 0 < number < len(self):
            raise IndexError(f"symbol numbers run from 1 to {len(self) - 1}, received {number}")
        return self.symbols[number - 1]

    def encode(self, symbols: Sequence[str]) -> np.ndarray:
        """Numbers of `symbols`, int32; UNK for those not in the vocabulary."""
        return np.fromiter((self._numbers.get(s, UNKNOWN) for s in symbols), np.int32, len(symbols))

    @cached_property
    def code_points(self) -> np.ndarray:
        """For a vocabulary of characters: the number of each Unicode code point, `[0x110000]`, to encode long texts at once."""
        numbers = np.zeros(UNICODE, np.uint16 if len(self) < 1 << 16 else np.int32)
        for symbol, number in self._numbers.items():
            numbers[ord(symbol)] = number
        return numbers

    @classmethod
    def fit(cls, counts: Mapping[str, int], min_count: int = 1, size: int = 0) -> Vocabulary:
        """The most frequent symbols of training text, those of equal count in the order of the alphabet.

        Args:
            counts: how often each symbol occurs in the training text.
            min_count: rarer symbols become UNK.
            size: the most symbols kept, UNK not counted; 0 for all.
        """
        kept = sorted((symbol for symbol, count in counts.items() if count >= min_count), key=lambda s: (-counts[s], s))
        return cls(kept[:size] if size else kept)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({"symbols": self.symbols}, ensure_ascii=False), encoding="utf-8")


class Vocabularies(Mapping[str, Vocabulary]):
    """Several vocabularies of one model by name, for instance "words" and "tags".

    Args:
        extra: texts that belong to them, for instance the merges of a subword model.
    """

    def __init__(self, vocabularies: Mapping[str, Vocabulary], extra: Mapping[str, str] | None = None):
        self._vocabularies = dict(vocabularies)
        self.extra = dict(extra or {})

    def __getitem__(self, name: str) -> Vocabulary:
        return self._vocabularies[name]

    def __iter__(self):
        return iter(self._vocabularies)

    def __len__(self) -> int:
        return len(self._vocabularies)

    def save(self, path: Path) -> None:
        symbols = {name: vocabulary.symbols for name, vocabulary in self.items()}
        path.write_text(json.dumps({"symbols": symbols, "extra": self.extra}, ensure_ascii=False), encoding="utf-8")


def load(path: Path) -> Vocabulary | Vocabularies:
    """What `save` of either class wrote.

    Raises:
        ValueError: if the file is neither.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        symbols = content["symbols"]
        if isinstance(symbols, list):
            return Vocabulary(symbols)
        return Vocabularies({name: Vocabulary(own) for name, own in symbols.items()}, content["extra"])
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not a vocabulary: {error}") from None
