"""Optimisers and clipping, by hand and against keras.optimizers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnzoo.training.optimizers import OPTIMIZERS, SGD, Adam, clip


def test_sgd_by_hand():
    weights = {"w": np.array([1.0, 2.0]), "b": np.array([0.5])}
    SGD(weights).update({"w": np.array([10.0, -10.0]), "b": np.array([0.0])}, rate=0.1, step=0)
    assert weights["w"].tolist() == [0.0, 3.0]
    assert weights["b"].tolist() == [0.5]


def test_adam_by_hand():
    weights = {"w": np.array([1.0])}
    adam = Adam(weights)
    adam.update({"w": np.array([2.0])}, rate=0.1, step=0)
    # m = 0.2, v = 0.004; corrected by 0.1 and 0.001: the step is rate * 2 / 2, but for epsilon.
    assert adam.slots["w/m"] == pytest.approx([0.2])
    assert adam.slots["w/v"] == pytest.approx([0.004])
    first = 0.1 * (0.2 / 0.1) / (2 + 1e-7 / math.sqrt(0.001))
    assert weights["w"] == pytest.approx([1 - first], abs=1e-15)
    adam.update({"w": np.array([-1.0])}, rate=0.05, step=1)
    # m = 0.9 * 0.2 - 0.1 = 0.08, v = 0.999 * 0.004 + 0.001 = 0.004996
    second = 0.05 * (0.08 / (1 - 0.81)) / math.sqrt(0.004996 / (1 - 0.999**2))
    assert weights["w"] == pytest.approx([1 - first - second], abs=1e-7)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_are_updated_in_place(name):
    """A model holds them by reference."""
    weights = {"w": np.ones(3, np.float32)}
    held = weights["w"]
    OPTIMIZERS[name](weights).update({"w": np.ones(3, np.float32)}, 0.1, 0)
    assert weights["w"] is held
    assert held.dtype == np.float32
    assert held == pytest.approx(0.9)


def gradients():
    return {"a": np.array([3.0, 0.0]), "b": np.array([[0.0], [-4.0]])}


def test_clip_by_norm_by_hand():
    received = gradients()
    assert clip(received, clipnorm=1, clipvalue=0) == 5  # of all gradients together
    assert received["a"] == pytest.approx([0.6, 0])
    assert received["b"] == pytest.approx(np.array([[0], [-0.8]]))


def test_clip_by_value_by_hand():
    received = gradients()
    assert clip(received, clipnorm=0, clipvalue=2) == pytest.approx(math.sqrt(8))
    assert received["a"].tolist() == [2, 0]
    assert received["b"].tolist() == [[0], [-2]]


def test_clip_by_value_then_by_norm():
    received = gradients()
    assert clip(received, clipnorm=1, clipvalue=3) == pytest.approx(math.sqrt(18))
    assert received["a"] == pytest.approx([math.sqrt(0.5), 0])
    assert received["b"].ravel() == pytest.approx([0, -math.sqrt(0.5)])


@pytest.mark.parametrize("bounds", [(0, 0), (5, 0), (5.1, 4), (0, 4)])
def test_gradients_within_bounds_are_left_alone(bounds):
    received = gradients()
    assert clip(received, *bounds) == 5
    assert all((received[name] == array).all() for name, array in gradients().items())


@pytest.mark.parametrize("flaw", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_shows_in_the_norm(flaw):
    with np.errstate(invalid="ignore"):
        assert not math.isfinite(clip({"a": np.array([1.0]), "b": np.array([0.0, flaw])}, 1, 0))


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "options"), [("adam", {}), ("sgd", {}), ("adam", {"clipnorm": 0.5}), ("sgd", {"clipvalue": 0.1})]
)
def test_as_keras_optimizers(name, options):
    from rnnzoo.keras_backend import keras

    rng = np.random.default_rng(0)
    initial = {"w": rng.normal(size=(4, 3)).astype(np.float32), "b": rng.normal(size=3).astype(np.float32)}
    weights = {key: array.copy() for key, array in initial.items()}
    ours = OPTIMIZERS[name](weights)
    theirs_options = {"global_clipnorm" if key == "clipnorm" else key: value for key, value in options.items()}
    theirs = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[name](learning_rate=0.0, **theirs_options)
    variables = {key: keras.Variable(array) for key, array in initial.items()}
    theirs.build(list(variables.values()))
    for step in range(10):
        rate = 0.05 / (step + 1)
        step_gradients = {key: rng.normal(size=array.shape).astype(np.float32) for key, array in initial.items()}
        theirs.learning_rate.assign(rate)
        theirs.apply([keras.ops.convert_to_tensor(step_gradients[key]) for key in variables])
        clip(step_gradients, options.get("clipnorm", 0), options.get("clipvalue", 0))
        ours.update(step_gradients, rate, step)
    for key, variable in variables.items():
        assert np.abs(variable.numpy() - initial[key]).max() > 0.01
        np.testing.assert_allclose(weights[key], variable.numpy(), rtol=0, atol=1e-6)
