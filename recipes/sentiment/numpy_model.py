"""The NumPy twin: labels texts, and trains, all without a framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rnnzoo.batching import Batch, pad
from rnnzoo.cells import CELLS, Bidirectional, Cell
from rnnzoo.cells.base import sigmoid
from rnnzoo.cells.feedforward import dense, dense_backward, dropout_mask, embed, embed_backward
from rnnzoo.cells.losses import log_softmax, sigmoid_cross_entropy, softmax_cross_entropy
from rnnzoo.inference import Piece, arriving
from rnnzoo.probes import Probe, spread
from rnnzoo.vocabulary import Vocabularies, Vocabulary

from . import Config, Options, ratios
from .corpus import Sentence, Split, encode, read

State = tuple[Any, ...]  # for each layer its state; of a bidirectional layer a pair of states; arrays [batch, units]
Arrays = dict[str, np.ndarray]
BATCH = 256  # sentences read at once
WAITING = 2048  # lines read ahead at most; a batch is made of those of near-equal length


def weight_shapes(config: Config, vocabulary: Vocabularies) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights by name, in Keras' layout."""
    outputs = ratios.outputs(len(vocabulary["labels"]) - 1)
    shapes: dict[str, tuple[int, ...]] = {"embedding.embeddings": (len(vocabulary["words"]), config.embedding)}
    directions = _directions(config)
    for direction in directions:
        for i in range(config.layers):
            features = len(directions) * config.units if i else config.embedding
            for name, shape in CELLS[config.cell].weight_shapes(features, config.units).items():
                shapes[f"{direction}.{i}.{name}"] = shape
    width = len(directions) * config.units * (2 if config.pooling == "mean_max" else 1)
    if config.hidden:
        shapes |= {"hidden.kernel": (width, config.hidden), "hidden.bias": (config.hidden,)}
        width = config.hidden
    shapes |= {"output_layer.kernel": (width, outputs), "output_layer.bias": (outputs,)}
    if counts_grams(config):
        shapes["grams.gain"] = (len(vocabulary["grams"]), outputs)
    return shapes


def _directions(config: Config) -> tuple[str, ...]:
    return ("forward", "backward") if config.bidirectional else ("forward",)


def counts_grams(config: Config) -> bool:
    """Whether n-grams stand beside the RNN."""
    return bool(config.words_up_to or config.characters_up_to)


def ratio_table(config: Config, vocabulary: Vocabularies) -> np.ndarray:
    """Log-count ratios of the training set, `[grams, outputs]`; zero for UNK, with which n-grams are padded."""
    counts = ratios.read(vocabulary.extra["counts"], len(vocabulary["labels"]) - 1)
    table = ratios.log_count_ratios(counts, counts, config.gram_smoothing)
    table[0] = 0
    return table


def faster_engine(config: Config) -> str:
    """The engine that trains a configuration faster: NumPy, at every width that a few thousand sentences can use."""
    return "numpy"


def example_vocabulary() -> Vocabularies:
    """Vocabularies to compare untrained twins with."""
    words = "abcdefgh"
    counts = np.arange(2 * (len(words) + 1)).reshape(-1, 2) % 5
    vocabularies = {"words": Vocabulary(words), "grams": Vocabulary(words), "labels": Vocabulary(("negative", "positive"))}
    return Vocabularies(vocabularies, {"counts": ratios.written(counts)})


