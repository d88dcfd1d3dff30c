"""Looking into recurrent layers: gradients by lag against finite differences, weights by gate against a cut by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.cells import CELLS, GRU, LSTM, Bidirectional, SimpleRNN
from rnnzoo.cells.initial import initial_weights
from rnnzoo.cells.losses import log_softmax
from rnnzoo.probes import Probe, gradients_by_lag, outputs, weights_by_gate
from rnnzoo.recipes.chargen import Config, numpy_model
from rnnzoo.vocabulary import Vocabulary

STEPS = 6


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def chargen(cell: str, layers: int):
    """A tiny model in float64."""
    config, vocabulary = Config(cell=cell, layers=layers, units=4, embedding=3), Vocabulary("abcdef")
    weights = initial_weights(numpy_model.weight_shapes(config, vocabulary), seed=1, embedding_scale=1.0)
    return numpy_model.NumpyModel(config, vocabulary, {name: w.astype(np.float64) for name, w in weights.items()})


def loss_at_the_end(model, symbols, moved=None):
    """Minus the log-probability of the last symbol, step by step; `moved` is (step, layer, state, unit, by how much)."""
    states = [list(layer) for layer in model.initial_state(1)]
    for t, symbol in enumerate(symbols[:-1]):
        y = model.embeddings[[symbol]]
        for i, cell in enumerate(model.cells):
            _, after = cell.step(y, tuple(states[i]))
            states[i] = [s.copy() for s in after]
            if moved is not None and moved[:2] == (t, i):
                states[i][moved[2]][0, moved[3]] += moved[4]
            y = states[i][0]  # what the layer above reads
    return -log_softmax(y @ model.kernel + model.bias)[0, symbols[-1]]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_gradients_by_lag_are_those_of_finite_differences(name, layers, rng):
    model, epsilon = chargen(name, layers), 1e-5
    symbols = rng.integers(0, 6, STEPS + 1)
    found = gradients_by_lag(model.probe_loss([symbols], 1, STEPS))
    states = CELLS[name].states
    assert [(f.layer, f.state) for f in found] == [(f"rnn.{i}", s) for i in reversed(range(layers)) for s in states]
    for f in found:
        layer, state = int(f.layer.removeprefix("rnn.")), states.index(f.state)
        for lag in range(STEPS):
            gradient = []
            for unit in range(4):
                above, below = (
                    loss_at_the_end(model, symbols, (STEPS - 1 - lag, layer, state, unit, sign * epsilon)) for sign in (1, -1)
                )
                gradient.append((above - below) / (2 * epsilon))
            assert f.norms[lag] == pytest.approx(np.linalg.norm(gradient), rel=1e-6, abs=1e-10), (f.layer, f.state, lag)


def test_norms_are_averaged_over_windows(rng):
    model = chargen("gru", 1)
    text = rng.integers(0, 6, 3 * STEPS)
    windows = [text[begin : begin + STEPS + 1] for begin in (0, 5, 11)]  # of twelve
    alone = [gradients_by_lag(model.probe_loss([window], 1, STEPS))[0].norms for window in windows]
    (together,) = gradients_by_lag(model.probe_loss([text], 3, STEPS))
    assert together.norms == pytest.approx(np.mean(alone, axis=0), rel=1e-12)
    assert together.items.tolist() == [3] * STEPS


def test_windows_are_as_long_as_the_longest_text_allows(rng):
    model = chargen("gru", 1)
    (found,) = gradients_by_lag(model.probe_loss([rng.integers(0, 6, 3), rng.integers(0, 6, 5)], 32, 100))
    assert found.items.tolist() == [1] * 4  # the text of five symbols: four are read, the fifth is the target


def test_states_are_reached_after_a_lead_in():
    """One unit, h' = tanh(w h + x), L the last h: dL/dh at lag k is the product of w (1 - h^2) over the last k steps."""
    w, x = 0.9, np.array([0.3, -0.2, 0.5, 0.1, -0.4])
    cell = SimpleRNN({"kernel": np.ones((1, 1)), "recurrent_kernel": np.full((1, 1), w), "bias": np.zeros(1)})

    def by_hand(steps):
        h, factors = 0.0, []
        for step in steps:
            h = np.tanh(w * h + step)
            factors.append(w * (1 - h * h))
        return [1, factors[-1], factors[-1] * factors[-2]]

    def d_last(y):
        return np.concatenate([np.zeros_like(y[:, 1:]), np.ones_like(y[:, :1])], axis=1)

    (found,) = gradients_by_lag(Probe({"rnn": cell}, x[None, :, None], loss=d_last), largest=2)
    assert found.items.tolist() == [1, 1, 1]
    assert found.norms == pytest.approx(by_hand(x), rel=1e-12)
    # Without the two steps before them the same three states are other ones.
    assert abs(found.norms[2] - by_hand(x[2:])[2]) > 0.01


