"""The NumPy twin: reads a source, writes its translation, and trains, all without a framework.

    memory, state = encoder(source)                  bidirectional: outputs and final states of both ends side by side
    d(t), state   = decoder(word(t - 1), state)      the encoder's final state starts the decoder
    context(t)    = attention(d(t), memory)
    readout(t)    = tanh([d(t), context(t)] W + b)   without attention and not tied: d(t) itself
    logits(t)     = readout(t) V + b                 tied: V is the transposed target embedding

The context is not fed back into the decoder (Luong's attention without input feeding), so in training attention, readout and
output layer are each one large product over all real words of a batch; two thirds of the arithmetic are in the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnzoo.batching import Batch, pad
from rnnzoo.cells import CELLS, Bidirectional, Stacked
from rnnzoo.cells import attention as attentions
from rnnzoo.cells.attention import Attention
from rnnzoo.cells.feedforward import dropout_mask, embed_backward
from rnnzoo.cells.losses import softmax_cross_entropy
from rnnzoo.decoding import Hypothesis, beam_search_batch
from rnnzoo.errors import CallError
from rnnzoo.inference import Piece, arriving
from rnnzoo.probes import Probe, spread
from rnnzoo.vocabulary import UNKNOWN, Vocabularies, Vocabulary

from . import Config, Options
from .corpus import END, SPECIAL, START, Item
from .plot import draw_attention
from .tokenizer import Tokenizer

SIDE_BY_SIDE = 256  # sentences translated at once
READ_AHEAD = 2048  # lines read ahead at most; sentences of like length among them are translated side by side

State = tuple  # nested tuples of arrays [batch, units], layer by layer


def weight_shapes(config: Config, vocabulary: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights by name, in Keras' layout."""
    refuse_impossible(config)
    cell, units = CELLS[config.cell], config.units
    shapes: dict[str, tuple[int, ...]] = {"source_embedding.embeddings": (len(vocabulary["source"]), config.embedding)}
    for i in range(config.layers):
        features = units if i else config.embedding
        for path, width in _directions(config):
            for name, shape in cell.weight_shapes(features, width).items():
                shapes[f"encoder.{i}.{path}{name}"] = shape
    shapes["target_embedding.embeddings"] = (len(vocabulary["target"]), config.embedding)
    for i in range(config.layers):
        for name, shape in cell.weight_shapes(units if i else config.embedding, units).items():
            shapes[f"decoder.{i}.{name}"] = shape
    if config.attention != "none":
        for name, shape in attentions.weight_shapes(config.attention, units, units).items():
            shapes[f"attention.{name}"] = shape
    if width := readout_width(config):
        shapes["readout.kernel"] = (units if config.attention == "none" else 2 * units, width)
        shapes["readout.bias"] = (width,)
    if not config.tied:
        shapes["output_layer.kernel"] = (width or units, len(vocabulary["target"]))
    shapes["output_layer.bias"] = (len(vocabulary["target"]),)
    return shapes


