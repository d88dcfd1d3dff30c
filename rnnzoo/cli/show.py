"""`rnnzoo show`: a recipe's settings and presets, or a run's configuration, layers, weights and metrics."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .. import console
from .options import JSON, QUIET

EXAMPLES = "Examples:  rnnzoo show chargen   |   rnnzoo show chargen/20260101-120000   |   rnnzoo show chargen --preset book"


def show(
    target: Annotated[str, typer.Argument(metavar="RECIPE|RUN", help="A recipe, or a run as RECIPE/RUN or by path.")],
    preset: Annotated[str | None, typer.Option(metavar="P", help="Show a recipe as this preset sets it.")] = None,
    json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Show a recipe's settings and presets, or a run's configuration, layers and metrics."""
    from .. import inspection

    described = inspection.describe(target, preset)
    if json:
        console.document(described)
    elif "run" in described:
        _render_run(described)
    else:
        _render_recipe(described)


def _render_recipe(d: dict[str, Any]) -> None:
    console.result(f"{d['recipe']}: {d['summary']}")
    console.result(f"corpora: {', '.join(d['corpora'])}, sample; presets: {', '.join(d['presets']) or 'none'}")
    console.table(
        "settings (KEY=VALUE after the recipe)", ["key", "value", "meaning"], [list(s.values()) for s in d["settings"]]
    )
    console.table("options of generate", ["option", "default", "meaning"], [list(o.values()) for o in d["options"]])
    _render_weights(d)


def _render_run(d: dict[str, Any]) -> None:
    record = d["record"]
    corpus = record["corpus"]
    counts = ", ".join(f"{count:,} {name}" for name, count in corpus["counts"].items())
    console.result(f"{d['recipe']}, run {d['run']} ({record['status']}), {d['path']}")
    console.result(f"corpus {corpus['name']}: {counts}")
    console.result(
        f"engine {record['engine']}, seed {record['seed']}, versions: "
        + ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    )
    console.result("settings: " + " ".join(f"{key}={value}" for key, value in record["config"].items()))
    _render_weights(d)
    rows = [[e["epoch"], e["step"], e["train_nats"], *e["validation"].values(), e["seconds"]] for e in record["history"]]
    if rows:
        names = list(record["history"][0]["validation"])
        console.table("history (validation split)", ["epoch", "step", "train nats", *names, "seconds"], rows)
    if best := record["best"]:
        console.result(f"best: {best['metric']} {best['value']:.4f} at epoch {best['epoch']}")


def _render_weights(d: dict[str, Any]) -> None:
    rows = [[w["name"], " x ".join(map(str, w["shape"])), w["gates"], w["parameters"]] for w in d["weights"]]
    console.table(
        f"weights ({d['vocabulary_note']})", ["name", "shape", "gates", "parameters"], [*rows, ["all", "", "", d["parameters"]]]
    )
