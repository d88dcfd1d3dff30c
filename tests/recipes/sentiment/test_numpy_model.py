"""The NumPy model: gradients, masks, batches, pieces, answers."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from rnnzoo.batching import Batch
from rnnzoo.cells.initial import initial_weights
from rnnzoo.recipes.sentiment import PRESETS, Config, Options, ratios
from rnnzoo.recipes.sentiment.corpus import Sentence
from rnnzoo.recipes.sentiment.numpy_model import NumpyModel, example_vocabulary, weight_shapes
from rnnzoo.vocabulary import Vocabularies, Vocabulary

SMALL = Config(embedding=3, units=2, batch_size=4)
CHOICES = {
    "cell": ("gru", "lstm"),
    "bidirectional": (True, False),
    "pooling": ("last", "max", "mean", "mean_max"),
    "hidden": (0, 3),
}


def vocabulary_of(labels: int) -> Vocabularies:
    counts = np.arange(labels * 9).reshape(9, labels) % 4
    names = Vocabulary([f"label {i}" for i in range(labels)])
    return Vocabularies({**example_vocabulary(), "labels": names}, {"counts": ratios.written(counts)})


def model_of(config: Config, labels: int = 2, seed: int = 0, dtype=np.float32) -> NumpyModel:
    vocabulary = vocabulary_of(labels)
    rng = np.random.default_rng(seed)
    shapes = weight_shapes(config, vocabulary)
    return NumpyModel(
        config, vocabulary, {name: 0.5 * rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    )


def sentences(lengths: list[int], seed: int = 1) -> list[Sentence]:
    rng = np.random.default_rng(seed)
    return [Sentence(rng.integers(0, 9, n), rng.permutation(np.arange(1, 9))[:n]) for n in lengths]


def every_choice():
    for values in itertools.product(*CHOICES.values()):
        yield dict(zip(CHOICES, values, strict=True))


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("choice", every_choice(), ids=lambda c: " ".join(map(str, c.values())))
def test_gradients_are_central_differences(choice, labels):
    model = model_of(dataclasses.replace(SMALL, **choice), labels, dtype=np.float64)
    arrays = model.arrays(sentences([4, 0, 2])) | {"labels": np.array([0, 1, labels - 1])}
    batch = Batch(arrays, 3)
    _, gradients, _ = model.loss_and_gradients(batch, None, None)
    assert gradients.keys() == model.weights.keys()
    rng = np.random.default_rng(3)
    for name, array in model.weights.items():
        for i in rng.permutation(array.size)[:6]:
            at, e = np.unravel_index(i, array.shape), 1e-5
            kept = array[at]
            losses = []
            for moved in (kept + e, kept - e):
                array[at] = moved
                losses.append(model.loss_and_gradients(batch, None, None)[0])
            array[at] = kept
            assert gradients[name][at] == pytest.approx((losses[0] - losses[1]) / (2 * e) / 3, abs=1e-7), name


def test_the_loss_is_minus_log_probability_of_the_labels():
    for labels in (2, 3):
        model = model_of(SMALL, labels)
        items, wanted = sentences([3, 5]), np.array([1, 0])
        loss, _, _ = model.loss_and_gradients(Batch(model.arrays(items) | {"labels": wanted}, 2), None, None)
        assert loss == pytest.approx(-np.log(model.predict(items)[[0, 1], wanted]).sum(), rel=1e-5)


@pytest.mark.parametrize("choice", every_choice(), ids=lambda c: " ".join(map(str, c.values())))
def test_a_probability_does_not_depend_on_the_batch(choice):
    model = model_of(dataclasses.replace(SMALL, layers=2, **choice))
    items = sentences([7, 1, 0, 12, 3, 64])
    together = model.predict(items)
    for i, item in enumerate(items):
        assert np.abs(model.predict([item])[0] - together[i]).max() < 1e-5
    assert together.sum(axis=1) == pytest.approx(np.ones(6))


def test_fed_in_pieces_where_that_can_equal_the_whole():
    model = model_of(dataclasses.replace(SMALL, bidirectional=False, pooling="last", words_up_to=0, layers=2))
    (item,) = sentences([9])
    whole, end = model.call(model.arrays([item]))
    state = None
    for piece in (item.words[:4], item.words[4:5], item.words[5:]):
        logits, state = model.call(model.arrays([Sentence(piece, item.grams)]), state)
    assert logits == pytest.approx(whole, abs=1e-6)
    assert np.allclose(end[1][0], state[1][0], atol=1e-6)


def test_beside_the_rnn_stands_the_weighted_sum_of_log_count_ratios():
    model = model_of(dataclasses.replace(SMALL, gram_scale=0.5))
    model.gain[...] = 0
    model.gain[3] = 0.25
    item = Sentence(np.array([1, 2]), np.array([3, 5]))
    logits, _ = model.call(model.arrays([item]))
    alone, _ = model.call(model.arrays([Sentence(item.words, np.zeros(0, np.int32))]))
    expected = 0.75 * model.ratios[3] + 0.5 * model.ratios[5]
    assert (logits - alone)[0] == pytest.approx(expected, abs=1e-6)


def test_the_published_program_has_its_parameters():
    vocabulary = {"words": range(5272), "labels": range(3), "grams": range(1)}
    shapes = weight_shapes(Config(**PRESETS["book"]), vocabulary)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 411_777


class TestAnswers:
    @pytest.fixture
    def model(self):
        vocabulary = Vocabularies(
            {
                "words": Vocabulary(["good", "bad"]),
                "grams": Vocabulary(["good"]),
                "labels": Vocabulary(["negative", "positive"]),
            },
            {"counts": "0 0\n0 3"},
        )
        config = dataclasses.replace(SMALL, gram_scale=2.0)
        shapes = weight_shapes(config, vocabulary)
        return NumpyModel(config, vocabulary, initial_weights(shapes, 0, 0.01))

    def test_lines_in_lines_out_blank_ones_included(self, model):
        pieces = list(model.generate(iter(["good", "", " \t", "bad"]), Options(), 0))
        assert [bool(piece.text) for piece in pieces] == [True, False, False, True]
        assert all(piece.record is not None for piece in pieces)
        assert pieces[1].record == {"text": "", "label": None, "probability": None, "probabilities": None}

    def test_label_and_probability(self, model):
        (piece,) = model.generate(["good"], Options(), 0)
        label, probability = piece.text.split("\t")
        assert label == piece.record["label"] == "positive"
        assert float(probability) == pytest.approx(piece.record["probability"], abs=1e-4) and float(probability) > 0.7

    def test_all_labels_the_most_probable_first(self, model):
        (piece,) = model.generate(["good"], Options(all_labels=True), 0)
        names, values = piece.text.split("\t")[::2], [float(v) for v in piece.text.split("\t")[1::2]]
        assert names == ["positive", "negative"] and sum(values) == pytest.approx(1, abs=1e-3)
