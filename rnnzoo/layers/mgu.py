"""The minimal gated unit for `keras.layers.RNN`; equations and source in `rnnzoo.cells.mgu`."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="rnnzoo")
class MGUCell(keras.Layer):
    """One step; the state is [h].

    Weights `kernel` `[features, 2 units]`, `recurrent_kernel` `[units, 2 units]`, `bias` `[2 units]`, gates f, c.
    """

    def __init__(self, units: int, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape):
        n = self.units
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], 2 * n), initializer="glorot_uniform")
        self.recurrent_kernel = self.add_weight(name="recurrent_kernel", shape=(n, 2 * n), initializer="orthogonal")
        self.bias = self.add_weight(name="bias", shape=(2 * n,), initializer="zeros")

    def call(self, inputs, states, training=None):
        (h,), n, u = states, self.units, self.recurrent_kernel
        a = ops.matmul(inputs, self.kernel) + self.bias
        f = ops.sigmoid(a[:, :n] + ops.matmul(h, u[:, :n]))
        c = ops.tanh(a[:, n:] + ops.matmul(f * h, u[:, n:]))
        h = (1 - f) * h + f * c
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
