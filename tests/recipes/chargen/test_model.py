"""The character model: the NumPy twin against Keras, its gradients against differences, its evaluation by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnzoo.batching import Batch, Streams
from rnnzoo.cells import CELLS
from rnnzoo.cells.initial import initial_weights
from rnnzoo.config import fields, with_preset
from rnnzoo.recipes.chargen import PRESETS, Config, evaluation, numpy_model
from rnnzoo.recipes.chargen.corpus import START
from rnnzoo.recipes.chargen.evaluation import evaluate, nats_per_text
from rnnzoo.recipes.chargen.numpy_model import NumpyModel, weight_shapes
from rnnzoo.vocabulary import Vocabulary

VOCABULARY = Vocabulary("abcdefg")
every_cell = pytest.mark.parametrize("cell", CELLS)


def configured(**settings) -> Config:
    """A small model without any kind of dropout."""
    whole = {name: 0.0 for name in fields(Config) if "dropout" in name}
    return Config(**whole | {"units": 6, "embedding": 5, "layers": 2} | settings)


def make(config: Config, vocabulary=VOCABULARY, dtype=np.float32) -> NumpyModel:
    """A model with weights large enough for every part of it to matter."""
    rng = np.random.default_rng(4)
    shapes = weight_shapes(config, vocabulary)
    return NumpyModel(config, vocabulary, {name: rng.normal(0, 0.6, shape).astype(dtype) for name, shape in shapes.items()})


def random_state(model: NumpyModel, batch: int, rng):
    return tuple(tuple(rng.uniform(-1, 1, s.shape).astype(s.dtype) for s in layer) for layer in model.initial_state(batch))


def leaves(state) -> list[np.ndarray]:
    return [np.asarray(array) for layer in state for array in layer]


def assert_close(received, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(received), np.asarray(expected), rtol=0, atol=tolerance)


# Against Keras


@pytest.mark.keras
@pytest.mark.parametrize("layers", [1, 2])
@every_cell
def test_the_twins_agree(cell, layers):
    from rnnzoo.keras_backend import tf
    from rnnzoo.layers.weights import set_weights
    from rnnzoo.recipes.chargen.model import build

    config = configured(cell=cell, layers=layers)
    ours, theirs = make(config), build(config, VOCABULARY)
    set_weights(theirs, ours.weights)
    rng = np.random.default_rng(0)
    x, state = rng.integers(0, len(VOCABULARY), (3, 12)), random_state(ours, 3, rng)
    tensors = tuple(tuple(tf.constant(s) for s in layer) for layer in state)
    our_layers, their_layers = {}, {}
    logits, after = ours.call(x, state, record=our_layers)
    their_logits, their_after = theirs.call(tf.constant(x), tensors, record=their_layers)
    assert logits.shape == (3, 12, 8)
    assert_close(logits, their_logits)
    for a, b in zip(leaves(after), leaves(their_after), strict=True):
        assert_close(a, b)
    assert our_layers.keys() == their_layers.keys() == {"embedding", *(f"rnn.{i}" for i in range(layers)), "output_layer"}
    for name in our_layers:
        assert_close(our_layers[name], their_layers[name])
    # Fed in pieces, each with the state that the one before it left, Keras gives what it gives whole.
    first, between = theirs.call(tf.constant(x[:, :5]), tensors)
    second, end = theirs.call(tf.constant(x[:, 5:]), between)
    assert_close(np.concatenate([first, second], axis=1), their_logits)
    for a, b in zip(leaves(end), leaves(their_after), strict=True):
        assert_close(a, b)


@pytest.mark.keras
def test_without_a_state_both_start_from_zeros():
    from rnnzoo.keras_backend import tf
    from rnnzoo.layers.weights import set_weights
    from rnnzoo.recipes.chargen.model import build

    config = configured(cell="lstm")
    ours, theirs = make(config), build(config, VOCABULARY)
    set_weights(theirs, ours.weights)
    x = np.array([[1, 2, 3], [4, 5, 6]])
    zeros = ours.initial_state(2)
    assert [s.shape for s in leaves(zeros)] == [(2, 6)] * 4
    assert not any(s.any() for s in leaves(zeros))
    assert_close(ours.call(x)[0], ours.call(x, zeros)[0], 0)
    assert_close(theirs.call(tf.constant(x), None)[0], ours.call(x)[0])


@pytest.mark.keras
def test_the_published_model_in_keras():
    from rnnzoo.recipes.chargen.model import build

    vocabulary = Vocabulary(map(chr, range(33, 33 + 89)))
    assert build(with_preset(Config, PRESETS, "book"), vocabulary).count_params() == 139_530


def test_the_published_model_has_139_530_parameters():
    vocabulary = Vocabulary(map(chr, range(33, 33 + 89)))
    assert len(vocabulary) == 90
    config = with_preset(Config, PRESETS, "book")
    sizes = {name: math.prod(shape) for name, shape in weight_shapes(config, vocabulary).items()}
    # By hand: 90 x 256; 256 x 300, 100 x 300, 2 x 300 (two biases: reset-after); 100 x 90; 90.
    assert list(sizes.values()) == [23_040, 76_800, 30_000, 600, 9_000, 90]
    assert sum(sizes.values()) == 139_530


# Reading


@every_cell
def test_a_text_fed_in_pieces_gives_what_it_gives_whole(cell):
    model, rng = make(configured(cell=cell)), np.random.default_rng(0)
    x, state = rng.integers(1, 8, (2, 30)), random_state(make(configured(cell=cell)), 2, rng)
    whole, end = model.call(x, state)
    for sizes in ([10, 20], [1, 28, 1], [1] * 30):
        pieces, current, at = [], state, 0
        for size in sizes:
            logits, current = model.call(x[:, at : at + size], current)
            pieces.append(logits)
            at += size
        assert_close(np.concatenate(pieces, axis=1), whole)
        for a, b in zip(leaves(current), leaves(end), strict=True):
            assert_close(a, b)


@every_cell
def test_one_character_at_a_time_gives_the_same(cell):
    """The stepper that generation uses, with the projections tabulated; it never offers the unknown symbol."""
    model, rng = make(configured(cell=cell)), np.random.default_rng(1)
    x = rng.integers(1, 8, (2, 15))
    whole, end = model.call(x)
    step, state = model.stepper(), model.initial_state(2)
    for t in range(15):
        logits, state = step(x[:, t], state)
        assert_close(logits[:, 1:], whole[:, t, 1:])
        assert (logits[:, 0] == -np.inf).all()
    for a, b in zip(leaves(state), leaves(end), strict=True):
        assert_close(a, b)


@every_cell
def test_large_vocabularies_give_the_same_as_small_ones(cell, monkeypatch):
    """With many symbols the embedding is not folded into the projection."""
    config, batch = configured(cell=cell), Streams([np.array([1, 2, 3, 4, 5, 6, 7, 1, 2])], 2, 4, START)[0]
    folded = make(config)
    logits, _ = folded.call(batch.arrays["inputs"])
    loss, gradients, _ = folded.loss_and_gradients(batch, None, None)
    monkeypatch.setattr(numpy_model, "LARGEST_TABLE", 3)
    direct = make(config)
    assert_close(direct.call(batch.arrays["inputs"])[0], logits)
    other_loss, other_gradients, _ = direct.loss_and_gradients(batch, None, None)
    assert other_loss == pytest.approx(loss, rel=1e-6)
    assert other_gradients.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert_close(other_gradients[name], gradient)


# Gradients


def ragged_batch(rng) -> Batch:
    """Four rows: one goes on, one starts afresh, one is short, one has ended."""
    inputs, targets = rng.integers(0, 8, (2, 4, 6)).astype(np.int32)
    weights = np.ones((4, 6), np.float32)
    weights[2, 3:], weights[3] = 0, 0
    arrays = {"inputs": inputs, "targets": targets, "weights": weights, "keep": np.array([1, 0, 1, 0], np.float32)}
    return Batch(arrays, int(weights.sum()))


@pytest.mark.parametrize("dropout", [{}, {"dropout": 0.4, "recurrent_dropout": 0.4}], ids=["whole", "dropout"])
@every_cell
def test_gradients_are_those_of_the_mean_loss(cell, dropout):
    """Central differences in float64 of every weight that is drawn; two layers, with state, rows that start afresh, padding."""
    dropout = {name: value for name, value in dropout.items() if name in fields(Config)}
    rng = np.random.default_rng(7)
    model = make(configured(cell=cell, units=4, embedding=3, **dropout), dtype=np.float64)
    batch, state = ragged_batch(rng), random_state(model, 4, rng)

    def loss():
        return model.loss_and_gradients(batch, state, np.random.default_rng(1) if dropout else None)[0] / batch.tokens

    _, gradients, _ = model.loss_and_gradients(batch, state, np.random.default_rng(1) if dropout else None)
    assert gradients.keys() == model.weights.keys()
    for name, weight in model.weights.items():
        assert gradients[name].shape == weight.shape
        for index in rng.choice(weight.size, min(12, weight.size), replace=False):
            at = np.unravel_index(index, weight.shape)
            kept, step = weight[at], 1e-6
            weight[at] = kept + step
            above = loss()
            weight[at] = kept - step
            below = loss()
            weight[at] = kept
            assert gradients[name][at] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-8), name


def test_the_loss_is_the_sum_over_real_targets():
    model, rng = make(configured()), np.random.default_rng(0)
    batch, state = ragged_batch(rng), random_state(make(configured()), 4, rng)
    kept = tuple(tuple(s * batch.arrays["keep"][:, None] for s in layer) for layer in state)
    logits, after = model.call(batch.arrays["inputs"], kept)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = 0.0
    for row, length in enumerate([6, 6, 3, 0]):
        for t in range(length):
            expected -= math.log(probabilities[row, t, batch.arrays["targets"][row, t]])
    loss, _, state_after = model.loss_and_gradients(batch, state, None)
    assert loss == pytest.approx(expected, rel=1e-5)
    for a, b in zip(leaves(state_after), leaves(after), strict=True):
        assert_close(a, b)


def test_rows_that_start_afresh_do_not_see_the_state():
    model, rng = make(configured(cell="lstm")), np.random.default_rng(0)
    batch, state = ragged_batch(rng), random_state(make(configured(cell="lstm")), 4, rng)
    changed = tuple(tuple(s + 5 * (batch.arrays["keep"] == 0)[:, None].astype(s.dtype) for s in layer) for layer in state)
    assert model.loss_and_gradients(batch, changed, None)[0] == model.loss_and_gradients(batch, state, None)[0]
    kept_changed = tuple(tuple(s + 5 * batch.arrays["keep"][:, None] for s in layer) for layer in state)
    assert model.loss_and_gradients(batch, kept_changed, None)[0] != model.loss_and_gradients(batch, state, None)[0]


def test_dropout_needs_a_generator_and_is_drawn_from_it_alone():
    batch = ragged_batch(np.random.default_rng(0))

    def loss(rng, **dropout):
        return make(configured(**dropout)).loss_and_gradients(batch, None, rng)[0]

    whole = loss(None)
    for kind in (name for name in fields(Config) if "dropout" in name):
        assert loss(None, **{kind: 0.5}) == whole  # none when evaluated
        assert loss(np.random.default_rng(1), **{kind: 0.5}) == loss(np.random.default_rng(1), **{kind: 0.5})
        assert loss(np.random.default_rng(1), **{kind: 0.5}) != loss(np.random.default_rng(2), **{kind: 0.5})
        assert loss(np.random.default_rng(1), **{kind: 0.5}) != whole


def test_a_few_steps_learn_a_repetition():
    from rnnzoo.training.optimizers import Adam

    config = configured(units=16, layers=1)
    model = NumpyModel(config, VOCABULARY, initial_weights(weight_shapes(config, VOCABULARY), 0, 1.0))
    streams, adam = Streams([np.tile([1, 2, 3, 1, 2, 4], 40)], 4, 20, START), Adam(model.weights)
    losses = []
    for step in range(60):
        batch = streams[step % len(streams)]
        loss, gradients, _ = model.loss_and_gradients(batch, None, None)
        losses.append(loss / batch.tokens)
        adam.update(gradients, 0.02, step)
    assert losses[0] > 1.5
    # Where a window starts from a zero state, it cannot know which of 3 and 4 comes; all else is certain.
    assert losses[-1] < 0.15


# Evaluation


class Known:
    """A model that gives known probabilities: row `before` of a table, times a factor that grows with the time read."""

    def __init__(self, table, vocabulary=None):
        self.table, self.vocabulary = np.log(table), vocabulary or Vocabulary("ab")
        self.calls = []

    def initial_state(self, batch):
        return np.zeros(batch, int)

    def call(self, x, state):
        self.calls.append((x.copy(), state.copy()))
        logits = self.table[x] * (1 + state[:, None, None] + np.arange(x.shape[1])[None, :, None])
        return logits, state + x.shape[1]


UNIFORM = np.full((3, 3), 1 / 3)


def test_bits_by_hand():
    # Whatever comes before: UNK 1/8, a 1/2, b 3/8; but the first position is read with factor 1 and the second with 2.
    model = Known(np.array([[1, 4, 3]] * 3) / 8)
    received = evaluate(model, [np.array([1])])
    assert received["bits_per_char"] == pytest.approx(1)
    assert received["nats_per_char"] == pytest.approx(math.log(2))
    assert received["perplexity"] == pytest.approx(2)
    # The second character, b: (3/8)^2 / ((1/8)^2 + (4/8)^2 + (3/8)^2) = 9/26.
    received = evaluate(model, [np.array([1, 2])])
    assert received["bits_per_char"] == pytest.approx((1 + math.log2(26 / 9)) / 2)
    assert received["perplexity"] == pytest.approx(2 ** received["bits_per_char"])


def test_each_character_is_given_those_before_it():
    # After START comes a, after a comes b, after b comes a: each with probability 0.9.
    model = Known([[0.05, 0.9, 0.05], [0.05, 0.05, 0.9], [0.05, 0.9, 0.05]])
    model.call = lambda x, state: (model.table[x], state)
    assert evaluate(model, [np.array([1, 2, 1, 2, 1])])["perplexity"] == pytest.approx(1 / 0.9)
    assert evaluate(model, [np.array([2])])["perplexity"] == pytest.approx(1 / 0.05)


@pytest.mark.parametrize("window", [1, 3, 4, 256])
def test_state_is_carried_from_window_to_window_and_zero_at_the_start_of_a_text(monkeypatch, window):
    monkeypatch.setattr(evaluation, "WINDOW", window)
    texts = [np.array([1, 2, 1, 1, 2, 2, 1]), np.array([2, 2, 1]), np.array([1])]
    model = Known([[0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.1, 0.6, 0.3]])

    def cost(text):
        total, before = 0.0, 0
        for t, symbol in enumerate(text):
            row = np.exp(model.table[before] * (1 + t))
            total -= math.log(row[symbol] / row.sum())
            before = symbol
        return total

    assert nats_per_text(model, texts) == pytest.approx([cost(text) for text in texts])
    assert [state.tolist() for _, state in model.calls] == [[at] * 3 for at in range(0, 7, window)]
    assert evaluate(model, texts)["nats_per_char"] == pytest.approx(sum(map(cost, texts)) / 11)


@pytest.mark.parametrize("window", [2, 256])
def test_a_real_model_reads_texts_side_by_side_as_alone(monkeypatch, window):
    monkeypatch.setattr(evaluation, "WINDOW", window)
    model, rng = make(configured()), np.random.default_rng(0)
    texts = [rng.integers(1, 8, length) for length in (9, 1, 6)]
    expected = []
    for text in texts:
        logits = model.call(np.concatenate([[START], text[:-1]])[None])[0][0].astype(np.float64)
        expected.append(-sum(row[s] - math.log(np.exp(row).sum()) for row, s in zip(logits, text, strict=True)))
    assert nats_per_text(model, texts) == pytest.approx(expected, rel=1e-5)


def test_a_character_never_seen_costs_its_share_of_unicode():
    model = Known(UNIFORM)
    # UNK has probability 1/3, shared by all 0x110000 code points but the two known ones.
    expected = math.log(3) + math.log(0x110000 - 2)
    assert nats_per_text(model, [np.array([0])]) == pytest.approx([expected], rel=1e-9)  # one code point more shows
    assert nats_per_text(model, [np.array([1, 0, 2, 0])]) == pytest.approx([2 * expected + 2 * math.log(3)])


def test_all_characters_together_are_certain():
    """One step's probabilities over all of Unicode sum to one: known characters, and the others by their share of UNK."""
    model = Known(np.array([[0.2, 0.5, 0.3]] * 3))
    a, b, other = (math.exp(-nats_per_text(model, [np.array([s])])[0]) for s in (1, 2, 0))
    assert a + b + (0x110000 - 2) * other == pytest.approx(1)


def test_losses_beyond_floats_are_still_numbers():
    model = Known(UNIFORM)
    model.call = lambda x, state: (np.broadcast_to(np.array([0, 0, 1e5]), (*x.shape, 3)), state)
    received = evaluate(model, [np.array([1])])
    assert received["nats_per_char"] == pytest.approx(1e5)
    assert all(math.isfinite(value) for value in received.values())
