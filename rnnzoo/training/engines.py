"""Who computes a training step: NumPy, or Keras on TensorFlow. Both start from the same weights and take the same batches."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..batching import Batch
from ..zoo import Recipe
from .optimizers import OPTIMIZERS, clip

Arrays = dict[str, np.ndarray]


class Engine(Protocol):
    """A model under training. States are nested tuples of arrays of the engine's own kind."""

    name: str

    def step(self, batch: Batch, state: Any, rate: float, step: int) -> tuple[float, Any]:
        """One update with step size `rate`. Returns the summed loss of the batch in nats before it, and the final state.

        The weights are left as they were where the loss or a gradient is not finite; the loss returned is then not finite.
        """

    def weights(self) -> Arrays:
        """Weights by name, in Keras' layout; not to be changed."""

    def slots(self) -> Arrays:
        """What the optimiser keeps, by name."""

    def restore(self, weights: Arrays, slots: Arrays) -> None:
        """Continue from these weights and slots."""

    def export_state(self, state: Any) -> list[np.ndarray]: ...

    def import_state(self, arrays: list[np.ndarray]) -> Any: ...


class NumpyEngine:
    """Backpropagation through time in NumPy. No framework is imported."""

    name = "numpy"

    def __init__(self, recipe: Recipe, config: Any, vocabulary: Any, weights: Arrays, seed: int):
        self.seed, self.config = seed, config
        self._weights = {name: array.copy() for name, array in weights.items()}
        self.model = recipe.part("numpy_model").NumpyModel(config, vocabulary, self._weights)
        self.optimizer = OPTIMIZERS[config.optimizer](self._weights)

    def step(self, batch, state, rate, step):
        # Dropout is drawn from the seed and the step alone, so a resumed run draws what the uninterrupted one would.
        rng = np.random.default_rng([self.seed, 1, step])
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is looked for below
            loss, gradients, state = self.model.loss_and_gradients(batch, state, rng)
            norm = clip(gradients, self.config.clipnorm, self.config.clipvalue)
        if not (np.isfinite(loss) and np.isfinite(norm)):
            return float("nan"), state
        self.optimizer.update(gradients, rate, step)
        return loss, state

    def weights(self):
        return self._weights

    def slots(self):
        return self.optimizer.slots

    def restore(self, weights, slots):
        for target, source in ((self._weights, weights), (self.optimizer.slots, slots)):
            for name, array in target.items():
                array[...] = source[name]

    def export_state(self, state):
        return flatten(state)

    def import_state(self, arrays):
        return unflatten(self.model.initial_state(1), arrays)


