"""Looking into recurrent layers: gradients by lag, hidden units over a text, weights by gate.

A recipe opens its layers by two optional methods of its NumpyModel; what is computed from them is the same for all:

    probe(text) -> Probe | list[Probe]              what the recurrent layers read of one text, with its `tokens`; several where
                                                    layers read different sequences
    probe_loss(items, number, steps) -> Probe       of some `number` held-out items, read for at most `steps`, with `loss`

`items` is what the recipe's `evaluate` takes. `steps` are the lags that are asked for and a lead-in before them: a recipe whose
items are pieces of a text makes them as long as that where it can, one whose items are sentences reads them from their start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cells import Bidirectional, Cell

GATES = {  # by the letter that a cell's `gates` has
    "z": "update",
    "r": "reset",
    "c": "candidate",
    "i": "input",
    "f": "forget",
    "g": "candidate",
    "o": "output",
    "h": "state",
}
FORWARD, BACKWARD = " forward", " backward"  # after the name of a bidirectional layer: its two cells
LARGEST_EIGENVALUES = 2048  # units up to which a spectral radius is computed: it takes their cube of operations


@dataclass(frozen=True)
class Probe:
    """Recurrent layers and what they read.

    Attributes:
        layers: by name from the lowest to the highest; each reads the outputs of the one below it.
        inputs: of the lowest layer, `[batch, time, features]`.
        mask: booleans `[batch, time]`, False for padding, which follows the real steps; None for no padding.
        state: each layer's initial state; None for zeros.
        tokens: what people see of each step, for a single text.
        loss: from the highest layer's outputs `[batch, time, width]` to dL/d outputs (None for zeros), L being an item's loss.
            Where there is a loss at each step it is that at the last one.
        d_final: dL/d each layer's final state, None for zeros, where the loss also reads those.
        first_loss: as `loss`, of an item's loss at its first step, for cells that read backwards; None where L is one for both.
    """

    layers: Mapping[str, Cell | Bidirectional]
    inputs: np.ndarray
    mask: np.ndarray | None = None
    state: Sequence[Any] | None = None
    tokens: Sequence[str] = ()
    loss: Callable[[np.ndarray], np.ndarray | None] | None = None
    d_final: Sequence[Any] | None = None
    first_loss: Callable[[np.ndarray], np.ndarray | None] | None = None

    def starts(self) -> Sequence[Any]:
        return [None] * len(self.layers) if self.state is None else self.state


def spread(count: int, number: int) -> np.ndarray:
    """The indices of `number` of `count` items, evenly spread; all of them where there are not more."""
    return np.unique(np.linspace(0, count - 1, number).astype(np.int64))


@dataclass(frozen=True)
class ByLag:
    """Norms of dL_T/ds_t for one state s of one layer: entry k is T - t = k.

    Attributes:
        norms: the mean over items of the Euclidean norm over units, `[lags]`.
        items: how many items are long enough to have that lag, `[lags]`.
    """

    layer: str
    state: str
    norms: np.ndarray
    items: np.ndarray


def outputs(probe: Probe) -> dict[str, np.ndarray]:
    """Each layer's outputs, its hidden units over time, `[batch, time, units]` (twice the units if bidirectional)."""
    found, x = {}, probe.inputs
    for (name, layer), start in zip(probe.layers.items(), probe.starts(), strict=True):
        x, _, _ = layer.forward(x, start, probe.mask)
        found[name] = x
    return found


def hidden_units(probe: Probe) -> dict[str, np.ndarray]:
    """As `outputs`, the two directions of a bidirectional layer apart: `[batch, time, units]` each."""
    return {
        name + suffix: y[..., columns]
        for name, y in outputs(probe).items()
        for suffix, _, _, columns, *_ in _directions(probe.layers[name])
    }


def gradients_by_lag(probe: Probe, largest: int | None = None) -> list[ByLag]:
    """How much the loss at the last step still feels of each earlier state: the highest layer first.

    Args:
        largest: lag to be reported, None for all. Steps before it are a lead-in: the states that are reported were reached
            from there, they are not fresh from the initial one.

    dL_T/dh_t is the total derivative: through the next state and, below another layer, through that layer's reading of h_t.
    An LSTM's state is (h, c), and each is held fixed as the other one varies. The cell that reads backwards comes to its end at
    the first step, so its lags count from there.
    """
    ys = list(outputs(probe).values())
    found = _gradients(probe, ys, probe.loss(ys[-1]))
    if probe.first_loss is not None:
        first = _gradients(probe, ys, probe.first_loss(ys[-1]))
        found = [b if b[0].endswith(BACKWARD) else a for a, b in zip(found, first, strict=True)]
    kept = slice(None if largest is None else largest + 1)
    return [ByLag(name, state, norms[kept], items[kept]) for name, state, norms, items in found]


