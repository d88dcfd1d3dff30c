"""The cells against numbers worked out by hand: the equations of each cell written out once more, without its code."""

from __future__ import annotations

import math
from math import tanh

import numpy as np
import pytest

from rnnzoo.cells import (
    CELLS,
    GRU,
    LSTM,
    MGU,
    Bidirectional,
    GRUResetBefore,
    PeepholeLSTM,
    SimpleRNN,
    Stacked,
)
from rnnzoo.cells.feedforward import dense, rows, unrows
from rnnzoo.cells.initial import initial_weights
from rnnzoo.cells.losses import log_softmax, sigmoid_cross_entropy, softmax_cross_entropy


def s(a):
    return 1 / (1 + math.exp(-a))


def random_cell(name, rng, features=2, units=3, **options):
    shapes = CELLS[name].weight_shapes(features, units)
    return CELLS[name]({key: rng.standard_normal(shape) for key, shape in shapes.items()}, **options)


def check(cell, x, state, hs, final):
    """One unit: a whole sequence `x` and its single steps give the outputs `hs` and the `final` state."""
    x, state = np.array([x], float), tuple(np.array([[number]], float) for number in state)
    outputs, reached, _ = cell.forward(x, state)
    np.testing.assert_allclose(outputs, [[[h] for h in hs]], rtol=1e-14)
    np.testing.assert_allclose(reached, [[[number]] for number in final], rtol=1e-14)
    for t, h in enumerate(hs):
        y, state = cell.step(x[:, t], state)
        np.testing.assert_allclose(y, [[h]], rtol=1e-14)
    np.testing.assert_allclose(state, [[[number]] for number in final], rtol=1e-14)


def weights(**arrays):
    return {name: np.array(array, float) for name, array in arrays.items()}


# -- one unit, two steps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation, squash", [("tanh", tanh), ("relu", lambda a: max(a, 0.0))])
def test_simple_rnn(activation, squash):
    cell = SimpleRNN(weights(kernel=[[0.5], [-1.0]], recurrent_kernel=[[0.25]], bias=[0.1]), activation)
    h1 = squash(1 * 0.5 - 2 * 1.0 + 0.1 + 4 * 0.25)  # of -0.4
    h2 = squash(3 * 0.5 + 1 * 1.0 + 0.1 + h1 * 0.25)
    check(cell, x=[[1, 2], [3, -1]], state=[4], hs=[h1, h2], final=[h2])


# x is 2, then -1; the gates are i, f, g, o. Into i goes 0.1 x + 0.5 h + 0.01, that is 0.21 + 0.5 h, then -0.09 + 0.5 h.
LSTM_WEIGHTS = {
    "kernel": [[0.1, 0.2, -0.3, 0.4]],
    "recurrent_kernel": [[0.5, -0.6, 0.7, 0.8]],
    "bias": [0.01, 0.02, 0.03, 0.04],
}


def test_lstm():
    h0, c0 = 0.5, -1.0
    c1 = s(0.42 - 0.6 * h0) * c0 + s(0.21 + 0.5 * h0) * tanh(-0.57 + 0.7 * h0)
    h1 = s(0.84 + 0.8 * h0) * tanh(c1)
    c2 = s(-0.18 - 0.6 * h1) * c1 + s(-0.09 + 0.5 * h1) * tanh(0.33 + 0.7 * h1)
    h2 = s(-0.36 + 0.8 * h1) * tanh(c2)
    check(LSTM(weights(**LSTM_WEIGHTS)), x=[[2], [-1]], state=[h0, c0], hs=[h1, h2], final=[h2, c2])


@pytest.mark.parametrize("output_peephole", ["new", "previous"])
def test_peephole_lstm(output_peephole):
    def seen(new, previous):
        return new if output_peephole == "new" else previous

    # As above; besides, i, f and o see the memory times 1.1, -1.2 and 1.3.
    h0, c0 = 0.5, -1.0
    c1 = s(0.42 - 0.6 * h0 - 1.2 * c0) * c0 + s(0.21 + 0.5 * h0 + 1.1 * c0) * tanh(-0.57 + 0.7 * h0)
    h1 = s(0.84 + 0.8 * h0 + 1.3 * seen(c1, c0)) * tanh(c1)
    c2 = s(-0.18 - 0.6 * h1 - 1.2 * c1) * c1 + s(-0.09 + 0.5 * h1 + 1.1 * c1) * tanh(0.33 + 0.7 * h1)
    h2 = s(-0.36 + 0.8 * h1 + 1.3 * seen(c2, c1)) * tanh(c2)
    cell = PeepholeLSTM(weights(**LSTM_WEIGHTS, peephole=[[1.1], [-1.2], [1.3]]), output_peephole)
    check(cell, x=[[2], [-1]], state=[h0, c0], hs=[h1, h2], final=[h2, c2])


