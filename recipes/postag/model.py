"""The Keras model: embeddings, bidirectional recurrent layers, a dense layer. The one file here that needs Keras."""

from __future__ import annotations

from rnnzoo.keras_backend import keras, tf
from rnnzoo.layers.recurrent import recurrent_layer

from . import Config
from .features import KINDS

State = tuple[tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]], ...]  # per layer, forward and backward, [batch, units]


class LinearChain(keras.layers.Layer):
    """A linear-chain conditional random field over logits (Lafferty, McCallum, Pereira 2001); see `rnnzoo.cells.crf`."""

    def __init__(self, tags: int):
        super().__init__()
        self.transitions = self.add_weight(name="transitions", shape=(tags, tags), initializer="zeros")
        self.built = True  # Keras looks for weights that are still to come

    def log_partition(self, logits, mask):
        """Log of the sum of exp(score) over all sequences of tags `[batch]`, of logits `[batch, time, tags]`."""
        transitions = tf.convert_to_tensor(self.transitions)

        def step(ahead, now):
            scores, real = now
            longer = tf.reduce_logsumexp(ahead[:, :, None] + transitions, axis=1) + scores
            return tf.where(real[:, None], longer, ahead)

        later = tf.transpose(logits[:, 1:], [1, 0, 2]), tf.transpose(mask[:, 1:])
        return tf.reduce_logsumexp(tf.foldl(step, later, initializer=logits[:, 0]), axis=-1)

    def loss(self, logits, targets, mask):
        """-log P(targets), summed over sentences, in nats."""
        real = tf.cast(mask, logits.dtype)
        score = tf.reduce_sum(tf.gather(logits, targets, axis=2, batch_dims=2) * real)
        pairs = tf.stack([targets[:, :-1], targets[:, 1:]], axis=-1)
        score += tf.reduce_sum(tf.gather_nd(tf.convert_to_tensor(self.transitions), pairs) * real[:, 1:])
        return tf.reduce_sum(self.log_partition(logits, mask)) - score

    def marginals(self, logits, mask):
        """Probabilities of each word's tags `[batch, time, tags]`: what the log of the partition changes by with the logits."""
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = tf.reduce_sum(self.log_partition(logits, mask))
        return tape.gradient(total, logits)


class Tagger(keras.Model):
    """Logits of each word's tag.

    A sentence cannot be fed in pieces: the backward cell begins with its last word. State is explicit all the same: what each
    cell starts from at its end of the sentence, zeros as a rule.
    """

    def __init__(self, config: Config, words: int, features: int, tags: int):
        super().__init__()
        self.supports_masking = True  # the mask is an argument of ours; without this Keras warns about it
        self.config = config
        self.words = keras.layers.Embedding(words, config.embedding)
        self.features = keras.layers.Embedding(features, config.features) if config.features else None
        self.forward = [recurrent_layer(config.cell, config.units) for _ in range(config.layers)]
        self.backward = [recurrent_layer(config.cell, config.units) for _ in range(config.layers)]
        self.output_layer = keras.layers.Dense(tags)
        self.crf = LinearChain(tags) if config.output == "crf" else None
        self.dropout_seed = keras.random.SeedGenerator(0) if config.dropout or config.input_dropout else None
        self(tf.zeros((1, 1, 1 + (KINDS if config.features else 0)), tf.int32), None)  # builds the weights

    def compute_mask(self, *arguments, **options):
        """Nothing after the model needs a mask."""

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` sentences."""

        def zeros(layer):
            size = layer.cell.state_size
            return tuple(tf.zeros((batch, self.config.units)) for _ in (size if isinstance(size, (list, tuple)) else [size]))

        return tuple((zeros(f), zeros(b)) for f, b in zip(self.forward, self.backward, strict=True))

    def call(self, x, state: State | None, mask=None, training: bool = False, record: dict | None = None):
        """Logits `[batch, time, tags]` of words `x` `[batch, time, 1 + features]`, and each cell's state at its last word.

        Args:
            state: what each cell starts from, zeros if None.
            mask: booleans `[batch, time]`, False for padding, which must follow the words; None for no padding.
            record: where given, each layer's output is put into it by the layer's name.
        """
        if state is None:
            state = self.initial_state(x.shape[0])
        y = self.words(x[..., 0])
        if self.features is not None:
            y = tf.concat([y, tf.reduce_sum(self.features(x[..., 1:]), axis=2)], axis=-1)
        if training and self.config.input_dropout:
            shape = (tf.shape(y)[0], 1, y.shape[-1])
            y = keras.random.dropout(y, self.config.input_dropout, noise_shape=shape, seed=self.dropout_seed)
        outputs, after = {"embedding": y}, []
        reversed_mask = None if mask is None else tf.reverse(mask, [1])
        for i, (ahead, back, initial) in enumerate(zip(self.forward, self.backward, state, strict=True)):
            y_ahead, *final_ahead = ahead(y, mask=mask, initial_state=list(initial[0]))
            y_back, *final_back = back(tf.reverse(y, [1]), mask=reversed_mask, initial_state=list(initial[1]))
            y = tf.concat([y_ahead, tf.reverse(y_back, [1])], axis=-1)
            after.append((tuple(final_ahead), tuple(final_back)))
            outputs[f"rnn.{i}"] = y
            if training and self.config.dropout:
                y = keras.random.dropout(y, self.config.dropout, seed=self.dropout_seed)
        logits = self.output_layer(y)
        if record is not None:
            record.update(outputs, output_layer=logits)
            if self.crf is not None:
                record["crf"] = self.crf.marginals(logits, tf.ones(logits.shape[:2], tf.bool) if mask is None else mask)
        return logits, tuple(after)

    def batch_loss(self, arrays, state: State, training: bool):
        """Negative log-likelihood of a batch of `corpus.Batches`, summed over real words, in nats; and the state after it."""
        weights = arrays["weights"]
        logits, after = self(arrays["inputs"], state, mask=weights > 0, training=training)
        if self.crf is not None:
            return self.crf.loss(logits, arrays["targets"], weights > 0), after
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["targets"], logits=logits)
        return tf.reduce_sum(nats * weights), after


def build(config: Config, vocabulary) -> Tagger:
    """The model of a configuration, with Keras' own initial weights; training sets them by name."""
    return Tagger(config, *(len(vocabulary[name]) for name in ("words", "features", "tags")))
