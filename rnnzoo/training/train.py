"""`train`: from a recipe and its settings to a finished run."""

from __future__ import annotations

import dataclasses
import math
import os
import platform
import time
from typing import Any

import numpy as np

from .. import __version__, runs, zoo
from .. import config as configs
from ..cells.initial import initial_weights
from ..errors import CallError, RunError
from ..runs import Run
from . import threads
from .engines import make_engine
from .events import Events
from .loop import Task, fit, out_of_patience
from .reporter import Reporter

# epochs re-plans the schedule, minutes and patience say only when to stop; all else would be another run.
FREE_ON_RESUME = ("epochs", "minutes", "patience")


def train(
    recipe: str | zoo.Recipe,
    config: Any = None,
    *,
    data: str | None = None,
    name: str | None = None,
    seed: int = 0,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
    share: int = 0,
) -> Run:
    """Train a recipe in a new run directory.

    Args:
        recipe: its name, or the path of a folder.
        config: an instance of the recipe's Config; its defaults if None.
        data: a registered corpus, `sample`, `tfds:NAME` or a path; the recipe's own corpus if None.
        name: of the run; by the time of day if None.
        seed: of initial weights, shuffles and dropout.
        tensorboard: write event files, which takes the keras engine; see `events`.
        share: threads where the setting `threads` leaves it open; 0 for a fair share of what is there.

    Raises:
        RnnzooError: whatever keeps it from training, with a hint.
        Interrupted: after SIGINT or SIGTERM, with the checkpoint saved.
    """
    recipe = zoo.load(recipe) if isinstance(recipe, str) else recipe
    reporter = reporter or Reporter()
    config = recipe.card.Config() if config is None else config
    engine_name = _engine_for(recipe, config, tensorboard, reporter)
    corpus = recipe.part("corpus").load_corpus(config, data, reporter)
    _refuse_giants(recipe, config, corpus.vocabulary)
    with threads.limited(config.threads or share) as count:
        facts = {"config": dataclasses.asdict(config), "corpus": {"argument": data, **corpus.facts()}, "seed": seed}
        machine = {"engine": engine_name, "threads": count, "versions": _versions(engine_name), "tensorboard": tensorboard}
        plan = _plan(config, len(corpus.batches(config, 0, seed)))
        run = runs.create(recipe.name, name, {**_new(recipe), **facts, **machine, "plan": plan}, corpus.vocabulary)
        try:
            with runs.exclusive(run):
                _train(recipe, run, config, corpus, reporter)
        except Exception:
            if not run.record["last"]:  # it failed before its first checkpoint: there is nothing to go on from
                run.discard()
            raise
    return run


def _new(recipe: zoo.Recipe) -> dict[str, Any]:
    """The record of a run that has not begun."""
    return {
        "recipe_source": {"built_in": recipe.built_in, "folder": str(recipe.folder), "sha256": recipe.source_sha256()},
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "status": "unfinished",
        "history": [],
        "best": None,
        "last": [],
    }


def _plan(config: Any, steps_per_epoch: int) -> dict[str, int]:
    return {
        "epochs": config.epochs,
        "steps_per_epoch": steps_per_epoch,
        "total_steps": steps_per_epoch * config.epochs,
    }


def resume(
    recipe: str | zoo.Recipe,
    overrides: list[str] = (),
    *,
    name: str | None = None,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
) -> Run:
    """Go on with a run from its last checkpoint: the newest unfinished one, or the one named.

    Args:
        overrides: `key=value`; a setting that differs from the run's is an error, save for `epochs`, `minutes` and `patience`.
        tensorboard: write event files from here on; a run that was started so needs no telling.
    """
    recipe = zoo.load(recipe) if isinstance(recipe, str) else recipe
    reporter = reporter or Reporter()
    with recipe.hints_by_argument():
        run = runs.named(recipe.name, name) if name else runs.resumable(recipe.name)
    if run.shipped:
        raise CallError(f"the model that comes with {recipe.name} has no state to resume from", run.shipped["command"])
    with runs.exclusive(run):
        _resume(recipe, run, overrides, tensorboard, reporter)
    return run