def _directions(config: Config) -> list[tuple[str, int]]:
    """Of an encoder layer: the part of its weights' names that says the direction, and its width."""
    return [("forward.", config.units // 2), ("backward.", config.units // 2)] if config.bidirectional else [("", config.units)]


def readout_width(config: Config) -> int:
    """Width of the layer between decoder and output layer, 0 where there is none."""
    if config.tied:
        return config.embedding
    if config.attention == "none":
        return config.readout
    return config.readout or config.units


def refuse_impossible(config: Config) -> None:
    """Raises CallError for settings that do not go together."""
    if config.bidirectional and config.units % 2:
        raise CallError(
            f"a bidirectional encoder needs an even number of units, received units={config.units}",
            f"units={config.units + 1}, or bidirectional=false",
        )
    if config.tied and config.readout not in (0, config.embedding):
        raise CallError(
            f"with tied=true the readout is as wide as the embedding ({config.embedding}), received readout={config.readout}",
            "leave readout out",
        )


def faster_engine(config: Config) -> str:
    """The engine that trains a configuration faster: NumPy, at the default and at the preset book alike."""
    return "numpy"


def example_vocabulary() -> Vocabularies:
    """Vocabularies to compare untrained twins with."""
    tokenizer = Tokenizer().dumps()
    return Vocabularies(
        {"source": Vocabulary("abcdefgh"), "target": Vocabulary(("</s>", "<s>", *"klmnopq"))},
        {"source": tokenizer, "target": tokenizer},
    )


@dataclass(frozen=True)
class Memory:
    """What decoding looks at: the encoder's outputs `[batch, time, units]`, where they are real, and their keys.

    `owners` says which sentence each row belongs to: rows of one sentence are equal.
    """

    outputs: np.ndarray
    mask: np.ndarray
    keys: np.ndarray | None
    owners: np.ndarray

    def select(self, rows: np.ndarray) -> Memory:
        owners = self.owners[rows]
        if np.array_equal(owners, self.owners):  # hypotheses changed places within their sentences
            return self
        return Memory(self.outputs[rows], self.mask[rows], None if self.keys is None else self.keys[rows], owners)


@dataclass(frozen=True)
class Translation:
    """A translation: its words, text, score (log-probability over the length penalty), and attention `[words + 1, source]`."""

    words: list[str]
    text: str
    score: float
    ended: bool
    attention: np.ndarray | None = None


class NumpyModel:
    """The encoder-decoder over weights in Keras' layout."""

    def __init__(self, config: Config, vocabulary: Vocabularies, weights: dict[str, np.ndarray]):
        self.config, self.vocabulary, self.weights = config, vocabulary, weights
        self.tokenizers = {side: Tokenizer.loads(vocabulary.extra[side]) for side in ("source", "target")}
        cell = CELLS[config.cell]

        def own(prefix: str) -> dict[str, np.ndarray]:
            return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}

        def layer(i: int):
            cells = [cell(own(f"encoder.{i}.{path}")) for path, _ in _directions(config)]
            return Bidirectional(*cells) if config.bidirectional else cells[0]

        self.source_embeddings = weights["source_embedding.embeddings"]
        self.target_embeddings = weights["target_embedding.embeddings"]
        self.encoder = Stacked([layer(i) for i in range(config.layers)])
        self.decoder = Stacked([cell(own(f"decoder.{i}.")) for i in range(config.layers)])
        self.attention = Attention(own("attention.")) if config.attention != "none" else None

    @property
    def output_kernel(self) -> np.ndarray:
        """`[readout, words]`."""
        return self.target_embeddings.T if self.config.tied else self.weights["output_layer.kernel"]

    def initial_state(self, batch: int) -> State:
        """Zeros for the encoder of `batch` sentences."""
        return _nested(self.encoder.initial_state(batch))

    def example_input(self, rng: np.random.Generator) -> tuple[tuple[np.ndarray, ...], State]:
        """Random sources with their mask and random previous words, and a random state, to compare the twins with."""
        mask = np.arange(9) < np.array([9, 5, 1])[:, None]
        source = rng.integers(0, len(self.vocabulary["source"]), mask.shape) * mask
        previous = rng.integers(0, len(self.vocabulary["target"]), (3, 7))
        return (source, mask, previous), _map(lambda s: rng.uniform(-1, 1, s.shape).astype(s.dtype), self.initial_state(3))

    # -- the layers ------------------------------------------------------------------------------------------------

    def call(
        self, x: tuple[np.ndarray, np.ndarray, np.ndarray], state: State | None = None, record: dict | None = None
    ) -> tuple[np.ndarray, State]:
        """Logits `[batch, target time, words]` of the word after each previous one, and the decoder's final state.

        Args:
            x: the source `[batch, source time]`, its mask, and the previous words of the target `[batch, target time]`.
            state: the encoder's initial state, zeros if None. A source fed in pieces does not equal the same fed whole: a
                bidirectional encoder begins with its last word, and attention looks at all of it.
            record: where given, takes each part's output by its name.
        """
        source, mask, previous = x
        memory, started = self.encode(source, mask, state)
        logits, after = self.decode(previous, memory, started, record)
        if record is not None:
            record["encoder"] = memory.outputs
        return logits, after

    def encode(self, source: np.ndarray, mask: np.ndarray, state: State | None = None) -> tuple[Memory, State]:
        """The memory of sources `[batch, time]`, and the state that starts the decoder."""
        state = self.initial_state(len(source)) if state is None else state
        outputs, final, _ = self.encoder.forward(self.source_embeddings[source], state, mask)
        outputs = np.ascontiguousarray(outputs)
        keys = self.attention.keys(outputs) if self.attention else None
        return Memory(outputs, mask, keys, np.arange(len(source))), self._starts(final)

    def _starts(self, final: Sequence) -> State:
        """The decoder's first state from the encoder's final one: of a bidirectional layer both, side by side."""
        if not self.config.bidirectional:
            return tuple(tuple(layer) for layer in final)
        return tuple(tuple(map(_side_by_side, *layer)) for layer in final)

    def decode(
        self, previous: np.ndarray, memory: Memory, state: State, record: dict | None = None
    ) -> tuple[np.ndarray, State]:
        """Logits `[batch, time, words]` after each of the previous words `[batch, time]`, and the state after them.

        A target fed in pieces, each with the state that the piece before it left, gives what it gives whole.
        """
        outputs, after, _ = self.decoder.forward(self.target_embeddings[previous], state)
        context, weights = self._attend(outputs, memory)
        readout = self._readout(outputs, context)
        logits = readout @ self.output_kernel + self.weights["output_layer.bias"]
        if record is not None:
            record.update(decoder=outputs, readout=readout, output_layer=logits)
            if self.attention:
                record["attention"] = weights
        return logits, _nested(after)

    def _attend(self, outputs: np.ndarray, memory: Memory) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Contexts and attention weights of decoder outputs `[batch, time, units]`; None without attention."""
        if not self.attention:
            return None, None
        return self.attention.attend(outputs, memory.outputs, memory.mask, memory.keys)

    def _readout(self, outputs: np.ndarray, context: np.ndarray | None) -> np.ndarray:
        if "readout.kernel" not in self.weights:
            return outputs
        kernel, units = self.weights["readout.kernel"], self.config.units
        readout = outputs @ kernel[:units]
        if context is not None:
            readout += context @ kernel[units:]
        readout += self.weights["readout.bias"]
        return np.tanh(readout, out=readout)

    # -- looking inside --------------------------------------------------------------------------------------------

    def probe(self, text: str) -> list[Probe]:
        """The encoder over a source, and the decoder over the words of its own translation."""
        words = self.tokenizers["source"].words(text)
        if not words:
            return []
        source = self.vocabulary["source"].encode(words)[None]
        _, state = self.encode(source, np.ones(source.shape, bool))
        written = self.translate([text])[0][0].words
        previous = np.array([START, *self.vocabulary["target"].encode(written)])
        return [
            Probe(_named("encoder", self.encoder), self.source_embeddings[source], tokens=words),
            Probe(
                _named("decoder", self.decoder),
                self.target_embeddings[previous][None],
                state=state,
                tokens=[SPECIAL[1], *written],
            ),
        ]

    def probe_loss(self, items: Sequence[Item], number: int, steps: int) -> Probe:
        """The encoder over some `number` sources, spread over `items`; L is the loss, in nats, of the translation's first word.

        It feels the source through the decoder's first state, and through attention, which reads each step of the encoder.
        """
        chosen = [items[i] for i in spread(len(items), number)]
        words, mask = pad([self.vocabulary["source"].encode(self.tokenizers["source"].words(i.source)[:steps]) for i in chosen])
        target = self.tokenizers["target"], self.vocabulary["target"]
        first = [[*target[1].encode(target[0].words(item.references[0])), END][0] for item in chosen]
        inputs = self.source_embeddings[words]
        memory, final, _ = self.encoder.forward(inputs, None, mask)
        y = self.target_embeddings[np.full((len(chosen), 1), START)]
        outputs, _, decoded = self.decoder.forward(y, self._starts(final))
        features, d_memory = [outputs[:, 0]], None
        if self.attention:
            context, _, attended = self.attention.forward(outputs, memory, mask)
            features.append(context[:, 0])
        readout = self._readout(*features, *[None] * (2 - len(features)))
        logits = readout @ self.output_kernel + self.weights["output_layer.bias"]
        d = softmax_cross_entropy(logits, np.array(first))[1] @ self.output_kernel.T
        if "readout.kernel" in self.weights:
            d = d * (1 - readout * readout) @ self.weights["readout.kernel"].T
        d_outputs = d[:, None, : self.config.units]
        if self.attention:
            d_queries, d_memory, _ = self.attention.backward(attended, d[:, None, self.config.units :])
            d_outputs = d_outputs + d_queries
        _, d_started, _ = self.decoder.backward(decoded, d_outputs)
        d_final = self._starts_backward(d_started)
        return Probe(_named("encoder", self.encoder), inputs, mask, loss=lambda outputs: d_memory, d_final=d_final)

    # -- training --------------------------------------------------------------------------------------------------

    def loss_and_gradients(
        self, batch: Batch, state: State | None, rng: np.random.Generator | None
    ) -> tuple[float, dict[str, np.ndarray], State]:
        """A training step's loss, summed over real words in nats; gradients of its mean; and no state.

        Args:
            batch: of `corpus.Batches`.
            state: the encoder's initial state, zeros if None.
            rng: of dropout; None for no dropout.
        """
        a, config = batch.arrays, self.config
        inputs, mask, previous, real = a["inputs"], a["mask"], a["previous"], a["real"]
        if a["own"].any():
            previous = self._with_own(a, state)
        rate = config.dropout if rng is not None else 0.0

        def drop(*shape: int) -> np.ndarray | None:
            return dropout_mask(shape, rate, rng, self.source_embeddings.dtype) if rate else None

        def gaps(time: int) -> list | None:
            return (
                [drop(time, len(inputs), config.units).transpose(1, 0, 2) for _ in range(config.layers - 1)] if rate else None
            )

        # Forward. Recurrent outputs lie time-major in memory, and so do the rows below.
        drop_source, drop_target = drop(*inputs.shape, config.embedding), drop(*previous.shape, config.embedding)
        state = self.initial_state(len(inputs)) if state is None else state
        x = _times(self.source_embeddings[inputs], drop_source)
        memory, final, encoded = self.encoder.forward(x, state, mask, gaps(inputs.shape[1]))
        y = _times(self.target_embeddings[previous], drop_target)
        outputs, _, decoded = self.decoder.forward(y, self._starts(final), None, gaps(previous.shape[1]))
        chosen = np.flatnonzero(real.T)  # the real words: only these are worth an output layer
        features = [_rows(outputs, chosen)]
        if self.attention:
            context, _, attended = self.attention.forward(outputs, memory, mask)
            features.append(_rows(context, chosen))
        readout = self._readout(*features, *[None] * (2 - len(features)))
        drop_readout = drop(*readout.shape)
        dropped = _times(readout, drop_readout)
        logits = dropped @ self.output_kernel
        logits += self.weights["output_layer.bias"]
        weights = np.full(len(chosen), 1 / batch.tokens, logits.dtype)
        loss, d_logits = softmax_cross_entropy(logits, a["targets"].T.ravel()[chosen], weights, config.label_smoothing)

        # Backward.
        gradients = {"output_layer.bias": d_logits.sum(axis=0)}
        d_kernel = d_logits.T @ dropped if config.tied else dropped.T @ d_logits
        d_readout = _times(d_logits @ self.output_kernel.T, drop_readout)
        if "readout.kernel" in self.weights:
            d_readout *= 1 - readout * readout
            kernel, units = self.weights["readout.kernel"], config.units
            gradients["readout.kernel"] = np.concatenate([f.T @ d_readout for f in features])
            gradients["readout.bias"] = d_readout.sum(axis=0)
            d_features = [d_readout @ kernel[i * units : (i + 1) * units].T for i in range(len(features))]
        else:
            d_features = [d_readout]
        d_outputs, d_memory = _unrows(d_features[0], chosen, outputs), None
        if self.attention:
            d_queries, d_memory, d_attention = self.attention.backward(attended, _unrows(d_features[1], chosen, context))
            d_outputs += d_queries
            gradients |= {f"attention.{name}": gradient for name, gradient in d_attention.items()}
        d_y, d_started, d_decoder = self.decoder.backward(decoded, d_outputs)
        d_x, _, d_encoder = self.encoder.backward(encoded, d_memory, self._starts_backward(d_started))
        gradients |= {f"decoder.{name}": gradient for name, gradient in d_decoder.items()}
        gradients |= {f"encoder.{name}": gradient for name, gradient in d_encoder.items()}
        d_target = embed_backward(previous, _times(d_y, drop_target), len(self.target_embeddings))
        d_source = embed_backward(inputs, _times(d_x, drop_source) * mask[..., None], len(self.source_embeddings))
        gradients["source_embedding.embeddings"] = d_source
        gradients["target_embedding.embeddings"] = d_target + d_kernel if config.tied else d_target
        if not config.tied:
            gradients["output_layer.kernel"] = d_kernel
        return loss * batch.tokens, gradients, ()

    def _starts_backward(self, d_started: Sequence) -> list:
        if not self.config.bidirectional:
            return list(d_started)
        return [tuple(zip(*(np.split(d, 2, axis=1) for d in layer), strict=True)) for layer in d_started]

    def _with_own(self, a: dict[str, np.ndarray], state: State | None) -> np.ndarray:
        """Previous words, those chosen by `own` replaced by what the model predicts in their place.

        Predictions come from a first pass with the true words before them (Mihaylova, Martins 2019), so that both passes
        are large products; Bengio et al. 2015 predict from the mixed words, one step at a time.
        """
        logits, _ = self.call((a["inputs"], a["mask"], a["previous"]), state)
        predicted = np.empty_like(a["previous"])
        predicted[:, 0], predicted[:, 1:] = START, logits[:, :-1].argmax(axis=-1)
        return np.where(a["own"], predicted, a["previous"])

    # -- translating -----------------------------------------------------------------------------------------------

    def stepper(self):
        """`step(words [k], (memory, state)) -> (logits [k, words], (memory, state))`; UNK and START get logit -inf."""
        cell = self.decoder.cells[0]
        # x W tabulated per word costs more than it saves: a sentence has few words and the vocabulary many.
        kernel, bias = cell.weights["kernel"], self.weights["output_layer.bias"].copy()
        bias[[UNKNOWN, START]] = -np.inf
        output_kernel = self.output_kernel

        def step(words: np.ndarray, carried: tuple[Memory, State]) -> tuple[np.ndarray, tuple[Memory, State]]:
            memory, state = carried
            projected = self.target_embeddings[words] @ kernel + cell.input_bias
            outputs, after = self.decoder.step_projected(projected, state)
            context, _ = self._attend(outputs[:, None], memory)
            logits = self._readout(outputs, None if context is None else context[:, 0]) @ output_kernel
            logits += bias
            return logits, (memory, _nested(after))

        return step

    def translate(
        self,
        texts: Sequence[str],
        beam: int = 1,
        alpha: float = 0.6,
        length: int = 0,
        nbest: int = 0,
        attention: bool = False,
    ) -> list[list[Translation]]:
        """Translations of each text, the best first; none of a text without words.

        Args:
            beam: hypotheses kept in the search.
            alpha: of the length penalty; see `rnnzoo.decoding.beam_search_batch`.
            length: most words of a translation; 0 for twice those of the source and ten more.
            nbest: translations given of each text; 0 for as many as the beam.
            attention: give attention weights too.
        """
        words = [self.tokenizers["source"].words(text) for text in texts]
        found: list[list[Translation]] = [[] for _ in texts]
        # Sentences of like length side by side.
        order = sorted((i for i in range(len(texts)) if words[i]), key=lambda i: len(words[i]))
        for at in range(0, len(order), SIDE_BY_SIDE):
            chosen = order[at : at + SIDE_BY_SIDE]
            source, mask = pad([self.vocabulary["source"].encode(words[i]) for i in chosen])
            memory, state = self.encode(source, mask)
            limits = [length or 2 * len(words[i]) + 10 for i in chosen]
            step = self.stepper()
            logits, carried = step(np.full(len(chosen), START), (memory, state))
            searched = beam_search_batch(step, logits, carried, _select, beam, limits, END, alpha)
            searched = [hypotheses[: nbest or beam] for hypotheses in searched]
            for i, hypotheses, weights in zip(
                chosen, searched, self._attention(searched, memory, state, attention), strict=True
            ):
                found[i] = [self._translation(h, w, len(words[i]), alpha) for h, w in zip(hypotheses, weights, strict=True)]
        return found

    def _translation(self, hypothesis: Hypothesis, weights: np.ndarray | None, source: int, alpha: float) -> Translation:
        words = [self.vocabulary["target"][symbol] for symbol in hypothesis.symbols]
        length = len(words) + hypothesis.ended
        score = hypothesis.log_probability / ((5 + length) / 6) ** alpha
        kept = None if weights is None else weights[:length, :source]
        return Translation(words, self.tokenizers["target"].text(words), score, hypothesis.ended, kept)

    def _attention(
        self, searched: list[list[Hypothesis]], memory: Memory, state: State, wanted: bool
    ) -> list[list[np.ndarray | None]]:
        """Attention weights of each hypothesis of each sentence, by feeding its words to the decoder again."""
        if not (wanted and self.attention):
            return [[None] * len(hypotheses) for hypotheses in searched]
        owners = np.repeat(np.arange(len(searched)), [len(hypotheses) for hypotheses in searched])
        previous, _ = pad([np.array([START, *h.symbols], np.int64) for hypotheses in searched for h in hypotheses])
        outputs, _, _ = self.decoder.forward(self.target_embeddings[previous], _map(lambda s: s[owners], state))
        remaining = iter(self._attend(outputs, memory.select(owners))[1])
        return [[next(remaining) for _ in hypotheses] for hypotheses in searched]

    def generate(self, texts: Iterable[str], options: Options, seed: int) -> Iterator[Piece]:
        """For each text its translation on a line, several of them with their scores; see `rnnzoo.inference.Piece`."""
        beam, drawn = max(options.beam, options.nbest), False
        if options.plot and not self.attention:
            raise CallError("this model has no attention to draw", "leave out --plot, or train with attention=multiplicative")
        for some in arriving(texts, READ_AHEAD):
            found = self.translate(some, beam, options.alpha, options.length, options.nbest, attention=True)
            for text, kept in zip(some, found, strict=True):
                if options.plot and kept and not drawn:
                    words = [*kept[0].words, SPECIAL[0]][: len(kept[0].attention)]
                    draw_attention(options.plot, kept[0].attention, self.tokenizers["source"].words(text), words)
                    drawn = True
                yield self._piece(text, kept, options.nbest)

    def _piece(self, text: str, translations: list[Translation], nbest: int) -> Piece:
        record: dict[str, Any] = {"source": text, "translation": translations[0].text if translations else ""}
        described = []
        for t in translations:
            entry: dict[str, Any] = {"text": t.text, "score": round(t.score, 5), "ended": t.ended, "words": t.words}
            if t.attention is not None:
                entry["attention"] = np.round(t.attention.astype(np.float64), 4).tolist()
            described.append(entry)
        record |= {"source_words": self.tokenizers["source"].words(text), "translations": described}
        if nbest > 1:
            return Piece("\n".join(f"{t.score:.4f}\t{t.text}" for t in translations), record)
        return Piece(record["translation"], record)

    def sample(self, config: Config, epoch: int) -> str | None:
        """Nothing: validation shows what the translations are worth."""
        return None


# -- arrays ------------------------------------------------------------------------------------------------------------


def _named(name: str, stack: Stacked) -> dict[str, Any]:
    return {f"{name}.{i}": layer for i, layer in enumerate(stack.cells)}


def _select(carried: tuple[Memory, State], rows: np.ndarray) -> tuple[Memory, State]:
    memory, state = carried
    return memory.select(rows), _map(lambda s: s[rows], state)


def _nested(state: Any) -> State:
    """Lists and tuples as tuples."""
    return tuple(map(_nested, state)) if isinstance(state, (list, tuple)) else state


def _map(function, state: State) -> State:
    return tuple(_map(function, part) for part in state) if isinstance(state, tuple) else function(state)


def _side_by_side(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate((a, b), axis=1)


def _times(x: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    return x if factors is None else x * factors


def _rows(x: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """`[batch, time, width]` as rows `[chosen, width]`, time-major."""
    flat = x.transpose(1, 0, 2).reshape(-1, x.shape[-1])
    return flat if len(chosen) == len(flat) else flat[chosen]


def _unrows(rows: np.ndarray, chosen: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The inverse of `_rows`: `[batch, time, width]`, zeros where no row was chosen."""
    batch, time, width = *like.shape[:2], rows.shape[-1]
    if len(chosen) < batch * time:
        flat = np.zeros((batch * time, width), rows.dtype)
        flat[chosen] = rows
        rows = flat
    return rows.reshape(time, batch, width).transpose(1, 0, 2)