class NumpyModel:
    """The classifier over weights in Keras' layout.

    Logits are those of the RNN plus, beside it, the weighted log-count ratios of the sentence's n-grams:

        (scale + gain[g]) r[g], summed over g,    scale a setting, gain trained from zero

    The state is explicit: `call` starts from one and gives the last one. A sentence fed in pieces equals the sentence fed
    whole only with `bidirectional=false pooling=last words_up_to=0`: the backward layer must begin with the last piece, and
    pooling and n-grams are of the whole sentence.
    """

    def __init__(self, config: Config, vocabulary: Vocabularies, weights: Arrays):
        self.config, self.vocabulary, self.weights = config, vocabulary, weights
        self.classes = vocabulary["labels"].symbols
        self.embeddings = weights["embedding.embeddings"]
        self.layers: list[Cell | Bidirectional] = []
        for i in range(config.layers):
            cells = [CELLS[config.cell](self._part(f"{direction}.{i}")) for direction in _directions(config)]
            self.layers.append(Bidirectional(*cells) if config.bidirectional else cells[0])
        self.gain = weights.get("grams.gain")
        self.ratios = None if self.gain is None else ratio_table(config, vocabulary)

    def _part(self, name: str) -> Arrays:
        return {k.removeprefix(f"{name}."): w for k, w in self.weights.items() if k.startswith(f"{name}.")}

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` sentences."""
        return tuple(layer.initial_state(batch) for layer in self.layers)

    def example_input(self, rng: np.random.Generator) -> tuple[Arrays, State]:
        """A ragged batch of three random sentences, one of them empty, and a random state, to compare the twins with."""
        words, grams = len(self.vocabulary["words"]), len(self.vocabulary["grams"])
        sentences = [Sentence(rng.integers(0, words, n), rng.integers(1, grams, 2 * n)) for n in (7, 0, 12)]

        def random(state):
            if isinstance(state, tuple):
                return tuple(map(random, state))
            return rng.uniform(-1, 1, state.shape).astype(state.dtype)

        return self.arrays(sentences), random(self.initial_state(3))

    def arrays(self, sentences: Sequence[Sentence]) -> Arrays:
        """Sentences as a batch: `inputs`, `mask` `[batch, time]`; `grams` `[batch, n]`, `values` `[batch, n, outputs]`."""
        arrays: Arrays = {}
        arrays["inputs"], arrays["mask"] = pad([sentence.words for sentence in sentences])
        if self.ratios is not None:
            arrays["grams"], _ = pad([sentence.grams for sentence in sentences])
            arrays["values"] = self.ratios[arrays["grams"]]
        return arrays

    # -- reading ---------------------------------------------------------------------------------------------------

    def call(self, x: Arrays, state: State | None = None, record: dict | None = None) -> tuple[np.ndarray, State]:
        """Logits `[batch, outputs]` of a batch made by `arrays`, and the final state.

        `record`, where given, takes each layer's output by the layer's name.
        """
        logits, state, _ = self._forward(x, state, None, record)
        return logits, state

    def _forward(self, x: Arrays, state: State | None, rng: np.random.Generator | None, record: dict | None = None):
        """Logits, the final state, and what `_backward` needs; with dropout where there is a generator."""
        config, mask = self.config, x["mask"]
        state = self.initial_state(len(mask)) if state is None else state
        record = {} if record is None else record

        def factor(shape, rate):
            return dropout_mask(shape, rate, rng) if rng is not None and rate else None

        y = record["embedding"] = embed(x["inputs"], self.embeddings)
        after, tapes = [], []
        for i, (layer, initial) in enumerate(zip(self.layers, state, strict=True)):
            dropped = factor(y.shape, config.dropout if i else config.embedding_dropout)
            y, final, tape = layer.forward(y if dropped is None else y * dropped, initial, mask)
            after.append(final)
            tapes.append((tape, dropped))
            record[f"rnn.{i}"] = y
        pooled, chosen = self._pool(y, after[-1], mask)
        record["pooling"] = pooled
        dropped = factor(pooled.shape, config.dropout)
        features = pooled if dropped is None else pooled * dropped
        hidden = features
        if config.hidden:
            hidden = np.maximum(dense(features, **self._part("hidden")), 0)
            record["hidden"] = hidden
        logits = dense(hidden, **self._part("output_layer"))
        values = None
        if self.gain is not None:
            values = x["values"]
            kept = factor(values.shape[:2], config.gram_dropout)
            values = values if kept is None else values * kept[..., None]
            beside = record["grams"] = (values * (config.gram_scale + self.gain[x["grams"]])).sum(axis=1)
            logits += beside
        record["output_layer"] = logits
        return logits, tuple(after), (tapes, y.shape, chosen, dropped, features, hidden, values)

    def _pool(self, y: np.ndarray, final: Any, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Outputs `[batch, time, width]` at the words made one vector per sentence; and where the largest ones are."""
        pooling, parts, chosen = self.config.pooling, [], None
        if pooling == "last":
            return np.concatenate([s[0] for s in final], axis=1) if self.config.bidirectional else final[0], None
        if pooling != "max":
            parts.append(y.sum(axis=1) / _lengths(mask))  # outputs are zero at padding
        if pooling != "mean":
            chosen = np.where(mask[..., None], y, -np.inf).argmax(axis=1)[:, None]
            parts.append(np.take_along_axis(y, chosen, axis=1)[:, 0])
        return np.concatenate(parts, axis=1), chosen

    def _pool_backward(self, d: np.ndarray, shape: tuple[int, ...], chosen: np.ndarray | None, mask: np.ndarray):
        """dL/d outputs (None for zeros) and dL/d final state of the last layer (None for zeros)."""
        pooling, units = self.config.pooling, self.config.units
        if pooling == "last":
            halves = np.split(d, 2, axis=1) if self.config.bidirectional else [d]
            others = len(CELLS[self.config.cell].states) - 1
            states = [(np.ascontiguousarray(h), *(np.zeros((len(d), units), d.dtype) for _ in range(others))) for h in halves]
            return None, tuple(states) if self.config.bidirectional else states[0]
        d_y = np.zeros(shape, d.dtype)
        if pooling != "max":
            d_y += (d[:, : shape[2]] / _lengths(mask))[:, None] * mask[..., None]
        if pooling != "mean":
            largest = d[:, -shape[2] :][:, None] * mask.any(axis=1)[:, None, None]
            np.put_along_axis(d_y, chosen, np.take_along_axis(d_y, chosen, axis=1) + largest, axis=1)
        return d_y, None

    def predict(self, sentences: Sequence[Sentence]) -> np.ndarray:
        """Probabilities `[sentences, classes]`. They do not depend on which sentences are read together."""
        probabilities = np.zeros((len(sentences), len(self.classes)), np.float64)
        lengths = np.array([len(sentence.words) for sentence in sentences])
        order = np.argsort(lengths, kind="stable")
        for at in range(0, len(order), BATCH):
            indices = order[at : at + BATCH]
            logits, _ = self.call(self.arrays([sentences[i] for i in indices]))
            probabilities[indices] = self._probabilities(logits.astype(np.float64))
        return probabilities

    def _probabilities(self, logits: np.ndarray) -> np.ndarray:
        if len(self.classes) == 2:
            second = sigmoid(logits[:, :1])
            return np.concatenate([1 - second, second], axis=1)
        return np.exp(log_softmax(logits))

    # -- looking inside --------------------------------------------------------------------------------------------

    def probe(self, text: str) -> Probe:
        """What the recurrent layers read of a text: its words, those that are not in the vocabulary as UNK."""
        words, _, _ = read(text, self.config)
        return Probe(self._named_layers(), self.embeddings[self.vocabulary["words"].encode(words)][None], tokens=words)

    def probe_loss(self, sentences: Split, number: int, steps: int) -> Probe:
        """Some `number` sentences, spread over `sentences`; L is the loss of the label in nats.

        It reads the states as `pooling` has it: `mean` each of them, `max` where one is the largest, `last` the last one alone.
        """
        chosen = spread(len(sentences), number)
        x = self.arrays([Sentence(sentences[i].words[:steps], sentences[i].grams) for i in chosen])
        logits, _, (_, shape, largest, _, _, hidden, _) = self._forward(x, None, None)
        d = self._loss(logits, np.asarray(sentences.labels)[chosen])[1].astype(logits.dtype)
        d = d @ self.weights["output_layer.kernel"].T
        if self.config.hidden:
            d = d * (hidden > 0) @ self.weights["hidden.kernel"].T
        d_y, d_state = self._pool_backward(d, shape, largest, x["mask"])
        d_final = [*[None] * (len(self.layers) - 1), d_state]
        inputs = embed(x["inputs"], self.embeddings)
        return Probe(self._named_layers(), inputs, x["mask"], loss=lambda outputs: d_y, d_final=d_final)

    def _named_layers(self) -> dict[str, Cell | Bidirectional]:
        return {f"rnn.{i}": layer for i, layer in enumerate(self.layers)}

    # -- training --------------------------------------------------------------------------------------------------

    def loss_and_gradients(
        self, batch: Batch, state: State | None, rng: np.random.Generator | None
    ) -> tuple[float, Arrays, State]:
        """A training step's loss, summed over sentences in nats; gradients of its mean; and the final state.

        Args:
            batch: of `corpus.Batches`.
            state: to start from, zeros if None.
            rng: of dropout; None for no dropout.
        """
        x, config = batch.arrays, self.config
        logits, after, (tapes, shape, chosen, dropped, features, hidden, values) = self._forward(x, state, rng)
        loss, d_logits = self._loss(logits, x["labels"])
        d_logits = (d_logits / batch.tokens).astype(logits.dtype)
        gradients: Arrays = {}
        if values is not None:
            d_gain = values * d_logits[:, None]
            gradients["grams.gain"] = _scattered(x["grams"], d_gain, len(self.gain))
        d, own = dense_backward(hidden, self.weights["output_layer.kernel"], d_logits)
        gradients |= {f"output_layer.{name}": gradient for name, gradient in own.items()}
        if config.hidden:
            d, own = dense_backward(features, self.weights["hidden.kernel"], d * (hidden > 0))
            gradients |= {f"hidden.{name}": gradient for name, gradient in own.items()}
        if dropped is not None:
            d = d * dropped
        d_y, d_state = self._pool_backward(d, shape, chosen, x["mask"])
        for i in reversed(range(config.layers)):
            tape, dropped = tapes[i]
            d_y, _, own = self.layers[i].backward(tape, d_y, d_state)
            d_state = None
            if not config.bidirectional:
                own = {f"forward.{name}": gradient for name, gradient in own.items()}
            for name, gradient in own.items():
                direction, _, weight = name.partition(".")
                gradients[f"{direction}.{i}.{weight}"] = gradient
            if dropped is not None:
                d_y = d_y * dropped
        gradients["embedding.embeddings"] = embed_backward(x["inputs"], d_y, len(self.embeddings))
        return loss, gradients, after

    def _loss(self, logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss summed over sentences, and dL/d logits `[batch, outputs]`."""
        if len(self.classes) > 2:
            return softmax_cross_entropy(logits, labels)
        loss, d_logits = sigmoid_cross_entropy(logits[:, 0], labels)
        return loss, d_logits[:, None]

    # -- labelling -------------------------------------------------------------------------------------------------

    def generate(self, texts: Iterable[str], options: Options, seed: int) -> Iterator[Piece]:
        """For each text its label and probability, a tab between; a text without words gets a blank line, not a guess.

        Nothing is drawn: `seed` changes nothing.
        """
        for bundle in arriving(texts, WAITING):
            words, grams, _ = encode(bundle, self.vocabulary, self.config)
            sentences = [Sentence(words[i], grams[i]) for i in range(len(bundle))]
            readable = [i for i, sentence in enumerate(sentences) if len(sentence.words)]
            found = dict(zip(readable, self.predict([sentences[i] for i in readable]), strict=True))
            for i, text in enumerate(bundle):
                yield self._answer(text, found.get(i), options)

    def _answer(self, text: str, probabilities: np.ndarray | None, options: Options) -> Piece:
        if probabilities is None:
            return Piece("", {"text": text, "label": None, "probability": None, "probabilities": None})
        ranked = np.argsort(-probabilities, kind="stable")
        named = {self.classes[k]: round(float(probabilities[k]), 6) for k in ranked}
        label, probability = next(iter(named.items()))
        shown = named.items() if options.all_labels else [(label, probability)]
        line = "\t".join(f"{name}\t{value:.4f}" for name, value in shown)
        return Piece(line, {"text": text, "label": label, "probability": probability, "probabilities": named})

    def sample(self, config: Config, epoch: int) -> str | None:
        """Nothing to show in training."""
        return None


def _lengths(mask: np.ndarray) -> np.ndarray:
    """Words of each sentence, `[batch, 1]`, at least 1."""
    return np.maximum(mask.sum(axis=1, keepdims=True), 1).astype(np.float32)


def _scattered(indices: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Sums `[size, width]` of `values` `[..., width]` by index."""
    flat, columns = indices.ravel(), values.reshape(-1, values.shape[-1])
    return np.stack([np.bincount(flat, column, size) for column in columns.T], axis=1).astype(values.dtype)
