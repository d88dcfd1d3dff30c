"""How sentiment, postag and translate open their layers: the loss' gradient by the outputs against finite differences.

What is compared is the gradient of the initial state, which everything that the loss reads of the layers goes into.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from rnnzoo import zoo
from rnnzoo.cells.initial import initial_weights
from rnnzoo.cells.losses import log_softmax
from rnnzoo.probes import gradients_by_lag, hidden_units
from rnnzoo.training.engines import flatten


def untrained(recipe: str, **settings):
    """A small model in float64 that is not all but linear."""
    module = zoo.load(recipe).part("numpy_model")
    config = module.Config(units=4, embedding=3, embedding_scale=1.0, **settings)
    vocabulary = module.example_vocabulary()
    weights = initial_weights(module.weight_shapes(config, vocabulary), 1, config.embedding_scale)
    return module.NumpyModel(config, vocabulary, {name: w.astype(np.float64) for name, w in weights.items()})


def gradient_of_the_start(probe, loss) -> list[np.ndarray]:
    """dL/d each array of the initial state, by the layers' own backward."""
    x, tapes = probe.inputs, []
    for layer in probe.layers.values():
        x, _, tape = layer.forward(x, None, probe.mask)
        tapes.append(tape)
    d_y, d_start = loss(x), []
    ends = probe.d_final or [None] * len(tapes)
    for layer, tape, end in reversed(list(zip(probe.layers.values(), tapes, ends, strict=True))):
        d_y, d_initial, _ = layer.backward(tape, d_y, end)
        d_start.insert(0, d_initial)
    return flatten(tuple(d_start))


def assert_finite_differences_agree(model, batch: int, found: list[np.ndarray], losses, epsilon=1e-6):
    """`losses(state)` are those of each item; `found` is compared with their differences."""
    state = model.initial_state(batch)
    arrays = flatten(state)
    assert len(arrays) == len(found) and all(np.abs(gradient).max() > 1e-5 for gradient in found)
    for array, gradient in zip(arrays, found, strict=True):
        for unit in range(array.shape[1]):
            array[:, unit] = epsilon
            above = losses(state)
            array[:, unit] = -epsilon
            below = losses(state)
            array[:, unit] = 0
            assert gradient[:, unit] == pytest.approx((above - below) / (2 * epsilon), rel=1e-5, abs=1e-9)


@dataclass
class Sentences:
    """Stands for a split of sentiment."""

    sentences: list
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.sentences[index]


@pytest.mark.parametrize("settings", [{"pooling": "last"}, {"pooling": "last", "bidirectional": False, "words_up_to": 0},
                                      {"pooling": "mean_max", "hidden": 5}, {"pooling": "max"}])  # fmt: skip
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_sentiment(settings, cell):
    model = untrained("sentiment", cell=cell, layers=2, **settings)
    rng, module = np.random.default_rng(2), zoo.load("sentiment").part("numpy_model")
    sentences = [module.Sentence(rng.integers(0, 9, n), rng.integers(1, 9, n)) for n in (6, 3, 9)]
    labels = np.array([0, 1, 1])
    probe = model.probe_loss(Sentences(sentences, labels), 3, 7)
    assert probe.mask.sum(axis=1).tolist() == [6, 3, 7]  # no longer than was asked for
    x = model.arrays([module.Sentence(s.words[:7], s.grams) for s in sentences])

    def losses(state):
        logits, _ = model.call(x, state)
        return np.log1p(np.exp(np.where(labels == 1, -logits[:, 0], logits[:, 0])))

    assert_finite_differences_agree(model, 3, gradient_of_the_start(probe, probe.loss), losses)
    assert {f.items[0] for f in gradients_by_lag(probe)} == {3}


def test_sentiment_of_three_classes():
    module = zoo.load("sentiment").part("numpy_model")
    vocabulary = module.example_vocabulary()
    three = module.Vocabularies(
        {**vocabulary, "labels": module.Vocabulary("abc")}, {"counts": module.ratios.written(np.ones((9, 3), int))}
    )
    config = module.Config(units=4, embedding=3)
    model = module.NumpyModel(config, three, initial_weights(module.weight_shapes(config, three), 1, 1.0))
    sentences = Sentences([module.Sentence(np.arange(n), np.arange(1, n)) for n in (4, 5)], np.array([2, 0]))
    assert len(gradients_by_lag(model.probe_loss(sentences, 2, 9))) == 2


