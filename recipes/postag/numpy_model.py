"""The NumPy twin: tags sentences, and trains, all without a framework.

A bidirectional tagger cannot be fed in pieces: the backward cell begins with the sentence's last word, so the tag of each
word depends on all words after it. State is explicit all the same: what each cell starts from at its end of the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rnnzoo.batching import Batch, pad
from rnnzoo.cells import CELLS, Bidirectional
from rnnzoo.cells.base import State as CellState
from rnnzoo.cells.crf import crf_loss, crf_marginals, viterbi
from rnnzoo.cells.feedforward import dense, dense_backward, dropout_mask, embed_backward, rows, unrows
from rnnzoo.cells.losses import log_softmax, softmax_cross_entropy
from rnnzoo.inference import Piece, arriving
from rnnzoo.probes import Probe, spread
from rnnzoo.vocabulary import UNKNOWN, Vocabularies, Vocabulary

from . import Config, Options
from .features import KINDS, Encoder
from .readers import Sentence
from .tokenizer import tokenize

State = tuple[tuple[CellState, CellState], ...]  # for each layer the forward and the backward cell's arrays [batch, units]
DIRECTIONS = ("forward", "backward")
TOKENS = 4096  # padded words tagged at once
LINES = 512  # lines taken from the input at once, where as many have arrived


def weight_shapes(config: Config, vocabulary: Vocabularies) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights by name, in Keras' layout."""
    shapes = {"words.embeddings": (len(vocabulary["words"]), config.embedding)}
    if config.features:
        shapes["features.embeddings"] = (len(vocabulary["features"]), config.features)
    for i in range(config.layers):
        width = 2 * config.units if i else config.embedding + config.features
        for direction in DIRECTIONS:
            for name, shape in CELLS[config.cell].weight_shapes(width, config.units).items():
                shapes[f"{direction}.{i}.{name}"] = shape
    shapes["output_layer.kernel"] = (2 * config.units, len(vocabulary["tags"]))
    shapes["output_layer.bias"] = (len(vocabulary["tags"]),)
    if config.output == "crf":
        shapes["crf.transitions"] = (len(vocabulary["tags"]), len(vocabulary["tags"]))
    return shapes


def faster_engine(config: Config) -> str:
    """The faster engine: without a CRF a step takes 57 ms in NumPy on one core, 70 in Keras on two (book: 227, 358).

    With one it takes 1.3 ms more in NumPy.
    """
    return "numpy"


def example_vocabulary() -> Vocabularies:
    """Vocabularies to compare untrained twins with."""
    return Vocabularies(
        {
            "words": Vocabulary(["the", "cat", "sat", "on", "a", "mat", "."]),
            "features": Vocabulary(f"suffix1={c}" for c in "abcdefgh"),
            "tags": Vocabulary(("DT", "NN", "VBD", "IN", ".")),
        }
    )


