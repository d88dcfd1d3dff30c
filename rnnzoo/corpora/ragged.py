"""Sequences of different lengths as two arrays, so that a million of them load at once and need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np


class Ragged(Sequence[np.ndarray]):
    """Sequences of integers laid end to end.

    Args:
        flat: all of them, `[sum of lengths]`.
        ends: where each one ends in `flat`, `[sequences]`.
    """

    def __init__(self, flat: np.ndarray, ends: np.ndarray):
        self.flat, self.ends = flat, ends

    @classmethod
    def of(cls, sequences: Iterable[np.ndarray], dtype: type = np.int32) -> Ragged:
        sequences = list(sequences)
        flat = np.concatenate([np.zeros(0, dtype), *sequences]).astype(dtype, copy=False)
        return cls(flat, np.cumsum([len(sequence) for sequence in sequences], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index):
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.flat[(self.ends[index - 1] if index else 0) : self.ends[index]]

    @property
    def lengths(self) -> np.ndarray:
        """`[sequences]`."""
        return np.diff(self.ends, prepend=0)

    def save(self, folder: Path, name: str) -> None:
        """Write `name.flat.npy` and `name.ends.npy`."""
        np.save(folder / f"{name}.flat.npy", self.flat)
        np.save(folder / f"{name}.ends.npy", self.ends)

    @classmethod
    def load(cls, folder: Path, name: str) -> Ragged:
        """What `save` wrote, memory-mapped."""
        return cls(np.load(folder / f"{name}.flat.npy", mmap_mode="r"), np.load(folder / f"{name}.ends.npy", mmap_mode="r"))