# x is 2, then -1; the gates are z, r, c.
GRU_WEIGHTS = {"kernel": [[0.1, 0.2, -0.3]], "recurrent_kernel": [[0.5, -0.6, 0.7]]}


def test_gru():
    cell = GRU(weights(**GRU_WEIGHTS, bias=[[0.01, 0.02, 0.03], [0.1, 0.2, -0.4]]))
    h0 = 0.5
    z, r = s(0.21 + 0.5 * h0 + 0.1), s(0.42 - 0.6 * h0 + 0.2)
    h1 = z * h0 + (1 - z) * tanh(-0.57 + r * (0.7 * h0 - 0.4))
    z, r = s(-0.09 + 0.5 * h1 + 0.1), s(-0.18 - 0.6 * h1 + 0.2)
    h2 = z * h1 + (1 - z) * tanh(0.33 + r * (0.7 * h1 - 0.4))
    check(cell, x=[[2], [-1]], state=[h0], hs=[h1, h2], final=[h2])


def test_gru_reset_before():
    # With one unit r (h u) is (r h) u: only a recurrent bias, or a second unit (below), tells the conventions apart.
    cell = GRUResetBefore(weights(**GRU_WEIGHTS, bias=[0.01, 0.02, 0.03]))
    h0 = 0.5
    z, r = s(0.21 + 0.5 * h0), s(0.42 - 0.6 * h0)
    h1 = z * h0 + (1 - z) * tanh(-0.57 + 0.7 * (r * h0))
    z, r = s(-0.09 + 0.5 * h1), s(-0.18 - 0.6 * h1)
    h2 = z * h1 + (1 - z) * tanh(0.33 + 0.7 * (r * h1))
    check(cell, x=[[2], [-1]], state=[h0], hs=[h1, h2], final=[h2])


def test_mgu():
    cell = MGU(weights(kernel=[[0.1, -0.3]], recurrent_kernel=[[0.5, 0.7]], bias=[0.01, 0.03]))
    h0 = 0.5
    f = s(0.21 + 0.5 * h0)
    h1 = (1 - f) * h0 + f * tanh(-0.57 + 0.7 * (f * h0))
    f = s(-0.09 + 0.5 * h1)
    h2 = (1 - f) * h1 + f * tanh(0.33 + 0.7 * (f * h1))
    check(cell, x=[[2], [-1]], state=[h0], hs=[h1, h2], final=[h2])


# -- several units: products with matrices -------------------------------------------------------------------------


def test_simple_rnn_with_an_output_layer_step_by_step():
    steps, features, units, classes = 10, 3, 5, 2
    rng = np.random.default_rng(0)
    shapes = (steps, features), (features, units), (units, units), units, (units, classes), classes
    x, w, u, b, w_o, b_o = (rng.standard_normal(shape) for shape in shapes)
    outputs, _, _ = SimpleRNN({"kernel": w, "recurrent_kernel": u, "bias": b}).forward(x[None])
    y = unrows(dense(rows(outputs), w_o, b_o), batch=1)

    h = [0.0] * units
    for t in range(steps):
        h = [
            tanh(sum(x[t, i] * w[i, j] for i in range(features)) + sum(h[i] * u[i, j] for i in range(units)) + b[j])
            for j in range(units)
        ]
        np.testing.assert_allclose(outputs[0, t], h, rtol=1e-12)
        expected = [sum(h[i] * w_o[i, k] for i in range(units)) + b_o[k] for k in range(classes)]
        np.testing.assert_allclose(y[0, t], expected, rtol=1e-12)


