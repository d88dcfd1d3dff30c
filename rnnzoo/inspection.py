"""What a recipe or a run consists of, as plain data: settings, weights with their shapes and gates, and for runs the record."""

from __future__ import annotations

import math
import os
from typing import Any

from . import config as configs
from . import paths, runs, zoo
from .errors import CallError
from .training.train import restored_config
from .vocabulary import Vocabulary


def describe(target: str, preset: str | None = None) -> dict[str, Any]:
    """A recipe (by name or folder) or a run (`RECIPE/RUN`, or the path of its folder)."""
    if (run := _find_run(target)) is not None:
        if preset:
            raise CallError(
                f"{target} is a run, a preset belongs to a recipe", f"rnnzoo show {run.record['recipe']} --preset {preset}"
            )
        return _describe_run(run)
    recipe = zoo.load(target)
    config = configs.with_preset(recipe.card.Config, recipe.card.PRESETS, preset)
    return {
        "recipe": recipe.name,
        "summary": recipe.card.SUMMARY,
        "corpora": list(recipe.card.CORPORA),
        "presets": list(recipe.card.PRESETS),
        "settings": _settings(config),
        "options": [
            {"option": configs.flag(name), "default": field.default, "meaning": field.metadata["help"]}
            for name, field in configs.fields(recipe.card.Options).items()
        ],
        **_weights(
            recipe, config, _typical(recipe.card.TYPICAL_VOCABULARY), f"for a vocabulary of {recipe.card.TYPICAL_VOCABULARY}"
        ),
    }


def _find_run(target: str) -> runs.Run | None:
    path = paths.given(target)
    if os.path.isfile(path / runs.RECORD):
        return runs.open_run(path)
    recipe, slash, name = target.partition("/")
    if slash and name and recipe in zoo.names():
        return runs.named(recipe, name)
    return None


def _describe_run(run: runs.Run) -> dict[str, Any]:
    name = run.record["recipe"]
    source = run.record["recipe_source"]
    # A run names the folder of a recipe by path only for people: opening a run never imports code from it.
    if not source["built_in"]:
        raise CallError(f"run {run.name} belongs to a recipe of your own", f"rnnzoo show {source['folder']} shows the recipe")
    recipe = zoo.load(name)
    vocabulary = run.vocabulary()
    return {
        "recipe": name,
        "run": run.name,
        "path": str(run.path),
        "record": run.record,
        **_weights(recipe, restored_config(recipe, run), vocabulary, f"vocabulary {_sizes(vocabulary)}, UNK included"),
    }


def _settings(config: Any) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": getattr(config, name), "meaning": field.metadata["help"]}
        for name, field in configs.fields(type(config)).items()
    ]


class _Sized:
    """Stands for a vocabulary of which only the size matters."""

    def __init__(self, size: int):
        self.size = size

    def __len__(self) -> int:
        return self.size


def _typical(size: int | dict[str, int]) -> Any:
    return {name: _Sized(n) for name, n in size.items()} if isinstance(size, dict) else _Sized(size)


def _sizes(vocabulary: Any) -> str:
    if isinstance(vocabulary, Vocabulary):
        return str(len(vocabulary))
    return ", ".join(f"{name} {len(own)}" for name, own in vocabulary.items())


def _weights(recipe: zoo.Recipe, config: Any, vocabulary: Any, note: str) -> dict[str, Any]:
    from .cells import CELLS

    shapes = recipe.part("numpy_model").weight_shapes(config, vocabulary)
    gates = " ".join(CELLS[config.cell].gates)
    weights = [
        {
            "name": name,
            "shape": list(shape),
            # Where a recurrent kernel lies beside it, the last axis is split by gate.
            "gates": gates if name.rpartition(".")[0] + ".recurrent_kernel" in shapes else "",
            "parameters": math.prod(shape),
        }
        for name, shape in shapes.items()
    ]
    return {"weights": weights, "parameters": sum(w["parameters"] for w in weights), "vocabulary_note": note}
