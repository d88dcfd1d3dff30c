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

    # The output gate is computed with the others, unless it has to see the new memory first (see `PeepholeLSTM`).
    _output_sees_new_memory = False

    def _forward(self, tape):
        (hs, cs), u, n = tape.states, self.weights["recurrent_kernel"], self.units
        gates = tape.saved["gates"] = np.empty((*hs[1:].shape[:2], 4 * n), hs.dtype)
        squashed = tape.saved["tanh_c"] = np.empty_like(hs[1:])
        scratch = np.empty_like(hs[0])
        # s(a) = (1 + tanh(a / 2)) / 2, so one tanh serves all gates: few passes over long rows, not many over short ones.
        scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], hs.dtype), n)
        offset = 1 - scale

        def activate(gate, columns):
            gate *= scale[columns]
            np.tanh(gate, out=gate)
            gate *= scale[columns]
            gate += offset[columns]

        early = slice(3 * n if self._output_sees_new_memory else 4 * n)
        late = slice(3 * n, 4 * n)

        def advance(t, a):
            gate, c = gates[t], cs[t + 1]
            np.matmul(hs[t], u, out=gate)
            gate += a
            self._peep(gate, "previous", cs[t])
            activate(gate[:, early], early)
            np.multiply(gate[:, n : 2 * n], cs[t], out=c)
            np.multiply(gate[:, :n], gate[:, 2 * n : 3 * n], out=scratch)
            c += scratch
            if self._output_sees_new_memory:
                self._peep(gate, "new", c)
                activate(gate[:, late], late)
            np.tanh(c, out=squashed[t])
            np.multiply(gate[:, late], squashed[t], out=hs[t + 1])

        return advance

    def _backward(self, tape):
        (hs, cs), n = tape.states, self.units
        u_transposed = np.ascontiguousarray(self.weights["recurrent_kernel"].T)  # read in every step
        gates, squashed = tape.saved["gates"], tape.saved["tanh_c"]
        d_value, slope = np.zeros_like(gates[0]), np.empty_like(gates[0])
        d_i, d_f, d_g, d_o = (d_value[:, k * n : (k + 1) * n] for k in range(4))
        slope_g = slope[:, 2 * n : 3 * n]

        def retreat(t, ds):
            dh, dc = ds
            i, f, g, o = (gates[t][:, k * n : (k + 1) * n] for k in range(4))
            tanh_c = squashed[t]
            np.multiply(dh, tanh_c, out=d_o)
            # dc += dh o (1 - tanh(c)^2)
            tanh_c *= tanh_c
            np.subtract(1, tanh_c, out=tanh_c)
            tanh_c *= o
            tanh_c *= dh
            dc += tanh_c
            # s' = s - s^2 for the gates; tanh' = 1 - tanh^2 for the candidate.
            np.multiply(gates[t], gates[t], out=slope)
            np.subtract(gates[t], slope, out=slope)
            np.subtract(slope_g, g, out=slope_g)
            np.add(slope_g, 1, out=slope_g)
            if self._output_sees_new_memory:
                self._peep_backward(d_value * slope, "new", dc)
            np.multiply(dc, g, out=d_i)
            np.multiply(dc, cs[t], out=d_f)
            np.multiply(dc, i, out=d_g)
            dc *= f
            # Each gate is overwritten by the gradient of what went into it.
            np.multiply(d_value, slope, out=gates[t])
            self._peep_backward(gates[t], "previous", dc)
            np.matmul(gates[t], u_transposed, out=dh)

        def finish():
            return [gates], {"recurrent_kernel": flat(hs[:-1]).T @ flat(gates)}

        return retreat, finish
