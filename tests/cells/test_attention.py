"""Attention: a small case by hand, masks, and gradients against central differences."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.cells.attention import KINDS, Attention, weight_shapes

MASK = np.array([[True, True, True, True], [True, True, False, False]])


def attention(kind, rng, units=3, width=5):
    return Attention({name: rng.normal(size=shape) for name, shape in weight_shapes(kind, units, width).items()})


def inputs(rng, units=3, width=5):
    return rng.normal(size=(2, 6, units)), rng.normal(size=(2, 4, width))


def test_multiplicative_by_hand():
    kernel = np.array([[1.0, 0.0], [0.0, 2.0]])
    queries, memory = np.array([[[1.0, 0.5]]]), np.array([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    # q W = (1, 1): both of the first two entries score 1, the third is masked.
    context, weights = Attention({"kernel": kernel}).forward(queries, memory, np.array([[True, True, False]]))[:2]
    np.testing.assert_allclose(weights, [[[0.5, 0.5, 0]]])
    np.testing.assert_allclose(context, [[[0.5, 0.5]]])


def test_additive_by_hand():
    one = np.ones((1, 1))
    layer = Attention({"query.kernel": one, "memory.kernel": one, "score.kernel": 2 * one})
    weights = layer.forward(np.array([[[0.5]]]), np.array([[[0.5], [-0.5]]]), np.ones((1, 2), bool))[1]
    # Scores 2 tanh(1) and 2 tanh(0).
    np.testing.assert_allclose(weights[0, 0, 0], 1 / (1 + np.exp(-2 * np.tanh(1))))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_sum_to_one_over_real_entries_and_are_zero_elsewhere(kind):
    rng = np.random.default_rng(0)
    queries, memory = inputs(rng)
    _, weights, _ = attention(kind, rng).forward(queries, memory, MASK)
    np.testing.assert_allclose(weights.sum(axis=-1), 1)
    assert not weights[1, :, 2:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_attending_with_keys_is_the_same(kind):
    rng = np.random.default_rng(1)
    queries, memory = inputs(rng)
    layer = attention(kind, rng)
    context, weights, _ = layer.forward(queries, memory, MASK)
    again = layer.attend(queries, memory, MASK, layer.keys(memory))
    np.testing.assert_allclose(again[0], context, atol=1e-12)
    np.testing.assert_allclose(again[1], weights, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_central_differences(kind):
    rng = np.random.default_rng(2)
    queries, memory = inputs(rng)
    layer, d_context = attention(kind, rng), rng.normal(size=(2, 6, 5))

    def loss():
        return float((layer.forward(queries, memory, MASK)[0] * d_context).sum())

    d_queries, d_memory, gradients = layer.backward(layer.forward(queries, memory, MASK)[2], d_context)
    checked = {"queries": (queries, d_queries), "memory": (memory, d_memory)}
    checked |= {name: (layer.weights[name], gradient) for name, gradient in gradients.items()}
    assert set(gradients) == set(layer.weights)
    for name, (array, gradient) in checked.items():
        numeric = np.empty_like(array)
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + 1e-6
            above = loss()
            array[index] = kept - 1e-6
            numeric[index] = (above - loss()) / 2e-6
            array[index] = kept
        np.testing.assert_allclose(gradient, numeric, atol=1e-7, err_msg=name)
