"""The simple (Elman) recurrent network: h(t) = tanh(x(t) W + h(t-1) U + b).

Source: J. Elman, "Finding structure in time", Cognitive Science 14 (1990). Layout and default as `keras.layers.SimpleRNN`.
"""

from __future__ import annotations

import numpy as np

from .base import Cell, flat


class SimpleRNN(Cell):
    """See the module. `activation` is "tanh" or "relu" (with an identity initialisation: Le, Jaitly, Hinton 2015)."""

    gates = ("h",)

    def __init__(self, weights, activation: str = "tanh"):
        super().__init__(weights)
        if activation not in ("tanh", "relu"):
            raise ValueError(f"activation must be tanh or relu, received {activation!r}")
        self.activation = activation

    def _activate(self, a, out=None):
        return np.tanh(a, out=out) if self.activation == "tanh" else np.maximum(a, 0, out=out)

    def step_projected(self, a, state):
        h = self._activate(a + state[0] @ self.weights["recurrent_kernel"])
        return h, (h,)

    def _forward(self, tape):
        (hs,), u = tape.states, self.weights["recurrent_kernel"]

        def advance(t, a):
            h = hs[t + 1]
            np.matmul(hs[t], u, out=h)
            h += a
            self._activate(h, out=h)

        return advance

    def _backward(self, tape):
        (hs,) = tape.states
        u_transposed = np.ascontiguousarray(self.weights["recurrent_kernel"].T)  # read in every step
        d_a = np.empty_like(hs[1:])

        def retreat(t, ds):
            (dh,), h = ds, hs[t + 1]
            np.multiply(dh, 1 - h * h if self.activation == "tanh" else h > 0, out=d_a[t])
            np.matmul(d_a[t], u_transposed, out=dh)

        def finish():
            return [d_a], {"recurrent_kernel": flat(hs[:-1]).T @ flat(d_a)}

        return retreat, finish
