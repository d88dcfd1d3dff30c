"""Every gradient against central differences in float64: dL/dw is (L(w + e) - L(w - e)) / 2e, for each number w."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.cells import CELLS, Bidirectional, Stacked, inputs
from rnnzoo.cells.feedforward import dense, dense_backward, dropout_mask, embed, embed_backward
from rnnzoo.cells.inputs import Symbols
from rnnzoo.cells.losses import sigmoid_cross_entropy, softmax_cross_entropy

BATCH, TIME, FEATURES, UNITS = 3, 4, 2, 3
VARIANTS = [(name, {}) for name in CELLS]
VARIANTS += [("simple_rnn", {"activation": "relu"}), ("peephole_lstm", {"output_peephole": "previous"})]
MASKS = {
    "none": None,
    "ragged": np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], bool),
    "holes": np.array([[1, 0, 1, 1], [0, 0, 1, 0], [0, 0, 1, 0]], bool),
}
every_cell = pytest.mark.parametrize("name, options", VARIANTS, ids=[" ".join([n, *o.values()]) for n, o in VARIANTS])
every_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def make(name, rng, features=FEATURES, **options):
    shapes = CELLS[name].weight_shapes(features, UNITS)
    return CELLS[name]({key: 0.7 * rng.standard_normal(shape) for key, shape in shapes.items()}, **options)


def leaves(tree):
    """The arrays of a state, however it is nested."""
    return [tree] if isinstance(tree, np.ndarray) else [leaf for branch in tree for leaf in leaves(branch)]


def normal_like(tree, rng):
    """Normal numbers in the shape of a nested state."""
    if isinstance(tree, np.ndarray):
        return rng.standard_normal(tree.shape)
    return type(tree)(normal_like(branch, rng) for branch in tree)


def check(loss, gradients, arrays, epsilon=1e-5):
    """Each of `arrays`, changed in place, moves `loss()` as `gradients` says, to a relative error of 1e-6."""
    assert gradients.keys() == arrays.keys()
    for name, array in arrays.items():
        expected = np.empty_like(array)
        for i in np.ndindex(array.shape):
            kept = array[i]
            array[i] = kept + epsilon
            above = loss()
            array[i] = kept - epsilon
            below = loss()
            array[i] = kept
            expected[i] = (above - below) / (2 * epsilon)
        error = np.abs(gradients[name] - expected).max() / np.abs(expected).max()
        assert error < 1e-6, f"{name}: relative error {error}"


def check_walk(model, weights, source, arrays, rng, mask=None, **options):
    """Gradients of a linear function of all outputs and final states, by inputs, initial state and weights.

    `source()` gives the model's input, made from `arrays`; "x" among them is the one that `backward` returns by itself.
    """
    state = normal_like(model.initial_state(BATCH), rng)
    outputs, final, tape = model.forward(source(), state, mask, **options)
    d_outputs, d_final = normal_like(outputs, rng), normal_like(final, rng)

    def loss():
        outputs, final, _ = model.forward(source(), state, mask, **options)
        return sum((d * a).sum() for d, a in zip(leaves([d_outputs, d_final]), leaves([outputs, final]), strict=True))

    d_x, d_state, gradients = model.backward(tape, d_outputs, d_final)
    assert (d_x is not None) == ("x" in arrays)
    gradients |= {"x": d_x} if "x" in arrays else {}
    gradients |= {f"state {k}": d for k, d in enumerate(leaves(d_state))}
    check(loss, gradients, weights | arrays | {f"state {k}": s for k, s in enumerate(leaves(state))})


@every_mask
@every_cell
def test_cells(name, options, mask, rng):
    cell = make(name, rng, **options)
    x = rng.standard_normal((BATCH, TIME, FEATURES))
    check_walk(cell, cell.weights, lambda: x, {"x": x}, rng, mask)


@every_mask
@every_cell
def test_cells_over_tabulated_symbols(name, options, mask, rng):
    cell = make(name, rng, **options)
    embeddings, symbols = rng.standard_normal((5, FEATURES)), rng.integers(0, 5, (BATCH, TIME))

    def source():
        return Symbols(symbols, embeddings, cell.weights["kernel"], cell.input_bias)

    check_walk(cell, cell.weights, source, {"embeddings": embeddings}, rng, mask)


@every_cell
def test_inputs_projected_in_blocks_are_the_same(name, options, rng, monkeypatch):
    cell = make(name, rng, **options)
    x, d = rng.standard_normal((BATCH, TIME + 1, FEATURES)), rng.standard_normal((BATCH, TIME + 1, UNITS))
    walks = []
    for block in (inputs.BLOCK, 2 * BATCH * len(cell.gates) * UNITS):  # all 5 steps at once; 2, 2 and 1
        monkeypatch.setattr(inputs, "BLOCK", block)
        outputs, _, tape = cell.forward(x)
        walks.append((outputs, *cell.backward(tape, d)[2].values()))
    for whole, blocks in zip(*walks, strict=True):
        np.testing.assert_allclose(blocks, whole, atol=1e-12)


@every_cell
def test_what_is_left_out_counts_as_zero(name, options, rng):
    cell = make(name, rng, **options)
    x = rng.standard_normal((BATCH, TIME, FEATURES))
    d_outputs, d_state = rng.standard_normal((BATCH, TIME, UNITS)), normal_like(cell.initial_state(BATCH), rng)
    parts = (d_outputs, None), (None, d_state), (d_outputs, d_state)
    by_outputs, by_state, by_both = (cell.backward(cell.forward(x)[2], *part)[0] for part in parts)
    np.testing.assert_allclose(by_outputs + by_state, by_both, atol=1e-12)
    assert np.abs(by_outputs).max() > 0.01 < np.abs(by_state).max()


@every_mask
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_bidirectional(name, mask, rng):
    cells = {"forward": make(name, rng), "backward": make(name, rng)}
    x = rng.standard_normal((BATCH, TIME, FEATURES))
    weights = {f"{side}.{key}": array for side, cell in cells.items() for key, array in cell.weights.items()}
    check_walk(Bidirectional(**cells), weights, lambda: x, {"x": x}, rng, mask)


@every_mask
def test_stack_of_a_bidirectional_pair_and_two_cells_with_dropout(mask, rng):
    ahead, back = make("lstm", rng), make("lstm", rng)
    middle, top = make("gru", rng, 2 * UNITS), make("mgu", rng, UNITS)
    named = {"0.forward": ahead, "0.backward": back, "1": middle, "2": top}
    x = rng.standard_normal((BATCH, TIME, FEATURES))
    dropout = dropout_mask((BATCH, TIME, 2 * UNITS), 0.5, rng), dropout_mask((BATCH, 1, UNITS), 0.5, rng)
    weights = {f"{path}.{key}": array for path, cell in named.items() for key, array in cell.weights.items()}
    stack = Stacked([Bidirectional(ahead, back), middle, top])
    check_walk(stack, weights, lambda: x, {"x": x}, rng, mask, dropout=dropout)


def test_stack_over_tabulated_symbols(rng):
    cells = [make("gru", rng), make("gru", rng, UNITS)]
    embeddings, symbols = rng.standard_normal((5, FEATURES)), rng.integers(0, 5, (BATCH, TIME))
    weights = {f"{k}.{key}": array for k, cell in enumerate(cells) for key, array in cell.weights.items()}

    def source():
        return Symbols(symbols, embeddings, cells[0].weights["kernel"], cells[0].input_bias)

    check_walk(Stacked(cells), weights, source, {"0.embeddings": embeddings}, rng)


def test_dense(rng):
    arrays = {name: rng.standard_normal(shape) for name, shape in {"x": (4, 3), "kernel": (3, 2), "bias": (2,)}.items()}
    d_output = rng.standard_normal((4, 2))
    d_x, gradients = dense_backward(arrays["x"], arrays["kernel"], d_output)
    check(lambda: (dense(**arrays) * d_output).sum(), {"x": d_x, **gradients}, arrays)


def test_embedding_with_repeated_and_unused_symbols(rng):
    embeddings, symbols = rng.standard_normal((5, 2)), np.array([[3, 0, 3], [3, 1, 0]])
    d_output = rng.standard_normal((2, 3, 2))
    gradient = embed_backward(symbols, d_output, 5)
    check(lambda: (embed(symbols, embeddings) * d_output).sum(), {"e": gradient}, {"e": embeddings})
    assert not gradient[[2, 4]].any()


@pytest.mark.parametrize("weights", [None, np.array([1, 0, 0.5])], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    "cross_entropy, shape, targets",
    [(softmax_cross_entropy, (3, 4), np.array([2, 0, 2])), (sigmoid_cross_entropy, (3,), np.array([1, 0, 0.25]))],
)
def test_losses(cross_entropy, shape, targets, weights, rng):
    logits = rng.standard_normal(shape)
    gradient = cross_entropy(logits.copy(), targets, weights)[1]
    check(lambda: cross_entropy(logits.copy(), targets, weights)[0], {"logits": gradient}, {"logits": logits})


def test_dropout_keeps_the_expectation():
    mask = dropout_mask((1000, 100), 0.2, np.random.default_rng(0))
    assert set(np.unique(mask)) == {0, np.float32(1.25)}
    assert abs((mask == 0).mean() - 0.2) < 0.005  # four standard deviations, sqrt(0.2 * 0.8 / 100,000) each
    assert (mask == dropout_mask((1000, 100), 0.2, np.random.default_rng(0))).all()
    assert (dropout_mask((10, 10), 0, np.random.default_rng(0)) == 1).all()


@pytest.mark.parametrize("wrong", [-1, 5])
def test_symbols_out_of_range_are_refused(wrong):
    with pytest.raises(IndexError, match="symbols run from 0 to 4"):
        Symbols(np.array([[0, wrong]]), np.zeros((5, 2)), np.zeros((2, 3)), np.zeros(3))
