"""Labelled sentences: parsed, without duplicates, split by content, encoded."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnnzoo.corpora.fetch import fetch
from rnnzoo.corpora.splits import key
from rnnzoo.errors import CorpusError
from rnnzoo.recipes.sentiment import Config, corpus
from rnnzoo.recipes.sentiment.corpus import FILES, UCI_FILES, distinct, load_corpus, split, uci
from rnnzoo.recipes.sentiment.examples import Labelled
from rnnzoo.training.reporter import Reporter


class Heard(Reporter):
    def __init__(self):
        self.lines = []

    def note(self, line):
        self.lines.append(line)

    warn = note


def archive(folder: Path, lines: list[str]) -> Path:
    path = folder / "uci.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in UCI_FILES:
            file.writestr(f"sentiment labelled sentences/{name}", "\n".join(lines) + "\n")
            file.writestr(f"__MACOSX/sentiment labelled sentences/._{name}", b"\0\1")
    return path


def test_lines_end_at_line_feeds_alone_and_quotes_mean_nothing(tmp_path):
    lines = ['a "quoted, line\t1', "next\u0085line  \t0", 'another " one\t0', "not labelled (older release)\t"]
    found = uci(archive(tmp_path, lines * 120))
    assert len(found) == 3 * 3 * 120
    assert [(e.text, e.label) for e in found[:3]] == [
        ('a "quoted, line', "positive"),
        ("next\u0085line", "negative"),
        ('another " one', "negative"),
    ]


def test_another_file_in_its_place_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="line 1: expected a sentence, a tab and 0 or 1"):
        uci(archive(tmp_path, ["<html>"]))
    with pytest.raises(CorpusError, match="should hold 3,000"):
        uci(archive(tmp_path, ["fine\t1"]))


def test_the_first_of_each_key_is_kept_and_conflicts_are_dropped():
    examples = [Labelled("Great!", "p"), Labelled("great", "p"), Labelled("so so", "p"), Labelled("So, so.", "n")]
    kept, dropped = distinct([*examples, Labelled("bad", "n")])
    assert [example.text for example in kept] == ["Great!", "bad"]
    assert dropped == {"duplicates": 1, "conflicting": 2}


def test_a_duplicate_of_a_kept_test_split_leaves_the_training_split():
    kept, _ = distinct([Labelled("Great!", "p", "train"), Labelled("great", "p", "test"), Labelled("bad", "n", "train")])
    assert [(example.text, example.part) for example in kept] == [("great", "test"), ("bad", "train")]


def test_own_test_splits_are_kept_and_validation_comes_from_training():
    examples = [Labelled(f"text {i}", "p", "train") for i in range(400)] + [Labelled("last", "p", "test")]
    parts = split(examples, 0)
    assert [example.text for example in parts["test"]] == ["last"]
    assert 8 < len(parts["validation"]) < 40


def test_a_third_is_test_and_each_fold_another():
    examples = [Labelled(f"text {i}", "p") for i in range(3000)]
    tests = [{example.text for example in split(examples, fold)["test"]} for fold in (0, 1)]
    assert all(900 < len(test) < 1100 for test in tests)
    assert 250 < len(tests[0] & tests[1]) < 420  # a third of a third
    assert 150 < len(split(examples, 0)["validation"]) < 250


def name(i: int) -> str:
    """Words that are all different: "aa", "ab", ..."""
    return chr(97 + i // 26) + chr(97 + i % 26)


@pytest.fixture
def own(tmp_path):
    """A user's file of three labels; its 300 texts are distinct."""
    path = tmp_path / "own.tsv"
    kinds = {"good": "glad", "bad": "sad", "so-so": "neither glad nor sad"}
    lines = [f"day {name(i)} was {kind}\t{label}" for i in range(100) for label, kind in kinds.items()]
    path.write_text("\n".join([*lines, lines[0]]), encoding="utf-8")
    return path


