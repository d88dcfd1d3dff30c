"""The Keras model: encoder, decoder, attention, output layer. The one file here that needs Keras."""

from __future__ import annotations

from typing import Any

from rnnzoo.keras_backend import keras, tf
from rnnzoo.layers.attention import Attention
from rnnzoo.layers.recurrent import recurrent_layer

from . import Config
from .numpy_model import readout_width, refuse_impossible

State = tuple[Any, ...]  # for each layer its arrays [batch, units]; of a bidirectional layer a pair of such states


class TiedOutput(keras.layers.Layer):
    """Logits from the transposed target embedding, which it is called with; the bias is its own."""

    def __init__(self, words: int):
        super().__init__()
        self.bias = self.add_weight(name="bias", shape=(words,), initializer="zeros")
        self.built = True

    def call(self, x, embeddings):
        return tf.matmul(x, embeddings, transpose_b=True) + self.bias


class Translator(keras.Model):
    """Logits of the next word of the target. State is explicit; masks are arguments."""

    def __init__(self, config: Config, source_words: int, target_words: int):
        super().__init__()
        refuse_impossible(config)
        self.config = config
        self.source_embedding = keras.layers.Embedding(source_words, config.embedding)
        self.encoder = [self._encoder_layer() for _ in range(config.layers)]
        self.target_embedding = keras.layers.Embedding(target_words, config.embedding)
        self.decoder = [recurrent_layer(config.cell, config.units) for _ in range(config.layers)]
        self.attention = None
        if config.attention != "none":
            self.attention = Attention(config.attention, config.units, config.units)
        width = readout_width(config)
        self.readout = keras.layers.Dense(width, activation="tanh") if width else None
        self.output_layer = TiedOutput(target_words) if config.tied else keras.layers.Dense(target_words)
        self.dropout_seed = keras.random.SeedGenerator(0) if config.dropout else None
        self((tf.zeros((1, 2), tf.int32), tf.ones((1, 2), tf.bool), tf.zeros((1, 2), tf.int32)), None)  # builds the weights

    def _encoder_layer(self):
        config = self.config
        if not config.bidirectional:
            return recurrent_layer(config.cell, config.units)
        return {way: recurrent_layer(config.cell, config.units // 2) for way in ("forward", "backward")}

    def initial_state(self, batch: int) -> State:
        """Zeros for the encoder of `batch` sentences."""
        return tuple(
            tuple(_zeros(layer[way], batch) for way in ("forward", "backward"))
            if self.config.bidirectional
            else _zeros(layer, batch)
            for layer in self.encoder
        )

    def call(self, x, state: State | None, training: bool = False, record: dict | None = None):
        """Logits `[batch, target time, words]` of the word after each previous one, and the decoder's final state.

        Args:
            x: the source `[batch, source time]`, its mask, and the previous words of the target `[batch, target time]`.
            state: the encoder's initial state, zeros if None.
            record: where given, each part's output is put into it by its name.
        """
        readout, after = self.features(x, state, training, record)
        logits = self._logits(readout)
        if record is not None:
            record["output_layer"] = logits
        return logits, after

    def features(self, x, state: State | None, training: bool, record: dict | None = None):
        """What the output layer reads, `[batch, target time, readout]`, and the decoder's final state."""
        source, mask, previous = x
        state = self.initial_state(tf.shape(source)[0]) if state is None else state
        memory, started = self._encode(source, mask, state, training)
        y, after = self._drop(self.target_embedding(previous), training), []
        for i, (layer, initial) in enumerate(zip(self.decoder, started, strict=True)):
            y, *final = layer(self._drop(y, training) if i else y, initial_state=list(initial))
            after.append(tuple(final))
        readout, outputs = y, {"decoder": y}
        if self.attention is not None:
            context, weights = self.attention(y, memory, mask)
            readout, outputs["attention"] = tf.concat([y, context], axis=-1), weights
        if self.readout is not None:
            readout = self.readout(readout)
        if record is not None:
            record.update(outputs, encoder=memory, readout=readout)
        return self._drop(readout, training), tuple(after)

    def _encode(self, source, mask, state: State, training: bool):
        """The encoder's outputs `[batch, time, units]`, and the state that starts the decoder."""
        y, started = self._drop(self.source_embedding(source), training), []
        for i, (layer, initial) in enumerate(zip(self.encoder, state, strict=True)):
            y = self._drop(y, training) if i else y
            if not self.config.bidirectional:
                y, *final = layer(y, mask=mask, initial_state=list(initial))
                started.append(tuple(final))
                continue
            ahead, *final_ahead = layer["forward"](y, mask=mask, initial_state=list(initial[0]))
            back, *final_back = layer["backward"](y[:, ::-1], mask=mask[:, ::-1], initial_state=list(initial[1]))
            y = tf.concat([ahead, back[:, ::-1]], axis=-1)
            started.append(tuple(tf.concat(pair, axis=-1) for pair in zip(final_ahead, final_back, strict=True)))
        return y, started

    def _logits(self, x):
        return self.output_layer(x, self.target_embedding.embeddings) if self.config.tied else self.output_layer(x)

    def _drop(self, x, training: bool):
        return keras.random.dropout(x, self.config.dropout, seed=self.dropout_seed) if training and self.config.dropout else x

    def batch_loss(self, arrays, state: State, training: bool):
        """Smoothed cross-entropy of a batch of `corpus.Batches`, summed over real words, in nats; and no state.

        The output layer sees real words only.
        """
        source, mask, previous = arrays["inputs"], arrays["mask"], arrays["previous"]
        if self.config.sampling:
            logits, _ = self((source, mask, previous), state)
            predicted = tf.cast(tf.argmax(logits[:, :-1], axis=-1), previous.dtype)
            predicted = tf.concat([previous[:, :1], predicted], axis=1)
            previous = tf.where(arrays["own"], tf.stop_gradient(predicted), previous)
        readout, _ = self.features((source, mask, previous), state, training)
        logits = self._logits(tf.boolean_mask(readout, arrays["real"]))
        targets = tf.boolean_mask(arrays["targets"], arrays["real"])
        nats = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits))
        if smoothing := self.config.label_smoothing:
            even = -tf.reduce_sum(tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1))
            nats = (1 - smoothing) * nats + smoothing * even
        return nats, ()


def _zeros(layer, batch: int):
    size = layer.cell.state_size
    sizes = list(size) if isinstance(size, (list, tuple)) else [size]
    return tuple(tf.zeros((batch, units)) for units in sizes)


def build(config: Config, vocabulary) -> Translator:
    """The model of a configuration, with Keras' own initial weights; training sets them by name."""
    return Translator(config, len(vocabulary["source"]), len(vocabulary["target"]))
