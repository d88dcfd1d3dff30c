"""Splits that leak nothing, words and tags in step, and batches that show what is to be shown."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from rnnzoo.corpora.splits import bucket, key
from rnnzoo.errors import CorpusError
from rnnzoo.recipes.postag import Config
from rnnzoo.recipes.postag.corpus import PARTS, load_corpus
from rnnzoo.training.reporter import Reporter

WORDS_ONLY = {"features": 0, "word_dropout": 0.0, "feature_dropout": 0.0}


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("".join(f"word{i}/NN eats/VBZ fish{i % 7}/NN ./.\n" for i in range(200)), encoding="utf-8")
    return load_corpus(Config(), str(path), Reporter())


def test_a_sentence_goes_where_the_hash_of_its_words_says(own):
    for part, low, high in (("test", 0, 0.25), ("validation", 0.25, 0.30), ("train", 0.30, 1)):
        assert len(own.split(part))
        assert all(low <= bucket("postag", key(" ".join(s.words))) < high for s in own.split(part))
    assert sum(len(own.split(part)) for part in PARTS) == 200
    assert own.leakage("test") == {"seen_in_training": 0}


def test_what_is_loaded_from_the_cache_is_what_was_read(own):
    again = load_corpus(Config(), own.facts()["argument"], Reporter())
    assert all(again.split(part).sentences == own.split(part).sentences for part in PARTS)
    assert again.facts() == own.facts()
    assert own.test[0].words[1:2] == ("eats",) and own.test[0].tags == ("NN", "VBZ", "NN", ".")


def test_the_hash_of_a_split_is_of_its_sentences_as_word_slash_tag(own):
    text = "\n".join(" ".join(f"{w}/{t}" for w, t in zip(*s, strict=True)) for s in own.test)
    assert own.split_sha256("test") == hashlib.sha256(text.encode()).hexdigest()


def test_vocabularies_hold_training_words_only(own):
    train = {word for sentence in own.train for word in sentence.words}
    assert set(own.vocabulary["words"].symbols) == train == set(own.train.seen)


def test_a_vocabulary_of_the_most_frequent_words(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("".join(f"a/DT word{i}/NN ./.\n" for i in range(100)), encoding="utf-8")
    corpus = load_corpus(Config(vocabulary=2), str(path), Reporter())
    assert set(corpus.vocabulary["words"].symbols) == {"a", "."}


def test_a_corpus_that_is_too_small_is_refused(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("a/DT\nb/NN\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="2 sentences, at least"):
        load_corpus(Config(), str(path), Reporter())


def test_an_epoch_has_every_sentence_once_its_tags_in_step(own):
    config = Config(batch_size=16, **WORDS_ONLY)
    words, tags = own.vocabulary["words"], own.vocabulary["tags"]
    found = []
    for batch in own.batches(config, 0, 0):
        real = batch.arrays["weights"] > 0
        assert batch.tokens == real.sum()
        assert batch.arrays["inputs"].shape == (*real.shape, 1)
        for x, y, m in zip(batch.arrays["inputs"], batch.arrays["targets"], real, strict=True):
            assert m[: m.sum()].all()  # padding follows the words
            found.append((tuple(words[n] for n in x[m][:, 0]), tuple(tags[n] for n in y[m])))
    assert sorted(found) == sorted(map(tuple, own.train.sentences))


def test_epochs_differ_and_can_be_had_again(own):
    def epoch(number, seed):
        return [batch.arrays["inputs"].tobytes() for batch in own.batches(Config(), number, seed)]

    assert epoch(0, 0) == epoch(0, 0)
    assert epoch(0, 0) != epoch(1, 0) != epoch(1, 1)


def words_of(batches) -> int:
    return sum(batch.tokens for batch in batches)


def test_the_last_epochs_learn_from_the_validation_sentences_too(own):
    config = Config(epochs=4, refit=0.5)
    assert [own.refits(config, epoch) for epoch in range(4)] == [False, False, True, True]
    before, after = own.batches(config, 1, 0), own.batches(config, 2, 0)
    assert words_of(before) == 4 * len(own.train)
    assert words_of(after) == 4 * (len(own.train) + len(own.validation))
    assert len(after) <= len(before)  # the schedule counts steps
    assert not any(own.refits(Config(epochs=4, refit=0.0), epoch) for epoch in range(4))


def test_what_is_unseen_is_told_by_what_is_learnt_from(own):
    def distinct(part):
        return {word for sentence in own.split(part) for word in sentence.words}

    held_out = load_corpus(Config(refit=0.0), own.facts()["argument"], Reporter())
    assert own.test.seen == distinct("train") | distinct("validation")
    assert own.validation.seen == held_out.test.seen == distinct("train")


def test_a_rare_word_is_hidden_with_its_spelling_as_a_whole_more_often_than_a_frequent_one(own):
    config = dataclasses.replace(Config(), word_dropout=1.0, feature_dropout=0.0, refit=0.0)
    rare = frequent = hidden_rare = hidden_frequent = 0
    for epoch in range(20):
        for batch in own.batches(config, epoch, 0):
            x = batch.arrays["inputs"][batch.arrays["weights"] > 0].reshape(-1, 4, batch.arrays["inputs"].shape[-1])
            hidden_rare += (x[:, 0, 0] == 0).sum()
            hidden_frequent += (x[:, 1, 0] == 0).sum()
            rare, frequent = rare + len(x), frequent + len(x)
            assert (x[:, 0, 1][x[:, 0, 0] == 0] == 0).all()  # the feature "word=..." would give it away
    assert hidden_rare / rare == pytest.approx(1 / 2, abs=0.03)  # 1 / (1 + 1)
    assert hidden_frequent / frequent == pytest.approx(1 / (1 + len(own.train)), abs=0.01)


@pytest.mark.real
@pytest.mark.parametrize(
    ("traces", "words", "tags", "digest"),
    [("keep", 100_676, 46, "3b07847fedc9"), ("drop", 94_084, 45, "52b143ec4b99")],
)
def test_the_standard_cut_of_the_treebank(traces, words, tags, digest):
    corpus = load_corpus(Config(traces=traces), "treebank", Reporter())
    counts = corpus.facts()["counts"]
    assert (counts["sentences"], counts["words"], counts["tags"]) == (3914, words, tags)
    assert [len(corpus.split(part)) for part in PARTS] == [2700, 300, 914]
    assert corpus.split_sha256("test").startswith(digest)


@pytest.mark.real
def test_masc():
    corpus = load_corpus(Config(), "masc", Reporter())
    assert corpus.facts()["counts"]["sentences"] == 34_530
    assert corpus.facts()["counts"]["words"] == 592_448  # of 592,469 the 21 that have a tag and no word are left out
    assert 0.24 < len(corpus.test) / 34_530 < 0.26


@pytest.mark.real
def test_an_epoch_is_at_least_six_times_shorter_than_padded_to_the_longest_sentence():
    corpus = load_corpus(Config(traces="keep"), "treebank", Reporter())
    assert corpus.train.longest == 271
    steps = sum(batch.arrays["targets"].size for batch in corpus.batches(Config(), 0, 0))
    assert 271 * len(corpus.train) / steps > 6
    # Next to nothing of it is padding.
    assert steps < 1.05 * sum(len(sentence.words) for sentence in corpus.train)


@pytest.fixture
def served(monkeypatch):
    """Serves a data set's splits, each of 40 sentences of three words, through TFDS' own mock of its builders."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    def serve(*splits: str, **columns: list):
        def as_dataset(self, split=None, **_):
            def examples():
                for i in range(40):
                    yield {"tokens": [f"{split}{i}".encode(), b"new york", b"/"], **columns}

            kinds = {
                name: tf.TensorSpec((None,), tf.int64 if isinstance(v[0], int) else tf.string) for name, v in columns.items()
            }
            kinds["tokens"] = tf.TensorSpec((None,), tf.string)
            return tf.data.Dataset.from_generator(examples, output_signature=kinds)

        # The package mocks what a builder reads, not which splits it has.
        known = {name: tfds.core.SplitInfo(name=name, shard_lengths=[40], num_bytes=1) for name in splits}
        monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: known))
        return tfds.testing.mock_data(num_examples=1, as_dataset_fn=as_dataset)

    return serve


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "tags", "expected"),
    [
        ("universal_dependencies/en_ewt", "upos", ("NOUN", "PROPN", "SYM")),
        ("universal_dependencies/en_ewt", "xpos", ("NN", "NNP", "SYM")),
        ("conll2003", "xpos", ("NN", "NNP", "SYM")),
    ],
)
def test_data_sets_of_tfds_keep_their_own_splits(name, tags, expected, served):
    import tensorflow_datasets as tfds

    if name == "conll2003":
        numbers = tfds.builder(name).info.features["pos"].feature.names
        columns = {"pos": [numbers.index(tag) for tag in expected]}
    else:
        numbers = tfds.builder(name).info.features["upos"].feature.names
        columns = {"upos": [numbers.index(tag) for tag in ("NOUN", "PROPN", "SYM")], "xpos": [b"NN", b"NNP", b"SYM"]}
    with served("train", "dev", "test", **columns):
        corpus = load_corpus(Config(tags=tags), f"tfds:{name}", Reporter())
    for part, split in (("train", "train"), ("validation", "dev"), ("test", "test")):
        assert corpus.split(part)[39] == ((f"{split}39", "new york", "/"), expected)


@pytest.mark.keras
def test_a_data_set_without_a_test_split_is_split_by_hash(served):
    with served("train", pos=[1, 2, 3]):
        corpus = load_corpus(Config(), "tfds:conll2003", Reporter())
    assert sum(len(corpus.split(part)) for part in PARTS) == 40


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [("imdb_reviews", {}, "no feature 'tokens'"), ("conll2003", {"pos": [1, 2]}, "3 words and 2 tags")],
)
def test_a_data_set_without_a_tag_for_each_word_is_refused(name, columns, message, served):
    with served("train", **columns), pytest.raises(CorpusError, match=message):
        load_corpus(Config(), f"tfds:{name}", Reporter())
