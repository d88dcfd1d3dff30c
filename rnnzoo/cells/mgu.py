"""The minimal gated unit: a GRU with a single gate, which both resets and updates.

    f    = s(x W + h(t-1) U + b)               forget gate, s the logistic function
    c    = tanh(x W + (f h(t-1)) U + b)        candidate
    h(t) = (1 - f) h(t-1) + f c

So f lets the new in, where z of our GRU keeps the old: f is 1 - z. Gates lie in the order f, c.

Source: Zhou, Wu, Zhang, Zhou, "Minimal gated unit for recurrent neural networks", IJAC 13 (2016), arXiv:1603.09420.
"""

from __future__ import annotations

import numpy as np

from .base import Cell, flat, sigmoid


class MGU(Cell):
    """See the module."""

    gates = ("f", "c")

    def step_projected(self, a, state):
        (h,), n, u = state, self.units, self.weights["recurrent_kernel"]
        f = sigmoid(a[:, :n] + h @ u[:, :n])
        c = np.tanh(a[:, n:] + (f * h) @ u[:, n:])
        h = (1 - f) * h + f * c
        return h, (h,)

    def _forward(self, tape):
        (hs,), n = tape.states, self.units
        u_f, u_c = self.weights["recurrent_kernel"][:, :n], self.weights["recurrent_kernel"][:, n:]
        time, batch = hs[1:].shape[:2]
        gates = tape.saved["gates"] = np.empty((time, batch, 2 * n), hs.dtype)  # f, c
        forgotten = tape.saved["forgotten"] = np.empty((time, batch, n), hs.dtype)  # f h

        def advance(t, a):
            f, c, h = gates[t][:, :n], gates[t][:, n:], hs[t + 1]
            np.add(a[:, :n], hs[t] @ u_f, out=f)
            sigmoid(f, out=f)
            np.multiply(f, hs[t], out=forgotten[t])
            np.add(a[:, n:], forgotten[t] @ u_c, out=c)
            np.tanh(c, out=c)
            np.multiply(f, c, out=h)
            h += hs[t]
            h -= forgotten[t]

        return advance

    def _backward(self, tape):
        (hs,), n = tape.states, self.units
        u_transposed = np.ascontiguousarray(self.weights["recurrent_kernel"].T)  # read in every step
        gates, forgotten = tape.saved["gates"], tape.saved["forgotten"]

        def retreat(t, ds):
            (dh,), h = ds, hs[t]
            f, c = gates[t][:, :n], gates[t][:, n:]
            d_f = dh * (c - h)
            c[...] = dh * f * (1 - c * c)  # from here on dL/d what goes into the candidate
            d_forgotten = c @ u_transposed[n:]
            d_f += d_forgotten * h
            dh *= 1 - f
            dh += d_forgotten * f
            f *= d_f * (1 - f)  # likewise for the gate
            dh += f @ u_transposed[:n]

        def finish():
            d_u = np.empty_like(self.weights["recurrent_kernel"])
            np.matmul(flat(hs[:-1]).T, flat(gates)[:, :n], out=d_u[:, :n])
            np.matmul(flat(forgotten).T, flat(gates)[:, n:], out=d_u[:, n:])
            return [gates], {"recurrent_kernel": d_u}

        return retreat, finish