def _resume(recipe: zoo.Recipe, run: Run, overrides: list[str], tensorboard: bool, reporter: Reporter) -> None:
    if tensorboard and run.record["engine"] != "keras":
        raise CallError(
            f"--tensorboard writes with TensorFlow, run {run.name} was started with engine={run.record['engine']}",
            "leave --tensorboard out, or start a new run with it",
        )
    old = restored_config(recipe, run)
    config = configs.apply(old, overrides)
    changed = configs.differences(old, config)
    fixed = [key for key in changed if key not in FREE_ON_RESUME]
    if fixed:
        before, after = changed[fixed[0]]
        raise CallError(
            f"run {run.name} was started with {fixed[0]}={before}, it cannot go on with {fixed[0]}={after}",
            f"leave {fixed[0]} out, or start a new run without --resume",
        )
    done = run.record["last"][0]["progress"]["epoch"] if run.record["last"] else 0
    if config.epochs < done:
        raise CallError(f"run {run.name} is already at epoch {done}, received epochs={config.epochs}", f"epochs={done} or more")
    if run.finished and (why := _at_its_end(run, config, done)):
        reporter.note(f"run {run.name} is {why}")
        run.tidy()
        return
    if "epochs" in changed:
        reporter.note(
            f"re-planned from {old.epochs} to {config.epochs} epochs: the step size follows the new plan from here on"
        )
        run.record["plan"] = _plan(config, run.record["plan"]["steps_per_epoch"])
    corpus = recipe.part("corpus").load_corpus(config, run.record["corpus"]["argument"], reporter)
    if corpus.facts()["sha256"] != run.record["corpus"]["sha256"]:
        raise RunError(
            f"the corpus has changed since run {run.name} was started: expected SHA-256 "
            f"{run.record['corpus']['sha256'][:12]}..., found {corpus.facts()['sha256'][:12]}...",
            "restore the file it was trained on, or start a new run",
        )
    run.record["config"], run.record["status"] = dataclasses.asdict(config), "unfinished"
    run.record["tensorboard"] = tensorboard or run.record.get("tensorboard", False)
    if changed:
        run.commit()  # now, not with the next checkpoint: after a kill in between, --resume goes on with the new plan
    # The recorded number of threads, whatever else runs now: it can decide the last bit of a sum.
    with threads.limited(run.record.get("threads", config.threads)):
        _train(recipe, run, config, corpus, reporter)


def _at_its_end(run: Run, config: Any, done: int) -> str:
    """Why a run that has ended has nothing to do under a configuration, in words; "" where it can go on."""
    if run.record["status"] == "finished":
        return f"already at epoch {done}; epochs=M extends it" if config.epochs == done else ""
    if config.epochs == done:
        return ""  # it is re-planned to end here
    if config.minutes and run.record["last"][0]["progress"]["seconds"] >= config.minutes * 60:
        return f"stopped after epoch {done} by minutes={config.minutes:g}; minutes=0 lifts the cap"
    if out_of_patience(run, config.patience):  # one more epoch would end in the same way
        return f"stopped after epoch {done} by patience={config.patience}; patience=0 lifts it"
    return ""


def summary(run: Run) -> dict[str, Any]:
    """What `rnnzoo train --json` prints of a run."""
    history, best = run.record["history"], run.best
    seconds = run.record["last"][0]["progress"]["seconds"] if run.record["last"] else 0.0
    return {
        "recipe": run.record["recipe"],
        "run": run.name,
        "path": str(run.path),
        "status": run.record["status"],
        "engine": run.record["engine"],
        "corpus": run.record["corpus"]["name"],
        "epochs": len(history),
        "best": {key: best[key] for key in ("metric", "value", "epoch")} if best else None,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(sum(entry["tokens"] for entry in history) / max(seconds, 1e-9), 1),
    }


