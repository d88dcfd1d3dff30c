"""Training: the moving average of the weights, and a run that goes on as if it had never stopped."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rnnzoo import zoo
from rnnzoo.cells.initial import initial_weights
from rnnzoo.config import restore
from rnnzoo.recipes.postag import Config
from rnnzoo.recipes.postag.corpus import load_corpus
from rnnzoo.recipes.postag.numpy_model import weight_shapes
from rnnzoo.training.engines import NumpyEngine, make_engine
from rnnzoo.training.reporter import Reporter

CONFIG = dataclasses.replace(Config(), units=8, embedding=8, features=8, average=0.9)


@pytest.fixture
def start():
    corpus = load_corpus(CONFIG, "sample", Reporter())
    weights = initial_weights(weight_shapes(CONFIG, corpus.vocabulary), 0, CONFIG.embedding_scale)
    return zoo.load("postag"), corpus, weights


def steps(engine, corpus, begin: int, end: int):
    batches = corpus.batches(CONFIG, 0, 0)
    for step in range(begin, end):
        engine.step(batches[step], None, 1e-3, step)


def copied(arrays):
    return {name: np.array(array) for name, array in arrays.items()}


def test_the_average_is_that_of_the_weights_after_each_step(start):
    recipe, corpus, weights = start
    averaged = make_engine("numpy", recipe, CONFIG, corpus.vocabulary, weights, 0)
    plain = NumpyEngine(recipe, CONFIG, corpus.vocabulary, weights, 0)
    expected = weights["output_layer.bias"].astype(np.float64)
    for step in range(30):
        steps(averaged, corpus, step, step + 1)
        steps(plain, corpus, step, step + 1)
        kept = min(0.9, (step + 1) / (step + 10))
        expected = kept * expected + (1 - kept) * plain.weights()["output_layer.bias"]
    np.testing.assert_allclose(averaged.weights()["output_layer.bias"], expected, rtol=1e-5)
    assert np.abs(averaged.weights()["output_layer.bias"] - plain.weights()["output_layer.bias"]).max() > 1e-4


def test_what_a_checkpoint_holds_is_all_that_going_on_needs(start):
    recipe, corpus, weights = start
    through = make_engine("numpy", recipe, CONFIG, corpus.vocabulary, weights, 0)
    steps(through, corpus, 0, 5)
    kept = copied(through.weights()), copied(through.slots())
    steps(through, corpus, 5, 9)
    again = make_engine("numpy", recipe, CONFIG, corpus.vocabulary, weights, 0)
    again.restore(*kept)
    steps(again, corpus, 5, 9)
    for name, array in through.weights().items():
        np.testing.assert_array_equal(again.weights()[name], array)
    for name, array in through.slots().items():
        np.testing.assert_array_equal(again.slots()[name], array)


@pytest.mark.keras
def test_both_engines_have_the_same_losses_under_a_crf():
    config = dataclasses.replace(CONFIG, output="crf", dropout=0.0, input_dropout=0.0, average=0.0)
    corpus = load_corpus(config, "sample", Reporter())
    weights = initial_weights(weight_shapes(config, corpus.vocabulary), 0, config.embedding_scale)
    batches, losses = corpus.batches(config, 0, 0), {}
    for name in ("numpy", "keras"):
        engine = make_engine(name, zoo.load("postag"), config, corpus.vocabulary, weights, 0)
        losses[name] = [engine.step(batches[step], None, 1e-2, step)[0] / batches[step].tokens for step in range(30)]
        assert np.abs(engine.weights()["crf.transitions"]).max() > 0.05
    assert losses["numpy"][-1] < 0.8 * losses["numpy"][0]
    np.testing.assert_allclose(losses["numpy"], losses["keras"], rtol=1e-4)


def test_a_run_from_before_there_was_a_crf_has_none():
    recorded = dataclasses.asdict(Config())
    assert restore(Config, recorded).output == "crf"
    del recorded["output"]
    assert restore(Config, recorded).output == "softmax"


def test_no_average_is_the_engine_itself(start):
    recipe, corpus, weights = start
    config = dataclasses.replace(CONFIG, average=0.0)
    assert isinstance(make_engine("numpy", recipe, config, corpus.vocabulary, weights, 0), NumpyEngine)
