"""The gated recurrent unit, in both conventions.

    z, r = s(x W + h(t-1) U + b)                      update and reset gates, s the logistic function
    c    = tanh(x W + b_i + r (h(t-1) U + b_r))       `GRU`: reset after the product; Keras' and cuDNN's convention
    c    = tanh(x W + (r h(t-1)) U + b)               `GRUResetBefore`: reset before the product, the original
    h(t) = z h(t-1) + (1 - z) c

Here, as in Keras and Cho et al. 2014, z keeps the old state; Chung et al. 2014 let 1 - z keep it. The two conventions are
different functions: with reset after, the second step already differs. Gates lie in Keras' order z, r, c. With reset after,
the bias is `[2, 3 units]`: row 0 is added to x W, row 1 to h U.

Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014.
"""

from __future__ import annotations

import numpy as np

from .base import Cell, flat, sigmoid


class GRU(Cell):
    """The gated recurrent unit with reset after the product: `keras.layers.GRU(reset_after=True)`, Keras' default."""

    gates = ("z", "r", "c")

    @classmethod
    def weight_shapes(cls, features, units):
        return {**super().weight_shapes(features, units), "bias": (2, 3 * units)}

    @property
    def input_bias(self):
        return self.weights["bias"][0]

    def step_projected(self, a, state):
        (h,), n = state, self.units
        b = h @ self.weights["recurrent_kernel"]
        b += self.weights["bias"][1]
        zr, c = b[:, : 2 * n], b[:, 2 * n :]
        zr += a[:, : 2 * n]
        sigmoid(zr, out=zr)
        c *= zr[:, n:]
        c += a[:, 2 * n :]
        np.tanh(c, out=c)
        h = h - c
        h *= zr[:, :n]
        h += c
        return h, (h,)

    def _forward(self, tape):
        (hs,), u, n = tape.states, self.weights["recurrent_kernel"], self.units
        time, batch = hs[1:].shape[:2]
        bias = self.weights["bias"][1]
        recurrent = tape.saved["recurrent"] = np.empty((time, batch, 3 * n), hs.dtype)  # h U + b_r
        gates = tape.saved["gates"] = np.empty((time, batch, 2 * n), hs.dtype)  # z, r
        candidates = tape.saved["candidates"] = np.empty((time, batch, n), hs.dtype)  # c

        def advance(t, a):
            b, zr, c, h = recurrent[t], gates[t], candidates[t], hs[t + 1]
            np.matmul(hs[t], u, out=b)
            b += bias
            np.add(a[:, : 2 * n], b[:, : 2 * n], out=zr)
            sigmoid(zr, out=zr)
            np.multiply(zr[:, n:], b[:, 2 * n :], out=c)
            c += a[:, 2 * n :]
            np.tanh(c, out=c)
            np.subtract(hs[t], c, out=h)
            h *= zr[:, :n]
            h += c

        return advance

    def _backward(self, tape):
        (hs,), n = tape.states, self.units
        u_transposed = np.ascontiguousarray(self.weights["recurrent_kernel"].T)  # read in every step
        recurrent, gates, candidates = (tape.saved[k] for k in ("recurrent", "gates", "candidates"))
        d_z, scratch = np.empty_like(hs[0]), np.empty_like(hs[0])

        def retreat(t, ds):
            (dh,), b, c = ds, recurrent[t], candidates[t]
            z, r = gates[t][:, :n], gates[t][:, n:]
            b_c = b[:, 2 * n :]
            np.subtract(hs[t], c, out=d_z)
            np.multiply(d_z, dh, out=d_z)
            np.subtract(1, z, out=scratch)
            np.multiply(d_z, scratch, out=d_z)
            np.multiply(d_z, z, out=d_z)  # dh (h - c) z (1 - z)
            np.multiply(scratch, dh, out=scratch)
            c *= c
            np.subtract(1, c, out=c)
            c *= scratch  # dh (1 - z) (1 - c^2), dL/d what goes into the candidate
            dh *= z
            # `recurrent` becomes dL/d (h U + b_r): for z and r the same as for x W, for c the reset gate stands between.
            np.multiply(b_c, c, out=scratch)
            np.multiply(c, r, out=b_c)
            np.multiply(scratch, r, out=scratch)
            np.subtract(1, r, out=r)
            np.multiply(scratch, r, out=b[:, n : 2 * n])
            b[:, :n] = d_z
            dh += np.matmul(b, u_transposed, out=scratch)

        def finish():
            d_recurrent = flat(recurrent)
            weights = {"recurrent_kernel": flat(hs[:-1]).T @ d_recurrent, "bias": d_recurrent.sum(axis=0)}
            return [recurrent[..., : 2 * n], candidates], weights

        return retreat, finish


class GRUResetBefore(Cell):
    """The gated recurrent unit with reset before the product: `keras.layers.GRU(reset_after=False)`."""

    gates = ("z", "r", "c")

    def step_projected(self, a, state):
        (h,), n = state, self.units
        u = self.weights["recurrent_kernel"]
        zr = sigmoid(a[:, : 2 * n] + h @ u[:, : 2 * n])
        z, r = zr[:, :n], zr[:, n:]
        c = np.tanh(a[:, 2 * n :] + (r * h) @ u[:, 2 * n :])
        h = z * h + (1 - z) * c
        return h, (h,)

    def _forward(self, tape):
        (hs,), n = tape.states, self.units
        u_zr, u_c = self.weights["recurrent_kernel"][:, : 2 * n], self.weights["recurrent_kernel"][:, 2 * n :]
        time, batch = hs[1:].shape[:2]
        gates = tape.saved["gates"] = np.empty((time, batch, 3 * n), hs.dtype)  # z, r, c
        resets = tape.saved["resets"] = np.empty((time, batch, n), hs.dtype)  # r h

        def advance(t, a):
            gate, h = gates[t], hs[t + 1]
            zr, c = gate[:, : 2 * n], gate[:, 2 * n :]
            np.add(a[:, : 2 * n], hs[t] @ u_zr, out=zr)
            sigmoid(zr, out=zr)
            np.multiply(zr[:, n:], hs[t], out=resets[t])
            np.add(a[:, 2 * n :], resets[t] @ u_c, out=c)
            np.tanh(c, out=c)
            np.subtract(hs[t], c, out=h)
            h *= zr[:, :n]
            h += c

        return advance

    def _backward(self, tape):
        (hs,), n = tape.states, self.units
        u_transposed = np.ascontiguousarray(self.weights["recurrent_kernel"].T)  # read in every step
        gates, resets = tape.saved["gates"], tape.saved["resets"]

        def retreat(t, ds):
            (dh,) = ds
            z, r, c = (gates[t][:, k * n : (k + 1) * n] for k in range(3))
            d_z = dh * (hs[t] - c) * z * (1 - z)
            c[...] = dh * (1 - z) * (1 - c * c)
            dh *= z
            d_reset = c @ u_transposed[2 * n :]  # dL/d (r h)
            dh += d_reset * r
            r[...] = d_reset * hs[t] * r * (1 - r)
            z[...] = d_z
            dh += gates[t][:, : 2 * n] @ u_transposed[: 2 * n]

        def finish():
            d_u = np.empty_like(self.weights["recurrent_kernel"])
            np.matmul(flat(hs[:-1]).T, flat(gates)[:, : 2 * n], out=d_u[:, : 2 * n])
            np.matmul(flat(resets).T, flat(gates)[:, 2 * n :], out=d_u[:, 2 * n :])
            return [gates], {"recurrent_kernel": d_u}

        return retreat, finish
