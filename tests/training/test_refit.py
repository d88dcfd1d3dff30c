"""A run that learns from its validation items in the end: what it then says of them, and which weights it keeps."""

from __future__ import annotations

import pytest

from rnnzoo import api
from rnnzoo.inference import load

SETTINGS = {"units": 8, "embedding": 8, "features": 8, "engine": "numpy"}


@pytest.fixture
def run(home):
    return api.train("postag", data="sample", run="refit", epochs=4, refit=0.5, **SETTINGS)


def test_epochs_that_are_not_held_out_are_marked(run):
    assert ["validation_in_training" in entry for entry in run.record["history"]] == [False, False, True, True]


def test_the_newest_weights_are_kept_and_the_metric_is_the_best_held_out_one(run):
    held_out = [entry["validation"]["accuracy"] for entry in run.record["history"][:2]]
    assert run.best["value"] == max(held_out)
    assert run.best["epoch"] == 1 + held_out.index(max(held_out))
    assert run.best["refitted_to_epoch"] == 4
    assert run.best["step"] == run.record["history"][3]["step"]
    assert load("postag", "refit").network is not None  # its weights are there


def test_patience_ends_no_epoch_that_is_not_held_out(home):
    run = api.train("postag", data="sample", epochs=6, refit=0.5, patience=1, **SETTINGS | {"learning_rate": 1e-7})
    assert len(run.record["history"]) in (2, 3, 6)  # before the refit, or not at all


def test_without_refit_nothing_is_marked(home):
    run = api.train("postag", data="sample", epochs=2, refit=0.0, **SETTINGS)
    assert not any("validation_in_training" in entry for entry in run.record["history"])
    assert "refitted_to_epoch" not in run.best
