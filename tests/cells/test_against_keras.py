"""The NumPy cells and our Keras ones against TensorFlow: outputs, states and gradients, to 1e-5 in float32.

TensorFlow is imported in the tests, not by the module: to collect it stays fast.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.cells import CELLS, Bidirectional, PeepholeLSTM, SimpleRNN
from rnnzoo.cells.feedforward import dense, rows, unrows

pytestmark = pytest.mark.keras

BATCH, TIME, FEATURES, UNITS = 3, 5, 2, 4
VARIANTS = [(name, {}) for name in CELLS]
VARIANTS += [("simple_rnn", {"activation": "relu"}), ("peephole_lstm", {"output_peephole": "previous"})]
MASKS = {
    "none": None,
    "ragged": np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool),
    "holes": np.array([[1, 0, 1, 1, 1], [0, 0, 1, 0, 1], [0, 0, 1, 1, 0]], bool),
}
every_cell = pytest.mark.parametrize("name, options", VARIANTS, ids=[" ".join([n, *o.values()]) for n, o in VARIANTS])
every_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


@pytest.fixture
def rng():
    return np.random.default_rng(6)


def normal(rng, shape):
    return rng.standard_normal(shape).astype(np.float32)


def make(name, rng, **options):
    shapes = CELLS[name].weight_shapes(FEATURES, UNITS)
    return CELLS[name]({key: 0.7 * normal(rng, shape) for key, shape in shapes.items()}, **options)


def leaves(tree):
    """The arrays of a state, however it is nested."""
    return [tree] if isinstance(tree, np.ndarray) else [leaf for branch in tree for leaf in leaves(branch)]


def normal_like(tree, rng):
    """Normal numbers in the shape of a nested state."""
    return normal(rng, tree.shape) if isinstance(tree, np.ndarray) else tuple(normal_like(part, rng) for part in tree)


def assert_close(received, expected):
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)


def check(model, layer, cells, mask, rng):
    """`model` and the Keras `layer` agree in outputs, final states, and the gradients of a linear function of them.

    `cells` are pairs of a NumPy cell and a Keras cell, which is given its weights, by the prefix of gradient names.
    """
    import tensorflow as tf

    variables = {}
    for prefix, (cell, keras_cell) in cells.items():
        assert {v.name: v.shape for v in keras_cell.weights} == {k: w.shape for k, w in cell.weights.items()}
        for variable in keras_cell.weights:
            variable.assign(cell.weights[variable.name])
            variables[prefix + variable.name] = variable.value
    x, state = normal(rng, (BATCH, TIME, FEATURES)), normal_like(model.initial_state(BATCH), rng)

    outputs, final, tape = model.forward(x, state, mask)
    d_outputs, d_final = normal_like(outputs, rng), normal_like(final, rng)
    d_x, d_state, gradients = model.backward(tape, d_outputs, d_final)

    with tf.GradientTape() as keras_tape:
        sources = [tf.constant(x), [tf.constant(part) for part in leaves(state)], variables]
        keras_tape.watch(sources[:2])
        expected = layer(sources[0], mask=mask, initial_state=sources[1])
        loss = sum(tf.reduce_sum(y * d) for y, d in zip(expected, [d_outputs, *leaves(d_final)], strict=True))
    expected_d_x, expected_d_state, expected_gradients = keras_tape.gradient(loss, sources)

    for received, correct in zip([outputs, *leaves(final)], expected, strict=True):
        assert_close(received, correct)
    assert_close(d_x, expected_d_x)
    for received, correct in zip(leaves(d_state), expected_d_state, strict=True):
        assert_close(received, correct)
    assert gradients.keys() == expected_gradients.keys()
    for name, correct in expected_gradients.items():
        assert_close(gradients[name], correct)


@every_mask
@every_cell
def test_cells_and_layers(name, options, mask, rng):
    from rnnzoo.layers import recurrent_layer

    cell, layer = make(name, rng, **options), recurrent_layer(name, UNITS, **options)
    layer.build((None, None, FEATURES))
    check(cell, layer, {"": (cell, layer.cell)}, mask, rng)


@every_mask
@every_cell
def test_bidirectional(name, options, mask, rng):
    import keras

    from rnnzoo.layers import recurrent_layer

    ahead, back = make(name, rng, **options), make(name, rng, **options)
    layer = keras.layers.Bidirectional(recurrent_layer(name, UNITS, **options))
    layer.build((None, None, FEATURES))
    cells = {"forward.": (ahead, layer.forward_layer.cell), "backward.": (back, layer.backward_layer.cell)}
    check(Bidirectional(ahead, back), layer, cells, mask, rng)


def test_every_cell_has_a_layer_and_an_unknown_one_is_named():
    from rnnzoo.layers.recurrent import LAYERS, recurrent_layer

    assert LAYERS.keys() == CELLS.keys()
    with pytest.raises(ValueError, match="cell must be one of simple_rnn, .* received 'grue'"):
        recurrent_layer("grue", UNITS)


@pytest.mark.parametrize("name", ["lstm", "peephole_lstm"])
def test_layers_start_by_remembering(name):
    from rnnzoo.layers import recurrent_layer

    layer = recurrent_layer(name, 2)
    layer.build((None, None, FEATURES))
    assert np.asarray(layer.cell.bias).tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_peephole_lstm_against_tensorflows_own(rng):
    import tensorflow as tf

    cell = make("peephole_lstm", rng)
    x, h, c = normal(rng, (BATCH, TIME, FEATURES)), normal(rng, (BATCH, UNITS)), normal(rng, (BATCH, UNITS))
    outputs, (_, memory), _ = cell.forward(x, (h, c))
    kernel, recurrent_kernel, bias, (p_i, p_f, p_o) = (cell.weights[name] for name in PeepholeLSTM.weight_shapes(1, 1))
    expected = tf.raw_ops.BlockLSTMV2(
        seq_len_max=tf.constant(TIME, tf.int64),
        x=x.transpose(1, 0, 2),
        cs_prev=c,
        h_prev=h,
        w=np.concatenate([kernel, recurrent_kernel]),
        wci=p_i,
        wcf=p_f,
        wco=p_o,
        b=bias,
        use_peephole=True,
    )
    assert_close(outputs, tf.transpose(expected.h, [1, 0, 2]))
    assert_close(memory, expected.cs[-1])
    previous, _, _ = PeepholeLSTM(cell.weights, output_peephole="previous").forward(x, (h, c))
    assert np.abs(previous - outputs).max() > 0.01


def test_simple_rnn_with_an_output_layer(rng):
    """T = 10 steps, D = 3 features, M = 5 units, K = 2 outputs, to 1e-6."""
    import keras

    cell = SimpleRNN({name: normal(rng, shape) for name, shape in SimpleRNN.weight_shapes(3, 5).items()})
    x, kernel, bias = normal(rng, (1, 10, 3)), normal(rng, (5, 2)), normal(rng, (2,))
    y = unrows(dense(rows(cell.forward(x)[0]), kernel, bias), batch=1)
    model = keras.Sequential([keras.layers.SimpleRNN(5, return_sequences=True), keras.layers.Dense(2)])
    model.build(x.shape)
    model.set_weights([*cell.weights.values(), kernel, bias])
    np.testing.assert_allclose(y, model(x), rtol=0, atol=1e-6)
