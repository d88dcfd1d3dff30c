"""`--folds K`: the same recipe trained on K splits of its corpus, one run for each, and evaluated with mean and deviation.

It needs a recipe whose Config has the setting `fold`. The runs of one training are called NAME-fold0, NAME-fold1, ...
"""

from __future__ import annotations

import dataclasses
import re
import statistics
import time
from typing import Any

from . import config as configs
from . import evaluation, runs, zoo
from .errors import CallError, RunError
from .runs import Run
from .training.reporter import Reporter
from .training.train import restored_config
from .training.train import resume as _resume
from .training.train import train as _train

_RUN = re.compile(r"(.+)-fold(\d+)")


def name_of(base: str, fold: int) -> str:
    """The name of the run of a fold."""
    return f"{base}-fold{fold}"


def fresh_name() -> str:
    """What the names of a training's runs begin with where nothing else is said: the time of day."""
    return time.strftime("%Y%m%d-%H%M%S")


def train(
    recipe: zoo.Recipe,
    config: Any,
    folds: int,
    *,
    data: str | None = None,
    name: str | None = None,
    seed: int = 0,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
) -> list[Run]:
    """Train one run for each of the folds 0 to `folds` - 1; `name` is what their names begin with, else the time of day.

    Raises:
        CallError: if the recipe has no folds, or not as many; or if there are runs of that name.
    """
    check(recipe, folds)
    name = name or fresh_name()
    if taken := sorted({name_of(name, fold) for fold in range(folds)} & set(runs.names(recipe.name))):
        raise CallError(
            f"{recipe.name} already has a run {taken[0]!r}",
            f"rnnzoo train {recipe.argument} --folds {folds} --run {name} --resume goes on with it; or choose another name",
        )
    return [
        _train(
            recipe,
            dataclasses.replace(config, fold=fold),
            data=data,
            name=name_of(name, fold),
            seed=seed,
            tensorboard=tensorboard,
            reporter=reporter,
        )
        for fold in range(folds)
    ]


def resume(
    recipe: zoo.Recipe,
    overrides: list[str],
    folds: int,
    *,
    name: str | None = None,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
) -> list[Run]:
    """Go on with a training of folds: with the runs that are unfinished, and then with the folds that have none yet.

    Args:
        overrides: as for `training.train.resume`.
        name: as given to `train`; None for the newest training that is unfinished.
    """
    check(recipe, folds)
    name = name or _newest_unfinished(recipe, folds)
    there = set(runs.names(recipe.name))
    begun = [fold for fold in range(folds) if name_of(name, fold) in there]
    if not begun:
        raise RunError(
            f"{recipe.name} has no run {name_of(name, 0)!r} to go on with",
            f"rnnzoo train {recipe.argument} --folds {folds} --run {name} begins one",
        )
    trained = {
        fold: _resume(recipe, overrides, name=name_of(name, fold), tensorboard=tensorboard, reporter=reporter) for fold in begun
    }
    first = trained[begun[0]]
    config = restored_config(recipe, first)
    for fold in sorted(set(range(folds)) - set(begun)):
        trained[fold] = _train(
            recipe,
            dataclasses.replace(config, fold=fold),
            data=first.record["corpus"]["argument"],
            name=name_of(name, fold),
            seed=first.record["seed"],
            tensorboard=tensorboard or first.record.get("tensorboard", False),
            reporter=reporter,
        )
    return [trained[fold] for fold in range(folds)]


def evaluate(
    recipe: zoo.Recipe,
    folds: int,
    run: str | None = None,
    *,
    data: str | None = None,
    split: str = "test",
    with_baselines: bool = True,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Every fold's report (see `evaluation.evaluate`), with the mean and the deviation of each metric that is one number.

    Args:
        run: the name given to `train`; several, separated by commas, are one ensemble per fold. None: the newest.

    Returns:
        {"recipe", "run", "split", "folds": [report], "mean": {metric: mean}, "deviation": {metric: sample deviation},
        "baselines": {name: {"mean": {...}, "deviation": {...}}}}
    """
    check(recipe, folds)
    bases = run.split(",") if run else [_newest(recipe, folds)]
    reports = [
        evaluation.evaluate(
            recipe,
            ",".join(name_of(base, fold) for base in bases),
            data=data,
            split=split,
            with_baselines=with_baselines,
            reporter=reporter,
        )
        for fold in range(folds)
    ]
    baselines = {
        name: summary([report["baselines"][name] for report in reports if name in report["baselines"]])
        for name in reports[0]["baselines"]
    }
    measured = summary([report["metrics"] for report in reports])
    return {"recipe": recipe.name, "run": ",".join(bases), "split": split, "folds": reports, **measured, "baselines": baselines}


def summary(metrics: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean and sample deviation (0 of one item) of the metrics that are numbers."""
    names = [name for name, value in metrics[0].items() if isinstance(value, (int, float))]
    columns = {name: [own[name] for own in metrics] for name in names}
    return {
        "mean": {name: statistics.fmean(values) for name, values in columns.items()},
        "deviation": {name: statistics.stdev(values) if len(values) > 1 else 0.0 for name, values in columns.items()},
    }


def check(recipe: zoo.Recipe, folds: int) -> None:
    """Raises CallError unless the recipe can be split in so many ways."""
    field = configs.fields(recipe.card.Config).get("fold")
    if field is None:
        raise CallError(f"{recipe.name} has no folds: its corpus has one split", "leave --folds out")
    most = field.metadata["maximum"] + 1
    if not 1 <= folds <= most:
        raise CallError(f"--folds must be from 1 to {most}, received {folds}", f"--folds {most} trains all of them")


def _newest(recipe: zoo.Recipe, folds: int) -> str:
    """The newest training of all these folds."""
    usable = {run.name for run in runs.runs_of(recipe.name) if run.best}
    for run in runs.runs_of(recipe.name):
        base = (_RUN.fullmatch(run.name) or [None, None])[1]
        if base and all(name_of(base, fold) in usable for fold in range(folds)):
            return base
    raise RunError(f"{recipe.name} has no training of {folds} folds", f"rnnzoo train {recipe.argument} --folds {folds}")


def _newest_unfinished(recipe: zoo.Recipe, folds: int) -> str:
    """The newest training that has not come to its end in each of these folds."""
    found = runs.runs_of(recipe.name)
    finished = {run.name for run in found if run.finished}
    for run in found:
        base = (_RUN.fullmatch(run.name) or [None, None])[1]
        if base and not all(name_of(base, fold) in finished for fold in range(folds)):
            return base
    raise RunError(
        f"{recipe.name} has no unfinished training of {folds} folds", f"rnnzoo train {recipe.argument} --folds {folds}"
    )
