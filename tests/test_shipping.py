"""The models that come with the recipes: they answer at once, give way to one's own runs, and say where they come from."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
from safetensors.numpy import load_file

from rnnzoo import evaluation, inference, paths, runs, shipping, zoo
from rnnzoo.errors import RnnzooError

ASKED = {
    "chargen": ["--prefix", "Alice", "--temperature", "0.8", "--length", "50"],
    "sentiment": ["sentiment", "the food was good"],
    "postag": ["postag", "The cat sat on the mat."],
    "translate": ["translate", "I am a little hungry."],
}
ANSWERS = {
    "chargen": lambda text: text.startswith("Alice") and len(text) > 50,
    "sentiment": lambda text: text.split()[0] == "positive",
    "postag": lambda text: [token.rpartition("/")[2] for token in text.split()] == ["DT", "NN", "VBD", "IN", "DT", "NN", "."],
    "translate": lambda text: "faim" in text,
}


def test_every_recipe_has_one():
    assert set(zoo.names()) == set(ASKED)
    for name in zoo.names():
        assert runs.shipped(name).shipped


@pytest.mark.parametrize("name", ASKED)
def test_it_answers_without_network_or_training(rnnzoo, name):
    ended = rnnzoo("generate", *ASKED[name])
    assert ended.status == 0 and ANSWERS[name](ended.stdout.strip()), ended
    assert f"{name}, shipped model on " in ended.stderr.splitlines()[0]


def test_they_are_small():
    sizes = {name: sum(f.stat().st_size for f in paths.shipped(name).iterdir()) for name in zoo.names()}
    assert max(sizes.values()) <= 6_000_000 and sum(sizes.values()) <= 16_000_000, sizes


@pytest.mark.parametrize("name", ASKED)
def test_what_it_says_of_itself(name):
    """Half precision on the disk, single in memory; licence, attribution, metrics; nothing of the machine it was made on."""
    run = runs.shipped(name)
    assert {a.dtype for a in load_file(run.path / run.best["file"]).values()} == {np.dtype("float16")}
    assert {a.dtype for a in run.best_weights().values()} == {np.dtype("float32")}
    recipe = zoo.load(name)
    licence = recipe.part("corpus").LICENCES[run.record["corpus"]["name"]]
    assert licence.may_be_shipped
    assert (run.shipped["licence"], run.shipped["attribution"]) == (licence.terms, licence.attribution)
    test = run.shipped["test"]
    assert test["split"] == "test" and test["items"] > 900 and len(test["split_sha256"]) == 64
    assert test["metrics"][recipe.card.METRIC] == pytest.approx(test["full_precision"], rel=1e-3)
    assert {path.name for path in run.path.iterdir()} == {"run.json", "vocabulary.json", "best.safetensors"}
    assert '"/' not in (run.path / "run.json").read_text()


def test_ones_own_run_comes_first(tiny):
    assert runs.resolve("chargen").path == tiny
    assert runs.resolve("chargen", "pretrained").path == paths.shipped("chargen")
    assert runs.names("chargen") == ["tiny", "pretrained"]


def test_its_name_is_taken_and_it_cannot_be_resumed(rnnzoo):
    told = rnnzoo("train", "chargen", "--data", "sample", "--run", "pretrained").refused(2)
    assert "comes with a recipe" in told
    told = rnnzoo("train", "chargen", "--resume", "--run", "pretrained").refused(2)
    assert "no state to resume from" in told and runs.shipped("chargen").shipped["command"] in told


def test_a_copied_recipe_has_none(rnnzoo):
    assert rnnzoo("copy", "chargen", "./mine").status == 0
    assert not (rnnzoo.folder / "mine" / "pretrained").exists()
    assert "no trained run" in rnnzoo("generate", "./mine", "--prefix", "A").refused(1)


class TestShipping:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """Where the model goes, instead of into the recipe."""
        monkeypatch.setattr(paths, "shipped", lambda recipe: tmp_path / recipe / "pretrained")
        return tmp_path / "chargen" / "pretrained"

    @pytest.fixture
    def licensed(self, monkeypatch):
        licences = zoo.load("chargen").part("corpus").LICENCES
        monkeypatch.setitem(licences, "sample", licences["carroll"])

    def test_a_run_is_shipped(self, tiny, folder, licensed):
        assert shipping.ship(zoo.load("chargen"), "tiny") == folder
        shipped, own = runs.shipped("chargen"), runs.resolve("chargen", "tiny")
        ours, theirs = own.best_weights(), shipped.best_weights()
        assert ours.keys() == theirs.keys()
        for name, array in ours.items():
            np.testing.assert_array_equal(theirs[name], array.astype(np.float16).astype(np.float32))
        command = shlex.split(shipped.shipped["command"])
        assert command[:5] == ["rnnzoo", "train", "chargen", "--data", "sample"] and "units=16" in command
        assert not any(word.startswith(("engine=", "threads=")) for word in command)
        again = evaluation.evaluate(zoo.load("chargen"), "pretrained", with_baselines=False)
        assert again["metrics"]["bits_per_char"] == shipped.shipped["test"]["metrics"]["bits_per_char"]
        assert len(inference.load("chargen", "pretrained")("Alice", length=5)) == 10

    def test_not_without_a_licence_that_allows_it(self, tiny, folder):
        with pytest.raises(RnnzooError, match="may not be shipped: its licence is unknown"):
            shipping.ship(zoo.load("chargen"), "tiny")
        assert not folder.exists()
        assert not zoo.load("postag").part("corpus").LICENCES["treebank"].may_be_shipped

    def test_not_if_it_is_too_large(self, tiny, folder, licensed, monkeypatch):
        monkeypatch.setattr(shipping, "LARGEST", 1000)
        with pytest.raises(RnnzooError, match="at most 1,000 are shipped"):
            shipping.ship(zoo.load("chargen"), "tiny")
        assert not folder.exists() and list(folder.parent.iterdir()) == []

    def test_not_if_half_precision_costs_too_much(self, tiny, folder, licensed, monkeypatch):
        reports = iter([{"metrics": {"bits_per_char": 2.0}}, {"metrics": {"bits_per_char": 2.01}}])
        monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: next(reports))
        with pytest.raises(RnnzooError, match="from 2 to 2.01"):
            shipping.ship(zoo.load("chargen"), "tiny")

    def test_not_if_a_weight_does_not_fit(self, tiny, folder, licensed, monkeypatch):
        load = inference.load

        def enlarged(*arguments):
            model = load(*arguments)
            model.network.weights["output_layer.bias"] = np.full_like(model.network.weights["output_layer.bias"], 1e6)
            return model

        monkeypatch.setattr(inference, "load", enlarged)
        with pytest.raises(RnnzooError, match="too large for half precision"):
            shipping.ship(zoo.load("chargen"), "tiny")


@pytest.mark.real
@pytest.mark.parametrize("name", ASKED)
def test_it_scores_what_it_says(name):
    """The recorded figures are found again on the real corpus."""
    shipped = runs.shipped(name)
    report = evaluation.evaluate(zoo.load(name), "pretrained", with_baselines=False)
    recorded = shipped.shipped["test"]
    assert (report["items"], report["split_sha256"]) == (recorded["items"], recorded["split_sha256"])
    metric = zoo.load(name).card.METRIC
    assert report["metrics"][metric] == pytest.approx(recorded["metrics"][metric], rel=1e-4)
