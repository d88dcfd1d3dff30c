"""The long short-term memory with a forget gate.

    i, f, o = s(x W + h(t-1) U + b)        input, forget and output gates, s the logistic function
    g       = tanh(x W + h(t-1) U + b)     candidate
    c(t)    = f c(t-1) + i g               memory
    h(t)    = o tanh(c(t))                 output

Sources: Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000. Gates lie in Keras' order i, f, g, o.
"""

from __future__ import annotations

import numpy as np

from .base import Cell, flat, sigmoid


class LSTM(Cell):
    """See the module. The state is (h, c)."""

    gates = ("i", "f", "g", "o")
    states = ("h", "c")

    def step_projected(self, a, state):
        h, c = state
        a = a + h @ self.weights["recurrent_kernel"]
        self._peep(a, "previous", c)
        i, f, g, o = np.split(a, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        self._peep(a, "new", c)
        h = sigmoid(o) * np.tanh(c)
        return h, (h, c)

    def _peep(self, a, memory, c):
        """Adds to `a` what the gates see of the "previous" or the "new" memory c: here nothing. See `PeepholeLSTM`."""

    def _peep_backward(self, d_a, memory, dc):
        """Adds to `dc` what flows back through `_peep`."""

    def _forward(self, tape):
        (hs, cs), u, n = tape.states, self.weights["recurrent_kernel"], self.units
        gates = tape.saved["gates"] = np.empty((*hs[1:].shape[:2], 4 * n), hs.dtype)
        squashed = tape.saved["tanh_c"] = np.empty_like(hs[1:])
        scratch = np.empty_like(hs[0])

        def advance(t, a):
            gate, c = gates[t], cs[t + 1]
            np.matmul(hs[t], u, out=gate)
            gate += a
            self._peep(gate, "previous", cs[t])
            sigmoid(gate[:, : 2 * n], out=gate[:, : 2 * n])
            np.tanh(gate[:, 2 * n : 3 * n], out=gate[:, 2 * n : 3 * n])
            np.multiply(gate[:, n : 2 * n], cs[t], out=c)
            np.multiply(gate[:, :n], gate[:, 2 * n : 3 * n], out=scratch)
            c += scratch
            self._peep(gate, "new", c)
            sigmoid(gate[:, 3 * n :], out=gate[:, 3 * n :])
            np.tanh(c, out=squashed[t])
            np.multiply(gate[:, 3 * n :], squashed[t], out=hs[t + 1])

        return advance

    def _backward(self, tape):
        (hs, cs), u, n = tape.states, self.weights["recurrent_kernel"], self.units
        gates, squashed = tape.saved["gates"], tape.saved["tanh_c"]
        scratch, d_o = np.empty_like(hs[0]), np.empty_like(hs[0])

        def retreat(t, ds):
            dh, dc = ds
            i, f, g, o = (gates[t][:, k * n : (k + 1) * n] for k in range(4))
            tanh_c = squashed[t]
            # dc += dh o (1 - tanh(c)^2)
            np.multiply(dh, o, out=scratch)
            np.multiply(dh, tanh_c, out=d_o)
            tanh_c *= tanh_c
            tanh_c *= scratch
            np.subtract(scratch, tanh_c, out=scratch)
            dc += scratch
            # Each gate is overwritten by the gradient of what went into it; s' = s (1 - s), tanh' = 1 - tanh^2.
            np.multiply(d_o, o, out=d_o)
            np.subtract(1, o, out=o)
            o *= d_o
            self._peep_backward(gates[t], "new", dc)
            np.multiply(dc, g, out=d_o)  # d i
            g *= g
            np.subtract(1, g, out=g)
            g *= i
            g *= dc
            np.multiply(d_o, i, out=d_o)
            np.subtract(1, i, out=i)
            i *= d_o
            np.multiply(dc, cs[t], out=d_o)  # d f
            dc *= f
            np.multiply(d_o, f, out=d_o)
            np.subtract(1, f, out=f)
            f *= d_o
            self._peep_backward(gates[t], "previous", dc)
            np.matmul(gates[t], u.T, out=dh)

        def finish():
            return [gates], {"recurrent_kernel": flat(hs[:-1]).T @ flat(gates)}

        return retreat, finish
