"""translate from the command line, on the embedded sample: train, eval, generate, verify, show."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

SMALL = ("units=64", "embedding=48", "embedding_scale=0.3", "epochs=12", "batch_size=16", "learning_rate=5e-3", "dropout=0.1")


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory, offline) -> Path:
    """A cache with one small run on the embedded sample, called `small`."""
    import subprocess
    import sys

    home = tmp_path_factory.mktemp("translate") / "home"
    call = [sys.executable, "-m", "rnnzoo", "train", "translate", "--data", "sample", "--run", "small", "engine=numpy", *SMALL]
    subprocess.run(call, env=offline | {"RNNZOO_HOME": str(home)}, check=True, capture_output=True, cwd=home.parent)
    return home


@pytest.fixture
def small(trained_home, home) -> Path:
    """The run directory of `small`, in the test's own cache."""
    shutil.copytree(trained_home, home, symlinks=True)
    return home / "checkpoints" / "translate" / "small"


def test_it_translates_the_sample_far_better_than_its_baselines(rnnzoo, small):
    report = rnnzoo("eval", "translate", "--json").json
    baselines = report["baselines"]
    assert report["metrics"]["bleu"] > 60 > 50 > max(b["bleu"] for b in baselines.values())
    assert set(baselines) == {"nearest training source", "word by word"}
    assert set(report["metrics"]) == {"bleu", "bleu_signature", "chrf", "exact_match", "nltk_bleu", "nltk_sentence_bleu"}
    assert report["seen_in_training"] == 0
    details = report["details"]
    assert details["beam_5"]["bleu"] > 60
    assert sum(int(name.split("(")[1].split()[0]) for name in details["bleu_by_source_length"]) == report["items"]
    assert len(details["samples"]) == 10
    assert 0 <= details["share_of_references_seen_in_training"] <= 1


def test_a_text_is_translated(rnnzoo, small):
    ended = rnnzoo("generate", "translate", "I see a red apple.")
    assert ended.status == 0 and ended.lines == ["Je vois une pomme rouge."]


def test_as_many_lines_come_out_as_went_in_blank_ones_too(rnnzoo, small):
    ended = rnnzoo("generate", "translate", stdin="She is tired.\n\n \nWe are happy.\n")
    assert len(ended.lines) == 4
    assert ended.lines[0] == "Elle est fatiguée." and ended.lines[1] == ended.lines[2] == ""


def test_files_in_and_out(rnnzoo, small, tmp_path):
    (tmp_path / "in.txt").write_text("He is ready.\nThey are late.\n")
    assert rnnzoo("generate", "translate", "--input", "in.txt", "--output", "out.txt", "--beam", 3).stdout == ""
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 2


def test_json_has_scores_and_attention(rnnzoo, small):
    answer = rnnzoo("generate", "translate", "He is ready.", "--nbest", 2, "--json").json
    first, second = answer["translations"]
    assert answer["translation"] == first["text"] and first["score"] > second["score"]
    assert len(first["attention"][0]) == len(answer["source_words"]) == 4


def test_a_length_limit_is_kept(rnnzoo, small):
    answers = rnnzoo("generate", "translate", "We do not see the small black boats.", "--length", 3, "--json").json
    assert len(answers["translations"][0]["words"]) == 3 and not answers["translations"][0]["ended"]


def test_attention_is_drawn(rnnzoo, small, tmp_path):
    pytest.importorskip("matplotlib")
    assert rnnzoo("generate", "translate", "He is ready.", "--plot", "attention.png").status == 0
    assert (tmp_path / "attention.png").read_bytes().startswith(b"\x89PNG")


def test_foreign_options_are_refused(rnnzoo, small):
    assert "--temperature is not an option of translate" in rnnzoo("generate", "translate", "x", "--temperature", 1).refused(2)


def test_generate_needs_no_framework(rnnzoo, small):
    prelude = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = sys.modules['matplotlib'] = None"
    assert rnnzoo("generate", "translate", "He is ready.", prelude=prelude).lines == ["Il est prêt."]


def test_show_lists_layers_and_the_published_size(rnnzoo):
    shown = rnnzoo("show", "translate", "--preset", "book", "--json").json
    assert shown["parameters"] == 18_692_246


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(rnnzoo, home):
    settings = ("--data", "sample", "units=16", "embedding=8", "engine=numpy", "threads=1")
    assert rnnzoo("train", "translate", "--run", "whole", "epochs=2", *settings).status == 0
    assert rnnzoo("train", "translate", "--run", "cut", "epochs=2", "minutes=0.0001", *settings).status == 0
    assert rnnzoo("train", "translate", "--run", "cut", "--resume", "minutes=0").status == 0
    runs = [home / "checkpoints" / "translate" / name for name in ("whole", "cut")]
    records = [json.loads((run / "run.json").read_text()) for run in runs]
    whole, cut = (record["last"][0] for record in records)
    assert whole["sha256"] == cut["sha256"]


def test_settings_that_do_not_go_together_are_refused_before_training(rnnzoo):
    assert "even number of units" in rnnzoo("train", "translate", "--data", "sample", "units=7").refused(2)


@pytest.mark.keras
def test_verify_says_that_the_twins_agree(rnnzoo, small):
    report = rnnzoo("verify", "translate", "--json", timeout=400).json
    assert report["agree"] and {"encoder", "decoder", "attention", "readout", "output_layer"} <= set(report["differences"])


@pytest.mark.keras
def test_keras_trains_it_too(rnnzoo):
    settings = ("--data", "sample", "units=16", "embedding=8", "epochs=1", "engine=keras", "pairs=300", "sampling=0.2")
    ended = rnnzoo("train", "translate", *settings, "--json", timeout=400)
    assert ended.status == 0 and ended.json["engine"] == "keras"


@pytest.mark.real
def test_the_test_split_is_the_one_of_the_published_figures(rnnzoo):
    facts = rnnzoo("data", "show", "translate", "--json").json
    assert facts["counts"]["test"] == 4_680
    assert facts["split_sha256"]["test"].startswith("590dd21dea06")
