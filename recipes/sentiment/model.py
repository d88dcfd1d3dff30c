"""The Keras model: embedding, recurrent layers, pooling, dense layers. The one file here that needs Keras."""

from __future__ import annotations

from typing import Any

from rnnzoo.keras_backend import keras, tf
from rnnzoo.layers.recurrent import recurrent_layer

from . import Config, ratios
from .numpy_model import counts_grams

State = tuple[Any, ...]  # per layer its state, a pair of them in both directions; arrays [batch, units]


class Gain(keras.layers.Layer):
    """What training adds to the weight of each n-gram's log-count ratio."""

    def __init__(self, grams: int, outputs: int):
        super().__init__()
        self.gain = self.add_weight(shape=(grams, outputs), initializer="zeros", name="gain")

    def call(self, grams):
        """`[batch, most]` as `[batch, most, outputs]`."""
        return tf.gather(self.gain, grams)


class Classifier(keras.Model):
    """Logits of a sentence. `numpy_model.NumpyModel` says what is added beside the RNN, and why pieces do not equal the whole.

    Batches are dictionaries: `inputs`, `mask` `[batch, time]` and, where n-grams are counted, `grams` `[batch, most]` and
    `values` `[batch, most, outputs]`. Masks are explicit.
    """

    def __init__(self, config: Config, vocabulary):
        super().__init__()
        outputs = ratios.outputs(len(vocabulary["labels"]) - 1)
        self.config = config
        self.embedding = keras.layers.Embedding(len(vocabulary["words"]), config.embedding)
        self.forward = [recurrent_layer(config.cell, config.units) for _ in range(config.layers)]
        self.backward = [
            recurrent_layer(config.cell, config.units) for _ in range(config.layers if config.bidirectional else 0)
        ]
        self.hidden = keras.layers.Dense(config.hidden, activation="relu") if config.hidden else None
        self.output_layer = keras.layers.Dense(outputs)
        self.grams = Gain(len(vocabulary["grams"]), outputs) if counts_grams(config) else None
        dropped = config.dropout or config.embedding_dropout or config.gram_dropout
        self.dropout_seed = keras.random.SeedGenerator(0) if dropped else None
        empty = {"inputs": tf.zeros((1, 1), tf.int32), "mask": tf.ones((1, 1), tf.bool)}
        if self.grams is not None:
            empty |= {"grams": tf.zeros((1, 1), tf.int32), "values": tf.zeros((1, 1, outputs))}
        self(empty, None)  # builds the weights

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` sentences."""

        def zeros(layer):
            size = layer.cell.state_size
            return tuple(tf.zeros((batch, self.config.units)) for _ in (size if isinstance(size, (list, tuple)) else [size]))

        if not self.backward:
            return tuple(map(zeros, self.forward))
        return tuple((zeros(ahead), zeros(back)) for ahead, back in zip(self.forward, self.backward, strict=True))

    def call(self, x, state: State | None, training: bool = False, record: dict | None = None):
        """Logits `[batch, outputs]` of a batch, and the final state.

        Args:
            state: what each cell starts from at its end of the sentence; zeros if None.
            record: where given, each layer's output is put into it by the layer's name.
        """
        config, mask = self.config, x["mask"]
        state = self.initial_state(mask.shape[0]) if state is None else state

        def dropped(y, rate, shape=None):
            if not (training and rate):
                return y
            return keras.random.dropout(y, rate, noise_shape=shape, seed=self.dropout_seed)

        y = self.embedding(x["inputs"])
        outputs, after = {"embedding": y}, []
        for i, (layer, initial) in enumerate(zip(self.forward, state, strict=True)):
            y = dropped(y, config.dropout if i else config.embedding_dropout)
            ahead, back = initial if self.backward else (initial, None)
            y_ahead, *final = layer(y, mask=mask, initial_state=list(ahead))
            final = tuple(final)
            if self.backward:
                reversed_y, reversed_mask = tf.reverse(y, [1]), tf.reverse(mask, [1])
                y_back, *final_back = self.backward[i](reversed_y, mask=reversed_mask, initial_state=list(back))
                y, final = tf.concat([y_ahead, tf.reverse(y_back, [1])], axis=-1), (final, tuple(final_back))
            else:
                y = y_ahead
            after.append(final)
            outputs[f"rnn.{i}"] = y
        y = outputs["pooling"] = self._pool(y, after[-1], mask)
        y = dropped(y, config.dropout)
        if self.hidden is not None:
            y = outputs["hidden"] = self.hidden(y)
        logits = self.output_layer(y)
        if self.grams is not None:
            shape = (tf.shape(x["values"])[0], tf.shape(x["values"])[1], 1)
            values = dropped(x["values"], config.gram_dropout, shape)
            outputs["grams"] = tf.reduce_sum(values * (config.gram_scale + self.grams(x["grams"])), axis=1)
            logits += outputs["grams"]
        if record is not None:
            record.update(outputs, output_layer=logits)
        return logits, tuple(after)

    def _pool(self, y, final, mask):
        pooling, parts = self.config.pooling, []
        if pooling == "last":
            return tf.concat([final[0][0], final[1][0]], axis=-1) if self.backward else final[0]
        words = tf.cast(mask, y.dtype)[..., None]
        if pooling != "max":
            parts.append(tf.reduce_sum(y * words, axis=1) / tf.maximum(tf.reduce_sum(words, axis=1), 1))
        if pooling != "mean":
            largest = tf.reduce_max(tf.where(mask[..., None], y, y.dtype.min), axis=1)
            parts.append(tf.where(tf.reduce_any(mask, axis=1)[:, None], largest, 0))
        return tf.concat(parts, axis=-1)

    def batch_loss(self, arrays, state: State, training: bool):
        """Cross-entropy of a batch of `corpus.Batches`, summed over sentences, in nats; and the final state."""
        logits, after = self(arrays, state, training=training)
        if logits.shape[-1] == 1:
            targets = tf.cast(arrays["labels"], logits.dtype)
            nats = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits[:, 0])
        else:
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["labels"], logits=logits)
        return tf.reduce_sum(nats), after


def build(config: Config, vocabulary) -> Classifier:
    """The model of a configuration, with Keras' own initial weights; training sets them by name."""
    return Classifier(config, vocabulary)
