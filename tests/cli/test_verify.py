"""`rnnzoo verify`: the NumPy twin against Keras."""

from __future__ import annotations

import pytest

from rnnzoo import paths, verification, zoo
from rnnzoo.recipes.chargen import numpy_model

pytestmark = pytest.mark.keras


def test_a_run_in_a_real_process(rnnzoo, tiny):
    ended = rnnzoo("verify", "chargen", "--json", timeout=120)
    assert ended.status == 0
    assert ended.stderr == ""  # TensorFlow's chatter reaches nobody
    assert ended.json.keys() == {"recipe", "run", "differences", "tolerance", "agree"}
    assert (ended.json["recipe"], ended.json["run"], ended.json["tolerance"]) == ("chargen", "tiny", 1e-5)
    assert ended.json["agree"] is True
    assert ended.json["differences"].keys() == {"embedding", "rnn.0", "output_layer", "final state"}
    assert all(0 <= difference <= 1e-5 for difference in ended.json["differences"].values())


def test_a_recipe_without_runs_is_verified_with_fresh_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "shipped", lambda recipe: tmp_path)
    report = verification.verify(zoo.load("chargen"))
    assert report["agree"]
    assert "none yet" in report["run"]


def test_a_twin_that_is_wrong_is_found(tiny, monkeypatch):
    real = numpy_model.NumpyModel.call

    def wrong(self, x, state=None, record=None):
        logits, after = real(self, x, state, record)
        record["output_layer"] = logits + 1e-4
        return logits, after

    monkeypatch.setattr(numpy_model.NumpyModel, "call", wrong)
    report = verification.verify(zoo.load("chargen"))
    assert report["agree"] is False
    assert report["differences"]["output_layer"] == pytest.approx(1e-4, rel=0.1)
    assert report["differences"]["rnn.0"] <= 1e-5
