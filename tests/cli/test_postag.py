"""postag on the command line: train, generate, eval; lines in, as many lines out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

SETTINGS = (
    "units=24",
    "embedding=24",
    "features=24",
    "epochs=12",
    "batch_size=16",
    "learning_rate=0.005",
    "refit=0",
    "engine=numpy",
)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory, offline):
    """A cache with one small run on the embedded sample."""
    folder = tmp_path_factory.mktemp("trained_postag")
    home = folder / "home"
    ended = subprocess.run(
        [sys.executable, "-m", "rnnzoo", "train", "postag", *SETTINGS, "--data", "sample", "--run", "tiny", "--json"],
        cwd=folder,
        env=offline | {"RNNZOO_HOME": str(home), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout)
    assert summary["best"]["metric"] == "accuracy" and summary["engine"] == "numpy"
    return home, summary


@pytest.fixture
def tiny(trained_once, home):
    shutil.copytree(trained_once[0], home, symlinks=True)
    return home / "checkpoints" / "postag" / "tiny"


def test_training_learns_what_context_says(trained_once):
    assert trained_once[1]["best"]["value"] > 0.9  # the most frequent tag of each word: 0.81


def test_word_slash_tag(rnnzoo, tiny):
    ended = rnnzoo("generate", "postag", "Ada saw her duck.", "They duck.")
    assert ended.status == 0, ended.stderr
    assert [[t.rpartition("/")[0] for t in line.split()] for line in ended.lines] == [
        ["Ada", "saw", "her", "duck", "."],
        ["They", "duck", "."],
    ]
    assert "her/PRP$ duck/NN ./." in ended.lines[0]


@pytest.mark.parametrize("form", [(), ("--tokenized",), ("--json",)])
def test_n_lines_in_n_lines_out(rnnzoo, tiny, form):
    lines = ["The light paints.", "", "   ", "x" * 3000, "Ünïcödé 😀 .", "a/b c_d\te", "the " * 700]
    ended = rnnzoo("generate", "postag", *form, stdin="\n".join(lines) + "\n")
    assert ended.status == 0, ended.stderr
    assert len(ended.stdout.split("\n")) == len(lines) + 1
    if form == ("--json",):
        records = [json.loads(line) for line in ended.stdout.split("\n")[:-1]]
        assert [len(r["tokens"]) for r in records] == [len(r["tags"]) for r in records] == [4, 0, 0, 1, 3, 3, 700]
        assert all(0 < p <= 1 for r in records for p in r["probabilities"])
    if form == ("--tokenized",):
        assert [t.rpartition("/")[0] for t in ended.stdout.split("\n")[5].split(" ")] == ["a/b", "c_d", "e"]


def test_columns_can_be_read_back_as_a_corpus(rnnzoo, tiny, tmp_path):
    lines = [f"The {word} paints {count} watches." for word in ("duck", "saw", "light") for count in range(40)]
    ended = rnnzoo("generate", "postag", "--format", "columns", stdin="\n".join(lines))
    blocks = ended.stdout.split("\n\n")
    assert len(blocks) == len(lines) + 1 and blocks[-1] == ""
    assert all(len(row.split("\t")) == 10 for block in blocks[:-1] for row in block.split("\n"))
    (tmp_path / "own.conllu").write_text(ended.stdout, encoding="utf-8")
    report = rnnzoo("eval", "postag", "--data", "own.conllu", "--no-baselines", "--json").json
    assert report["metrics"]["accuracy"] == 1  # the run agrees with itself


def test_eval(rnnzoo, tiny):
    report = rnnzoo("eval", "postag", "--json").json
    assert set(report["metrics"]) == {"accuracy", "accuracy_with_padding", "oov_accuracy", "macro_f1", "sentence_accuracy"}
    assert report["metrics"]["accuracy"] < report["metrics"]["accuracy_with_padding"]
    assert set(report["baselines"]) == {"most frequent tag", "averaged perceptron (NLTK)"}
    assert report["metrics"]["accuracy"] > report["baselines"]["most frequent tag"]["accuracy"] + 0.05
    assert report["unit"] == "sentences" and report["items"] == 349
    text = rnnzoo("eval", "postag").stdout
    assert "worst confusions" in text and "labelled beside predicted" in text


def test_own_data_in_three_formats(rnnzoo, tmp_path):
    pairs = [[("The", "DT"), (f"cat{i}", "NN"), ("sat", "VBD"), (".", ".")] for i in range(60)]
    slashed = "\n".join(" ".join(f"{w}/{t}" for w, t in s) for s in pairs)
    tabbed = "\n\n".join("\n".join(f"{w}\t{t}" for w, t in s) for s in pairs)
    conllu = "\n\n".join("\n".join(f"{i}\t{w}\t_\tX\t{t}\t_\t_\t_\t_\t_" for i, (w, t) in enumerate(s, start=1)) for s in pairs)
    digests = set()
    for name, text in (("own.txt", slashed), ("own.tsv", tabbed), ("own.conllu", conllu)):
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
        facts = rnnzoo("data", "show", "postag", "--data", name, "--json").json
        assert facts["counts"]["sentences"] == 60 and facts["counts"]["words"] == 240
        digests.add(facts["sha256"])
    assert len(digests) == 1


def test_a_file_without_tags_is_refused(rnnzoo, tmp_path):
    (tmp_path / "own.txt").write_text("no tags here\n" * 50, encoding="utf-8")
    assert "line 1 of own.txt has no tags" in rnnzoo("train", "postag", "--data", "own.txt").refused(1)


def test_an_option_of_another_recipe_is_refused(rnnzoo, tiny):
    assert "--temperature is not an option of postag" in rnnzoo("generate", "postag", "a", "--temperature", "1").refused(2)


def test_tagging_needs_no_framework(rnnzoo, tiny):
    prelude = "import sys; sys.modules.update(dict.fromkeys(('tensorflow', 'keras', 'nltk', 'tensorflow_datasets')))"
    ended = rnnzoo("generate", "postag", "Ada saw her duck.", prelude=prelude)
    assert ended.status == 0 and ended.lines, ended.stderr


@pytest.mark.keras
def test_verify(rnnzoo, tiny):
    report = rnnzoo("verify", "postag", "--json", timeout=120).json
    assert report["agree"] and max(report["differences"].values()) < 1e-5


@pytest.mark.keras
def test_the_keras_engine_trains_it_too(rnnzoo):
    settings = ("engine=keras", "units=16", "embedding=16", "features=16", "epochs=3", "learning_rate=0.01", "batch_size=16")
    ended = rnnzoo("train", "postag", "--data", "sample", *settings, "refit=0", "--json", timeout=180)
    assert ended.status == 0, ended.stderr
    assert ended.json["engine"] == "keras" and ended.json["best"]["value"] > 0.5


def test_show_gives_the_published_parameters(rnnzoo):
    assert rnnzoo("show", "postag", "--preset", "book", "--json").json["parameters"] == 1_765_031
