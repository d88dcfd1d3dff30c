"""The Keras model and its NumPy twin: the same function of the same weights, whatever the Config chooses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rnnzoo.cells.initial import initial_weights
from rnnzoo.recipes.sentiment import Config
from rnnzoo.recipes.sentiment.numpy_model import NumpyModel, example_vocabulary, weight_shapes
from rnnzoo.recipes.sentiment.ratios import written
from rnnzoo.vocabulary import Vocabularies, Vocabulary

pytestmark = pytest.mark.keras

SMALL = Config(embedding=3, units=4)
CHOICES = [
    {},
    *({"cell": cell, "pooling": "last"} for cell in ("simple_rnn", "lstm", "peephole_lstm", "gru", "gru_reset_before", "mgu")),
    {"bidirectional": False, "pooling": "last"},
    {"bidirectional": False, "pooling": "mean_max", "layers": 2},
    {"pooling": "max", "layers": 2},
    {"pooling": "mean", "hidden": 5},
    {"words_up_to": 0},
    {"words_up_to": 0, "hidden": 5, "pooling": "last", "cell": "lstm"},
]


def vocabulary_of(labels: int) -> Vocabularies:
    counts = np.arange(labels * 9).reshape(9, labels) % 4
    names = Vocabulary([f"label {i}" for i in range(labels)])
    return Vocabularies({**example_vocabulary(), "labels": names}, {"counts": written(counts)})


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("choice", CHOICES, ids=lambda c: " ".join(f"{k}={v}" for k, v in c.items()) or "default")
def test_the_twins_agree_on_ragged_batches(choice, labels):
    from rnnzoo.keras_backend import tf
    from rnnzoo.layers.weights import set_weights
    from rnnzoo.recipes.sentiment.model import build
    from rnnzoo.training.engines import flatten

    config, vocabulary = dataclasses.replace(SMALL, **choice), vocabulary_of(labels)
    weights = initial_weights(weight_shapes(config, vocabulary), 0, 1.0)
    if "grams.gain" in weights:
        weights["grams.gain"] += np.random.default_rng(1).normal(size=weights["grams.gain"].shape).astype(np.float32)
    twin, model = NumpyModel(config, vocabulary, weights), build(config, vocabulary)
    set_weights(model, weights)
    x, state = twin.example_input(np.random.default_rng(0))
    assert not x["mask"].all() and not x["mask"][1].any()
    ours, theirs = {}, {}
    logits, after = twin.call(x, state, record=ours)
    # `call`: the model's own `__call__` would hand `record` on as a copy.
    _, their_after = model.call(*tf.nest.map_structure(tf.convert_to_tensor, (x, state)), record=theirs)
    assert ours.keys() == theirs.keys()
    for layer, output in ours.items():
        assert np.abs(output - theirs[layer].numpy()).max() < 1e-5, layer
    for mine, other in zip(flatten(after), flatten(their_after), strict=True):
        assert np.abs(mine - other.numpy()).max() < 1e-5
    labels_of = np.arange(3, dtype=np.int32) % labels
    loss, _ = model.batch_loss(tf.nest.map_structure(tf.convert_to_tensor, x | {"labels": labels_of}), None, training=False)
    from rnnzoo.batching import Batch

    assert float(loss) == pytest.approx(twin.loss_and_gradients(Batch(x | {"labels": labels_of}, 3), None, None)[0], rel=1e-5)
