"""The NumPy model: gradients, masks, step by step against all at once, search, and what generate answers."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.batching import Batch
from rnnzoo.cells.initial import initial_weights
from rnnzoo.config import with_preset
from rnnzoo.errors import CallError
from rnnzoo.recipes.translate import PRESETS, TYPICAL_VOCABULARY, Config, Options
from rnnzoo.recipes.translate.corpus import END, START
from rnnzoo.recipes.translate.numpy_model import NumpyModel, example_vocabulary, weight_shapes

SHAPES = [
    {"attention": "multiplicative"},
    {"attention": "additive", "tied": True, "layers": 2, "cell": "lstm", "readout": 0},
    {"attention": "none", "bidirectional": False, "readout": 0},
    {"attention": "none", "tied": True, "layers": 2, "cell": "mgu", "readout": 0},
    {"attention": "multiplicative", "bidirectional": False, "layers": 2, "cell": "simple_rnn"},
    {"attention": "additive", "cell": "peephole_lstm"},
    {"attention": "multiplicative", "tied": True, "cell": "gru_reset_before", "readout": 0},
]


def model(kind=np.float32, seed=1, **settings):
    config = Config(**{"units": 6, "embedding": 4, "readout": 5, "dropout": 0.0, "tied": False} | settings)
    weights = initial_weights(weight_shapes(config, example_vocabulary()), seed, 1.0)
    rng = np.random.default_rng(seed)
    weights = {name: (array + rng.normal(0, 0.1, array.shape)).astype(kind) for name, array in weights.items()}
    return NumpyModel(config, example_vocabulary(), weights)


def example_batch(network, own=False):
    rng = np.random.default_rng(3)
    (source, mask, previous), _ = network.example_input(rng)
    real = np.arange(7) < np.array([7, 6, 2])[:, None]
    arrays = {"inputs": source, "mask": mask, "previous": previous, "targets": rng.integers(0, 10, (3, 7)), "real": real}
    return Batch(arrays | {"own": np.full((3, 7), own)}, int(real.sum()))


@pytest.mark.parametrize("settings", SHAPES, ids=str)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradients_are_those_of_central_differences(settings, dropout):
    network = model(np.float64, dropout=dropout, **settings)
    batch, rng = example_batch(network), np.random.default_rng(0)

    def loss():
        return network.loss_and_gradients(batch, None, np.random.default_rng(5))[0] / batch.tokens

    gradients = network.loss_and_gradients(batch, None, np.random.default_rng(5))[1]
    assert {name: g.shape for name, g in gradients.items()} == {name: w.shape for name, w in network.weights.items()}
    for name, weights in network.weights.items():
        for _ in range(4):
            index = tuple(rng.integers(0, n) for n in weights.shape)
            kept = weights[index]
            weights[index] = kept + 1e-6
            above = loss()
            weights[index] = kept - 1e-6
            numeric = (above - loss()) / 2e-6
            weights[index] = kept
            np.testing.assert_allclose(gradients[name][index], numeric, rtol=1e-4, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("settings", SHAPES, ids=str)
def test_step_by_step_equals_teacher_forcing_on_the_same_words(settings):
    network = model(**settings)
    (source, mask, previous), _ = network.example_input(np.random.default_rng(0))
    logits, final = network.call((source, mask, previous))
    step, carried = network.stepper(), network.encode(source, mask)
    for t in range(previous.shape[1]):
        received, carried = step(previous[:, t], carried)
        np.testing.assert_allclose(received[:, 3:], logits[:, t, 3:], atol=1e-5)
        np.testing.assert_allclose(received[:, END], logits[:, t, END], atol=1e-5)
    for layer, expected in zip(carried[1], final, strict=True):
        for a, b in zip(layer, expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_target_fed_in_pieces_gives_what_it_gives_whole():
    network = model()
    (source, mask, previous), _ = network.example_input(np.random.default_rng(0))
    memory, state = network.encode(source, mask)
    whole, _ = network.decode(previous, memory, state)
    first, state = network.decode(previous[:, :3], memory, state)
    second, _ = network.decode(previous[:, 3:], memory, state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-6)


@pytest.mark.parametrize("settings", SHAPES, ids=str)
def test_padding_changes_nothing(settings):
    network = model(**settings)
    (source, mask, previous), _ = network.example_input(np.random.default_rng(0))
    together, _ = network.call((source, mask, previous))
    for row, length in enumerate(mask.sum(axis=1)):
        x = source[row : row + 1, :length], mask[row : row + 1, :length], previous[row : row + 1]
        np.testing.assert_allclose(network.call(x)[0][0], together[row], atol=1e-5)


def test_the_loss_counts_real_words_only():
    """As a loop over the real words computes it, one by one."""
    network = model(np.float64, label_smoothing=0.2)
    batch = example_batch(network)
    a = batch.arrays
    logits, _ = network.call((a["inputs"], a["mask"], a["previous"]))
    expected = 0.0
    for row, time in np.argwhere(a["real"]):
        log_p = logits[row, time] - np.log(np.exp(logits[row, time]).sum())
        expected -= 0.8 * log_p[a["targets"][row, time]] + 0.2 * log_p.mean()
    np.testing.assert_allclose(network.loss_and_gradients(batch, None, None)[0], expected)


def test_scheduled_sampling_feeds_predictions_where_it_is_told_to():
    network = model(sampling=0.5)
    batch = example_batch(network, own=True)
    a = batch.arrays
    a["own"][:, 0] = a["own"][0] = False
    a["previous"][:, 0] = START
    predictions = network.call((a["inputs"], a["mask"], a["previous"]))[0].argmax(axis=-1)
    mixed = network._with_own(a, None)
    np.testing.assert_array_equal(mixed[0], a["previous"][0])
    np.testing.assert_array_equal(mixed[1:, 1:], predictions[1:, :-1])
    assert network.loss_and_gradients(batch, None, None)[0] > 0


def test_the_book_preset_has_the_published_number_of_parameters():
    class Sized:
        def __init__(self, size):
            self.size = size

        def __len__(self):
            return self.size

    vocabulary = {name: Sized(size) for name, size in TYPICAL_VOCABULARY.items()}
    shapes = weight_shapes(with_preset(Config, PRESETS, "book"), vocabulary)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 18_692_246


@pytest.mark.parametrize(("settings", "hint"), [({"units": 7}, "units=8"), ({"tied": True, "readout": 3}, "leave readout out")])
def test_settings_that_do_not_go_together_are_refused(settings, hint):
    with pytest.raises(CallError) as caught:
        model(**settings)
    assert hint in caught.value.hint


# Translating


def test_a_translation_has_no_unknown_words_and_ends_at_its_limit():
    network = model()
    for translations in network.translate(["a b c", "d", "h h h h h"], beam=3, length=4):
        assert translations and all(len(t.words) <= 4 for t in translations)
        assert all(word in network.vocabulary["target"].symbols[2:] for t in translations for word in t.words)


def test_without_a_limit_of_ones_own_it_is_twice_the_source_and_ten():
    network = model()
    network.weights["output_layer.bias"][END] = -1e9
    found = network.translate(["a b c", "d"])
    assert [len(translations[0].words) for translations in found] == [16, 12]
    assert not any(translations[0].ended for translations in found)


@pytest.mark.parametrize("settings", SHAPES, ids=str)
@pytest.mark.parametrize("beam", [1, 4])
def test_sentences_side_by_side_are_translated_as_alone(settings, beam):
    network, texts = model(**settings), ["a b c d e", "f", "g h a b", "c c", "a b c d f"]
    together = network.translate(texts, beam)
    for text, translations in zip(texts, together, strict=True):
        (alone,) = network.translate([text], beam)
        assert [t.words for t in translations] == [t.words for t in alone]
        np.testing.assert_allclose([t.score for t in translations], [t.score for t in alone], atol=1e-4)


def test_the_score_is_the_log_probability_over_the_length_penalty():
    network = model()
    (translation,) = network.translate(["a b c"], alpha=0.6)[0]
    words = network.vocabulary["target"].encode(translation.words)
    source = network.vocabulary["source"].encode(["a", "b", "c"])[None]
    logits = network.call((source, source > 0, np.array([[START, *words]])))[0][0]
    logits[:, [0, START]] = -np.inf  # never written
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    written = [*words, END][: len(words) + translation.ended]
    total = sum(log_p[t, word] for t, word in enumerate(written))
    np.testing.assert_allclose(translation.score, total / ((5 + len(written)) / 6) ** 0.6, rtol=1e-4)


def test_attention_weights_are_those_of_the_words_written():
    network = model()
    (found,) = network.translate(["a b c"], attention=True)
    weights = found[0].attention
    assert weights.shape == (len(found[0].words) + found[0].ended, 3)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


# Answers


def test_each_text_gets_one_answer_blank_ones_too():
    answers = list(model().generate(["a b", "", "  ", "c"], Options(), seed=0))
    assert [bool(piece.text) or piece.record["translation"] == "" for piece in answers] == [True] * 4
    assert [piece.record["source"] for piece in answers] == ["a b", "", "  ", "c"]
    assert answers[1].text == answers[2].text == ""


def test_nbest_gives_scores_best_first():
    (piece,) = model().generate(["a b c"], Options(nbest=3), seed=0)
    lines = [line.split("\t") for line in piece.text.splitlines()]
    scores = [float(score) for score, _ in lines]
    assert len(lines) == 3 and scores == sorted(scores, reverse=True)
    assert [text for _, text in lines] == [t["text"] for t in piece.record["translations"]]


def test_the_record_has_attention_where_there_is_any():
    (piece,) = model().generate(["a b c"], Options(), seed=0)
    assert np.array(piece.record["translations"][0]["attention"]).shape[1] == len(piece.record["source_words"]) == 3
    (piece,) = model(attention="none", readout=0).generate(["a b c"], Options(), seed=0)
    assert "attention" not in piece.record["translations"][0]


def test_attention_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "attention.png"
    list(model().generate(["a b c"], Options(plot=str(path)), seed=0))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_error_says_what_to_install(tmp_path, monkeypatch):
    from rnnzoo.errors import RnnzooError

    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(RnnzooError, match="needs matplotlib") as caught:
        list(model().generate(["a b c"], Options(plot=str(tmp_path / "x.png")), seed=0))
    assert "rnnzoo[plot]" in caught.value.hint


def test_a_model_without_attention_has_nothing_to_draw():
    with pytest.raises(CallError, match="no attention"):
        list(model(attention="none", readout=0).generate(["a"], Options(plot="x.png"), seed=0))
