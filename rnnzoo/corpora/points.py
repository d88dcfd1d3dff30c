"""A text as code points in a file: cut, counted, hashed and encoded in bounded memory.

The file is read in blocks and not mapped, for the pages of a mapping count as memory of the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..vocabulary import UNICODE, Vocabulary

BLOCK = 1 << 20  # characters handled at a time


@dataclass(frozen=True)
class Points:
    """The characters from `begin` to `end` of a text whose code points lie in a file, four bytes each."""

    path: Path
    begin: int
    end: int

    @classmethod
    def write(cls, path: Path, pieces: Iterable[str]) -> Points:
        """Put a text, given in pieces, into a file of its own."""
        length = 0
        with open(path, "wb") as file:
            for piece in pieces:
                file.write(piece.encode("utf-32-le", "surrogatepass"))
                length += len(piece)
        return cls(path, 0, length)

    def __len__(self) -> int:
        return self.end - self.begin

    def part(self, begin: int, end: int) -> Points:
        """The characters from `begin` to `end` of this text, or to its own end."""
        return Points(self.path, self.begin + begin, min(self.begin + end, self.end))

    def blocks(self) -> Iterator[np.ndarray]:
        """Its code points in order, in arrays of at most `BLOCK`."""
        for at in range(self.begin, self.end, BLOCK):
            yield np.fromfile(self.path, "<u4", min(BLOCK, self.end - at), offset=4 * at)


def distinct(texts: Iterable[Points]) -> np.ndarray:
    """The code points that occur in `texts`, ascending."""
    seen = np.zeros(UNICODE, bool)
    for text in texts:
        for block in text.blocks():
            seen[block] = True
    return np.flatnonzero(seen)


def sha256(texts: Sequence[Points]) -> str:
    """SHA-256 (hexadecimal) of texts joined by a newline, in UTF-8."""
    digest = hashlib.sha256()
    for i, text in enumerate(texts):
        if i:
            digest.update(b"\n")
        for block in text.blocks():
            digest.update(block.tobytes().decode("utf-32-le", "surrogatepass").encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def encode(text: Points, vocabulary: Vocabulary, path: Path) -> None:
    """Write the numbers of a text's characters, as a one-dimensional NumPy file of the smallest type that holds them."""
    kind = np.dtype(np.uint8) if len(vocabulary) <= 256 else vocabulary.code_points.dtype
    numbers = vocabulary.code_points.astype(kind)
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (len(text),)}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in text.blocks():
            numbers[block].tofile(file)
