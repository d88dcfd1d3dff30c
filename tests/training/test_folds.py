"""A training of folds that was ended goes on with the folds that remain, and ends in the same weights."""

from __future__ import annotations

import pytest

from rnnzoo import folds, runs, zoo
from rnnzoo.errors import CallError, RunError
from rnnzoo.training.reporter import Reporter

FOLDS = 3
TINY = {"units": 4, "embedding": 4, "epochs": 2, "words_up_to": 0, "engine": "numpy", "limit": 200}


class Killed(BaseException):
    """The process ends here."""


class Notes(Reporter):
    """Keeps what is noted; counts steps and runs, and may die at a step of all."""

    def __init__(self, dies_at: int = 0):
        self.dies_at, self.steps, self.started, self.notes = dies_at, 0, [], []

    def note(self, line):
        self.notes.append(line)

    def start(self, facts):
        self.started.append(facts["run"])

    def step(self, *_):
        self.steps += 1
        if self.steps == self.dies_at:
            raise Killed


@pytest.fixture
def sentiment(home):
    return zoo.load("sentiment")


def train(recipe, name, reporter=None):
    return folds.train(recipe, recipe.card.Config(**TINY), FOLDS, data="sample", name=name, seed=3, reporter=reporter)


def weights(trained) -> list[dict[str, bytes]]:
    return [{name: array.tobytes() for name, array in run.best_weights().items()} for run in trained]


def test_it_goes_on_with_what_remains_and_ends_in_the_same_weights(sentiment):
    reporter = Notes()
    whole = train(sentiment, "whole", reporter)
    with pytest.raises(Killed):
        train(sentiment, "x", Notes(dies_at=reporter.steps // 2))
    assert runs.names("sentiment").count("x-fold2") == 0 and not runs.named("sentiment", "x-fold1").finished
    reporter = Notes()
    trained = folds.resume(sentiment, [], FOLDS, reporter=reporter)  # the newest that is unfinished
    assert [run.name for run in trained] == [f"x-fold{fold}" for fold in range(FOLDS)]
    assert reporter.started == ["x-fold1", "x-fold2"]
    assert "run x-fold0 is already at epoch 2; epochs=M extends it" in reporter.notes
    assert weights(trained) == weights(whole)
    assert [run.record["config"]["fold"] for run in trained] == [0, 1, 2]
    assert {run.record["seed"] for run in trained} == {3} and all(run.finished for run in trained)
    with pytest.raises(RunError, match="no unfinished training of 3 folds"):
        folds.resume(sentiment, [], FOLDS)
    assert {run.record["plan"]["epochs"] for run in folds.resume(sentiment, ["epochs=3"], FOLDS, name="x")} == {3}


def test_more_folds_may_be_asked_for_later(sentiment):
    folds.train(sentiment, sentiment.card.Config(**TINY), 1, data="sample", name="x", seed=3)
    reporter = Notes()
    trained = folds.resume(sentiment, [], 2, name="x", reporter=reporter)
    assert reporter.started == ["x-fold1"] and len(trained) == 2


def test_what_cannot_go_on(sentiment):
    with pytest.raises(RunError, match="no run 'x-fold0' to go on with"):
        folds.resume(sentiment, [], FOLDS, name="x")
    train(sentiment, "x")
    with pytest.raises(CallError, match="cannot go on with units=5"):
        folds.resume(sentiment, ["units=5"], FOLDS, name="x")
    with pytest.raises(CallError, match="already has a run 'x-fold0'") as caught:
        train(sentiment, "x")
    assert "rnnzoo train sentiment --folds 3 --run x --resume goes on" in caught.value.hint
    assert sorted(run.name for run in runs.runs_of("sentiment")) == [f"x-fold{fold}" for fold in range(FOLDS)]
