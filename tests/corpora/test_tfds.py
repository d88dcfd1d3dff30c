"""TensorFlow Datasets behind `--data tfds:NAME`: its own builders prepare what these tests let them download."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from rnnzoo import zoo
from rnnzoo.cli import main
from rnnzoo.corpora.tfds import DataSet
from rnnzoo.errors import CallError, CorpusError, DownloadError
from rnnzoo.training.reporter import Reporter

pytestmark = pytest.mark.keras

PLAY = "".join(f"Citizen {i}:\nWe are accounted poor citizens, the patricians good.\n\n" for i in range(200))
NEWS = {
    "training": [f"Rain fell , and the markets rose for the {i}th time ." for i in range(90)],
    "heldout": [f"Rain fell {i} times ." for i in range(9)],
}


@pytest.fixture
def tfds():
    pytest.importorskip("rnnzoo.keras_backend")  # before the other, for it keeps TensorFlow quiet
    import tensorflow_datasets as tfds

    return tfds


@pytest.fixture
def downloads(tfds, tmp_path, monkeypatch) -> Path:
    """A folder with what tiny_shakespeare and lm1b download; every download gives it, or the one file in it."""
    folder = tmp_path / "downloaded"
    top = folder / "1-billion-word-language-modeling-benchmark-r13output"
    for kind, name in (("training", "news.en-00001-of-00100"), ("heldout", "news.en.heldout-00000-of-00050")):
        (top / f"{kind}-monolingual.tokenized.shuffled").mkdir(parents=True)
        (top / f"{kind}-monolingual.tokenized.shuffled" / name).write_text("\n".join(NEWS[kind]) + "\n")
    (folder / "input.txt").write_text(PLAY)
    monkeypatch.setattr(tfds.download.DownloadManager, "download", lambda self, url: str(folder / "input.txt"))
    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", lambda self, url: str(folder))
    return folder


def chargen(data: str):
    recipe = zoo.load("chargen")
    return recipe.part("corpus").load_corpus(recipe.card.Config(whitespace="keep"), data, Reporter())


def decoded(corpus, part: str) -> list[str]:
    symbols = np.array(["\0", *corpus.vocabulary.symbols])
    return ["".join(symbols[text]) for text in corpus.split(part)]


@pytest.mark.usefixtures("downloads")
def test_tiny_shakespeare_keeps_its_own_three_parts():
    corpus = chargen("tfds:tiny_shakespeare")
    cut = int(0.9 * len(PLAY)), int(0.9 * len(PLAY)) + int(0.5 * (len(PLAY) - int(0.9 * len(PLAY))))
    expected = {"train": PLAY[: cut[0]], "validation": PLAY[cut[0] : cut[1]], "test": PLAY[cut[1] :]}
    assert {part: decoded(corpus, part) for part in expected} == {part: [text] for part, text in expected.items()}
    assert corpus.split_sha256("test") == hashlib.sha256(expected["test"].encode()).hexdigest()
    facts = corpus.facts()
    assert facts["name"] == facts["argument"] == "tfds:tiny_shakespeare"
    assert [source.split()[0] for source in facts["sources"]] == ["tiny_shakespeare/1.0.0"]


@pytest.mark.usefixtures("downloads")
def test_lm1b_keeps_its_test_part_and_its_sentences_are_lines():
    corpus = chargen("tfds:lm1b")
    (train,), (validation,), (test,) = (decoded(corpus, part) for part in ("train", "validation", "test"))
    assert sorted(test.split("\n")) == sorted(NEWS["heldout"])
    assert sorted((train + validation).split("\n")) == sorted(NEWS["training"])  # the last 5 % of them
    assert len(train) == int(0.95 * len(train + validation))


def test_prepared_once_it_needs_no_download(downloads, tfds, monkeypatch):
    first = chargen("tfds:tiny_shakespeare").facts()
    monkeypatch.setattr(tfds.download.DownloadManager, "download", pytest.fail)
    assert chargen("tfds:tiny_shakespeare").facts() == first
    assert chargen("tfds:tiny_shakespeare:1.0.0").facts()["sha256"] == first["sha256"]


@pytest.mark.usefixtures("downloads")
def test_nothing_but_the_result_is_on_stdout(capfd):
    with pytest.raises(SystemExit) as ended:
        main(["data", "show", "chargen", "--data", "tfds:tiny_shakespeare", "--json"])
    out, err = capfd.readouterr()
    assert (ended.value.code, json.loads(out)["name"]) == (0, "tfds:tiny_shakespeare")
    assert "Traceback" not in err


def refused(data: str, capfd) -> str:
    """The two lines of a call that failed, which left stdout alone."""
    with pytest.raises(SystemExit) as ended:
        main(["data", "show", "chargen", "--data", data])
    out, err = capfd.readouterr()
    assert (ended.value.code != 0, out) == (True, "")
    *_, error, hint = err.splitlines()
    assert error.startswith("error: ") and hint.startswith("hint: ") and "defect" not in error, err
    return f"{error}\n{hint}"


def test_an_unknown_name_gets_a_did_you_mean_at_once(tfds, capfd, monkeypatch):
    monkeypatch.setattr(type(tfds.core.community.community_register()), "list_builders", pytest.fail)  # this asks the network
    error, hint = refused("tfds:tiny_shakespear", capfd).splitlines()
    assert error == "error: TensorFlow Datasets has no data set 'tiny_shakespear'"
    assert "did you mean" in hint
    assert "tiny_shakespeare" in hint


@pytest.mark.parametrize("name", ["huggingface:lm1b", "kaggle:x/y", "../lm1b", "lm1b/", "a b", "lm1b:1", "-", "ä"])
def test_what_is_no_name_is_a_wrong_call_before_tensorflow_is_asked(name):
    with pytest.raises(CallError, match="expected tfds:NAME or tfds:NAME/CONFIG, received tfds:"):
        DataSet(name)


@pytest.mark.parametrize("name", ["lm1b/nothing", "lm1b:9.9.9"])
def test_an_unknown_configuration_or_version_is_refused(name, capfd):
    assert f"data set tfds:{name} cannot be used: " in refused(f"tfds:{name}", capfd)


def builder(tfds, monkeypatch, features: dict, splits: dict[str, list]) -> None:
    """Make `tfds:own` a data set with these splits of examples."""

    class Own(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        name = "own"
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {split: self._generate_examples(examples) for split, examples in splits.items()}

        def _generate_examples(self, examples):
            yield from enumerate(examples)

    monkeypatch.setattr(tfds, "builder", lambda name, data_dir, try_gcs: Own(data_dir=data_dir))


def test_a_data_set_without_texts_is_refused(tfds, monkeypatch, capfd):
    builder(tfds, monkeypatch, {"image": tfds.features.Text()}, {"train": [{"image": "x"}]})
    assert "data set tfds:own has no feature 'text', only image" in refused("tfds:own", capfd)


def test_texts_that_are_none_are_refused(tfds, monkeypatch, capfd):
    builder(tfds, monkeypatch, {"text": tfds.features.Scalar(np.int64)}, {"train": [{"text": 3}]})
    assert "the feature 'text' of data set tfds:own is no text" in refused("tfds:own", capfd)


def test_without_a_test_part_each_part_is_cut_like_any_text(tfds, monkeypatch):
    examples = {"train": [{"text": "a" * 500}, {"text": "b" * 499}], "extra": [{"text": "ab" * 500}]}
    builder(tfds, monkeypatch, {"text": tfds.features.Text()}, examples)
    corpus = chargen("tfds:own")
    assert [list(map(len, corpus.split(part))) for part in ("train", "validation", "test")] == [[900, 900], [50, 50], [50, 50]]
    assert sum(text.count("\n") for text in decoded(corpus, "train")) == 1  # between the two examples


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (ConnectionError("host unreachable\nand more"), DownloadError, "cannot be prepared: host unreachable"),
        (ImportError("needs gcld3"), CorpusError, "cannot be prepared: ImportError: needs gcld3"),
        (AssertionError(), CorpusError, "cannot be prepared: AssertionError"),
    ],
)
def test_a_preparation_that_fails_is_one_clear_error_and_leaves_nothing_half_done(
    tfds, downloads, monkeypatch, home, error, kind, says
):
    def fails(self, url):
        raise error

    with monkeypatch.context() as patched, pytest.raises(kind, match=says) as caught:
        patched.setattr(tfds.download.DownloadManager, "download", fails)
        DataSet("tiny_shakespeare")
    assert "\n" not in caught.value.message
    assert DataSet("tiny_shakespeare").splits == ("train", "validation", "test")  # the next try prepares it


def test_damaged_files_are_one_clear_error(downloads, home, capfd):
    DataSet("lm1b")
    (record,) = (home / "tfds" / "lm1b" / "1.1.0").glob("*train*")
    record.write_bytes(record.read_bytes()[:-20])
    assert "the prepared data set tfds:lm1b cannot be read" in refused("tfds:lm1b", capfd)
    record.unlink()
    assert f"delete {record.parent}" in refused("tfds:lm1b", capfd)