@pytest.mark.parametrize("settings", [{}, {"features": 0, "cell": "lstm"}])
def test_postag(settings):
    model = untrained("postag", layers=2, **settings)
    readers = zoo.load("postag").part("readers")
    sentences = [
        readers.Sentence(tuple(text.split()), tuple(tags.split()))
        for text, tags in [
            ("the cat sat .", "DT NN VBD ."),
            ("a mat", "DT NN"),
            ("the cat on the mat sat", "DT NN IN DT NN VBD"),
        ]
    ]
    probe = model.probe_loss(sentences, 3, 5)
    assert probe.mask.sum(axis=1).tolist() == [4, 2, 5]
    encoded = np.zeros((3, 5, model.encode(["a"]).shape[1]), int)
    for row, sentence in zip(encoded, sentences, strict=True):
        row[: len(sentence.words)] = model.encode(sentence.words[:5])
    for loss, steps in ((probe.loss, [3, 1, 4]), (probe.first_loss, [0, 0, 0])):
        tags = [model.vocabulary["tags"].encode([s.tags[t]])[0] for s, t in zip(sentences, steps, strict=True)]

        def losses(state, steps=steps, tags=tags):
            return -log_softmax(model.call(encoded, state, probe.mask)[0])[[0, 1, 2], steps, tags]

        assert_finite_differences_agree(model, 3, gradient_of_the_start(probe, loss), losses)
    # Each direction's loss is at its own end of the sentence: the highest cells feel it directly there.
    found = {(f.layer, f.state): f for f in gradients_by_lag(probe)}
    assert found["rnn.1 forward", "h"].norms[0] > 0 and found["rnn.1 backward", "h"].norms[0] > 0


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"attention": "additive", "tied": False, "cell": "lstm"},
        {"attention": "none", "tied": False},
        {"attention": "none", "bidirectional": False, "layers": 2, "cell": "lstm"},
        {"layers": 2},
    ],
)
def test_translate(settings):
    model = untrained("translate", **settings)
    corpus = zoo.load("translate").part("corpus")
    items = [corpus.Item("a b c d", ("k l", "m")), corpus.Item("h", ("n",)), corpus.Item("c a b e f g", ("zebra",))]
    probe = model.probe_loss(items, 3, 5)
    assert list(probe.layers) == [f"encoder.{i}" for i in range(model.config.layers)]
    assert probe.mask.sum(axis=1).tolist() == [4, 1, 5]
    source = np.zeros((3, 5), int)
    for row, item in zip(source, items, strict=True):
        own = model.vocabulary["source"].encode(item.source.split()[:5])
        row[: len(own)] = own
    first = model.vocabulary["target"].encode(["k", "n", "zebra"])  # the last one is UNK

    def losses(state):
        logits, _ = model.call((source, probe.mask, np.full((3, 1), corpus.START)), state)
        return -log_softmax(logits)[[0, 1, 2], 0, first]

    assert_finite_differences_agree(model, 3, gradient_of_the_start(probe, probe.loss or np.zeros_like), losses)


def test_translate_shows_encoder_and_decoder_as_they_run():
    model = untrained("translate", cell="lstm")
    encoder, decoder = model.probe("a b c")
    words = [word for word in decoder.tokens if word != "<s>"]
    record: dict = {}
    source = model.vocabulary["source"].encode(encoder.tokens)[None]
    previous = np.array([[2, *model.vocabulary["target"].encode(words)]])
    model.call((source, np.ones(source.shape, bool), previous), None, record)
    ahead, back = hidden_units(encoder).values()
    assert np.concatenate((ahead, back), axis=-1) == pytest.approx(record["encoder"], rel=1e-12)
    assert hidden_units(decoder)["decoder.0"] == pytest.approx(record["decoder"], rel=1e-12)
    assert model.probe(" ") == []
