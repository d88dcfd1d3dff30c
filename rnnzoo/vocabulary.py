"""Symbols and their numbers. Number 0 is the unknown symbol, in every vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({"symbols": self.symbols}, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Raises ValueError if the file is not a vocabulary."""
        try:
            return cls(json.loads(path.read_text(encoding="utf-8"))["symbols"])
        except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path.name} is not a vocabulary: {error}") from None
