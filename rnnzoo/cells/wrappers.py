"""Cells in company: side by side in both directions, and one upon the other.

Both are used as a cell is: `forward` gives outputs, state and tape, `backward` gives gradients. So they nest: a
stack may be made of bidirectional pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .base import Cell, State
from .inputs import Inputs


class Bidirectional:
    """Two cells over the same sequence, one from its start and one from its end (Schuster, Paliwal 1997).

    The state is a pair of states. A sequence fed in pieces does not equal the same fed whole: the backward cell would
    have to begin with the last piece. Through right padding the backward cell holds its initial state, as in Keras.
    """

    def __init__(self, forward: Cell, backward: Cell):
        self.cells = forward, backward

    def initial_state(self, batch: int) -> tuple[State, State]:
        return tuple(cell.initial_state(batch) for cell in self.cells)

    def forward(self, x: np.ndarray, state: tuple[State, State] | None = None, mask: np.ndarray | None = None):
        """All time steps of `x` `[batch, time, features]`; arguments as for `Cell.forward`.

        Returns:
            outputs `[batch, time, 2 units]`, both final states (the second is that at the sequence's start), the tape.
        """
        ahead, back = (None, None) if state is None else state
        y_ahead, ahead, tape_ahead = self.cells[0].forward(x, ahead, mask)
        y_back, back, tape_back = self.cells[1].forward(x[:, ::-1], back, None if mask is None else mask[:, ::-1])
        return np.concatenate((y_ahead, y_back[:, ::-1]), axis=-1), (ahead, back), (tape_ahead, tape_back)

    def backward(self, tape, d_outputs: np.ndarray | None, d_state: tuple[State, State] | None = None):
        """As `Cell.backward`; the gradients of the weights are named `forward.kernel`, `backward.kernel` and so on."""
        ahead, back = (None, None) if d_state is None else d_state
        d_ahead, d_back = None, None
        if d_outputs is not None:
            d_ahead, d_back = np.split(d_outputs, [self.cells[0].units], axis=-1)
            d_back = d_back[:, ::-1]
        d_x, ahead, g_ahead = self.cells[0].backward(tape[0], d_ahead, ahead)
        d_x_back, back, g_back = self.cells[1].backward(tape[1], d_back, back)
        return d_x + d_x_back[:, ::-1], (ahead, back), _prefixed("forward", g_ahead) | _prefixed("backward", g_back)


class Stacked:
    """Cells each of which reads the outputs of the one before, with dropout between. The state is a list of states."""

    def __init__(self, cells: Sequence[Cell | Bidirectional]):
        self.cells = list(cells)

    def initial_state(self, batch: int) -> list:
        return [cell.initial_state(batch) for cell in self.cells]

    def step(self, x: np.ndarray, state: Sequence[State]) -> tuple[np.ndarray, list[State]]:
        """One time step of `x` `[batch, features]`, as `Cell.step`; a stack with a bidirectional pair has none."""
        return self._climb(self.cells[0].step(x, state[0]), state)

    def step_projected(self, a: np.ndarray, state: Sequence[State]) -> tuple[np.ndarray, list[State]]:
        """One time step from the first cell's projected inputs, as `Cell.step_projected`."""
        return self._climb(self.cells[0].step_projected(a, state[0]), state)

    def _climb(self, first, state):
        y, new = first
        states = [new]
        for cell, old in zip(self.cells[1:], state[1:], strict=True):
            y, new = cell.step(y, old)
            states.append(new)
        return y, states

    def forward(
        self,
        x: np.ndarray | Inputs,
        state: Sequence | None = None,
        mask: np.ndarray | None = None,
        dropout: Sequence[np.ndarray] | None = None,
    ):
        """All time steps, as `Cell.forward`.

        Args:
            dropout: arrays of `dropout_mask`, one for each gap between two cells, by which `[batch, time, units]` is
                multiplied; None for no dropout.

        Returns:
            the last cell's outputs `[batch, time, units]`, the final states, and the tape.
        """
        state = [None] * len(self.cells) if state is None else state
        factors = [None, *([None] * (len(self.cells) - 1) if dropout is None else dropout)]
        states, tapes = [], []
        for cell, initial, factor in zip(self.cells, state, factors, strict=True):
            x, final, tape = cell.forward(x if factor is None else x * factor, initial, mask)
            states.append(final)
            tapes.append(tape)
        return x, states, (tapes, factors)

    def backward(self, tape, d_outputs: np.ndarray | None, d_state: Sequence | None = None):
        """As `Cell.backward`; the gradients of the weights are named `0.kernel`, `1.kernel` and so on.

        Of symbols, the gradient is `0.embeddings`.
        """
        tapes, factors = tape
        d_state = [None] * len(self.cells) if d_state is None else d_state
        d_initial, gradients = [], {}
        for k in reversed(range(len(self.cells))):
            d_outputs, d, g = self.cells[k].backward(tapes[k], d_outputs, d_state[k])
            d_initial.insert(0, d)
            gradients.update(_prefixed(k, g))
            if factors[k] is not None:
                d_outputs = d_outputs * factors[k]
        return d_outputs, d_initial, gradients


def _prefixed(prefix, gradients: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}.{name}": gradient for name, gradient in gradients.items()}
