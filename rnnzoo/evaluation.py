"""`evaluate`: a run's metrics on one split, beside its recipe's baselines, with what a reader must know of both."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from . import inference, paths, zoo
from .errors import CallError, did_you_mean
from .training.reporter import Reporter
from .training.train import restored_config

SPLITS = ("test", "validation", "train")


def evaluate(
    recipe: zoo.Recipe,
    run: str | None = None,
    *,
    data: str | None = None,
    split: str = "test",
    with_baselines: bool = True,
    reporter: Reporter | None = None,
    load: Callable[[zoo.Recipe, str | None], inference.Model] = inference.load,
) -> dict[str, Any]:
    """Metrics of a run on a split.

    Args:
        run: name or path; the newest trained one if None. Several, separated by commas, are evaluated as one model, where
            the recipe's `evaluation.ensemble(networks)` makes one of them.
        data: the corpus; the one that the run was trained on if None.
        load: gives the model of a run, for who has it loaded already.

    Returns:
        what `rnnzoo eval --json` prints; see DESIGN, Command line.
    """
    check_split(split)
    reporter = reporter or Reporter()
    models = [load(recipe, name) for name in (run.split(",") if run else [None])]
    model, network = models[0], _combined(recipe, models)
    config = restored_config(recipe, model.run)
    trained_on = model.run.record["corpus"]
    corpus = recipe.part("corpus").load_corpus(config, data or trained_on["argument"], reporter)
    if corpus.facts()["sha256"] != trained_on["sha256"]:
        reporter.warn(
            f"run {model.run.name} was trained on other data ({trained_on['name']}); its training items are not known here"
        )
    corpus = corpus.seen_through(network.vocabulary)
    module = recipe.part("evaluation")
    start = time.perf_counter()
    metrics = module.evaluate(network, corpus.split(split))
    seconds = time.perf_counter() - start
    report = {
        "recipe": recipe.name,
        "run": ",".join(model.run.name for model in models),
        "corpus": corpus.facts()["name"],
        "split": split,
        "items": corpus.items(split),
        "unit": recipe.card.UNIT,
        "split_sha256": corpus.split_sha256(split),
        **corpus.leakage(split),
        "seconds": round(seconds, 3),
        "metrics": metrics,
        "baselines": _baselines(recipe, corpus, split) if with_baselines else {},
    }
    if with_baselines:
        report["details"] = module.inspect(network, corpus, split)
    return report


def check_split(split: str) -> None:
    """Raises CallError unless there is a split of that name."""
    if split not in SPLITS:
        raise CallError(f"no split {split!r}", did_you_mean(split, SPLITS, f"splits: {', '.join(SPLITS)}"))


def _combined(recipe: zoo.Recipe, models: list[inference.Model]) -> Any:
    """The network of one model, or the ensemble of several."""
    if len(models) == 1:
        return models[0].network
    ensemble = getattr(recipe.part("evaluation"), "ensemble", None)
    if ensemble is None:
        raise CallError(f"{recipe.name} has no ensembles, received {len(models)} runs", "name one run")
    first, *others = (model.run.record["corpus"]["split_sha256"] for model in models)
    if any(other != first for other in others):
        raise CallError("the runs of an ensemble must be of one corpus and one split", "name runs of the same data and fold")
    return ensemble([model.network for model in models])


def _baselines(recipe: zoo.Recipe, corpus: Any, split: str) -> dict[str, dict[str, float]]:
    """The recipe's baselines on a split, from the cache where they have been measured on this very data before."""
    key = f"{corpus.facts()['sha256'][:16]}-{corpus.split_sha256(split)[:16]}-{recipe.source_sha256()[:16]}"
    path = paths.corpora() / recipe.name / f"baselines-{key}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        measured = recipe.part("evaluation").baselines(corpus, split)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(measured), encoding="utf-8")
        partial.replace(path)
    except OSError:
        pass  # a cache only
    return measured
