"""The peephole LSTM for `keras.layers.RNN`; equations and source in `rnnzoo.cells.peephole_lstm`."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="rnnzoo")
class PeepholeLSTMCell(keras.Layer):
    """One step; the state is [h, c].

    Weights `kernel` `[features, 4 units]`, `recurrent_kernel` `[units, 4 units]`, `bias` `[4 units]`, gates in order
    i, f, g, o; `peephole` `[3, units]` for i, f, o. The output gate sees the "new" or the "previous" memory.
    """

    def __init__(self, units: int, output_peephole: str = "new", **options):
        super().__init__(**options)
        if output_peephole not in ("new", "previous"):
            raise ValueError(f"output_peephole must be new or previous, received {output_peephole!r}")
        self.units = self.output_size = units
        self.state_size = [units, units]
        self.output_peephole = output_peephole

    def build(self, input_shape):
        n = self.units
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], 4 * n), initializer="glorot_uniform")
        self.recurrent_kernel = self.add_weight(name="recurrent_kernel", shape=(n, 4 * n), initializer="orthogonal")
        self.bias = self.add_weight(name="bias", shape=(4 * n,), initializer=self._remember)
        self.peephole = self.add_weight(name="peephole", shape=(3, n), initializer="zeros")

    def _remember(self, shape, dtype=None):
        """Zeros, but one for the forget gate: `unit_forget_bias` of `keras.layers.LSTM`."""
        gate = ops.arange(shape[0]) // self.units
        return ops.cast(gate == 1, dtype)

    def call(self, inputs, states, training=None):
        h, c = states
        a = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(a, 4, axis=-1)
        p_i, p_f, p_o = ops.unstack(self.peephole, 3)
        previous = c
        c = ops.sigmoid(f + p_f * previous) * previous + ops.sigmoid(i + p_i * previous) * ops.tanh(g)
        h = ops.sigmoid(o + p_o * (c if self.output_peephole == "new" else previous)) * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "output_peephole": self.output_peephole}