class KerasEngine:
    """A `keras.Model` trained with a `keras.optimizers` optimiser in a compiled TensorFlow function."""

    name = "keras"

    def __init__(self, recipe: Recipe, config: Any, vocabulary: Any, weights: Arrays, seed: int):
        from ..keras_backend import keras, tf
        from ..layers.weights import named_variables, set_weights

        self.tf, self.keras, self.seed = tf, keras, seed
        self.model = recipe.part("model").build(config, vocabulary)
        set_weights(self.model, weights)
        self._variables = named_variables(self.model)
        optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[config.optimizer]
        self.optimizer = optimizer(learning_rate=config.learning_rate)
        trained = list(self._variables.values())
        self.optimizer.build(trained)

        @tf.function(reduce_retracing=True)
        def update(arrays, tokens, state, rate, step):
            if self.model.dropout_seed is not None:
                self.model.dropout_seed.state.assign(
                    tf.stack([tf.cast(seed % 2**32, tf.uint32), tf.cast(step, tf.uint32) * 256])
                )
            with tf.GradientTape() as tape:
                loss, state = self.model.batch_loss(arrays, state, training=True)
                mean = loss / tokens
            gradients = [tf.convert_to_tensor(g) for g in tape.gradient(mean, trained)]
            if config.clipvalue:
                gradients = [tf.clip_by_value(g, -config.clipvalue, config.clipvalue) for g in gradients]
            norm = tf.linalg.global_norm(gradients)
            if config.clipnorm:
                factor = config.clipnorm / tf.maximum(norm, config.clipnorm)
                gradients = [g * factor for g in gradients]
            if tf.math.is_finite(loss) & tf.math.is_finite(norm):
                self.optimizer.learning_rate.assign(rate)
                self.optimizer.apply(gradients, trained)
            else:
                loss = tf.constant(float("nan"))
            return loss, state

        self._update = update

    def step(self, batch, state, rate, step):
        tf = self.tf
        arrays = {name: tf.convert_to_tensor(array) for name, array in batch.arrays.items()}
        if state is None:
            state = self.model.initial_state(len(batch.arrays["inputs"]))
        loss, state = self._update(
            arrays, tf.constant(float(batch.tokens)), state, tf.constant(rate, tf.float32), tf.constant(step, tf.int64)
        )
        return float(loss), state

    def weights(self):
        return {name: variable.numpy() for name, variable in self._variables.items()}

    def slots(self):
        return {f"{i}": np.asarray(variable.numpy()) for i, variable in enumerate(self.optimizer.variables)}

    def restore(self, weights, slots):
        from ..layers.weights import set_weights

        set_weights(self.model, weights)
        for i, variable in enumerate(self.optimizer.variables):
            variable.assign(slots[f"{i}"])

    def export_state(self, state):
        return [np.asarray(array) for array in flatten(state)]

    def import_state(self, arrays):
        return unflatten(self.model.initial_state(1), [self.tf.convert_to_tensor(array) for array in arrays])


class Averaged:
    """An engine whose weights, as others see them, are a moving average of those under training (Polyak, Juditsky 1992).

    Of n steps at most n / (n + 9) is kept, so that the first weights are soon forgotten.
    """

    def __init__(self, engine: Engine, decay: float):
        self.engine, self.decay, self.name = engine, decay, engine.name
        self._average = {name: np.array(array) for name, array in engine.weights().items()}

    def step(self, batch, state, rate, step):
        loss, state = self.engine.step(batch, state, rate, step)
        kept = min(self.decay, (step + 1) / (step + 10))
        for name, array in self.engine.weights().items():
            average = self._average[name]
            average *= kept
            average += (1 - kept) * array
        return loss, state

    def weights(self):
        return self._average

    def slots(self):
        return self.engine.slots() | {f"{TRAINED}{name}": array for name, array in self.engine.weights().items()}

    def restore(self, weights, slots):
        trained = {name.removeprefix(TRAINED): array for name, array in slots.items() if name.startswith(TRAINED)}
        self.engine.restore(trained, {name: array for name, array in slots.items() if not name.startswith(TRAINED)})
        for name, array in self._average.items():
            array[...] = weights[name]

    def export_state(self, state):
        return self.engine.export_state(state)

    def import_state(self, arrays):
        return self.engine.import_state(arrays)


TRAINED = "trained/"  # before the names of the weights under training, among the slots
ENGINES = {"numpy": NumpyEngine, "keras": KerasEngine}


def make_engine(name: str, recipe: Recipe, config: Any, vocabulary: Any, weights: Arrays, seed: int) -> Engine:
    """The engine of that name, ready to train from `weights`; averaged where the configuration says so."""
    engine = ENGINES[name](recipe, config, vocabulary, weights, seed)
    return Averaged(engine, config.average) if config.average else engine


def flatten(state: Any) -> list:
    """The arrays of a nested tuple, in order."""
    if not isinstance(state, tuple):
        return [state]
    return [array for part in state for array in flatten(part)]


def unflatten(like: Any, arrays: list) -> Any:
    """`arrays` in the nesting of `like`."""
    remaining = iter(arrays)

    def fill(part):
        return tuple(fill(p) for p in part) if isinstance(part, tuple) else next(remaining)

    return fill(like)
