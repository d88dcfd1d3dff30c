"""A linear-chain conditional random field over each step's scores (Lafferty, McCallum, Pereira 2001).

The score of a sequence of classes y is the sum of `emissions[t, y_t]` over its steps and of `transitions[y_t-1, y_t]` between
them; its probability is exp(score) over the sum of that of all sequences, the partition. There are no scores of the first and
the last class: the network below sees both ends.

Sums over sequences are taken in log space, a product of matrices a step, as exp(a) @ exp(b) with what was largest kept aside.
Emissions are `[batch, time, classes]`, best time-major in memory as `feedforward.unrows` gives them; -inf excludes a class.
Masks are booleans `[batch, time]`, False for padding, which must follow the real steps; a loss needs a real one in each row.
"""

from __future__ import annotations

import numpy as np


def crf_loss(
    emissions: np.ndarray, transitions: np.ndarray, targets: np.ndarray, mask: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Sum over rows of -log P(targets), the log of the partition less the targets' score.

    Args:
        transitions: `[classes, classes]`, from the class of a row to that of a column.
        targets: classes, integers `[batch, time]`.

    Returns:
        the loss, dL/d emissions `[batch, time, classes]` and dL/d transitions: what the marginals exceed the targets by.
    """
    walk = _Walk(emissions, transitions, mask)
    real, true = walk.real, targets.T
    both = real[1:]
    score = walk.emissions[real, true[real]].sum(dtype=np.float64)
    score += transitions[true[:-1][both], true[1:][both]].sum(dtype=np.float64)
    d_emissions, d_transitions = walk.marginals()
    d_emissions[real, true[real]] -= 1
    np.subtract.at(d_transitions, (true[:-1][both], true[1:][both]), 1)
    return float(walk.log_partition.sum() - score), d_emissions.transpose(1, 0, 2), d_transitions


def crf_log_partition(emissions: np.ndarray, transitions: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Log of the sum of exp(score) over all sequences of classes, `[batch]` in float64."""
    return _Walk(emissions, transitions, mask).log_partition


def crf_marginals(emissions: np.ndarray, transitions: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Probabilities of each step's classes, given all emissions, `[batch, time, classes]`; zeros for padding."""
    return _Walk(emissions, transitions, mask).marginals(of_pairs=False)[0].transpose(1, 0, 2)


def viterbi(emissions: np.ndarray, transitions: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The most probable sequence of classes of each row, `[batch, time]`; whatever in the padding (Viterbi 1967)."""
    emissions, real = emissions.transpose(1, 0, 2), mask.T
    time, batch, classes = emissions.shape
    before = np.empty((time, batch, classes), np.int32)  # the best class of the step before, by the class of a step
    into = np.ascontiguousarray(transitions.T)
    best = emissions[0]
    for t in range(1, time):
        scores = best[:, None, :] + into
        before[t] = scores.argmax(axis=-1)
        longer = np.take_along_axis(scores, before[t][..., None], axis=-1)[..., 0] + emissions[t]
        longer -= longer.max(axis=-1, keepdims=True)  # so that no precision is lost in a long sequence
        best = np.where(real[t][:, None], longer, best)
    path = np.empty((time, batch), np.int64)
    path[-1] = best.argmax(axis=-1)
    for t in range(time - 1, 0, -1):
        path[t - 1] = np.where(real[t], before[t][np.arange(batch), path[t]], path[t])
    return path.T


class _Walk:
    """The forward pass over a batch, and the backward one when `marginals` are asked for (Rabiner 1989). All is time-major.

    Attributes:
        log_partition: `[batch]`, float64.
    """

    def __init__(self, emissions: np.ndarray, transitions: np.ndarray, mask: np.ndarray):
        self.emissions, self.real = emissions.transpose(1, 0, 2), np.ascontiguousarray(mask.T)
        self.all_real = self.real.all(axis=1)
        top = transitions.max()
        self.factors = np.exp(transitions - top)
        # Log weights of all beginnings that end in a class, the largest of each step and row 0; what was taken off `peaks`.
        # `shares` is exp of the former.
        self.ahead, self.shares = np.empty_like(self.emissions, order="C"), np.empty_like(self.emissions, order="C")
        self.peaks = np.zeros((*self.real.shape, 1), emissions.dtype)
        for t, scores in enumerate(self.emissions):
            ahead = self.ahead[t]
            if t:
                np.log(self.shares[t - 1] @ self.factors, out=ahead)
                ahead += scores
            else:
                ahead[...] = scores
            peaks = ahead.max(axis=-1, keepdims=True)
            ahead -= peaks
            if t and not self.all_real[t]:
                over = ~self.real[t]
                ahead[over], peaks[over] = self.ahead[t - 1][over], 0
            self.peaks[t] = peaks
            np.exp(ahead, out=self.shares[t])
        self.log_partition = np.log(self.shares[-1].sum(axis=-1, dtype=np.float64))
        self.log_partition += self.peaks[..., 0].sum(axis=0, dtype=np.float64) + float(top) * (self.real.sum(axis=0) - 1)

    def marginals(self, of_pairs: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
        """Probabilities of each step's classes `[time, batch, classes]`; those of neighbours' `[classes, classes]`, summed."""
        # Log weights of all endings after a class, up to a factor for each step and row.
        behind = np.zeros_like(self.ahead)
        back = np.ascontiguousarray(self.factors.T)
        for t in range(len(behind) - 1, 0, -1):
            following = behind[t] + self.emissions[t]
            following -= following.max(axis=-1, keepdims=True)
            np.log(np.exp(following, out=following) @ back, out=behind[t - 1])
            if not self.all_real[t]:
                behind[t - 1][~self.real[t]] = 0
        joint = self.ahead + behind
        largest = joint.max(axis=-1, keepdims=True)
        joint -= largest
        np.exp(joint, out=joint)
        total = joint.sum(axis=-1, keepdims=True)
        joint /= total
        joint[~self.real] = 0
        if not of_pairs:
            return joint, None
        # P(i, j) = shares[t - 1, i] factors[i, j] exp(emissions[t, j] + behind[t, j]) / what makes it sum to 1.
        behind += self.emissions
        behind -= self.peaks + largest + np.log(total)
        later = np.exp(behind[1:][self.real[1:]])
        return joint, self.factors * (self.shares[:-1][self.real[1:]].T @ later)
