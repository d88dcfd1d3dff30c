"""Writing text: it begins with the prefix, goes on as the options say, and is the same for the same seed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from rnnzoo.errors import CallError
from rnnzoo.recipes.chargen import Config, Options
from rnnzoo.recipes.chargen.corpus import START
from rnnzoo.recipes.chargen.numpy_model import NumpyModel, weight_shapes
from rnnzoo.vocabulary import Vocabulary

VOCABULARY = Vocabulary("abcdé ")


@pytest.fixture
def model() -> NumpyModel:
    config = Config(units=8, embedding=4, layers=2)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.8, shape).astype(np.float32) for name, shape in weight_shapes(config, VOCABULARY).items()}
    weights["output_layer.bias"][0] = 50  # UNK would be by far the likeliest; it must never be written
    return NumpyModel(config, VOCABULARY, weights)


def write(model, *prefixes, seed=0, **options) -> list[str]:
    """The whole answers, from their records."""
    pieces = list(model.generate(prefixes, Options(**options), seed))
    return [piece.record["text"] for piece in pieces if piece.record]


def next_logits(model, text: str) -> np.ndarray:
    """By `call`, from the beginning, UNK left out."""
    x = np.concatenate([[START], model.vocabulary.encode(text)])[None]
    return model.call(x)[0][0, -1, 1:].astype(np.float64)


def log_probability(model, prefix: str, text: str) -> float:
    total = 0.0
    for i, character in enumerate(text):
        logits = next_logits(model, prefix + text[:i])
        total += logits[VOCABULARY.encode(character)[0] - 1] - math.log(np.exp(logits).sum())
    return total


@pytest.mark.parametrize("prefix", ["", "a", "é d", "ab" * 400])
@pytest.mark.parametrize("options", [{}, {"samples": 3}, {"beam": 3, "samples": 2}, {"temperature": 0.0}])
def test_texts_begin_exactly_with_the_prefix_and_are_as_long_as_asked(model, prefix, options):
    texts = write(model, prefix, length=5, **options)
    assert len(texts) == options.get("samples", 1)
    for text in texts:
        assert text.startswith(prefix)
        assert len(text) == len(prefix) + 5


@pytest.mark.parametrize("options", [{}, {"samples": 3}, {"beam": 3}])
def test_no_length_gives_the_prefix(model, options):
    assert set(write(model, "ab", length=0, **options)) == {"ab"}


def test_greedy_takes_the_most_probable_character_each_time(model):
    (text,) = write(model, "ab", length=12, temperature=0.0)
    for i in range(2, 14):
        assert text[i] == VOCABULARY[int(next_logits(model, text[:i]).argmax()) + 1]


def test_a_long_prefix_is_read_to_its_end(model):
    """It is read in blocks of 256; the state after it must be that of the whole."""
    for length in (255, 256, 257, 513):
        prefix = ("abcdé " * 90)[:length]
        logits, _ = model.read_prefix(VOCABULARY.encode(prefix))
        np.testing.assert_allclose(logits[0, 1:], next_logits(model, prefix), atol=1e-5)
        assert logits[0, 0] == -np.inf


def test_low_temperature_is_greedy_and_high_temperature_is_not(model):
    (greedy,) = write(model, "ab", length=30, temperature=0.0)
    assert write(model, "ab", length=30, temperature=1e-5, seed=3) == [greedy]
    assert write(model, "ab", length=30, temperature=5.0, seed=3) != [greedy]


def test_top_k_of_one_and_top_p_of_nothing_are_greedy(model):
    (greedy,) = write(model, "ab", length=30, temperature=0.0)
    assert write(model, "ab", length=30, top_k=1, temperature=2.0) == [greedy]
    assert write(model, "ab", length=30, top_p=0.0, temperature=2.0) == [greedy]


def test_frequencies_are_the_probabilities(model):
    """20,000 texts of one character: chi-squared with 5 degrees of freedom is above 27 with probability 5e-5."""
    texts = write(model, "b", length=1, temperature=1.0, samples=20_000, seed=2)
    logits = next_logits(model, "b")
    expected = 20_000 * np.exp(logits) / np.exp(logits).sum()
    counts = np.array([sum(text == "b" + c for text in texts) for c in VOCABULARY.symbols])
    assert counts.sum() == 20_000
    assert ((counts - expected) ** 2 / expected).sum() < 27


def test_the_unknown_symbol_is_never_written(model):
    assert set("".join(write(model, "", length=300, temperature=3.0, samples=5))) <= set(VOCABULARY.symbols)


def test_the_same_seed_writes_the_same_text(model):
    assert write(model, "a", length=50, seed=7) == write(model, "a", length=50, seed=7)
    assert write(model, "a", length=50, seed=7) != write(model, "a", length=50, seed=8)
    assert write(model, "a", length=50, samples=4, seed=7) == write(model, "a", length=50, samples=4, seed=7)


def test_samples_differ_from_one_another(model):
    assert len(set(write(model, "a", length=50, samples=6))) == 6


def test_the_text_of_one_prefix_does_not_depend_on_the_others(model):
    alone = write(model, "a", length=20, seed=5)
    together = write(model, "a", "b", "a", length=20, seed=5)
    assert together[:1] == alone
    assert together[2] != together[0]  # the same prefix again has draws of its own


def test_samples_read_the_prefix_once(model, monkeypatch):
    reads = []
    real = model.call
    monkeypatch.setattr(model, "call", lambda x, *rest: reads.append(x.shape) or real(x, *rest))
    write(model, "abcd", length=3, samples=50)
    assert reads == [(1, 4)]  # START and three characters; the fourth is the first step


def test_one_text_is_streamed_character_by_character(model):
    pieces = list(model.generate(["ab"], Options(length=4), 0))
    assert [len(piece.text) for piece in pieces] == [2, 1, 1, 1, 1, 0]
    assert [piece.record is not None for piece in pieces] == [False] * 5 + [True]
    assert "".join(piece.text for piece in pieces) == pieces[-1].record["text"]
    assert pieces[-1].record == {"prefix": "ab", "seed": 0, "text": pieces[-1].record["text"]}


def test_texts_are_asked_for_one_at_a_time(model):
    """So that answers come while lines still arrive."""
    asked = []

    def lines():
        for text in ("a", "b"):
            asked.append(text)
            yield text

    pieces = model.generate(lines(), Options(length=2), 0)
    for _ in range(4):
        next(pieces)
    assert asked == ["a"]


@pytest.mark.parametrize("options", [{}, {"samples": 2}, {"beam": 2}])
def test_unknown_characters_are_named(model, options):
    with pytest.raises(CallError) as caught:
        write(model, "aXbéX\u00df\n", **options)
    assert caught.value.message == (
        "the prefix has characters that this model does not know: 'X' (U+0058), 'ß' (U+00DF), '\\n' (U+000A)"
    )
    assert caught.value.hint == "--skip-unknown leaves them out"


def test_of_many_unknown_characters_ten_are_named(model):
    with pytest.raises(CallError) as caught:
        write(model, "0123456789XYZ")
    assert caught.value.message.endswith("'9' (U+0039), ...")


def test_unknown_characters_are_left_out_on_request(model):
    assert write(model, "aXbY", length=10, skip_unknown=True) == write(model, "ab", length=10)
    assert write(model, "XYZ", length=10, skip_unknown=True) == write(model, "", length=10)


def test_a_wide_beam_finds_the_most_probable_text(model):
    ranked = sorted(
        ("".join(text) for text in itertools.product(VOCABULARY.symbols, repeat=3)),
        key=lambda text: log_probability(model, "d", text),
        reverse=True,
    )
    assert write(model, "d", length=3, beam=216, samples=5) == ["d" + text for text in ranked[:5]]


def test_a_beam_of_one_is_greedy(model):
    assert write(model, "d", length=20, beam=1) == write(model, "d", length=20, temperature=0.0)


def test_more_texts_than_beams_cannot_be_had(model):
    with pytest.raises(CallError, match="--samples 3 asks for more texts than --beam 2 keeps"):
        write(model, "d", length=3, beam=2, samples=3)


def test_the_sample_shown_in_training(model):
    config = Config(sample_every=5)
    assert model.sample(config, 4) is None
    assert model.sample(Config(sample_every=0), 5) is None
    text = model.sample(config, 5)
    assert len(text) == 300  # `Alice ` cannot be said with these characters
    assert text == model.sample(config, 5)
    known = Vocabulary("Alice ")
    shapes = weight_shapes(model.config, known)
    named = NumpyModel(model.config, known, {name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    assert named.sample(config, 5).startswith("Alice ")
    assert len(named.sample(config, 5)) == 306