def test_own_data_with_any_labels(own):
    read = load_corpus(Config(), str(own), Reporter())
    assert read.vocabulary["labels"].symbols == ("bad", "good", "so-so")
    facts = read.facts()
    assert facts["counts"]["sentences"] == 300
    assert facts["details"]["dropped"] == {"duplicates": 1, "conflicting": 0}
    assert sum(len(read.split(part)) for part in corpus.PARTS) == 300
    assert {read.leakage(part)["seen_in_training"] for part in ("validation", "test")} == {0}


def test_the_vocabulary_is_of_training_sentences_alone(own):
    read = load_corpus(Config(), str(own), Reporter())
    assert set(read.vocabulary["words"].symbols) == {word for text in read.train.texts for word in text.split()}
    rare = load_corpus(Config(min_count=50), str(own), Reporter()).vocabulary["words"]
    assert {"day", "was", "glad", "sad"} <= set(rare.symbols) and len(rare) < len(read.vocabulary["words"])
    assert len(load_corpus(Config(vocabulary=3), str(own), Reporter()).vocabulary["words"]) == 4


def test_long_texts_are_cut_off_and_that_is_said(own):
    heard = Heard()
    read = load_corpus(Config(length=3), str(own), heard)
    assert any("300 texts are longer than 3 words" in line for line in heard.lines)
    assert read.train.words.lengths.max() == 3


def test_too_few_sentences_are_refused(tmp_path):
    path = tmp_path / "few.tsv"
    path.write_text("good\t1\nbad\t0\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="at least 10 different training sentences"):
        load_corpus(Config(), str(path), Reporter())


def test_batches_hold_every_sentence_once_with_next_to_no_padding(own):
    read = load_corpus(Config(batch_size=16, word_dropout=0.0), str(own), Reporter())
    batches = [batch.arrays for batch in read.batches(Config(batch_size=16, word_dropout=0.0), 0, 0)]
    assert sum(len(arrays["labels"]) for arrays in batches) == len(read.train)
    assert np.mean([arrays["mask"].mean() for arrays in batches]) > 0.95
    again = read.batches(Config(batch_size=16, word_dropout=0.0), 0, 0)[0].arrays
    assert all(np.array_equal(batches[0][name], again[name]) for name in again)


def test_training_ratios_leave_the_sentence_itself_out(own):
    """An n-gram of one training sentence alone has counts (0, 0) there: its ratio says nothing of the label."""
    config = Config(word_dropout=0.0)
    read = load_corpus(config, str(own), Reporter())
    once = np.flatnonzero(read.counts.sum(axis=1) == 1)
    values = [batch.arrays["values"][np.isin(batch.arrays["grams"], once)] for batch in read.batches(config, 0, 0)]
    values = np.concatenate(values)
    assert len(values) == len(once) > 50
    assert np.ptp(values, axis=0).max() < 1e-6


def test_another_vocabulary_is_asked_for_its_labels(own, tmp_path):
    read = load_corpus(Config(), str(own), Reporter())
    sample = load_corpus(Config(), "sample", Reporter())
    with pytest.raises(CorpusError, match="the label 'bad', the model knows negative, positive"):
        read.seen_through(sample.vocabulary)
    assert sample.seen_through(sample.vocabulary) is sample


@pytest.mark.real
def test_the_uci_sentences_are_those_of_the_baselines():
    (file,) = FILES["uci"]
    found = uci(fetch(file))
    assert len(found) == 3000
    assert sum(example.label == "positive" for example in found) == 1500
    kept, dropped = distinct(found)
    assert len(kept) == 2972 and dropped["conflicting"] == 0
    expected = [992, 956, 944, 996, 970]
    hashes = ["a20989ee9102", "3f4f3912b8c0", "595b3920007a", "cbbddcdf9b0b", "5ff41a55756b"]
    for fold in range(5):
        parts = split(kept, fold)
        assert len(parts["test"]) == expected[fold]
        assert corpus.sha256_of(example.text for example in parts["test"])[:12] == hashes[fold]
        assert not {key(e.text) for e in parts["test"]} & {key(e.text) for e in parts["train"] + parts["validation"]}