def test_a_lead_in_is_read_before_the_lags_of_chargen(rng):
    model, epsilon, lead_in = chargen("gru", 1), 1e-5, 5
    symbols = rng.integers(0, 6, lead_in + STEPS + 1)
    (found,) = gradients_by_lag(model.probe_loss([symbols], 1, lead_in + STEPS), STEPS - 1)
    assert len(found.norms) == len(found.items) == STEPS
    for lag in range(STEPS):
        moved = [
            [loss_at_the_end(model, symbols, (lead_in + STEPS - 1 - lag, 0, 0, unit, e)) for e in (epsilon, -epsilon)]
            for unit in range(4)
        ]
        gradient = [(above - below) / (2 * epsilon) for above, below in moved]
        assert found.norms[lag] == pytest.approx(np.linalg.norm(gradient), rel=1e-6)


def bidirectional(rng):
    weights = [{k: rng.standard_normal(s) for k, s in GRU.weight_shapes(2, 3).items()} for _ in range(2)]
    return Bidirectional(*map(GRU, weights))


def test_padding_is_no_step_and_each_direction_counts_from_its_own_end(rng):
    layer, x = bidirectional(rng), rng.standard_normal((2, 5, 2))
    d_y = rng.standard_normal((2, 5, 6))
    mask = np.arange(5) < np.array([5, 3])[:, None]
    together = gradients_by_lag(Probe({"rnn": layer}, x, mask, loss=lambda y: d_y))
    alone = [gradients_by_lag(Probe({"rnn": layer}, x[i : i + 1, :n], loss=lambda y, i=i, n=n: d_y[i : i + 1, :n]))
             for i, n in ((0, 5), (1, 3))]  # fmt: skip
    assert [f.layer for f in together] == ["rnn forward", "rnn backward"]
    for both, long, short in zip(together, *alone, strict=True):
        assert both.items.tolist() == [2, 2, 2, 1, 1]
        assert both.norms[:3] == pytest.approx((long.norms[:3] + short.norms) / 2, rel=1e-12)
        assert both.norms[3:] == pytest.approx(long.norms[3:], rel=1e-12)
    # At lag 0 nothing but the output counts: the last word of the forward cell, the first of the backward one.
    forward, backward = alone[0]
    assert forward.norms[0] == pytest.approx(np.linalg.norm(d_y[0, 4, :3]))
    assert backward.norms[0] == pytest.approx(np.linalg.norm(d_y[0, 0, 3:]))


def test_the_gradient_below_a_bidirectional_layer_is_that_of_its_inputs(rng):
    below = SimpleRNN({k: rng.standard_normal(s) for k, s in SimpleRNN.weight_shapes(2, 2).items()})
    below.weights["recurrent_kernel"][:] = 0  # each state then matters by what the layer above reads of it alone
    above, x, d_y = bidirectional(rng), rng.standard_normal((1, 5, 2)), rng.standard_normal((1, 5, 6))
    *_, found = gradients_by_lag(Probe({"below": below, "above": above}, x, loss=lambda y: d_y))
    _, _, tape = above.forward(below.forward(x)[0])
    d_x, _, _ = above.backward(tape, d_y)
    assert found.norms == pytest.approx(np.linalg.norm(d_x[0, ::-1], axis=-1), rel=1e-12)