def gru_by_formula(x, weights, reset_after):
    """Outputs of one sequence `x` `[time, features]` by either convention's formula; the bias is `[2, 3 units]`."""
    (w_z, w_r, w_c), (u_z, u_r, u_c) = (np.split(weights[k], 3, axis=1) for k in ("kernel", "recurrent_kernel"))
    (b_z, b_r, b_c), (d_z, d_r, d_c) = (np.split(row, 3) for row in weights["bias"])
    h, hs = np.zeros(len(u_c)), []
    for x_t in x:
        z = 1 / (1 + np.exp(-(x_t @ w_z + b_z + h @ u_z + d_z)))
        r = 1 / (1 + np.exp(-(x_t @ w_r + b_r + h @ u_r + d_r)))
        c = np.tanh(x_t @ w_c + b_c + (r * (h @ u_c + d_c) if reset_after else (r * h) @ u_c + d_c))
        h = z * h + (1 - z) * c
        hs.append(h)
    return np.array(hs)


def test_the_reset_before_formula_is_not_keras_default_gru():
    """A published check of Keras' GRU (embedding of 9 symbols by 7 numbers, 4 units) applied the other convention."""
    shapes = {"embeddings": (9, 7), **GRU.weight_shapes(7, 4)}
    assert sum(math.prod(shape) for shape in shapes.values()) == 219
    drawn = {name: array.astype(float) for name, array in initial_weights(shapes, seed=1).items()}
    x = drawn.pop("embeddings")[[3, 1, 4, 1, 5]]
    outputs = GRU(drawn).forward(x[None])[0][0]
    np.testing.assert_allclose(outputs, gru_by_formula(x, drawn, reset_after=True), rtol=1e-12)
    wrong = gru_by_formula(x, drawn, reset_after=False)
    np.testing.assert_allclose(outputs[0], wrong[0], rtol=1e-12)  # the state is zero: there is nothing to reset
    assert np.abs(outputs - wrong)[1:].max(axis=1).min() > 1e-6


def test_both_gru_conventions_against_their_formulas():
    rng = np.random.default_rng(0)
    drawn = {name: rng.standard_normal(shape) for name, shape in GRU.weight_shapes(2, 3).items()}
    x = rng.standard_normal((4, 2))
    after = GRU(drawn).forward(x[None])[0][0]
    before = GRUResetBefore({**drawn, "bias": drawn["bias"].sum(axis=0)}).forward(x[None])[0][0]
    np.testing.assert_allclose(after, gru_by_formula(x, drawn, reset_after=True), rtol=1e-12)
    np.testing.assert_allclose(before, gru_by_formula(x, drawn, reset_after=False), rtol=1e-12)
    assert np.abs(after - before)[0].max() > 0.01  # a recurrent bias tells them apart in the first step already


def test_mgu_against_a_plain_loop():
    rng = np.random.default_rng(0)
    cell, x = random_cell("mgu", rng), rng.standard_normal((6, 2))
    (w_f, w_h), (u_f, u_h) = (np.split(cell.weights[name], 2, axis=1) for name in ("kernel", "recurrent_kernel"))
    b_f, b_h = np.split(cell.weights["bias"], 2)
    h = np.zeros(3)
    for x_t, output in zip(x, cell.forward(x[None])[0][0], strict=True):
        f = 1 / (1 + np.exp(-(x_t @ w_f + h @ u_f + b_f)))
        h = (1 - f) * h + f * np.tanh(x_t @ w_h + (f * h) @ u_h + b_h)
        np.testing.assert_allclose(output, h, rtol=1e-12)


# -- a sequence is its steps -------------------------------------------------------------------------------------------

HOLES = np.array([[1, 0, 1, 1, 1], [0, 1, 1, 0, 0]], bool)


@pytest.mark.parametrize("name", CELLS)
def test_a_sequence_is_its_steps_and_a_masked_step_holds_the_state(name):
    rng = np.random.default_rng(2)
    cell, x = random_cell(name, rng), rng.standard_normal((2, 5, 2))
    state = tuple(rng.standard_normal(part.shape) for part in cell.initial_state(2))
    outputs, final, _ = cell.forward(x, state, HOLES)
    for t in range(5):
        real = HOLES[:, t, None]
        y, new = cell.step(x[:, t], state)
        state = tuple(np.where(real, after, before) for after, before in zip(new, state, strict=True))
        np.testing.assert_allclose(outputs[:, t], y * real, rtol=1e-12)
    np.testing.assert_allclose(final, state, rtol=1e-12)