def _gradients(probe: Probe, ys: list[np.ndarray], d_y: np.ndarray | None) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """The name, the state and what `_by_lag` gives, for dL/d outputs of the highest layer."""
    d_y = np.zeros_like(ys[-1]) if d_y is None else d_y
    d_final = [None] * len(ys) if probe.d_final is None else probe.d_final
    found = []
    for name, x, start, end in reversed(
        list(zip(probe.layers, [probe.inputs, *ys[:-1]], probe.starts(), d_final, strict=True))
    ):
        d_x = 0
        for suffix, cell, turn, columns, initial, d_last in _directions(probe.layers[name], start, end):
            mask = None if probe.mask is None else probe.mask[:, turn]
            own, d_states = _walk_back(cell, x[:, turn], d_y[:, turn, columns], initial, d_last, mask)
            d_x = d_x + own[:, turn]
            found += [(name + suffix, s, *_by_lag(d, mask)) for s, d in zip(cell.states, d_states, strict=True)]
        d_y = d_x
    return found


def _directions(layer: Cell | Bidirectional, *states: Any) -> Iterator[tuple]:
    """A layer's cells: a suffix of the name, the cell, the order of its steps, its columns of outputs, its part of `states`."""
    if isinstance(layer, Cell):
        yield "", layer, slice(None), slice(None), *states
        return
    ahead, back = layer.cells
    pairs = [(None, None) if state is None else state for state in states]
    yield FORWARD, ahead, slice(None), slice(ahead.units), *(pair[0] for pair in pairs)
    yield BACKWARD, back, slice(None, None, -1), slice(ahead.units, None), *(pair[1] for pair in pairs)


def _walk_back(cell: Cell, x: np.ndarray, d_outputs: np.ndarray, state: Any, d_final: Any, mask: np.ndarray | None):
    """dL/d x `[batch, time, features]`, and for each state dL/ds_t after each step, `[batch, time, units]`.

    `Cell.backward` keeps only the gradient of the initial state, so each step is a sequence of its own.
    """
    batch, time = x.shape[:2]
    steps = [(slice(None), slice(t, t + 1)) for t in range(time)]
    tapes, d_steps, d_x = [], [], np.empty_like(x)
    for at in steps:
        _, state, tape = cell.forward(x[at], state, None if mask is None else mask[at])
        tapes.append(tape)
    d_state = tuple(np.zeros_like(s) for s in state) if d_final is None else d_final
    for at, tape in zip(reversed(steps), reversed(tapes), strict=True):
        d_output = d_outputs[at] if mask is None else d_outputs[at] * mask[at][..., None]
        d_steps.append((d_state[0] + d_output[:, 0], *d_state[1:]))
        d_x[at], d_state, _ = cell.backward(tape, d_output, d_state)
    return d_x, [np.stack(d, axis=1) for d in zip(*reversed(d_steps), strict=True)]


def _by_lag(d: np.ndarray, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean norms and their counts by lag, `[lags]` each, of gradients `[batch, time, units]`."""
    real = np.ones(d.shape[:2], bool) if mask is None else mask
    lags = real[:, ::-1].cumsum(axis=1)[:, ::-1] - 1  # real steps still to come
    norms = np.linalg.norm(d.astype(np.float64), axis=-1)
    items = np.bincount(lags[real])
    return np.bincount(lags[real], norms[real]) / items, items


def weights_by_gate(weights: Mapping[str, np.ndarray], gates: Sequence[str]) -> list[dict[str, Any]]:
    """Each weight in its parts, those beside a recurrent kernel by gate.

    Returns:
        for each part "weight", "part" (a GRU with reset after has an input and a recurrent bias), "gate", "shape", "norm"
        (Frobenius), "rms", and for recurrent kernels "spectral_norm" (the largest stretch of a state) and "spectral_radius"
        (its growth when applied over and over; None above 2,048 units), else None.
    """
    found = []
    for name, array in weights.items():
        layer, _, kind = name.rpartition(".")
        recurrent = weights.get(f"{layer}.recurrent_kernel")
        for part, gate, piece in _pieces(kind, array, gates) if recurrent is not None else [("", "", array)]:
            norm = float(np.linalg.norm(piece.astype(np.float64)))
            entry = {"weight": name, "part": part, "gate": gate, "shape": list(piece.shape), "norm": norm}
            entry |= {"rms": norm / max(1, piece.size) ** 0.5, "spectral_norm": None, "spectral_radius": None}
            if kind == "recurrent_kernel":
                entry["spectral_norm"] = float(np.linalg.norm(piece, 2))
                if len(piece) <= LARGEST_EIGENVALUES:
                    entry["spectral_radius"] = float(np.abs(np.linalg.eigvals(piece)).max())
            found.append(entry)
    return found


def _pieces(kind: str, array: np.ndarray, gates: Sequence[str]) -> Iterator[tuple[str, str, np.ndarray]]:
    if kind == "peephole":  # a row for each gate that looks at the memory; the candidate does not
        yield from (("", gate, row) for gate, row in zip((g for g in gates if g != "g"), array, strict=True))
        return
    halves = zip(("input", "recurrent"), array, strict=True) if kind == "bias" and array.ndim == 2 else [("", array)]
    for part, half in halves:
        yield from ((part, gate, piece) for gate, piece in zip(gates, np.split(half, len(gates), axis=-1), strict=True))