class NumpyModel:
    """The tagger over weights in Keras' layout."""

    def __init__(self, config: Config, vocabulary: Vocabularies, weights: dict[str, np.ndarray]):
        self.config, self.vocabulary, self.weights = config, vocabulary, weights
        self.encode = Encoder(vocabulary, bool(config.features))
        self.layers: list[Bidirectional] = []
        for i in range(config.layers):
            cells = []
            for direction in DIRECTIONS:
                prefix = f"{direction}.{i}."
                own = {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}
                cells.append(CELLS[config.cell](own))
            self.layers.append(Bidirectional(*cells))
        self.kernel, self.bias = weights["output_layer.kernel"], weights["output_layer.bias"]
        self.transitions = weights["crf.transitions"] if config.output == "crf" else None

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` sentences."""
        return tuple(layer.initial_state(batch) for layer in self.layers)

    def example_input(self, rng: np.random.Generator) -> tuple[np.ndarray, State]:
        """Random words `[3, 20, 1 + features]` and a random state, to compare the twins with."""
        state = tuple(
            tuple(tuple(rng.uniform(-1, 1, s.shape).astype(s.dtype) for s in cell) for cell in layer)
            for layer in self.initial_state(3)
        )
        x = rng.integers(0, len(self.vocabulary["words"]), (3, 20, 1))
        if self.config.features:
            x = np.concatenate((x, rng.integers(0, len(self.vocabulary["features"]), (3, 20, KINDS))), axis=-1)
        return x, state

    # -- reading ---------------------------------------------------------------------------------------------------

    def call(
        self, x: np.ndarray, state: State | None = None, mask: np.ndarray | None = None, record: dict | None = None
    ) -> tuple[np.ndarray, State]:
        """Logits `[batch, time, tags]` of words `x` `[batch, time, 1 + features]`, and the state of each cell at its last word.

        Args:
            state: what each cell starts from, zeros if None.
            mask: booleans `[batch, time]`, False for padding, which must follow the words; None for no padding.
            record: where given, takes each layer's output by the layer's name.
        """
        outputs, after, _ = self._forward(x, state or self.initial_state(len(x)), mask, None)
        logits = unrows(dense(rows(outputs[-1]), self.kernel, self.bias), len(x))
        if record is not None:
            names = ["embedding", *(f"rnn.{i}" for i in range(len(self.layers)))]
            record.update(zip(names, outputs, strict=True), output_layer=logits)
            if self.transitions is not None:
                record["crf"] = crf_marginals(logits, self.transitions, np.ones(x.shape[:2], bool) if mask is None else mask)
        return logits, after

    def _embed(self, x: np.ndarray) -> np.ndarray:
        """`[batch, time, embedding + features]`: the word's embedding beside the sum of its features'."""
        words = self.weights["words.embeddings"][x[..., 0]]
        if not self.config.features:
            return words
        return np.concatenate((words, self.weights["features.embeddings"][x[..., 1:]].sum(axis=2)), axis=-1)

    def _forward(self, x, state, mask, rng):
        """Outputs of each layer (with dropout where there is a generator), states after, and what backward needs."""
        y = self._embed(x)
        factor = None
        if rng is not None and self.config.input_dropout:
            factor = dropout_mask((len(x), 1, y.shape[-1]), self.config.input_dropout, rng)
            y = y * factor
        outputs, after, tapes = [y], [], [(None, factor)]
        for layer, initial in zip(self.layers, state, strict=True):
            y, final, tape = layer.forward(y, initial, mask)
            factor = None
            if rng is not None and self.config.dropout:
                factor = dropout_mask(y.shape, self.config.dropout, rng)
                y = y * factor
            outputs.append(y)
            after.append(final)
            tapes.append((tape, factor))
        return outputs, tuple(after), tapes

    # -- looking inside --------------------------------------------------------------------------------------------

    def probe(self, text: str) -> Probe:
        """What the recurrent layers read of a text: its words, those that are not in the vocabulary by their spelling."""
        words = tokenize(text)
        return Probe(self._named_layers(), self._embed(self.encode(words)[None]), tokens=words)

    def probe_loss(self, sentences: Sequence[Sentence], number: int, steps: int) -> Probe:
        """Some `number` sentences, spread over `sentences`; L is the loss of a word's tag in nats, by its own logits alone.

        It is that of the last word for the cells that read forward, and that of the first word for those that read backward.
        The last word is mostly a full stop, which a trained tagger is sure of: the shape of its curve says more than its size.
        """
        chosen = [sentences[i] for i in spread(len(sentences), number)]
        x, mask = _beside([self.encode(sentence.words[:steps]) for sentence in chosen])
        at = np.arange(len(chosen))

        def loss_at(step: np.ndarray):
            targets = self.vocabulary["tags"].encode([s.tags[t] for s, t in zip(chosen, step, strict=True)])

            def loss(outputs: np.ndarray) -> np.ndarray:
                d_outputs = np.zeros_like(outputs)
                _, d_logits = softmax_cross_entropy(dense(outputs[at, step], self.kernel, self.bias), targets)
                d_outputs[at, step] = d_logits @ self.kernel.T
                return d_outputs

            return loss

        losses = {"loss": loss_at(mask.sum(axis=1) - 1), "first_loss": loss_at(np.zeros(len(chosen), int))}
        return Probe(self._named_layers(), self._embed(x), mask, **losses)

    def _named_layers(self) -> dict[str, Bidirectional]:
        return {f"rnn.{i}": layer for i, layer in enumerate(self.layers)}

    # -- training --------------------------------------------------------------------------------------------------

    def loss_and_gradients(
        self, batch: Batch, state: State | None, rng: np.random.Generator | None
    ) -> tuple[float, dict[str, np.ndarray], State]:
        """A training step's loss, summed over real words in nats; gradients of its mean; and the state after it.

        Args:
            batch: of `corpus.Batches`.
            state: what each cell starts from, zeros if None.
            rng: of dropout; None for no dropout.
        """
        x, targets, weights = (batch.arrays[name] for name in ("inputs", "targets", "weights"))
        outputs, after, tapes = self._forward(x, state or self.initial_state(len(x)), weights > 0, rng)
        features = rows(outputs[-1])
        logits = dense(features, self.kernel, self.bias)
        gradients = {}
        if self.transitions is None:
            loss, d_logits = softmax_cross_entropy(logits, targets.T.ravel(), weights.T.ravel())
        else:
            loss, d_logits, d_transitions = crf_loss(unrows(logits, len(x)), self.transitions, targets, weights > 0)
            d_logits = rows(d_logits)
            gradients["crf.transitions"] = d_transitions / batch.tokens
        d_logits /= batch.tokens
        d_features, d_output = dense_backward(features, self.kernel, d_logits)
        gradients |= {f"output_layer.{name}": gradient for name, gradient in d_output.items()}
        d_y = unrows(d_features, len(x))
        for i, layer in reversed(list(enumerate(self.layers))):
            tape, factor = tapes[i + 1]
            if factor is not None:
                d_y = d_y * factor
            d_y, _, d_cells = layer.backward(tape, d_y)
            for name, gradient in d_cells.items():
                direction, _, rest = name.partition(".")
                gradients[f"{direction}.{i}.{rest}"] = gradient
        if (factor := tapes[0][1]) is not None:
            d_y = d_y * factor
        width = self.config.embedding
        real = weights > 0
        gradients["words.embeddings"] = embed_backward(x[real][:, 0], d_y[real][:, :width], len(self.vocabulary["words"]))
        if self.config.features:
            d_features = np.repeat(d_y[real][:, width:], x.shape[-1] - 1, axis=0)
            gradients["features.embeddings"] = embed_backward(x[real][:, 1:], d_features, len(self.vocabulary["features"]))
        return loss, gradients, after

    # -- tagging ---------------------------------------------------------------------------------------------------

    def probabilities(self, sentences: Sequence[Sequence[str]]) -> Iterator[np.ndarray]:
        """For each sentence of words, in order, the probabilities of its words' tags `[words, tags]`; of UNK it is 0.

        With a CRF they are those of each word by itself, summed over all tags that the others may have.
        """
        return (p for _, p in self._tagged(sentences))

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The most probable tags of each sentence: of each word by itself, or with a CRF of the sentence as a whole."""
        tags = self.vocabulary["tags"]
        return [[tags[number] for number in best.tolist()] for best, _ in self._tagged(sentences)]

    def _tagged(self, sentences: Sequence[Sequence[str]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each sentence, in order, its tags' numbers `[words]` and the probabilities of its words' tags `[words, tags]`.

        Sentences of near-equal length are read side by side; what stands beside a sentence does not change its own.
        """
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        nothing = np.zeros(0, np.int64), np.zeros((0, len(self.vocabulary["tags"])), np.float32)
        found = [nothing] * len(sentences)
        at = 0
        while at < len(order):
            # As many sentences as fit: the last one taken is the longest of them.
            end = at + 1
            while end < len(order) and (end + 1 - at) * len(sentences[order[end]]) <= TOKENS:
                end += 1
            chosen, at = order[at:end], end
            if not any(len(sentences[i]) for i in chosen):
                continue
            encoded = [self.encode(sentences[i]) for i in chosen]
            x, real = _beside(encoded)
            logits, _ = self.call(x, None, real)
            logits[..., UNKNOWN] = -np.inf
            for i, best, p, own in zip(chosen, *self._most_probable(logits, real), encoded, strict=True):
                found[i] = best[: len(own)], p[: len(own)]
        return iter(found)

    def _most_probable(self, logits: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tags `[batch, time]` and probabilities `[batch, time, tags]` from logits."""
        if self.transitions is None:
            return logits.argmax(axis=-1), np.exp(log_softmax(logits))
        return viterbi(logits, self.transitions, real), crf_marginals(logits, self.transitions, real)

    def generate(self, texts: Iterable[str], options: Options, seed: int) -> Iterator[Piece]:
        """For each line its tags, in order; a blank line has none. The seed is not used: nothing is drawn."""
        split = str.split if options.tokenized else tokenize
        tags = self.vocabulary["tags"]
        for lines in arriving(texts, LINES):
            sentences = [split(line) for line in lines]
            for words, (best, p) in zip(sentences, self._tagged(sentences), strict=True):
                chosen = [tags[int(number)] for number in best]
                shown = columns(words, chosen, self.config.tags) if options.format == "columns" else slashed(words, chosen)
                probabilities = [round(float(x), 6) for x in p[np.arange(len(best)), best]]
                yield Piece(shown, {"tokens": words, "tags": chosen, "probabilities": probabilities})

    def sample(self, config: Config, epoch: int) -> str | None:
        """Nothing is shown between the epochs of a tagger."""
        return None


def _beside(encoded: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Encoded sentences side by side, `[batch, time, 1 + features]`, and the mask, True where there is a word."""
    _, real = pad([x[:, 0] for x in encoded])
    x = np.zeros((*real.shape, encoded[0].shape[1]), np.int32)
    x[real] = np.concatenate(encoded)
    return x, real


def slashed(words: Sequence[str], tags: Sequence[str]) -> str:
    """`word/TAG` joined by spaces."""
    return " ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True))


def columns(words: Sequence[str], tags: Sequence[str], column: str = "xpos") -> str:
    """A sentence in CoNLL-U (universaldependencies.org/format.html): number, word, and the tag as UPOS or XPOS.

    It ends with a newline, so that the newline that ends an answer makes the blank line that ends a sentence.
    """
    ahead, behind = {"upos": (1, 6), "xpos": (2, 5)}[column]
    return "".join(
        "\t".join([str(i), word, *["_"] * ahead, tag, *["_"] * behind]) + "\n"
        for i, (word, tag) in enumerate(zip(words, tags, strict=True), start=1)
    )