def check(recipe: zoo.Recipe, config: Any, tensorboard: bool = False) -> None:
    """Refuse, without a corpus, settings that do not go together or ask for more than this machine has.

    Raises:
        CallError: with the reason.
    """
    _engine_for(recipe, config, tensorboard, Reporter())
    _refuse_giants(recipe, config, recipe.part("numpy_model").example_vocabulary())


def restored_config(recipe: zoo.Recipe, run: Run) -> Any:
    """The configuration that a run records, as an instance of the recipe's Config."""
    try:
        return configs.restore(recipe.card.Config, run.record["config"])
    except (ValueError, TypeError) as error:
        raise RunError(f"run {run.name} does not fit recipe {recipe.name}: {error}", f"rnnzoo train {recipe.name}") from None


def _train(recipe: zoo.Recipe, run: Run, config: Any, corpus: Any, reporter: Reporter) -> None:
    numpy_model, evaluation = recipe.part("numpy_model"), recipe.part("evaluation")
    vocabulary, seed = corpus.vocabulary, run.record["seed"]
    weights = initial_weights(numpy_model.weight_shapes(config, vocabulary), seed, config.embedding_scale)
    engine = make_engine(run.record["engine"], recipe, config, vocabulary, weights, seed)

    def twin(trained):
        return numpy_model.NumpyModel(config, vocabulary, trained)

    def validate(trained):
        with np.errstate(over="ignore", invalid="ignore"):  # the loop looks for what is not finite
            return evaluation.evaluate(twin(trained), corpus.validation)

    task = Task(
        config=config,
        batches=lambda epoch: corpus.batches(config, epoch, seed),
        carries_state=corpus.carries_state(config),
        validate=validate,
        metric=recipe.card.METRIC,
        direction=recipe.card.DIRECTION,
        sample=lambda trained, epoch: twin(trained).sample(config, epoch),
        # Only recipes that learn from their validation items in the end have a say here.
        refits=(lambda epoch: corpus.refits(config, epoch)) if hasattr(corpus, "refits") else Task.refits,
    )
    if run.record["tensorboard"]:
        reporter = Events(reporter, run, config)
    reporter.start(
        {
            "recipe": recipe.name,
            "run": run.name,
            "path": str(run.path),
            "corpus": corpus.facts(),
            "parameters": sum(array.size for array in weights.values()),
            "engine": engine.name,
            "epochs": config.epochs,
            "steps_per_epoch": run.record["plan"]["steps_per_epoch"],
            "metric": task.metric,
        }
    )
    fit(run, task, engine, reporter)


def _refuse_giants(recipe: zoo.Recipe, config: Any, vocabulary: Any) -> None:
    """Refuse a model that cannot be trained in this machine's memory, before a run of it is begun."""
    shapes = recipe.part("numpy_model").weight_shapes(config, vocabulary)
    parameters = sum(math.prod(shape) for shape in shapes.values())
    needed = 4 * 4 * parameters  # weights, gradients and Adam's two slots, in float32
    if hasattr(os, "sysconf"):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if needed > memory:
            raise CallError(
                f"the model would have {parameters:,} parameters and take {needed / 2**30:,.0f} GiB in training, "
                f"this machine has {memory / 2**30:,.0f}",
                "fewer units or layers",
            )


def _engine_for(recipe: zoo.Recipe, config: Any, tensorboard: bool, reporter: Reporter) -> str:
    """The engine for a configuration. A choice without a NumPy twin is refused here, before anything is trained."""
    if tensorboard and config.engine == "numpy":
        raise CallError("--tensorboard writes with TensorFlow, received engine=numpy", "engine=keras, or leave one of them out")
    if config.engine != "auto":
        return config.engine
    if tensorboard:
        reporter.note("engine keras, for --tensorboard")
        return "keras"
    return recipe.part("numpy_model").faster_engine(config)


def _versions(engine: str) -> dict[str, str]:
    versions = {"rnnzoo": __version__, "python": platform.python_version(), "numpy": np.__version__}
    if engine == "keras":
        from ..keras_backend import keras, tf

        versions |= {"tensorflow": tf.__version__, "keras": keras.__version__}
    return versions
