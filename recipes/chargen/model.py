"""The Keras model: embedding, stacked recurrent layers, a dense layer. The one file here that needs Keras."""

from __future__ import annotations

from rnnzoo.keras_backend import keras, tf
from rnnzoo.layers.recurrent import recurrent_layer

from . import Config

State = tuple[tuple[tf.Tensor, ...], ...]  # for each layer its arrays [batch, units]


class CharModel(keras.Model):
    """Logits of the next character. State is explicit: a text fed in pieces gives what it gives whole."""

    def __init__(self, config: Config, symbols: int):
        super().__init__()
        self.config = config
        self.embedding = keras.layers.Embedding(symbols, config.embedding)
        self.rnn = [recurrent_layer(config.cell, config.units) for _ in range(config.layers)]
        self.output_layer = keras.layers.Dense(symbols)
        dropping = config.dropout or config.recurrent_dropout
        self.dropout_seed = keras.random.SeedGenerator(0) if dropping else None
        self(tf.zeros((1, 1), tf.int32), None)  # builds the weights

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` texts."""
        return tuple(tuple(tf.zeros((batch, self.config.units)) for _ in _states(layer)) for layer in self.rnn)

    def call(self, x, state: State | None, training: bool = False, record: dict | None = None):
        """Logits `[batch, time, symbols]` for characters `x` `[batch, time]`, and the state after them.

        Args:
            state: of the text so far; zeros if None.
            record: where given, each layer's output is put into it by the layer's name.
        """
        if state is None:
            state = self.initial_state(x.shape[0])
        y = self.embedding(x)
        outputs, after = {"embedding": y}, []
        for i, (layer, initial) in enumerate(zip(self.rnn, state, strict=True)):
            y, *final = self._run(layer, y, initial, training)
            after.append(tuple(final))
            outputs[f"rnn.{i}"] = y
            if training and self.config.dropout:
                y = keras.random.dropout(y, self.config.dropout, seed=self.dropout_seed)
        logits = self.output_layer(y)
        if record is not None:
            record.update(outputs, output_layer=logits)
        return logits, tuple(after)

    def _run(self, layer, x, initial, training: bool):
        """One layer; in training with a share of its recurrent kernel dropped."""
        if not (training and self.config.recurrent_dropout):
            return layer(x, initial_state=list(initial))
        kernel = layer.cell.recurrent_kernel
        dropped = keras.random.dropout(kernel, self.config.recurrent_dropout, seed=self.dropout_seed)
        with keras.StatelessScope(state_mapping=[(kernel, dropped)]):  # the layer reads `dropped` for its kernel
            return layer(x, initial_state=list(initial))

    def batch_loss(self, arrays, state: State, training: bool):
        """Cross-entropy of a batch of `rnnzoo.batching.Streams`, summed over real targets, in nats; and the state after it."""
        state = tuple(tuple(s * arrays["keep"][:, None] for s in layer) for layer in state)
        logits, after = self(arrays["inputs"], state, training=training)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["targets"], logits=logits)
        return tf.reduce_sum(nats * arrays["weights"]), after


def _states(layer) -> list[int]:
    size = layer.cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


def build(config: Config, vocabulary) -> CharModel:
    """The model of a configuration, with Keras' own initial weights; training sets them by name."""
    return CharModel(config, len(vocabulary))
