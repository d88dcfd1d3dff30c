"""Pairs: what is read, how it is cleaned, split and cut into batches."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from rnnzoo.corpora import tfds
from rnnzoo.corpora.ragged import Ragged
from rnnzoo.corpora.splits import key
from rnnzoo.errors import CorpusError
from rnnzoo.recipes.translate import Config
from rnnzoo.recipes.translate.corpus import END, START, Batches, load_corpus, part_of
from rnnzoo.recipes.translate.readers import cleaned, tatoeba
from rnnzoo.training.reporter import Reporter
from rnnzoo.vocabulary import UNKNOWN

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PAIRS = [(f"I see {a} {b}.", f"Je vois {a[::-1]} {b[::-1]} !") for a in NUMBERS for b in NUMBERS]


def load(data, **settings):
    return load_corpus(Config(**settings), str(data), Reporter())


@pytest.fixture
def pairs_file(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS), encoding="utf-8")
    return path


# Reading


@pytest.mark.parametrize("folder", ["", "fra-eng/"])
@pytest.mark.parametrize("column", ["", "\tCC-BY 2.0 (France) Attribution: tatoeba.org #1"])
def test_releases_of_two_and_three_columns_with_and_without_a_folder(tmp_path, folder, column):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(f"{folder}_about.txt", "About: this is no pair\twhatever")
        writer.writestr(f"{folder}fra.txt", f"Go.\tVa !{column}\r\nHi.\tSalut\u2028!{column}\r\n\r\n")
        writer.writestr("__MACOSX/fra.txt", "x\ty")
    path = tmp_path / "fra-eng.zip"
    path.write_bytes(archive.getvalue())
    assert list(tatoeba(path)) == [("Go.", "Va !"), ("Hi.", "Salut\u2028!")]


def test_a_line_without_a_tab_is_named(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("Go.\tVa !\nno tab here\n")
    with pytest.raises(CorpusError, match="line 2 .* has no tab: 'no tab here'"):
        load(path)


def test_two_parallel_files_are_the_same_as_one_of_pairs(tmp_path, pairs_file):
    for column, name in enumerate(("a.txt", "b.txt")):
        (tmp_path / name).write_text("".join(f"{pair[column]}\n" for pair in PAIRS), encoding="utf-8")
    one, two = load(pairs_file), load(f"{tmp_path / 'a.txt'},{tmp_path / 'b.txt'}")
    assert one.texts == two.texts
    assert one.facts()["sha256"] == two.facts()["sha256"]


def test_parallel_files_must_be_equally_long(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b.txt").write_text("un\n")
    with pytest.raises(CorpusError, match="b.txt ends before line 2"):
        load(f"{tmp_path / 'a.txt'},{tmp_path / 'b.txt'}")


def test_too_few_pairs_are_refused(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("Go.\tVa !\n")
    with pytest.raises(CorpusError, match="no pairs for train|no pairs for validation|no pairs for test"):
        load(path)


def test_only_the_first_pairs_are_read(pairs_file):
    corpus = load(pairs_file, pairs=60)
    assert corpus.facts()["counts"]["pairs"] == 60
    assert sorted(pair[0] for part in corpus.texts.values() for pair in part) == sorted(a for a, _ in PAIRS[:60])


def test_reverse_translates_the_second_language_into_the_first(pairs_file):
    corpus = load(pairs_file, direction="reverse")
    assert {(b, a) for part in corpus.texts.values() for a, b in part} == set(PAIRS)
    assert all(part_of(source) == part for part, pairs in corpus.texts.items() for source, _ in pairs)


# TFDS


class Prepared:
    """Stands for a prepared data set."""

    def __init__(self, features, splits):
        self.features, self._splits, self.splits, self.version = features, splits, tuple(splits), "mock 1"

    def require(self, *names):
        missing = [name for name in names if name not in self.features]
        if missing:
            raise CorpusError(f"has no feature {missing[0]!r}", "another one")

    def examples(self, split):
        return iter(self._splits[split])


def mocked(monkeypatch, name, features, splits):
    monkeypatch.setattr(tfds, "DataSet", lambda asked: Prepared(features, splits) if asked == name else None)


@pytest.mark.parametrize("name", ["para_crawl/enfr", "wmt14_translate/fr-en"])
def test_translation_features_are_read_with_english_as_the_source(monkeypatch, name):
    examples = [{"fr": b.encode(), "en": a.encode()} for a, b in PAIRS]
    mocked(monkeypatch, name, ("fr", "en"), {"train": examples})
    corpus = load(f"tfds:{name}")
    assert {tuple(pair) for part in corpus.texts.values() for pair in part} == set(PAIRS)
    assert corpus.facts()["argument"] == f"tfds:{name}"


def test_tatoeba_whose_target_is_english_is_turned_round(monkeypatch):
    examples = [
        {"source_sentence": b.encode(), "target_sentence": a.encode(), "source_language": b"fra", "target_language": b"eng"}
        for a, b in PAIRS
    ]
    mocked(monkeypatch, "tatoeba/tatoeba_fr", tuple(examples[0]), {"train": examples})
    assert {tuple(pair) for part in load("tfds:tatoeba/tatoeba_fr").texts.values() for pair in part} == set(PAIRS)


def test_splits_of_its_own_are_kept_but_for_training_pairs_that_leak(monkeypatch):
    examples = [{"fr": b.encode(), "en": a.encode()} for a, b in PAIRS]
    splits = {"train": examples[:80], "validation": examples[70:90], "test": examples[90:]}
    mocked(monkeypatch, "wmt14_translate/fr-en", ("en", "fr"), splits)
    corpus = load("tfds:wmt14_translate/fr-en")
    assert [tuple(pair) for pair in corpus.texts["test"]] == PAIRS[90:]
    assert [tuple(pair) for pair in corpus.texts["validation"]] == PAIRS[70:90]
    assert [tuple(pair) for pair in corpus.texts["train"]] == PAIRS[:70]


def test_a_data_set_of_something_else_is_refused(monkeypatch):
    mocked(monkeypatch, "imdb_reviews", ("text", "label", "x"), {"train": []})
    with pytest.raises(CorpusError, match="source_sentence"):
        load("tfds:imdb_reviews")


# Cleaning


def test_hard_and_thin_spaces_are_spaces_and_soft_hyphens_nothing():
    assert cleaned(" Quoi\u00a0?\u202f!\u2009 au\u00adjourd'hui ", "keep") == "Quoi ? ! aujourd'hui"


def test_accents_are_composed_and_kept():
    assert cleaned("E\u0301te\u0301", "keep") == "Été"


def test_ascii_is_the_published_preprocessing():
    assert cleaned("Où est-il, à l'école ?", "ascii") == "ou est il a l ecole ?"
    assert cleaned("Go!", "ascii") == "go !"


# Splitting


def test_sources_are_split_by_their_words_whatever_case_and_signs():
    assert part_of("Are you OK?") == part_of("are you ok") == part_of("ARE  YOU: OK!")


def test_no_source_of_a_part_is_in_another(pairs_file):
    corpus = load(pairs_file)
    keys = [{key(source) for source, _ in pairs} for pairs in corpus.texts.values()]
    assert sum(map(len, keys)) == len(set.union(*keys)) == 100
    assert corpus.leakage("test")["seen_in_training"] == 0


def test_each_distinct_source_is_one_item_with_all_its_translations(tmp_path):
    path = tmp_path / "pairs.tsv"
    lines = [(a, b) for a, b in PAIRS] + [(a, b.replace("Je", "Moi, je")) for a, b in PAIRS] + PAIRS
    path.write_text("".join(f"{a}\t{b}\n" for a, b in lines), encoding="utf-8")
    corpus = load(path)
    items = corpus.split("test")
    assert all(item.references == (b, b.replace("Je", "Moi, je")) for item in items for a, b in PAIRS if a == item.source)
    assert corpus.items("test") == len(items) == len({item.source for item in items})


def test_vocabularies_are_fitted_on_training_text_alone(pairs_file):
    corpus = load(pairs_file)
    train = " ".join(f"{a} {b}" for a, b in corpus.texts["train"])
    for side in ("source", "target"):
        assert all(symbol in train or symbol in train.lower() for symbol in corpus.vocabulary[side].symbols if symbol[0] != "<")


def test_rare_words_are_unknown(pairs_file):
    assert len(load(pairs_file, min_count=10_000).vocabulary["source"]) == 1
    assert len(load(pairs_file, words=3).vocabulary["source"]) == 4


# Batches


def batches(config, epoch=0, seed=0):
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 9, 50)
    sources = Ragged.of(rng.integers(1, 9, n) for n in lengths)
    targets = Ragged.of(rng.integers(3, 9, n + 1) for n in lengths)
    return sources, targets, Batches(sources, targets, config, epoch, seed)


def test_each_pair_is_in_an_epoch_once_with_start_before_and_end_after():
    sources, targets, epoch = batches(Config(batch_size=8))
    expected = sorted((tuple(s), tuple(t)) for s, t in zip(sources, targets, strict=True))
    received = []
    for batch in epoch:
        a = batch.arrays
        assert batch.tokens == a["real"].sum()
        columns = (a[name] for name in ("inputs", "mask", "previous", "targets", "real"))
        for inputs, mask, previous, target, real in zip(*columns, strict=True):
            words = target[real]
            assert words[-1] == END and previous[0] == START
            np.testing.assert_array_equal(previous[real][1:], words[:-1])
            received.append((tuple(inputs[mask]), tuple(words[:-1])))
    assert sorted(received) == expected


def test_next_to_nothing_is_padded():
    _, _, epoch = batches(Config(batch_size=4))
    assert np.mean([batch.arrays["real"].mean() for batch in epoch]) > 0.9


def test_an_epoch_is_the_same_for_the_same_number_and_another_for_the_next():
    first, again, other = (batches(Config(batch_size=8), epoch)[2] for epoch in (0, 0, 1))
    assert all((a.arrays["inputs"] == b.arrays["inputs"]).all() for a, b in zip(first, again, strict=True))
    assert any(a.arrays["inputs"].shape != b.arrays["inputs"].shape for a, b in zip(first, other, strict=True))


def test_word_dropout_makes_source_words_unknown():
    plain, dropped = batches(Config(word_dropout=0.0))[2][0], batches(Config(word_dropout=0.5))[2][0]
    share = (dropped.arrays["inputs"] == UNKNOWN)[plain.arrays["mask"]].mean()
    assert 0.3 < share < 0.7


def test_scheduled_sampling_grows_with_the_epochs_and_never_touches_the_first_word():
    config = Config(sampling=0.4, epochs=11)
    shares = [np.mean([b.arrays["own"][:, 1:].mean() for b in batches(config, epoch)[2]]) for epoch in (0, 5, 10)]
    np.testing.assert_allclose(shares, [0, 0.2, 0.4], atol=0.08)
    assert not any(b.arrays["own"][:, 0].any() for b in batches(config, 10)[2])


def test_sentences_too_long_are_not_trained_on(tmp_path, pairs_file):
    longer = [(f"{a} Really?", f"{b} Vraiment ?") for a, b in PAIRS]
    pairs_file.write_text("".join(f"{a}\t{b}\n" for a, b in [*PAIRS, *longer]), encoding="utf-8")
    short, whole = load(pairs_file, longest=5), load(pairs_file)
    assert len(short.sources) == sum(a in dict(PAIRS) for a, _ in whole.texts["train"]) < len(whole.sources)
    assert short.items("test") == whole.items("test")
