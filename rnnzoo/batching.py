"""Batches: what one training step takes."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Batch:
    """One training step's arrays by name, and the number of real (unpadded) tokens its loss is normalised by."""

    arrays: dict[str, np.ndarray]
    tokens: int


class Streams(Sequence[Batch]):
    """Windows of truncated BPTT over contiguous streams: window k + 1 of a row goes on where window k ended.

    Each text is cut into contiguous pieces, one per row, in proportion to its length; with more texts than rows, whole texts
    queue in the rows. Row lengths differ a little: the last windows are short and, where a row has ended, weigh nothing.

    Each batch has `inputs` and `targets` (`[batch, time]`, the target is the next symbol), `weights` (`[batch, time]`, 1 for a
    real target) and `keep` (`[batch]`, 0 where a piece starts, so that the row's state must be zero, else 1).

    Args:
        texts: symbols of each text, 1-D arrays; they may be memory-mapped, only windows are copied.
        batch_size: number of rows; fewer if the texts are too short to fill them.
        window: time steps in a batch.
        start: the symbol fed before the first symbol of a text.
    """

    def __init__(self, texts: Sequence[np.ndarray], batch_size: int, window: int, start: int):
        self.texts, self.window, self.start = texts, window, start
        lengths = [len(text) for text in texts]
        rows = max(1, min(batch_size, sum(lengths)))
        self.rows = _cut(lengths, rows)
        # Per row, the number of windows up to and with each of its pieces: windows are found, not listed, so that memory does
        # not grow with the text.
        self._counts = [list(itertools.accumulate(-(-(end - begin) // window) for _, begin, end in row)) for row in self.rows]

    def __len__(self) -> int:
        return max(counts[-1] for counts in self._counts)

    def _find(self, row: int, k: int) -> tuple[tuple[int, int, int], int]:
        """The piece that window k of a row lies in, and where in its text it begins."""
        index = bisect.bisect_right(self._counts[row], k)
        before = self._counts[row][index - 1] if index else 0
        piece = self.rows[row][index]
        return piece, piece[1] + (k - before) * self.window

    def __getitem__(self, k: int) -> Batch:
        if not 0 <= k < len(self):
            raise IndexError(k)
        present = [(row, self._find(row, k)) for row, counts in enumerate(self._counts) if k < counts[-1]]
        time = max(min(self.window, end - at) for _, ((_, _, end), at) in present)
        batch = len(self.rows)
        inputs = np.full((batch, time), self.start, np.int32)
        targets = np.zeros((batch, time), np.int32)
        weights = np.zeros((batch, time), np.float32)
        keep = np.zeros(batch, np.float32)
        for row, ((text, begin, end), at) in present:
            stop = min(at + self.window, end)
            symbols = self.texts[text][max(at - 1, 0) : stop]
            targets[row, : stop - at] = symbols[-(stop - at) :]
            inputs[row, stop - at - len(symbols) + 1 : stop - at] = symbols[:-1]
            weights[row, : stop - at] = 1
            keep[row] = at > begin
        return Batch({"inputs": inputs, "targets": targets, "weights": weights, "keep": keep}, int(weights.sum(dtype=np.int64)))


class Windows(Sequence[Batch]):
    """Shuffled windows, each from a zero state: the stateless counterpart of `Streams`, with the same arrays.

    Args:
        rng: draws the order of the windows.
    """

    def __init__(self, texts: Sequence[np.ndarray], batch_size: int, window: int, start: int, rng: np.random.Generator):
        self.texts, self.window, self.batch_size, self.start = texts, window, batch_size, start
        counts = [-(-len(text) // window) for text in texts]
        self._ends = np.cumsum(counts)  # windows are numbered through the texts; this is where the numbers of each end
        order = rng.permutation(sum(counts))
        # Only the last window of a text is short: these come last, so that the other batches have no padding.
        is_short = np.zeros(len(order), bool)
        is_short[[end - 1 for text, end in zip(texts, self._ends, strict=True) if len(text) % window]] = True
        short = is_short[order]
        self._order = np.concatenate([order[~short], order[short]])

    def _find(self, number: int) -> tuple[np.ndarray, int, int]:
        """The text that a window lies in, and where in it the window begins and ends."""
        index = int(np.searchsorted(self._ends, number, side="right"))
        text = self.texts[index]
        begin = int(number - (self._ends[index - 1] if index else 0)) * self.window
        return text, begin, min(begin + self.window, len(text))

    def __len__(self) -> int:
        return -(-len(self._order) // self.batch_size)

    def __getitem__(self, k: int) -> Batch:
        if not 0 <= k < len(self):
            raise IndexError(k)
        chosen = [self._find(number) for number in self._order[k * self.batch_size : (k + 1) * self.batch_size]]
        time = max(end - begin for _, begin, end in chosen)
        inputs = np.full((len(chosen), time), self.start, np.int32)
        targets = np.zeros((len(chosen), time), np.int32)
        weights = np.zeros((len(chosen), time), np.float32)
        for row, (text, begin, end) in enumerate(chosen):
            targets[row, : end - begin] = text[begin:end]
            if begin:
                inputs[row, 0] = text[begin - 1]
            inputs[row, 1 : end - begin] = text[begin : end - 1]
            weights[row, : end - begin] = 1
        arrays = {"inputs": inputs, "targets": targets, "weights": weights, "keep": np.zeros(len(chosen), np.float32)}
        return Batch(arrays, int(weights.sum(dtype=np.int64)))


def length_batches(lengths: Sequence[int], batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Indices of items, in batches of near-equal length and in random order.

    Items are shuffled, sorted by length (so that equal lengths stay shuffled), cut into batches, and the batches shuffled:
    next to nothing is padded, and the number of batches does not depend on the shuffle.
    """
    order = rng.permutation(len(lengths))
    order = order[np.argsort(np.asarray(lengths)[order], kind="stable")]
    batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def pad(sequences: Sequence[np.ndarray], dtype: type = np.int32) -> tuple[np.ndarray, np.ndarray]:
    """Sequences side by side, `[batch, time]`, zeros after the end of each; and the mask, True where there is a real item."""
    lengths = np.array([len(sequence) for sequence in sequences])
    mask = np.arange(max(1, lengths.max(initial=0))) < lengths[:, None]
    padded = np.zeros(mask.shape, dtype)
    if lengths.any():
        padded[mask] = np.concatenate(list(sequences))
    return padded, mask


def _cut(lengths: Sequence[int], rows: int) -> list[list[tuple[int, int, int]]]:
    """For each row its pieces (text, begin, end)."""
    texts = [i for i, length in enumerate(lengths) if length]
    if len(texts) > rows:  # whole texts queue: the longest first, each to the row with the least so far
        queues: list[list[tuple[int, int, int]]] = [[] for _ in range(rows)]
        load = [0] * rows
        for i in sorted(texts, key=lambda i: -lengths[i]):
            row = load.index(min(load))
            queues[row].append((i, 0, lengths[i]))
            load[row] += lengths[i]
        return queues
    shares = dict.fromkeys(texts, 1)
    for _ in range(rows - len(texts)):  # each further row goes to the text whose pieces are longest
        longest = max(texts, key=lambda i: lengths[i] / shares[i])
        shares[longest] += 1
    return [[(i, lengths[i] * p // shares[i], lengths[i] * (p + 1) // shares[i])] for i in texts for p in range(shares[i])]
