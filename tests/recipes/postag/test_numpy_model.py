"""The tagger: right gradients, a sentence's tags whatever stands beside it, and the Keras model's own numbers."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from rnnzoo.batching import Batch
from rnnzoo.cells.initial import initial_weights
from rnnzoo.config import with_preset
from rnnzoo.recipes.postag import PRESETS, TYPICAL_VOCABULARY, Config, Options
from rnnzoo.recipes.postag.features import KINDS
from rnnzoo.recipes.postag.numpy_model import NumpyModel, columns, example_vocabulary, weight_shapes

SMALL = Config(output="softmax", embedding=6, features=5, units=4, input_dropout=0.0, dropout=0.0)
CRF = dataclasses.replace(SMALL, output="crf")
WORDS = ["the", "cat", "sat", "on", "a", "mat", ".", "dog", "wholly"]
CHOICES = [
    {},
    {"layers": 2},
    {"features": 0},
    {"cell": "gru"},
    {"cell": "gru_reset_before"},
    {"cell": "mgu", "layers": 2},
    {"cell": "peephole_lstm"},
    {"cell": "simple_rnn", "features": 0, "layers": 3},
    {"output": "crf"},
    {"output": "crf", "layers": 2, "cell": "gru"},
]


def model(config: Config = SMALL, dtype=np.float32, seed: int = 0) -> NumpyModel:
    vocabulary = example_vocabulary()
    weights = initial_weights(weight_shapes(config, vocabulary), seed, 0.5)
    if config.output == "crf":  # these start as zeros, that is, as a softmax
        weights["crf.transitions"] = np.random.default_rng(seed).standard_normal((6, 6))
    return NumpyModel(config, vocabulary, {name: array.astype(dtype) for name, array in weights.items()})


def sentences(count: int, longest: int = 30) -> list[list[str]]:
    rng = np.random.default_rng(0)
    return [list(rng.choice(WORDS, rng.integers(1, longest + 1))) for _ in range(count)]


def ragged_batch(network: NumpyModel) -> Batch:
    """Three sentences of 4, 2 and 1 words."""
    rng = np.random.default_rng(1)
    x, _ = network.example_input(rng)
    weights = (np.arange(4) < np.array([[4], [2], [1]])).astype(np.float32)
    targets = rng.integers(1, 6, (3, 4))
    return Batch({"inputs": x[:, :4] * (weights > 0)[..., None], "targets": targets, "weights": weights}, 7)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_gradients_are_those_of_central_differences(choice):
    network = model(dataclasses.replace(SMALL, **choice), np.float64)
    batch = ragged_batch(network)
    loss, gradients, _ = network.loss_and_gradients(batch, None, None)
    assert set(gradients) == set(network.weights)
    rng = np.random.default_rng(0)
    for name, weight in network.weights.items():
        direction = rng.standard_normal(weight.shape)
        difference = 0.0
        for sign in (1, -1):
            weight += sign * 1e-5 * direction
            difference += sign * network.loss_and_gradients(batch, None, None)[0]
            weight -= sign * 1e-5 * direction
        expected = difference / 2e-5 / batch.tokens
        assert np.vdot(gradients[name], direction) == pytest.approx(expected, rel=1e-5, abs=1e-8), name
    assert loss > 0


def test_padding_changes_neither_loss_nor_gradients():
    network = model(dtype=np.float64)
    batch = ragged_batch(network)
    longer = {name: np.concatenate((a, np.zeros_like(a)), axis=1) for name, a in batch.arrays.items()}
    longer["targets"][:, 4:] = 3  # whatever stands there
    loss, gradients, _ = network.loss_and_gradients(batch, None, None)
    padded_loss, padded_gradients, _ = network.loss_and_gradients(Batch(longer, 7), None, None)
    assert padded_loss == pytest.approx(loss)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(padded_gradients[name], gradient, atol=1e-12)


def test_dropout_is_drawn_from_the_generator_alone():
    network = model(dataclasses.replace(SMALL, dropout=0.5, input_dropout=0.5))
    batch = ragged_batch(network)
    losses = [network.loss_and_gradients(batch, None, np.random.default_rng(seed))[0] for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("config", [SMALL, CRF], ids=lambda config: config.output)
def test_a_sentence_has_the_same_probabilities_whatever_it_is_batched_with(config):
    network, texts = model(config), sentences(200)
    together = list(network.probabilities(texts))
    for text, own in zip(texts, together, strict=True):
        (alone,) = network.probabilities([text])
        assert own.shape == (len(text), 6)
        np.testing.assert_allclose(own, alone, atol=1e-5)
    backwards = list(network.probabilities(texts[::-1]))[::-1]
    for a, b in zip(together, backwards, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("config", [SMALL, CRF], ids=lambda config: config.output)
def test_probabilities_are_of_tags_and_never_of_unk(config):
    for own in model(config).probabilities(sentences(5)):
        np.testing.assert_allclose(own.sum(axis=1), 1, atol=1e-6)
        assert (own[:, 0] == 0).all()


def test_a_crf_tags_the_sentence_as_a_whole():
    network = model(CRF)
    network.weights["output_layer.bias"][1] = 5  # DT, the likeliest tag by itself
    network.transitions[:] = 0
    assert set(network.tag([["the", "cat"]])[0]) == {"DT"}
    network.transitions[1, 1] = -100  # no two in a row
    (tags,), (p,) = network.tag([["the", "cat", "sat"]]), network.probabilities([["the", "cat", "sat"]])
    assert "DT" in tags and ("DT", "DT") not in itertools.pairwise(tags)
    assert p[:2, 1].sum() <= 1 and p[1:, 1].sum() <= 1  # at most one of two neighbours


def test_a_crf_without_transitions_is_the_softmax():
    network = model(CRF)
    network.transitions[:] = 0
    weights = {name: array for name, array in network.weights.items() if name != "crf.transitions"}
    plain = NumpyModel(SMALL, network.vocabulary, weights)
    texts = sentences(20)
    assert network.tag(texts) == plain.tag(texts)
    for a, b in zip(network.probabilities(texts), plain.probabilities(texts), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("config", [SMALL, CRF], ids=lambda config: config.output)
def test_a_sentence_without_words_has_no_tags(config):
    assert model(config).tag([["the", "cat"], [], ["mat"]])[1] == []
    assert model(config).tag([[], []]) == [[], []]
    assert model(config).tag([]) == []


@pytest.mark.parametrize("config", [SMALL, CRF], ids=lambda config: config.output)
def test_a_very_long_sentence_and_very_many_short_ones(config):
    tags = model(config).tag([["cat"] * 9000, *[["cat"]] * 5000])
    assert [len(own) for own in tags] == [9000] + [1] * 5000
    assert len({tuple(own) for own in tags[1:]}) == 1


def test_state_is_what_each_cell_starts_from():
    network = model()
    x, state = network.example_input(np.random.default_rng(0))
    y, after = network.call(x, state)
    zero, _ = network.call(x)
    assert np.abs(y - zero).max() > 1e-3
    # The forward cell may be fed in pieces, as its state says; the backward cell has not seen what follows.
    first, middle = network.call(x[:, :9], state)
    _, last = network.call(x[:, 9:], tuple((ahead, back) for (ahead, _), (_, back) in zip(middle, state, strict=True)))
    np.testing.assert_allclose(last[0][0][0], after[0][0][0], atol=1e-6)
    assert np.abs(first - y[:, :9]).max() > 1e-3


def test_answers_in_every_form():
    network = model()
    lines = ["The cat can't sit.", "", "a mat"]
    pieces = list(network.generate(lines, Options(), 0))
    assert [len(piece.text.split()) for piece in pieces] == [6, 0, 2]
    assert [token.rpartition("/")[0] for token in pieces[0].text.split()] == ["The", "cat", "ca", "n't", "sit", "."]
    for piece in pieces:
        record = piece.record
        assert len(record["tokens"]) == len(record["tags"]) == len(record["probabilities"])
        assert all(1 / 6 < p <= 1 for p in record["probabilities"])
    assert pieces[1].record == {"tokens": [], "tags": [], "probabilities": []}
    (split,) = network.generate(["The cat can't sit."], Options(tokenized=True), 0)
    assert split.record["tokens"] == ["The", "cat", "can't", "sit."]


def test_columns_of_conllu():
    assert columns(["a", "cat"], ["DT", "NN"]) == "1\ta\t_\t_\tDT\t_\t_\t_\t_\t_\n2\tcat\t_\t_\tNN\t_\t_\t_\t_\t_\n"
    assert columns(["a"], ["DET"], "upos") == "1\ta\t_\tDET\t_\t_\t_\t_\t_\t_\n"
    assert columns([], []) == ""


def test_the_published_number_of_parameters():
    class Sized:
        def __init__(self, size):
            self.size = size

        def __len__(self):
            return self.size

    config = with_preset(Config, PRESETS, "book")
    shapes = weight_shapes(config, {name: Sized(size) for name, size in TYPICAL_VOCABULARY.items()})
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 1_765_031


@pytest.mark.keras
@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_keras_and_numpy_agree_on_ragged_batches(choice):
    from rnnzoo.keras_backend import tf
    from rnnzoo.layers.weights import set_weights
    from rnnzoo.recipes.postag.model import build

    config = dataclasses.replace(SMALL, **choice)
    network = model(config)
    keras_model = build(config, network.vocabulary)
    set_weights(keras_model, network.weights)
    x, state = network.example_input(np.random.default_rng(0))
    assert x.shape[-1] == 1 + (KINDS if config.features else 0)
    real = np.arange(20) < np.array([[20], [7], [1]])
    ours, theirs = {}, {}
    _, our_state = network.call(x, state, real, record=ours)
    _, their_state = keras_model.call(
        tf.constant(x), tf.nest.map_structure(tf.constant, state), mask=tf.constant(real), record=theirs
    )
    assert ours.keys() == theirs.keys() and ("crf" in ours) == (config.output == "crf")
    for name, array in ours.items():
        np.testing.assert_allclose(array[real], theirs[name].numpy()[real], atol=1e-5, err_msg=name)
    for a, b in zip(tf.nest.flatten(our_state), tf.nest.flatten(their_state), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    batch = ragged_batch(network)
    loss, _, _ = network.loss_and_gradients(batch, None, None)
    arrays = {name: tf.constant(array) for name, array in batch.arrays.items()}
    their_loss, _ = keras_model.batch_loss(arrays, keras_model.initial_state(3), training=False)
    assert float(their_loss) == pytest.approx(loss, rel=1e-5)
