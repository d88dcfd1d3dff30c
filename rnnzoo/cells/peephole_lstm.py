"""The LSTM whose gates also see the memory, through "peepholes": one weight p per gate and unit.

    i, f = s(x W + h(t-1) U + b + p c(t-1))     input and forget gates
    o    = s(x W + h(t-1) U + b + p c(t))       output gate

Candidate, memory and output are those of the LSTM. The output gate sees the new memory in the paper; some texts let it
see the old one like the others, which is another function: `output_peephole`. Keras has neither; `rnnzoo.layers` has.

Source: Gers, Schraudolph, Schmidhuber, "Learning precise timing with LSTM recurrent networks", JMLR 3 (2002).
"""

from __future__ import annotations

import numpy as np

from .lstm import LSTM


class PeepholeLSTM(LSTM):
    """See the module. The state is (h, c); weight `peephole` is `[3, units]`, its rows for i, f, o.

    `output_peephole` says whether the output gate sees the "new" memory c(t) or the "previous" one c(t-1).
    """

    def __init__(self, weights, output_peephole: str = "new"):
        super().__init__(weights)
        if output_peephole not in ("new", "previous"):
            raise ValueError(f"output_peephole must be new or previous, received {output_peephole!r}")
        i, f, _, o = (slice(k * self.units, (k + 1) * self.units) for k in range(4))
        # Who sees which memory: a row of `peephole` and the columns of its gate.
        self._seers = {"previous": [(0, i), (1, f)], "new": []}
        self._seers[output_peephole].append((2, o))
        self._output_sees_new_memory = output_peephole == "new"

    @classmethod
    def weight_shapes(cls, features, units):
        return {**super().weight_shapes(features, units), "peephole": (3, units)}

    def _peep(self, a, memory, c):
        for row, gate in self._seers[memory]:
            a[:, gate] += self.weights["peephole"][row] * c

    def _peep_backward(self, d_a, memory, dc):
        for row, gate in self._seers[memory]:
            dc += self.weights["peephole"][row] * d_a[:, gate]

    def _backward(self, tape):
        retreat, finish_lstm = super()._backward(tape)
        memories = {"previous": tape.states[1][:-1], "new": tape.states[1][1:]}

        def finish():
            (d_a,), gradients = finish_lstm()
            d_peephole = gradients["peephole"] = np.empty_like(self.weights["peephole"])
            for memory, seers in self._seers.items():
                for row, gate in seers:
                    np.einsum("tbu,tbu->u", memories[memory], d_a[..., gate], out=d_peephole[row])
            return [d_a], gradients

        return retreat, finish
