"""The NumPy twin: reads texts, writes texts, and trains, all without a framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rnnzoo.batching import Batch
from rnnzoo.cells import CELLS, Cell
from rnnzoo.cells.base import State as CellState
from rnnzoo.cells.feedforward import dense, dense_backward, dropout_mask, embed_backward, rows, unrows
from rnnzoo.cells.inputs import Symbols
from rnnzoo.cells.losses import softmax_cross_entropy
from rnnzoo.decoding import beam_search, draw
from rnnzoo.errors import CallError
from rnnzoo.inference import Piece
from rnnzoo.probes import Probe, spread
from rnnzoo.vocabulary import UNKNOWN, Vocabulary

from . import Config, Options
from .corpus import START

State = tuple[CellState, ...]  # for each layer its arrays [batch, units]
LARGEST_TABLE = 2048  # symbols up to which embedding and input projection are folded into one table


def weight_shapes(config: Config, vocabulary: Vocabulary) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights by name, in Keras' layout."""
    symbols, shapes = len(vocabulary), {}
    shapes["embedding.embeddings"] = (symbols, config.embedding)
    for i in range(config.layers):
        features = config.units if i else config.embedding
        for name, shape in CELLS[config.cell].weight_shapes(features, config.units).items():
            shapes[f"rnn.{i}.{name}"] = shape
    shapes["output_layer.kernel"] = (config.units, symbols)
    shapes["output_layer.bias"] = (symbols,)
    return shapes


def faster_engine(config: Config) -> str:
    """The engine that trains a configuration faster: NumPy, as tests/benchmarks/training.py measures at every width."""
    return "numpy"


def example_vocabulary() -> Vocabulary:
    """A vocabulary to compare untrained twins with."""
    return Vocabulary("abcdefgh ")