def test_stacked_cells_step_by_step():
    rng = np.random.default_rng(3)
    low, top = random_cell("lstm", rng), random_cell("gru", rng, features=3)
    stack, x = Stacked([low, top]), rng.standard_normal((2, 5, 2))
    outputs, final, _ = stack.forward(x)
    np.testing.assert_array_equal(outputs, top.forward(low.forward(x)[0])[0])

    state, projected = stack.initial_state(2), stack.initial_state(2)
    for t in range(5):
        y, state = stack.step(x[:, t], state)
        y_projected, projected = stack.step_projected(x[:, t] @ low.weights["kernel"] + low.input_bias, projected)
        np.testing.assert_allclose(y, outputs[:, t], rtol=1e-12)
        np.testing.assert_array_equal(y_projected, y)
    for stepped, walked in zip(state, final, strict=True):
        np.testing.assert_allclose(stepped, walked, rtol=1e-12)


def test_dropout_between_stacked_cells_multiplies_what_is_handed_up():
    rng = np.random.default_rng(3)
    low, top = random_cell("mgu", rng), random_cell("gru", rng, features=3)
    x, factor = rng.standard_normal((2, 5, 2)), rng.integers(0, 2, (2, 5, 3)) * 2.0
    outputs, _, _ = Stacked([low, top]).forward(x, dropout=[factor])
    np.testing.assert_array_equal(outputs, top.forward(low.forward(x)[0] * factor)[0])


def test_bidirectional_reads_each_sequence_as_if_it_were_not_padded():
    rng = np.random.default_rng(4)
    ahead, back = random_cell("lstm", rng), random_cell("lstm", rng)
    pair, x, lengths = Bidirectional(ahead, back), rng.standard_normal((3, 5, 2)), [5, 2, 0]
    outputs, (final_ahead, final_back), _ = pair.forward(x, mask=np.arange(5) < np.array(lengths)[:, None])
    for k, length in enumerate(lengths):
        alone = x[k : k + 1, :length]
        y_ahead, h_ahead, _ = ahead.forward(alone)
        y_back, h_back, _ = back.forward(alone[:, ::-1])
        expected = np.concatenate([y_ahead[0], y_back[0, ::-1]], axis=-1)
        np.testing.assert_allclose(outputs[k, :length], expected, rtol=1e-12)
        np.testing.assert_allclose([part[k] for part in final_ahead], [part[0] for part in h_ahead], rtol=1e-12)
        np.testing.assert_allclose([part[k] for part in final_back], [part[0] for part in h_back], rtol=1e-12)
        assert not outputs[k, length:].any()


# -- around the cells --------------------------------------------------------------------------------------------------


def test_losses_by_hand():
    logits = np.array([[0.0, math.log(3)], [5.0, 5.0]])  # probabilities 1/4, 3/4; 1/2, 1/2
    loss, gradient = softmax_cross_entropy(logits.copy(), np.array([0, 1]), np.array([2.0, 0.5]))
    assert loss == pytest.approx(2 * math.log(4) + 0.5 * math.log(2), rel=1e-14)
    np.testing.assert_allclose(gradient, [[-1.5, 1.5], [0.25, -0.25]], rtol=1e-14)
    np.testing.assert_allclose(np.exp(log_softmax(logits)), [[0.25, 0.75], [0.5, 0.5]], rtol=1e-14)

    logits = np.array([math.log(3), 0.0])  # probabilities 3/4, 1/2
    loss, gradient = sigmoid_cross_entropy(logits, np.array([0, 1]), np.array([2.0, 0.5]))
    assert loss == pytest.approx(2 * math.log(4) + 0.5 * math.log(2), rel=1e-14)
    np.testing.assert_allclose(gradient, [1.5, -0.25], rtol=1e-14)


@pytest.mark.parametrize("prefix", ["", "encoder.cell."])
@pytest.mark.parametrize("name", ["lstm", "peephole_lstm"])
def test_lstms_start_by_remembering(name, prefix):
    shapes = {prefix + key: shape for key, shape in CELLS[name].weight_shapes(2, 3).items()}
    drawn = initial_weights(shapes, seed=0)
    assert drawn[prefix + "bias"].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    assert not drawn.get(prefix + "peephole", np.zeros(1)).any()


def test_wrong_shapes_and_options_are_refused():
    right = weights(**LSTM_WEIGHTS, peephole=[[0], [0], [0]])
    with pytest.raises(ValueError, match=r"'peephole': \(3, 1\).*received.*'peephole': \(1, 3\)"):
        PeepholeLSTM({**right, "peephole": np.zeros((1, 3))})
    with pytest.raises(ValueError, match="output_peephole must be new or previous, received 'old'"):
        PeepholeLSTM(right, output_peephole="old")
