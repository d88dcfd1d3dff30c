"""Data sets of TensorFlow Datasets, with the package's own mocked builders."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.errors import CorpusError
from rnnzoo.recipes.sentiment import Config
from rnnzoo.recipes.sentiment.corpus import load_corpus
from rnnzoo.training.reporter import Reporter

pytestmark = pytest.mark.keras


class Heard(Reporter):
    def __init__(self):
        self.lines = []

    def note(self, line):
        self.lines.append(line)


@pytest.fixture
def served(monkeypatch):
    """Serves data sets with examples of their own features and splits, without a network."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    def serve(text: str, label: str, numbers: dict[str, list[int]]):
        def as_dataset(self, split=None, **_):
            rng = np.random.default_rng(len(split))

            def examples():
                for i, number in enumerate(numbers[split]):
                    words = " ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 5))
                    yield {text: f"{split} {i} {words}".encode(), label: number}

            kinds = {text: tf.TensorSpec((), tf.string), label: tf.TensorSpec((), tf.int64)}
            return tf.data.Dataset.from_generator(examples, output_signature=kinds)

        splits = {name: tfds.core.SplitInfo(name=name, shard_lengths=[len(own)], num_bytes=1) for name, own in numbers.items()}
        # The package mocks what a builder reads, not which splits it has.
        monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: splits))
        return tfds.testing.mock_data(num_examples=1, as_dataset_fn=as_dataset)

    return serve


def read(name: str, reporter: Reporter | None = None, **settings):
    return load_corpus(Config(**settings), f"tfds:{name}", reporter or Reporter())


def test_imdb_reviews_keep_their_test_split(served):
    halves = [0, 1] * 100
    with served("text", "label", {"train": halves, "test": halves[:40], "unsupervised": [-1] * 5}):
        corpus = read("imdb_reviews")
    assert corpus.vocabulary["labels"].symbols == ("negative", "positive")
    assert len(corpus.test) == 40 and all(text.startswith("test") for text in corpus.test.texts)
    assert len(corpus.train) + len(corpus.validation) == 200 and len(corpus.validation) > 0


def test_sst2_has_no_test_labels_so_validation_is_the_test(served):
    with served("sentence", "label", {"train": [0, 1] * 100, "validation": [0, 1] * 10, "test": [-1] * 30}):
        corpus = read("glue/sst2")
    assert len(corpus.test) == 20 and all(text.startswith("validation") for text in corpus.test.texts)


def test_sentiment140_neutral_test_tweets_are_left_out_and_that_is_said(served):
    heard = Heard()
    with served("text", "polarity", {"train": [0, 4] * 100, "test": [0, 2, 4] * 10}):
        corpus = read("sentiment140", heard)
    assert corpus.vocabulary["labels"].symbols == ("negative", "positive")
    assert len(corpus.test) == 20
    assert any("10 test texts have a label that no training text has" in line for line in heard.lines)


def test_yelp_reviews_are_cut_off_and_limited(served):
    heard = Heard()
    with served("text", "label", {"train": [0, 1] * 100, "test": [0, 1] * 20}):
        corpus = read("yelp_polarity_reviews", heard, length=4, limit=100)
    assert len(corpus.train) + len(corpus.validation) == 100
    assert any("longer than 4 words" in line for line in heard.lines)


def test_a_data_set_without_labels_is_refused(served):
    with served("text", "label", {"train": [0] * 5}), pytest.raises(CorpusError, match="has no feature 'label'"):
        read("tiny_shakespeare")
