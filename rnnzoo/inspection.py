"""What a recipe or a run consists of, as plain data: settings, weights with their shapes and gates, and for runs the record.

And what goes on inside a run's recurrent layers: gradients by lag, hidden units over a text, weights by gate. What is computed
there is in `rnnzoo.probes`.
"""

from __future__ import annotations

import math
import os
from typing import Any

from . import config as configs
from . import inference, paths, runs, zoo
from .errors import CallError, did_you_mean
from .training.reporter import Reporter
from .training.train import restored_config
from .vocabulary import Vocabulary


def describe(target: str, preset: str | None = None) -> dict[str, Any]:
    """A recipe (name or folder) or a run (`RECIPE/RUN`, its folder, or its name alone where one recipe only has such a run)."""
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
    if zoo.is_path(target) or target in zoo.names():
        return None
    known = {recipe: runs.names(recipe) for recipe in zoo.names()}
    owners = [recipe for recipe, own in known.items() if target in own]
    if len(owners) > 1:
        raise CallError(
            f"several recipes have a run {target!r}", f"name one: {', '.join(f'{recipe}/{target}' for recipe in owners)}"
        )
    if not owners:
        names = dict.fromkeys([*known, *(name for own in known.values() for name in own)])
        otherwise = f"recipes: {', '.join(known)}; a folder of your own: ./{target}; rnnzoo list shows the runs"
        raise CallError(f"no recipe or run {target!r}", did_you_mean(target, names, otherwise))
    return runs.named(owners[0], target)


def _recipe_of(run: runs.Run) -> zoo.Recipe:
    source = run.record["recipe_source"]
    # A run names the folder of a recipe by path only for people: opening a run never imports code from it.
    if not source["built_in"]:
        raise CallError(f"run {run.name} belongs to a recipe of your own", f"rnnzoo show {source['folder']} shows the recipe")
    return zoo.load(run.record["recipe"])


def _describe_run(run: runs.Run) -> dict[str, Any]:
    recipe = _recipe_of(run)
    vocabulary = run.vocabulary()
    return {
        "recipe": recipe.name,
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


# -- inside the recurrent layers of a run --------------------------------------------------------------------------------------

WINDOWS = 32  # held-out items that a gradient is averaged over
LARGEST_LAG = 100  # steps
LEAD_IN = 50  # steps read before those of the lags, where there are as many: the state at the largest lag is then a used one


def _model(target: str) -> inference.Model:
    """A run (as to `describe`), or the newest trained run of a recipe (by name or folder)."""
    run = _find_run(target)
    return inference.load(zoo.load(target) if run is None else _recipe_of(run), run)


def _named(model: inference.Model) -> dict[str, Any]:
    config = model.network.config
    return {"recipe": model.recipe.name, "run": model.run.name, "cell": config.cell, "units": config.units}


def _hook(model: inference.Model, name: str) -> Any:
    hook = getattr(model.network, name, None)
    if hook is None:
        raise CallError(
            f"recipe {model.recipe.name} does not open its recurrent layers: its NumpyModel has no method {name!r}",
            "rnnzoo/probes.py says what it returns, recipes/chargen/numpy_model.py has one",
        )
    return hook


def gradients(target: str, reporter: Reporter | None = None) -> dict[str, Any]:
    """The norm of dL_T/ds_t by lag T - t for each state s of a run's recurrent layers, on the test items of its corpus.

    Returns:
        {"recipe", "run", "cell", "units", "corpus", "layers": [{"layer", "state", "norms", "items"}]}, the highest
        layer first, where entry k of `norms` is the mean of `items[k]` items at lag k, up to LARGEST_LAG.
    """
    from threadpoolctl import threadpool_limits

    from .probes import gradients_by_lag

    model = _model(target)
    probe_loss = _hook(model, "probe_loss")
    trained_on = model.run.record["corpus"]
    reporter = reporter or Reporter()
    corpus = model.recipe.part("corpus").load_corpus(model.network.config, trained_on["argument"], reporter)
    if corpus.facts()["sha256"] != trained_on["sha256"]:
        reporter.warn(
            f"run {model.run.name} was trained on other data ({trained_on['name']}); its test items may be known to it"
        )
    corpus = corpus.seen_through(model.network.vocabulary)
    with threadpool_limits(1, user_api="blas"):  # step by step, products are small: waiting threads would take turns spinning
        found = gradients_by_lag(probe_loss(corpus.split("test"), WINDOWS, LEAD_IN + LARGEST_LAG + 1), LARGEST_LAG)
    layers = [{"layer": f.layer, "state": f.state, "norms": f.norms.tolist(), "items": f.items.tolist()} for f in found]
    return {**_named(model), "corpus": corpus.facts()["name"], "layers": layers}


def activations(target: str, text: str) -> dict[str, Any]:
    """The hidden units of a run over a text.

    Returns:
        {"recipe", "run", "cell", "units", "layers": [{"layer", "tokens", "units", "activations"}]}: of each layer what it
        read, all units by number, those whose activation varies most over the text first, and their activations
        `[units, steps]`. The two directions of a bidirectional layer are two layers here.
    """
    from .probes import Probe, hidden_units

    model = _model(target)
    found = _hook(model, "probe")(text) if text else []
    probes = [found] if isinstance(found, Probe) else found
    if not all(probe.tokens for probe in probes) or not probes:
        raise CallError(f"hidden units are shown over a text, received {text!r}", 'for instance --activations "a text"')
    layers = []
    for probe in probes:
        for name, y in hidden_units(probe).items():
            order = (-y[0].std(axis=0)).argsort(kind="stable")
            read = {"layer": name, "tokens": list(probe.tokens), "units": order.tolist()}
            layers.append({**read, "activations": y[0].T[order].tolist()})
    return {**_named(model), "layers": layers}


def weights_by_gate(target: str) -> dict[str, Any]:
    """The weights of a run, those of recurrent layers by gate: {"recipe", "run", "cell", "units", "weights": [...]}.

    See `rnnzoo.probes.weights_by_gate` for what is said of each.
    """
    from .cells import CELLS
    from .probes import weights_by_gate

    model = _model(target)
    network = model.network
    ordered = model.recipe.part("numpy_model").weight_shapes(network.config, network.vocabulary)
    weights = {name: network.weights[name] for name in ordered}
    return {**_named(model), "weights": weights_by_gate(weights, CELLS[network.config.cell].gates)}