def test_hidden_units_are_the_outputs_of_each_layer():
    model, text = chargen("lstm", 2), "fade"
    record: dict = {}
    _, state = model.call(np.array([[0]]))  # the symbol before the first character
    model.call(model.vocabulary.encode(list(text))[None], state, record)
    probe = model.probe(text)
    assert probe.tokens == list(text)
    found = outputs(probe)
    assert list(found) == ["rnn.0", "rnn.1"]
    for name, y in found.items():
        assert y.shape == (1, 4, 4)
        assert y == pytest.approx(record[name], rel=1e-12)


# -- weights by gate -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CELLS)
def test_weights_by_gate_are_slices_of_the_last_axis(name, rng):
    units, gates = 3, CELLS[name].gates
    weights = {f"rnn.0.{k}": rng.standard_normal(s) for k, s in CELLS[name].weight_shapes(2, units).items()}
    entries = {(e["weight"], e["part"], e["gate"]): e for e in weights_by_gate(weights, gates)}
    for i, gate in enumerate(gates):
        columns = slice(i * units, (i + 1) * units)
        for kind in ("kernel", "recurrent_kernel"):
            piece = weights[f"rnn.0.{kind}"][:, columns]
            entry = entries.pop((f"rnn.0.{kind}", "", gate))
            assert entry["shape"] == list(piece.shape)
            assert entry["norm"] == pytest.approx(np.sqrt((piece**2).sum()))
            assert entry["rms"] == pytest.approx(np.sqrt((piece**2).mean()))
        assert entry["spectral_norm"] == pytest.approx(np.sqrt(np.linalg.eigvalsh(piece.T @ piece).max()))
        bias = weights["rnn.0.bias"]
        for part, row in zip(("input", "recurrent"), bias, strict=True) if bias.ndim == 2 else [("", bias)]:
            assert entries.pop(("rnn.0.bias", part, gate))["norm"] == pytest.approx(np.linalg.norm(row[columns]))
    if name == "peephole_lstm":
        for row, gate in zip(weights["rnn.0.peephole"], "ifo", strict=True):
            assert entries.pop(("rnn.0.peephole", "", gate))["norm"] == pytest.approx(np.linalg.norm(row))
    assert not entries


def test_stretch_and_growth_of_known_matrices():
    turn, shift = np.array([[0, 0.5], [-0.5, 0]]), np.array([[0.0, 2.0], [0.0, 0.0]])
    weights = {"rnn.kernel": np.ones((1, 4)), "rnn.recurrent_kernel": np.hstack([turn, shift]), "rnn.bias": np.zeros(4)}
    turned, shifted = (e for e in weights_by_gate(weights, ("f", "c")) if e["weight"] == "rnn.recurrent_kernel")
    assert (turned["spectral_norm"], turned["spectral_radius"]) == (pytest.approx(0.5), pytest.approx(0.5))
    # It doubles a state once and then forgets it.
    assert (shifted["spectral_norm"], shifted["spectral_radius"]) == (pytest.approx(2), pytest.approx(0))


def test_other_weights_stay_whole(rng):
    weights = {"output_layer.kernel": rng.standard_normal((3, 8)), "embedding.embeddings": np.ones((5, 2), np.float32)}
    dense, embeddings = weights_by_gate(weights, LSTM.gates)
    assert (dense["weight"], dense["gate"], dense["shape"], dense["spectral_norm"]) == ("output_layer.kernel", "", [3, 8], None)
    assert (embeddings["norm"], embeddings["rms"]) == (pytest.approx(10**0.5), pytest.approx(1))
