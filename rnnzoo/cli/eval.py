"""`rnnzoo eval`: a run's metrics on held-out data, beside simple baselines."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .. import console
from .options import DATA, JSON, QUIET, RECIPE, RUN

EXAMPLES = (
    "rnnzoo eval chargen",
    "rnnzoo eval chargen --split validation --no-baselines --json",
)


def evaluate(
    recipe: RECIPE,
    run: RUN = None,
    data: DATA = None,
    split: Annotated[str, typer.Option(metavar="S", help="test, validation or train.")] = "test",
    baselines: Annotated[bool, typer.Option("--baselines/--no-baselines", help="Measure simple baselines too.")] = True,
    folds: Annotated[int | None, typer.Option(metavar="K", help="Evaluate the K runs of train --folds K.")] = None,
    json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Evaluate a run on held-out data, beside simple baselines. Several runs, separated by commas, are an ensemble."""
    from .. import evaluation, zoo
    from .. import folds as splits

    reporter = console.QuietReporter() if quiet else console.TrainingReporter()
    options = {"data": data, "split": split, "with_baselines": baselines, "reporter": reporter}
    if folds is not None:
        report = splits.evaluate(zoo.load(recipe), folds, run, **options)
        render = _render_folds
    else:
        report = evaluation.evaluate(zoo.load(recipe), run, **options)
        render = _render
    if json:
        console.document(report)
    else:
        render(report)


def _render_folds(report: dict[str, Any]) -> None:
    console.result(f"{report['recipe']}, {len(report['folds'])} folds of {report['run']}, {report['split']} split")
    columns = list(report["mean"])
    rows = [
        [f"fold {k}", fold["items"], fold["seen_in_training"], *(fold["metrics"][column] for column in columns)]
        for k, fold in enumerate(report["folds"])
    ]
    for name, own in {"mean": report, **report["baselines"]}.items():
        cells = [f"{own['mean'][c]:.4g} +- {own['deviation'][c]:.2g}" if c in own["mean"] else "" for c in columns]
        rows.append([name, "", "", *cells])
    unit = report["folds"][0]["unit"]
    console.table("", ["", unit, "seen in training", *columns], rows)


def _render(report: dict[str, Any]) -> None:
    console.result(f"{report['recipe']}, run {report['run']}, corpus {report['corpus']}, {report['split']} split")
    console.result(
        f"{report['items']:,} {report['unit']}, SHA-256 {report['split_sha256'][:12]}..., "
        f"{report['seen_in_training']} of {report['texts']} texts seen whole in training, {report['seconds']:.2f} s"
        if "texts" in report
        else f"{report['items']:,} {report['unit']}, SHA-256 {report['split_sha256'][:12]}..., "
        f"{report['seen_in_training']:,} of them seen in training, {report['seconds']:.2f} s"
    )
    columns = list(report["metrics"])
    rows = [["this run", *report["metrics"].values()]]
    rows += [[name, *(metrics.get(column, "") for column in columns)] for name, metrics in report["baselines"].items()]
    console.table("", ["", *columns], rows)
    for name, value in report.get("details", {}).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            console.table(name.replace("_", " "), list(value[0]), [list(row.values()) for row in value])
        else:
            console.result(f"{name.replace('_', ' ')}: {value}")