class NumpyModel:
    """The character language model over weights in Keras' layout."""

    def __init__(self, config: Config, vocabulary: Vocabulary, weights: dict[str, np.ndarray]):
        self.config, self.vocabulary, self.weights = config, vocabulary, weights
        self.embeddings = weights["embedding.embeddings"]
        self.cells: list[Cell] = []
        for i in range(config.layers):
            prefix = f"rnn.{i}."
            own = {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}
            self.cells.append(CELLS[config.cell](own))
        self.kernel, self.bias = weights["output_layer.kernel"], weights["output_layer.bias"]

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` texts."""
        return tuple(cell.initial_state(batch) for cell in self.cells)

    def example_input(self, rng: np.random.Generator) -> tuple[np.ndarray, State]:
        """Random characters `[3, 40]` and a random state, to compare the twins with."""
        state = tuple(tuple(rng.uniform(-1, 1, s.shape).astype(s.dtype) for s in layer) for layer in self.initial_state(3))
        return rng.integers(0, len(self.vocabulary), (3, 40)), state

    # -- reading ---------------------------------------------------------------------------------------------------

    def call(self, x: np.ndarray, state: State | None = None, record: dict | None = None) -> tuple[np.ndarray, State]:
        """Logits `[batch, time, symbols]` of the character after each of `x` `[batch, time]`, and the state after them.

        A text fed in pieces, each with the state that the piece before it left, gives what it gives whole.
        `record`, where given, takes each layer's output by the layer's name.
        """
        outputs, after, _ = self._forward(x, state or self.initial_state(len(x)))
        logits = unrows(dense(rows(outputs[-1]), self.kernel, self.bias), len(x))
        if record is not None:
            record["embedding"] = self.embeddings[x]
            record.update({f"rnn.{i}": y for i, y in enumerate(outputs)}, output_layer=logits)
        return logits, after

    def _first_inputs(self, x: np.ndarray):
        if len(self.embeddings) > LARGEST_TABLE:
            return self.embeddings[x]
        cell = self.cells[0]
        return Symbols(x, self.embeddings, cell.weights["kernel"], cell.input_bias)

    def _forward(self, x, state, rng=None):
        """Outputs of each layer (with dropout where there is a generator), states after, and what backward needs."""
        rate, recurrent_rate = (self.config.dropout, self.config.recurrent_dropout) if rng is not None else (0, 0)
        y, outputs, after, tapes = self._first_inputs(x), [], [], []
        for cell, initial in zip(self.cells, state, strict=True):
            cell, kernel_mask = cell.drop_connected(recurrent_rate, rng) if recurrent_rate else (cell, None)
            y, final, tape = cell.forward(y, initial)
            mask = None
            if rate:
                time_major = dropout_mask((y.shape[1], y.shape[0], y.shape[2]), rate, rng)
                mask = time_major.transpose(1, 0, 2)
                y = y * mask
            outputs.append(y)
            after.append(final)
            tapes.append((cell, tape, mask, kernel_mask))
        return outputs, tuple(after), tapes

    # -- looking inside --------------------------------------------------------------------------------------------

    def probe(self, text: str) -> Probe:
        """What the recurrent layers read of a text; a character that is not in the vocabulary is read as UNK."""
        _, state = self.call(np.array([[START]]))
        inputs = self.embeddings[self.vocabulary.encode(list(text))]
        return Probe(self._named_cells(), inputs[None], state=state, tokens=list(text))

    def probe_loss(self, texts: Sequence[np.ndarray], number: int, steps: int) -> Probe:
        """Some `number` windows of `steps` characters, lead-in included, spread over `texts`; L is in nats.

        A window is read from zero, so its first steps are the lead-in. Windows are shorter where no text has as many characters
        and one more, whose cost is the loss.
        """
        steps = min(steps, max(map(len, texts)) - 1)
        begins = np.cumsum([0, *(max(0, len(text) - steps) for text in texts)])  # how many windows begin before each text
        chosen = spread(begins[-1], number)
        of = np.searchsorted(begins, chosen, side="right") - 1
        windows = np.stack([texts[i][k - begins[i] :][: steps + 1] for i, k in zip(of, chosen, strict=True)])

        def loss(outputs: np.ndarray) -> np.ndarray:
            _, d_logits = softmax_cross_entropy(dense(outputs[:, -1], self.kernel, self.bias), windows[:, -1])
            d_outputs = np.zeros_like(outputs)
            d_outputs[:, -1] = d_logits @ self.kernel.T
            return d_outputs

        return Probe(self._named_cells(), self.embeddings[windows[:, :-1]], loss=loss)

    def _named_cells(self) -> dict[str, Cell]:
        return {f"rnn.{i}": cell for i, cell in enumerate(self.cells)}

    # -- training --------------------------------------------------------------------------------------------------

    def loss_and_gradients(
        self, batch: Batch, state: State | None, rng: np.random.Generator | None
    ) -> tuple[float, dict[str, np.ndarray], State]:
        """A training step's loss, summed over real targets in nats; gradients of its mean; and the state after it.

        Args:
            batch: of `rnnzoo.batching.Streams` or `Windows`.
            state: what the batch before left, zeros if None; rows whose `keep` is 0 start from zero.
            rng: of dropout; None for no dropout.
        """
        a = batch.arrays
        state = state or self.initial_state(len(a["inputs"]))
        state = tuple(tuple(s * a["keep"][:, None] for s in layer) for layer in state)
        outputs, after, tapes = self._forward(a["inputs"], state, rng)
        features = rows(outputs[-1])
        logits = dense(features, self.kernel, self.bias)
        loss, d_logits = softmax_cross_entropy(logits, a["targets"].T.ravel(), a["weights"].T.ravel())
        d_logits /= batch.tokens
        d_features, d_output = dense_backward(features, self.kernel, d_logits)
        gradients = {f"output_layer.{name}": gradient for name, gradient in d_output.items()}
        d_y = unrows(d_features, len(a["inputs"]))
        for i, (cell, tape, mask, kernel_mask) in reversed(list(enumerate(tapes))):
            if mask is not None:
                d_y = d_y * mask
            d_y, _, d_cell = cell.backward(tape, d_y)
            if kernel_mask is not None:
                d_cell["recurrent_kernel"] *= kernel_mask
            if i == 0:
                gradients["embedding.embeddings"] = (
                    d_cell.pop("embeddings") if d_y is None else embed_backward(a["inputs"], d_y, len(self.embeddings))
                )
            gradients.update({f"rnn.{i}.{name}": gradient for name, gradient in d_cell.items()})
        return loss, gradients, after

    # -- writing ---------------------------------------------------------------------------------------------------

    def stepper(self):
        """`step(symbols [batch], state) -> (logits [batch, symbols], state)`, with x W tabulated per symbol.

        UNK, which is no character, gets logit -inf.
        """
        first, *others = self.cells
        table = self.embeddings @ first.weights["kernel"] + first.input_bias
        bias = self.bias.copy()
        bias[UNKNOWN] = -np.inf

        def step(symbols: np.ndarray, state: State) -> tuple[np.ndarray, State]:
            h, after = first.step_projected(table.take(symbols, axis=0), state[0])
            states = [after]
            for cell, s in zip(others, state[1:], strict=True):
                h, after = cell.step(h, s)
                states.append(after)
            logits = h @ self.kernel
            logits += bias
            return logits, tuple(states)

        return step

    def encode_prefix(self, prefix: str, skip_unknown: bool = False) -> np.ndarray:
        """Symbols of a prefix.

        Raises:
            CallError: naming characters that are not in the vocabulary, unless they are to be skipped.
        """
        unknown = [c for c in dict.fromkeys(prefix) if c not in self.vocabulary]
        if unknown and not skip_unknown:
            shown = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in unknown[:10]) + (", ..." if len(unknown) > 10 else "")
            raise CallError(
                f"the prefix has characters that this model does not know: {shown}", "--skip-unknown leaves them out"
            )
        return self.vocabulary.encode([c for c in prefix if c in self.vocabulary])

    def read_prefix(self, symbols: np.ndarray) -> tuple[np.ndarray, State]:
        """Logits `[1, symbols]` of the character after a prefix, and the state."""
        step, state = self.stepper(), self.initial_state(1)
        symbols = np.concatenate([[START], symbols]).astype(np.int64)
        for at in range(0, len(symbols) - 1, 256):
            _, state = self.call(symbols[None, at : min(at + 256, len(symbols) - 1)], state)
        return step(symbols[-1:], state)

    def generate(self, texts: Iterable[str], options: Options, seed: int) -> Iterator[Piece]:
        """For each prefix its continuations; see `rnnzoo.inference.Piece`.

        One sample is yielded character by character as it is drawn; several are drawn side by side, the prefix read once.
        """
        if options.beam and options.samples > options.beam:
            raise CallError(
                f"--samples {options.samples} asks for more texts than --beam {options.beam} keeps",
                f"--beam {options.samples} keeps as many",
            )
        for index, text in enumerate(texts):
            symbols = self.encode_prefix(text, options.skip_unknown)
            prefix = "".join(self.vocabulary[s] for s in symbols)
            rng = np.random.default_rng([seed, index])
            record = {"prefix": prefix, "seed": seed}
            if options.beam:
                for text in self._search(symbols, prefix, options):
                    yield Piece(text, record | {"text": text})
            elif options.samples == 1:
                yield Piece(prefix)
                written = []
                for (drawn,) in self._draw(symbols, options, rng):
                    written.append(self.vocabulary[drawn])
                    yield Piece(written[-1])
                yield Piece("", record | {"text": prefix + "".join(written)})
            else:
                drawn = np.array(list(self._draw(symbols, options, rng)), np.int64).reshape(options.length, options.samples)
                for sample in drawn.T:
                    text = prefix + "".join(self.vocabulary[int(s)] for s in sample)
                    yield Piece(text, record | {"text": text})

    def _draw(self, prefix: np.ndarray, options: Options, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Symbols `[samples]` after the prefix, one position at a time."""
        step = self.stepper()
        logits, state = self.read_prefix(prefix)
        if options.samples > 1:
            logits = np.repeat(logits, options.samples, axis=0)
            state = tuple(tuple(np.repeat(s, options.samples, axis=0) for s in layer) for layer in state)
        for remaining in range(options.length, 0, -1):
            symbols = draw(logits, rng, options.temperature, options.top_k, options.top_p)
            yield symbols
            if remaining > 1:
                logits, state = step(symbols, state)

    def _search(self, prefix: np.ndarray, text: str, options: Options) -> list[str]:
        def select(state, index):
            return tuple(tuple(s[index] for s in layer) for layer in state)

        logits, state = self.read_prefix(prefix)
        found = beam_search(self.stepper(), logits, state, select, options.beam, options.length)
        return [text + "".join(self.vocabulary[s] for s in h.symbols) for h in found[: options.samples]]

    def sample(self, config: Config, epoch: int) -> str | None:
        """The paragraph shown in training every `sample_every` epochs."""
        if not config.sample_every or epoch % config.sample_every:
            return None
        prefix = "Alice " if all(c in self.vocabulary for c in "Alice ") else ""
        pieces = self.generate([prefix], Options(length=300), seed=epoch)
        return "".join(piece.text for piece in pieces)
