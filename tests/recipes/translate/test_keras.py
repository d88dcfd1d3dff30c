"""The Keras model and its NumPy twin: outputs, losses and gradients on ragged batches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rnnzoo.batching import Batch
from rnnzoo.cells.initial import initial_weights
from rnnzoo.recipes.translate import Config
from rnnzoo.recipes.translate.corpus import START
from rnnzoo.recipes.translate.numpy_model import NumpyModel, example_vocabulary, weight_shapes

pytestmark = pytest.mark.keras

CELLS = itertools.cycle(["gru", "lstm", "mgu", "simple_rnn", "peephole_lstm", "gru_reset_before"])
CHOICES = [
    (attention, bidirectional, tied, layers, next(CELLS))
    for attention in ("none", "additive", "multiplicative")
    for bidirectional in (True, False)
    for tied in (True, False)
    for layers in (1, 2)
]


@pytest.mark.parametrize(("attention", "bidirectional", "tied", "layers", "cell"), CHOICES)
def test_twins_agree(attention, bidirectional, tied, layers, cell):
    from rnnzoo.keras_backend import tf
    from rnnzoo.layers.weights import named_variables, set_weights
    from rnnzoo.recipes.translate.model import build

    shape = {"attention": attention, "bidirectional": bidirectional, "tied": tied, "layers": layers, "cell": cell}
    config = Config(units=6, embedding=4, dropout=0.0, sampling=0.3, readout=0, **shape)
    weights = initial_weights(weight_shapes(config, example_vocabulary()), 1, 1.0)
    ours, theirs = NumpyModel(config, example_vocabulary(), weights), build(config, example_vocabulary())
    set_weights(theirs, weights)
    rng = np.random.default_rng(0)
    x, state = ours.example_input(rng)
    our_record, their_record = {}, {}
    ours.call(x, state, record=our_record)
    theirs.call(
        tf.nest.map_structure(tf.convert_to_tensor, x), tf.nest.map_structure(tf.convert_to_tensor, state), record=their_record
    )
    assert set(our_record) == set(their_record)
    for part, value in our_record.items():
        np.testing.assert_allclose(value, their_record[part], atol=1e-5, err_msg=part)

    source, mask, previous = x
    previous[:, 0] = START
    real = np.arange(7) < np.array([7, 6, 2])[:, None]
    own = (rng.random((3, 7)) < 0.5) & (np.arange(7) > 0)
    arrays = {"inputs": source, "mask": mask, "previous": previous, "real": real, "own": own}
    batch = Batch(arrays | {"targets": rng.integers(0, 10, (3, 7))}, int(real.sum()))
    loss, gradients, _ = ours.loss_and_gradients(batch, None, None)
    with tf.GradientTape() as tape:
        tensors = {name: tf.convert_to_tensor(array) for name, array in batch.arrays.items()}
        their_loss, _ = theirs.batch_loss(tensors, theirs.initial_state(3), training=True)
    variables = named_variables(theirs)
    np.testing.assert_allclose(loss, float(their_loss), rtol=1e-5)
    for name, gradient in zip(variables, tape.gradient(their_loss, list(variables.values())), strict=True):
        np.testing.assert_allclose(gradients[name] * batch.tokens, tf.convert_to_tensor(gradient), atol=1e-4, err_msg=name)
