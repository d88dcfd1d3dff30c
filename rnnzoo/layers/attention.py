"""Attention for Keras; equations, sources and weights as in `rnnzoo.cells.attention`."""

from __future__ import annotations

import keras
from keras import ops

from ..cells.attention import weight_shapes


@keras.saving.register_keras_serializable(package="rnnzoo")
class Attention(keras.Layer):
    """`layer(queries, memory, mask)` gives contexts `[batch, queries, width]` and weights `[batch, queries, entries]`.

    Args:
        kind: "multiplicative" or "additive".
        units: width of the queries.
        width: width of a memory entry.
    """

    def __init__(self, kind: str, units: int, width: int, **options):
        super().__init__(**options)
        self.kind, self.units, self.width = kind, units, width
        self._kernels = {
            name: self.add_weight(name=name, shape=shape, initializer="glorot_uniform")
            for name, shape in weight_shapes(kind, units, width).items()
        }
        self.built = True

    def call(self, queries, memory, mask):
        k = self._kernels
        if self.kind == "additive":
            matches = ops.matmul(queries, k["query.kernel"])[:, :, None] + ops.matmul(memory, k["memory.kernel"])[:, None]
            scores = ops.matmul(ops.tanh(matches), k["score.kernel"])[..., 0]
        else:
            scores = ops.matmul(ops.matmul(queries, k["kernel"]), ops.transpose(memory, (0, 2, 1)))
        weights = ops.softmax(ops.where(mask[:, None], scores, -1e9), axis=-1)
        return ops.matmul(weights, memory), weights

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "units": self.units, "width": self.width}
