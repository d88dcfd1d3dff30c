"""The same as the command line, from Python: `rnnzoo.load`, `rnnzoo.train`, `rnnzoo.load_keras`."""

from __future__ import annotations

from typing import Any

from . import config as configs
from . import zoo
from .inference import Model, load
from .runs import Run
from .training.reporter import Reporter
from .training.train import train as _train

__all__ = ["load", "load_keras", "train"]


def train(
    recipe: str,
    *,
    preset: str | None = None,
    data: str | None = None,
    run: str | None = None,
    seed: int = 0,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
    **settings: Any,
) -> Run:
    """Train a recipe, for instance `rnnzoo.train("chargen", epochs=3)`; settings are fields of the recipe's Config.

    Returns:
        the run: `run.path`, `run.best`, `run.record`.

    Raises:
        CallError: for an unknown setting or a bad value.
    """
    loaded = zoo.load(recipe)
    config = configs.with_preset(loaded.card.Config, loaded.card.PRESETS, preset)
    config = configs.apply(config, (f"{key}={value}" for key, value in settings.items()))
    return _train(loaded, config, data=data, name=run, seed=seed, tensorboard=tensorboard, reporter=reporter)


def load_keras(recipe: str, run: str | None = None) -> Any:
    """The `keras.Model` of a run, with its best weights. This imports TensorFlow."""
    model: Model = load(recipe, run)
    from .layers.weights import set_weights

    built = model.recipe.part("model").build(model.network.config, model.network.vocabulary)
    set_weights(built, model.network.weights)
    return built
