"""sentiment on the command line: train, generate, eval, folds, ensembles."""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import time

import pytest

ALONE = ("units=16", "embedding=8", "learning_rate=0.02", "dropout=0", "embedding_dropout=0", "word_dropout=0", "words_up_to=0")
TINY = (*ALONE, "epochs=10", "engine=numpy", "--data", "sample")  # the RNN alone: composition is all there is to learn


@pytest.fixture(scope="module")
def trained_folds(tmp_path_factory, offline):
    """A cache with runs on folds 0 and 1 of the embedded sample, by two seeds: a-fold0, a-fold1, b-fold0, b-fold1."""
    folder = tmp_path_factory.mktemp("folds")
    environment = offline | {"RNNZOO_HOME": str(folder / "home")}
    for seed, name in enumerate("ab"):
        call = ["train", "sentiment", *TINY, "--folds", "2", "--run", name, "--seed", str(seed), "--json"]
        command = [sys.executable, "-m", "rnnzoo", *call]
        ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        assert [json.loads(line)["run"] for line in ended.stdout.splitlines()] == [f"{name}-fold0", f"{name}-fold1"]
    return folder / "home"


@pytest.fixture
def trained(trained_folds, home):
    shutil.copytree(trained_folds, home, symlinks=True)


def test_lines_in_lines_out_blank_ones_included(rnnzoo, trained):
    lines = ["i am not at all happy right now", "", "  ", "she was very kind", "words that it does not know"] * 3
    ended = rnnzoo("generate", "sentiment", stdin="\n".join(lines) + "\n")
    assert ended.status == 0
    assert [bool(line) for line in ended.stdout.split("\n")[:-1]] == [bool(line.strip()) for line in lines]
    assert ended.lines[0].split("\t")[0] == "negative" and ended.lines[3].split("\t")[0] == "positive"


def test_json_has_label_and_probabilities(rnnzoo, trained):
    first, blank = map(json.loads, rnnzoo("generate", "sentiment", "i am happy", "", "--json").lines)
    assert first["label"] == "positive" and first["text"] == "i am happy" and first["recipe"] == "sentiment"
    assert first["probability"] == max(first["probabilities"].values()) and set(first["probabilities"]) == {
        "negative",
        "positive",
    }
    assert blank["label"] is None and blank["probability"] is None


def test_who_waits_for_an_answer_gets_it_before_the_next_line(rnnzoo, trained):
    with rnnzoo.start("generate", "sentiment", "-q", stdin=-1) as process:
        for line in (b"i am happy\n", b"\n", b"i am sad\n"):
            process.stdin.write(line)
            process.stdin.flush()
            answer = process.stdout.readline()
            assert bool(answer.strip()) == bool(line.strip())
        process.stdin.close()
        assert process.wait(20) == 0


def test_options_of_other_recipes_are_refused(rnnzoo, trained):
    assert "not an option of sentiment" in rnnzoo("generate", "sentiment", "good", "--temperature", "1").refused(2)


