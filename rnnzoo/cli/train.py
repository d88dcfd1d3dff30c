"""`rnnzoo train`: train a recipe, or go on with a run."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import console
from ..errors import CallError
from . import completion
from .options import DATA, JSON, QUIET, RECIPE

EXAMPLES = (
    "rnnzoo train chargen epochs=3",
    "rnnzoo train chargen --data book.txt cell=lstm units=256",
)


def train(
    recipe: RECIPE,
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings; rnnzoo show RECIPE lists them.")
    ] = None,
    preset: Annotated[str | None, typer.Option(metavar="P", help="A named configuration to start from.")] = None,
    data: DATA = None,
    run: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the new run, or the run to resume.", autocompletion=completion.runs),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, shuffles and dropout.")] = 0,
    folds: Annotated[int | None, typer.Option(metavar="K", help="Train K runs, each on another split.")] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard event files into the run's folder (keras engine).")
    ] = False,
    json: JSON = False,
    quiet: QUIET = False,
) -> int:
    """Train a recipe. Ctrl-C saves; --resume goes on."""
    from .. import config as configs
    from .. import folds as splits
    from .. import zoo
    from ..training import train as training
    from ..training.interrupts import Interrupted

    if resume and (preset or data):
        raise CallError("--resume goes on with a run as it was started", "leave out --preset and --data")
    loaded = zoo.load(recipe)
    if folds is not None and not resume:
        run = run or splits.fresh_name()
    reporter = console.QuietReporter() if quiet else console.TrainingReporter()
    shared = {"name": run, "tensorboard": tensorboard, "reporter": reporter}
    try:
        if resume and folds is not None:
            trained = splits.resume(loaded, settings or [], folds, **shared)
        elif resume:
            trained = [training.resume(loaded, settings or [], **shared)]
        else:
            config = configs.apply(configs.with_preset(loaded.card.Config, loaded.card.PRESETS, preset), settings or [])
            if folds is not None:
                trained = splits.train(loaded, config, folds, data=data, seed=seed, **shared)
            else:
                trained = [training.train(loaded, config, data=data, seed=seed, **shared)]
    except Interrupted as interrupted:
        _close(reporter)
        console.note(f"interrupted ({interrupted}); the checkpoint is saved. Go on: {_how_to_resume(recipe, run, folds)}")
        return 128 + interrupted.signal
    finally:
        _close(reporter)
    for finished in trained:
        summary = training.summary(finished)
        if json:
            console.document(summary)
        elif not quiet:
            _tell(finished, summary, loaded, recipe)
    return 0


def _tell(finished, summary: dict, loaded, recipe: str) -> None:
    best = finished.best
    # The example speaks of the recipe's own corpora; a text of the user's may lack its very letters.
    own = loaded.built_in and finished.record["corpus"]["name"] in (*loaded.card.CORPORA, "sample")
    example = loaded.card.EXAMPLE if own else f"rnnzoo generate {recipe}"
    reached = f"best validation {best['metric']} {best['value']:.4f} at epoch {best['epoch']}" if best else "no best checkpoint"
    console.note(
        f"run {finished.name}: {reached}, "
        f"{summary['seconds']:.0f} s, {summary['tokens_per_second']:,.0f} tokens/s\n{finished.path}\n"
        f"next: {example}   |   rnnzoo eval {recipe}"
    )


def _close(reporter) -> None:
    if isinstance(reporter, console.TrainingReporter):
        reporter.close()


def _how_to_resume(recipe: str, run: str | None, folds: int | None) -> str:
    of_folds = "" if folds is None else f" --folds {folds}"
    return f"rnnzoo train {recipe}{of_folds} --resume" + (f" --run {run}" if run else "")
