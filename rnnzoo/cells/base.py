"""What all recurrent cells share: the walk through time, masks, and the large products before and after it.

A cell's file says only what is its own: the equations of one step, forward and backward. Everything that does not depend
on the previous state is done outside the walk: inputs are projected in a few large products before it (`inputs.py`), and
weight gradients are one product after it, over all steps at once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from .feedforward import dropout_mask
from .inputs import Inputs, Projected

State = tuple[np.ndarray, ...]


@dataclass
class Tape:
    """What `forward` leaves for `backward`: time-major arrays `[time, ...]`, so that one step is one block of memory."""

    inputs: Inputs
    mask: np.ndarray | None  # [time, batch]; None where every step is real
    states: tuple[np.ndarray, ...]  # each [time + 1, batch, units]; entry 0 is the initial state
    saved: dict[str, np.ndarray] = field(default_factory=dict)  # per cell, each [time, batch, ...]


def sigmoid(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Logistic function as (1 + tanh(a / 2)) / 2: it cannot overflow, and NumPy's tanh is vectorised where exp is slower."""
    out = np.multiply(a, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5
    return out


class Cell:
    """A recurrent cell over `[batch, time, features]` with an explicit state.

    Args:
        weights: arrays by name in Keras' layout; see `weight_shapes`. They are held by reference: an optimiser that
            updates them in place updates the cell.
    """

    gates: ClassVar[tuple[str, ...]]  # their order along the last axis of the kernels
    states: ClassVar[tuple[str, ...]] = ("h",)  # the first one is the output

    def __init__(self, weights: Mapping[str, np.ndarray]):
        self.weights = dict(weights)
        self.units = self.weights["recurrent_kernel"].shape[0]
        expected = self.weight_shapes(self.weights["kernel"].shape[0], self.units)
        received = {name: array.shape for name, array in self.weights.items()}
        if received != expected:
            raise ValueError(f"{type(self).__name__} expects weights of shapes {expected}, received {received}")

    @classmethod
    def weight_shapes(cls, features: int, units: int) -> dict[str, tuple[int, ...]]:
        width = len(cls.gates) * units
        return {"kernel": (features, width), "recurrent_kernel": (units, width), "bias": (width,)}

    @property
    def input_bias(self) -> np.ndarray:
        """The part of the bias that is added to the projected inputs, `[gates * units]`."""
        return self.weights["bias"]

    def initial_state(self, batch: int) -> State:
        """Zeros, one array `[batch, units]` for each of `states`."""
        dtype = self.weights["kernel"].dtype
        return tuple(np.zeros((batch, self.units), dtype) for _ in self.states)

    def drop_connected(self, rate: float, rng: np.random.Generator) -> tuple[Cell, np.ndarray]:
        """A cell over these weights with a share `rate` of its recurrent kernel dropped, and the mask of what remains.

        The gradient that it gives for the recurrent kernel is to be multiplied by the mask. Dropping connections, not states,
        regularises the recurrence itself (DropConnect: Wan et al. 2013; on recurrent kernels: Merity et al. 2018).
        """
        kernel = self.weights["recurrent_kernel"]
        mask = dropout_mask(kernel.shape, rate, rng, kernel.dtype)
        dropped = copy.copy(self)
        dropped.weights = self.weights | {"recurrent_kernel": kernel * mask}
        return dropped, mask

    # -- one step, as it is written in the paper -------------------------------------------------------------------

    def step(self, x: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """One time step: `x` is `[batch, features]`; returns the output `[batch, units]` and the next state."""
        return self.step_projected(x @ self.weights["kernel"] + self.input_bias, state)

    def step_projected(self, a: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """One time step from inputs already projected, `a = x W + b`, `[batch, gates * units]`."""
        raise NotImplementedError

    # -- a whole sequence ------------------------------------------------------------------------------------------

    def forward(
        self, x: np.ndarray | Inputs, state: State | None = None, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, State, Tape]:
        """All time steps.

        Args:
            x: `[batch, time, features]`, or `inputs.Symbols` for symbols whose projections are tabulated.
            state: the initial state, zeros if None.
            mask: booleans `[batch, time]`; where False the state is held and the output is zero.

        Returns:
            outputs `[batch, time, units]` (time-major in memory), the final state, and the tape for `backward`.
        """
        inputs = x if isinstance(x, Inputs) else Projected(x, self.weights["kernel"], self.input_bias)
        time, batch = inputs.time, inputs.batch
        state = self.initial_state(batch) if state is None else state
        histories = tuple(np.empty((time + 1, batch, self.units), s.dtype) for s in state)
        for history, initial in zip(histories, state, strict=True):
            history[0] = initial
        holds = None if mask is None or mask.all() else mask.T
        tape = Tape(inputs, holds, histories)
        advance = self._forward(tape)
        for t in range(time):
            advance(t, inputs.at(t))
            if holds is not None and not holds[t].all():
                held = ~holds[t]
                for history in histories:
                    history[t + 1][held] = history[t][held]
        outputs = histories[0][1:]
        if holds is not None:
            outputs = outputs * holds[..., None]
        return outputs.transpose(1, 0, 2), tuple(history[-1] for history in histories), tape

    def backward(
        self, tape: Tape, d_outputs: np.ndarray | None, d_state: State | None = None
    ) -> tuple[np.ndarray | None, State, dict[str, np.ndarray]]:
        """Gradients through time (BPTT). The tape is used up: its arrays are overwritten.

        Args:
            d_outputs: dL/d outputs, `[batch, time, units]`, or None for zeros.
            d_state: dL/d final state, zeros if None.

        Returns:
            dL/d x (None for symbols, whose gradient is under "embeddings"), dL/d initial state, and dL/d weights by name.
        """
        time, batch, units = tape.states[0][1:].shape
        d_outputs = None if d_outputs is None else d_outputs.transpose(1, 0, 2)
        dtype = tape.states[0].dtype
        ds = tuple(np.zeros((batch, units), dtype) if d_state is None else d_state[i].copy() for i in range(len(self.states)))
        retreat, finish = self._backward(tape)
        for t in range(time - 1, -1, -1):
            held = None
            if tape.mask is not None and not tape.mask[t].all():
                real = tape.mask[t][:, None]
                held = tuple(d * ~real for d in ds)
                for d in ds:
                    d *= real
                if d_outputs is not None:
                    ds[0].__iadd__(d_outputs[t] * real)
            elif d_outputs is not None:
                ds[0].__iadd__(d_outputs[t])
            retreat(t, ds)
            if held is not None:
                for d, h in zip(ds, held, strict=True):
                    d += h
        d_projected, gradients = finish()
        d_x, input_gradients = tape.inputs.gradients(d_projected)
        bias = input_gradients.pop("bias")
        gradients.update(input_gradients)
        gradients["bias"] = np.stack([bias, gradients["bias"]]) if "bias" in gradients else bias
        return d_x, ds, gradients

    def _forward(self, tape: Tape):
        """Returns `advance(t, a)`, which fills entry t + 1 of the states from entry t and projected inputs `a`."""
        raise NotImplementedError

    def _backward(self, tape: Tape):
        """Returns `retreat(t, ds)`, which turns dL/d state(t+1) into dL/d state(t) in place, and `finish()`.

        `finish()` gives dL/d projected inputs as a list of arrays `[time, batch, width]` that together cover the gates in
        order, and the gradients of the weights other than the kernel and the input bias.
        """
        raise NotImplementedError


def flat(a: np.ndarray) -> np.ndarray:
    """`[time, batch, width]` as `[time * batch, width]`."""
    return a.reshape(-1, a.shape[-1])
