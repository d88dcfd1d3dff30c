"""`verify`: the NumPy twin against Keras, layer by layer, on the same weights and inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import inference, zoo
from .cells.initial import initial_weights
from .training.engines import flatten

TOLERANCE = 1e-5  # largest difference in float32 that counts as agreement; see `_difference`


def verify(recipe: zoo.Recipe, run: str | None = None, *, seed: int = 0) -> dict[str, Any]:
    """Largest absolute differences of a run's outputs and final states; of a fresh model's where the recipe has no run.

    Returns:
        {"recipe", "run", "differences": {layer: difference}, "tolerance", "agree"}
    """
    from .keras_backend import tf
    from .layers.weights import set_weights
    from .runs import runs_of, shipped

    module = recipe.part("numpy_model")
    if run is None and not any(r.best for r in runs_of(recipe.name)) and not shipped(recipe.name):
        config, name = recipe.card.Config(), "(none yet: fresh weights of the default configuration)"
        vocabulary = module.example_vocabulary()
        network = module.NumpyModel(config, vocabulary, initial_weights(module.weight_shapes(config, vocabulary), seed))
    else:
        model = inference.load(recipe, run)
        network, config, name = model.network, model.network.config, model.run.name
    keras_model = recipe.part("model").build(config, network.vocabulary)
    set_weights(keras_model, network.weights)
    ours, theirs = {}, {}
    rng = np.random.default_rng(seed)
    x, state = network.example_input(rng)
    _, our_state = network.call(x, state, record=ours)
    # `call`, not the model's own `__call__`, which would hand `record` on as a copy.
    _, their_state = keras_model.call(_tensors(x, tf), _tensors(state, tf), record=theirs)
    differences = {layer: _difference(ours[layer], theirs[layer]) for layer in ours}
    differences["final state"] = max(map(_difference, flatten(our_state), flatten(their_state)))
    return {
        "recipe": recipe.name,
        "run": name,
        "differences": differences,
        "tolerance": TOLERANCE,
        "agree": max(differences.values()) <= TOLERANCE,
    }


def _difference(a: Any, b: Any) -> float:
    """Largest difference: absolute for values up to 1, relative above, where a float32 itself is coarser than the tolerance."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float((np.abs(a - b) / np.maximum(1, np.abs(b))).max())


def _tensors(state: Any, tf: Any) -> Any:
    return tf.nest.map_structure(tf.convert_to_tensor, state)
