"""`rnnzoo show`: what a recipe or a run consists of."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from rnnzoo import runs, zoo


def test_a_recipe(rnnzoo):
    shown = rnnzoo("show", "chargen", "--preset", "book", "--json").json
    card = zoo.load("chargen").card
    assert (shown["recipe"], shown["summary"], shown["corpora"]) == ("chargen", card.SUMMARY, ["carroll"])
    assert shown["presets"] == list(card.PRESETS)
    assert {s["key"]: s["value"] for s in shown["settings"]} == dataclasses.asdict(card.Config(**card.PRESETS["book"]))
    assert all(s["meaning"] for s in shown["settings"])
    assert {o["option"] for o in shown["options"]} >= {"--prefix", "--temperature", "--top-k", "--skip-unknown"}
    # The published model at its vocabulary of 90 symbols.
    assert shown["parameters"] == 139_530
    weights = {w["name"]: w for w in shown["weights"]}
    assert weights["rnn.0.recurrent_kernel"]["shape"] == [100, 300]
    assert weights["rnn.0.recurrent_kernel"]["parameters"] == 30_000
    assert weights["rnn.0.kernel"]["gates"] == "z r c"
    assert weights["output_layer.kernel"]["gates"] == ""
    assert sum(w["parameters"] for w in shown["weights"]) == 139_530


def test_a_recipe_for_people(rnnzoo):
    ended = rnnzoo("show", "chargen")
    assert ended.status == 0
    for word in ("learning_rate", "--temperature", "rnn.0.recurrent_kernel", "book", "carroll"):
        assert word in ended.stdout


@pytest.mark.parametrize("how", ["chargen/tiny", "path"])
def test_a_run(rnnzoo, tiny, how):
    shown = rnnzoo("show", str(tiny) if how == "path" else how, "--json").json
    assert (shown["recipe"], shown["run"], shown["path"]) == ("chargen", "tiny", str(tiny))
    assert shown["record"] == runs.open_run(tiny).record
    weights = runs.open_run(tiny).best_weights()
    assert {w["name"]: w["shape"] for w in shown["weights"]} == {name: list(array.shape) for name, array in weights.items()}
    assert shown["parameters"] == sum(array.size for array in weights.values())


def test_a_run_by_its_bare_name(rnnzoo, tiny):
    shown = rnnzoo("show", "tiny", "--json")
    assert shown.stdout == rnnzoo("show", "chargen/tiny", "--json").stdout
    assert rnnzoo("show", "--weights", "tiny", "--json").json["run"] == "tiny"
    assert "did you mean tiny?" in rnnzoo("show", "tinny").refused(2)
    assert "did you mean chargen?" in rnnzoo("show", "--weights", "chargne").refused(2)


def test_a_bare_name_of_several_runs_is_ambiguous(rnnzoo, tiny, home):
    shutil.copytree(tiny, home / "checkpoints" / "postag" / "tiny", symlinks=True)
    said = rnnzoo("show", "tiny").refused(2)
    assert "several recipes have a run 'tiny'" in said and "chargen/tiny, postag/tiny" in said


def test_a_recipe_wins_over_a_run_of_its_name(rnnzoo, tiny):
    shutil.copytree(tiny, tiny.parent / "sentiment", symlinks=True)
    assert rnnzoo("show", "sentiment", "--json").json["summary"] == zoo.load("sentiment").card.SUMMARY
    assert rnnzoo("show", "chargen/sentiment", "--json").json["run"] == "sentiment"


def test_a_run_for_people(rnnzoo, tiny):
    ended = rnnzoo("show", "chargen/tiny")
    for word in ("run tiny (finished)", "corpus sample", "units=16", "rnn.0.kernel", "z r c", "bits_per_char", "best: "):
        assert word in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        ("chargne", 2, "did you mean chargen?"),
        ("chargen/tyni", 1, "chargen has no run 'tyni'"),
        ("./nothing", 2, "it has no __init__.py"),
        ("x" * 300, 2, "no recipe"),
        ("chargen/" + "x" * 300, 1, "has no run"),
        ("~no-such-user-here/x", 2, "no recipe in"),
    ],
)
def test_what_cannot_be_shown(rnnzoo, tiny, target, status, says):
    assert says in rnnzoo("show", target).refused(status)


def test_a_preset_belongs_to_a_recipe(rnnzoo, tiny):
    assert "rnnzoo show chargen --preset book" in rnnzoo("show", "chargen/tiny", "--preset", "book").refused(2)


def test_opening_a_run_imports_no_code_that_it_names(rnnzoo, tiny, tmp_path):
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "__init__.py").write_text("raise SystemExit('imported')")
    run = runs.open_run(tiny)
    run.record["recipe_source"] = {"built_in": False, "folder": str(trap), "sha256": "0" * 64}
    run.record["recipe"] = "trap@12345678"
    run.commit()
    assert "belongs to a recipe of your own" in rnnzoo("show", str(tiny)).refused(2)