def test_eval_reports_the_split_and_its_baselines(rnnzoo, trained):
    report = rnnzoo("eval", "sentiment", "--run", "a-fold0", "--json").json
    assert report["split"] == "test" and report["seen_in_training"] == 0
    metrics = report["metrics"]
    (tn, fp), (fn, tp) = metrics["confusion"]
    assert tn + fp + fn + tp == report["items"]
    assert metrics["accuracy"] == pytest.approx((tn + tp) / report["items"])
    assert metrics["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    low, high = metrics["accuracy_95"]
    assert low < metrics["accuracy"] < high
    assert "majority label" in report["baselines"] and any("logistic" in name for name in report["baselines"])
    assert all(row["label"] != row["predicted"] for row in report["details"]["most_confident_mistakes"])
    confident = [row["probability"] for row in report["details"]["most_confident_mistakes"]]
    assert confident == sorted(confident, reverse=True)
    assert len(report["split_sha256"]) == len(hashlib.sha256().hexdigest())


def test_eval_of_folds_gives_mean_and_deviation(rnnzoo, trained):
    report = rnnzoo("eval", "sentiment", "--folds", 2, "--run", "a", "--json").json
    single = [fold["metrics"]["accuracy"] for fold in report["folds"]]
    assert report["mean"]["accuracy"] == pytest.approx(statistics.fmean(single))
    assert report["deviation"]["accuracy"] == pytest.approx(statistics.stdev(single))
    assert len({fold["split_sha256"] for fold in report["folds"]}) == 2
    shown = rnnzoo("eval", "sentiment", "--folds", 2)  # without --run the newest training
    assert "2 folds of b" in shown.stdout and "mean" in shown.stdout


def test_runs_by_commas_are_an_ensemble(rnnzoo, trained):
    report = rnnzoo("eval", "sentiment", "--run", "a-fold0,b-fold0", "--no-baselines", "--json").json
    assert report["run"] == "a-fold0,b-fold0"
    refused = rnnzoo("eval", "sentiment", "--run", "a-fold0,b-fold1", "--no-baselines").refused(2)
    assert "one split" in refused


def test_folds_out_of_range_are_refused(rnnzoo):
    assert "from 1 to 5" in rnnzoo("train", "sentiment", "--folds", 6, "--data", "sample").refused(2)
    assert "has no folds" in rnnzoo("train", "chargen", "--folds", 2, "--data", "sample").refused(2)


def test_folds_that_were_interrupted_say_how_to_go_on(rnnzoo):
    small = ("--data", "sample", "units=4", "epochs=1", "engine=numpy", "--folds", "2")
    interrupt = "import signal, rnnzoo.training.loop as l\nl._end_epoch = lambda *a, **k: signal.raise_signal(signal.SIGINT)"
    ended = rnnzoo("train", "sentiment", *small, "epochs=2", prelude=interrupt)
    assert ended.status == 130
    name = ended.stderr.splitlines()[-1].partition("Go on: rnnzoo train sentiment --folds 2 --resume --run ")[2]
    assert name
    resumed = rnnzoo("train", "sentiment", "--folds", 2, "--resume", "--run", name, "--json")
    assert [json.loads(line)["run"] for line in resumed.lines] == [f"{name}-fold0", f"{name}-fold1"]
    assert rnnzoo("eval", "sentiment", "--folds", 2, "--run", name, "--json", "--no-baselines").status == 0


def test_the_sample_is_learnt_beyond_counting_words(rnnzoo, trained):
    """Composition decides: negated and turned, "but" and "although". The linear baseline only counts."""
    report = rnnzoo("eval", "sentiment", "--run", "a-fold0", "--json").json
    linear = next(metrics for name, metrics in report["baselines"].items() if "logistic" in name)
    assert report["metrics"]["accuracy"] > linear["accuracy"] + 0.05


def test_data_show_tells_lengths_balance_and_duplicates(rnnzoo):
    shown = rnnzoo("data", "show", "sentiment", "--data", "sample").stdout
    assert "duplicates: 0" in shown and "negative" in shown and "50 %" in shown


def test_own_labels(rnnzoo, tmp_path):
    names = [chr(97 + i // 26) + chr(97 + i % 26) for i in range(100)]
    rows = [
        f"the {name} is {word}\t{label}" for name in names for word, label in (("red", "stop"), ("green", "go"), ("off", "?"))
    ]
    (tmp_path / "lights.tsv").write_text("\n".join(rows), encoding="utf-8")
    assert rnnzoo("train", "sentiment", "--data", "lights.tsv", "epochs=5", "-q").status == 0
    ended = rnnzoo("generate", "sentiment", "the light is green", "the light is off", "--all-labels")
    assert [line.split("\t")[0] for line in ended.lines] == ["go", "?"]
    assert all(len(line.split("\t")) == 6 for line in ended.lines)


@pytest.mark.keras
def test_a_run_of_keras_serves_generate_and_eval_and_agrees(rnnzoo):
    ended = rnnzoo(
        "train", "sentiment", "units=4", "epochs=1", "batch_size=256", "engine=keras", "--data", "sample", "--json", timeout=180
    )
    assert ended.status == 0 and ended.json["engine"] == "keras", ended.stderr
    assert rnnzoo("generate", "sentiment", "i am happy").stdout
    assert 0 <= rnnzoo("eval", "sentiment", "--no-baselines", "--json").json["metrics"]["accuracy"] <= 1
    assert rnnzoo("verify", "sentiment", "--json", timeout=120).json["agree"]


def test_ten_thousand_sentences_in_a_few_seconds(rnnzoo, trained):
    lines = ["although we were not happy yesterday this is really good these days", "she is by no means rude"] * 5000
    start = time.monotonic()
    ended = rnnzoo("generate", "sentiment", "-q", stdin="\n".join(lines))
    assert len(ended.lines) == 10_000
    assert time.monotonic() - start < 30  # under 5 s on an idle machine; this one may be busy
