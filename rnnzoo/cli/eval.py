"""`rnnzoo eval`: a run's metrics on held-out data, beside simple baselines."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .. import console
from .options import DATA, JSON, QUIET, RECIPE, RUN

EXAMPLES = "Examples:  rnnzoo eval chargen   |   rnnzoo eval chargen --split validation --no-baselines --json"


def evaluate(
    recipe: RECIPE,
    run: RUN = None,
    data: DATA = None,
    split: Annotated[str, typer.Option(metavar="S", help="test, validation or train.")] = "test",
    baselines: Annotated[bool, typer.Option("--baselines/--no-baselines", help="Measure simple baselines too.")] = True,
    json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Evaluate a run on held-out data, beside simple baselines."""
    from .. import evaluation, zoo

    reporter = console.QuietReporter() if quiet else console.TrainingReporter()
    report = evaluation.evaluate(zoo.load(recipe), run, data=data, split=split, with_baselines=baselines, reporter=reporter)
    if json:
        console.document(report)
    else:
        _render(report)


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
        console.result(f"{name.replace('_', ' ')}: {value}")
