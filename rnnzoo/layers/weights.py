"""Weights by the path of attributes that leads to them, which we choose; `variable.path` is Keras' and changes with use."""

from __future__ import annotations

from typing import Any

import numpy as np


def named_variables(model: Any) -> dict[str, Any]:
    """Trainable variables of a `keras.Model` by name, for instance "rnn.0.recurrent_kernel".

    Public attributes that hold a layer, or a list or dictionary of layers, are followed in the order they were set; within a
    Keras layer a variable goes by its own name. Every variable must be reached, and once.
    """
    found: dict[str, Any] = {}
    for attribute, value in vars(model).items():
        if attribute.startswith("_"):
            continue
        for path, layer in _layers(attribute, value):
            for variable in layer.trainable_variables:
                name = f"{path}.{variable.name}"
                if name in found:
                    raise ValueError(f"two variables are called {name!r}: give the layer a model of its own attributes")
                found[name] = variable
    if len(found) != len(model.trainable_variables):
        raise ValueError("some trainable variables are not under a public attribute of the model")
    return found


def set_weights(model: Any, weights: dict[str, np.ndarray]) -> None:
    """Assign weights by name; names and shapes must be exactly those of the model."""
    variables = named_variables(model)
    if set(variables) != set(weights):
        raise ValueError(f"expected weights {sorted(variables)}, received {sorted(weights)}")
    for name, variable in variables.items():
        variable.assign(weights[name])


def _layers(path: str, value: Any):
    import keras

    if isinstance(value, keras.layers.Layer):
        yield path, value
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _layers(f"{path}.{index}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _layers(f"{path}.{key}", item)
