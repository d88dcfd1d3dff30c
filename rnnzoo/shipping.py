"""Make the model that comes with a recipe from a run: half-precision weights, what they score, whose text they learned.

    python -m rnnzoo.shipping RECIPE RUN

It becomes the folder `pretrained/` of the recipe, which is a run like any other (see `rnnzoo.runs`) without a state to resume
from. Whoever has no run of their own gets answers from it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from . import evaluation, inference, paths, runs, zoo
from .errors import RnnzooError
from .training.reporter import Reporter

LARGEST = 6_000_000  # bytes of one model
LARGEST_COST = 1e-3  # of the metric, relative: what half precision may cost


def ship(recipe: zoo.Recipe, run: str, reporter: Reporter | None = None) -> Path:
    """Make a run the recipe's shipped model, in place of the one before; returns its folder.

    Raises:
        RnnzooError: if the corpus may not be shipped, the model is too large, or half precision costs too much.
    """
    model = inference.load(recipe, run)
    source = model.run
    corpus = source.record["corpus"]["name"]
    licence = recipe.part("corpus").LICENCES.get(corpus)
    if licence is None or not licence.may_be_shipped:
        terms = licence.terms if licence else "unknown"
        raise RnnzooError(f"a model trained on {corpus} may not be shipped: its licence is {terms}", "train on another corpus")
    with np.errstate(over="ignore"):  # found below
        half = {name: array.astype(np.float16) for name, array in model.network.weights.items()}
    if not all(np.isfinite(array).all() for array in half.values()):
        raise RnnzooError("a weight is too large for half precision", "train with a smaller learning_rate")

    folder = paths.shipped(recipe.name)
    draft = folder.with_name("pretrained.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    shipped = runs.Run(draft, _record(recipe, source, licence))
    shutil.copyfile(source.path / "vocabulary.json", draft / "vocabulary.json")
    digest = shipped.write_arrays("best.safetensors", half)
    shipped.record["best"] = source.best | {"file": "best.safetensors", "sha256": digest}
    shipped.commit()
    try:
        _measure(recipe, source, shipped, reporter)
        size = sum(path.stat().st_size for path in draft.iterdir())
        if size > LARGEST:
            raise RnnzooError(f"the model has {size:,} bytes, at most {LARGEST:,} are shipped", "train a smaller one")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _record(recipe: zoo.Recipe, source: runs.Run, licence: Any) -> dict[str, Any]:
    """The run's record without what belongs to the machine it was made on."""
    left_out = ("last", "checkpoints", "best")
    record = {key: value for key, value in source.record.items() if key not in left_out}
    settings = [f"{key}={value}" for key, value in source.record["config"].items() if _differs(recipe, key, value)]
    data = source.record["corpus"]["argument"]
    chosen = [] if data == recipe.card.CORPORA[0] else ["--data", data]
    return record | {
        "name": runs.SHIPPED,
        "recipe_source": {"built_in": True, "sha256": source.record["recipe_source"]["sha256"]},
        "last": [],
        "shipped": {
            "licence": licence.terms,
            "attribution": licence.attribution,
            "command": " ".join(["rnnzoo", "train", recipe.name, *chosen, *settings]),
        },
    }


def _differs(recipe: zoo.Recipe, key: str, value: Any) -> bool:
    """Whether a setting has to be given to train the model again; how it was computed is no part of it."""
    return key not in ("engine", "threads", "minutes") and getattr(recipe.card.Config(), key, value) != value


def _measure(recipe: zoo.Recipe, source: runs.Run, shipped: runs.Run, reporter: Reporter | None) -> None:
    """Evaluate both precisions on the test split, and record it."""
    metric = recipe.card.METRIC
    full, half = (
        evaluation.evaluate(recipe, str(run.path), with_baselines=False, reporter=reporter) for run in (source, shipped)
    )
    before, after = full["metrics"][metric], half["metrics"][metric]
    worse = (after - before) if recipe.card.DIRECTION == "min" else (before - after)
    if worse > LARGEST_COST * abs(before):
        raise RnnzooError(f"half precision changes {metric} from {before:.5g} to {after:.5g}", "train another model")
    numbers = {key: value for key, value in half["metrics"].items() if isinstance(value, (int, float, str))}
    kept = ("corpus", "split", "items", "unit", "split_sha256", "seen_in_training")
    shipped.record["shipped"]["test"] = {key: half[key] for key in kept} | {"metrics": numbers, "full_precision": before}
    shipped.commit()


if __name__ == "__main__":
    try:
        made = ship(zoo.load(sys.argv[1]), sys.argv[2])
    except RnnzooError as error:
        sys.exit(f"error: {error.message}\nhint: {error.hint}")
    print(made, json.dumps(runs.open_run(made).record["shipped"], indent=1, ensure_ascii=False), sep="\n")
