"""From logits to symbols: distributions by hand, draws against them, beam search against all sequences."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest

from rnnzoo.decoding import Hypothesis, beam_search, draw, probabilities

QUARTERS = np.log([[0.1, 0.4, 0.2, 0.3]])


def close(received, expected):
    np.testing.assert_allclose(received, expected, rtol=1e-12, atol=1e-12)


# Distributions


def test_temperature_one_is_the_softmax():
    close(probabilities(QUARTERS), [[0.1, 0.4, 0.2, 0.3]])
    close(probabilities(QUARTERS + 1000), [[0.1, 0.4, 0.2, 0.3]])


def test_temperature_divides_the_logits():
    close(probabilities(QUARTERS, temperature=0.5), np.array([[0.01, 0.16, 0.04, 0.09]]) / 0.30)  # squares
    roots = np.sqrt([[0.1, 0.4, 0.2, 0.3]])
    close(probabilities(QUARTERS, temperature=2), roots / roots.sum())


@pytest.mark.parametrize("temperature", [0.01, 1e-5, 1e-300, 1e-320])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_low_temperatures_neither_overflow_nor_warn(temperature, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        close(probabilities(np.array([[-80, 90, 80, -90]], kind), temperature), [[0, 1, 0, 0]])


def test_a_temperature_of_a_hundredth_by_hand():
    # Logits 0.01 apart are one apart at temperature 0.01.
    close(probabilities(np.array([[5.0, 5.01]]), 0.01), [[1 / (1 + math.e), math.e / (1 + math.e)]])


def test_impossible_symbols_stay_impossible():
    logits = np.array([[-np.inf, 0.0, math.log(3)]])
    close(probabilities(logits), [[0, 0.25, 0.75]])
    close(probabilities(logits, top_k=2, top_p=0.9), [[0, 0.25, 0.75]])
    close(probabilities(logits, temperature=0.01, top_k=3), [[0, 3**-100 / (1 + 3**-100), 1 / (1 + 3**-100)]])


def test_top_k_keeps_the_k_most_probable():
    close(probabilities(QUARTERS, top_k=1), [[0, 1, 0, 0]])
    close(probabilities(QUARTERS, top_k=2), [[0, 4 / 7, 0, 3 / 7]])
    close(probabilities(QUARTERS, top_k=3), [[0, 4 / 9, 2 / 9, 3 / 9]])
    close(probabilities(QUARTERS, top_k=4), [[0.1, 0.4, 0.2, 0.3]])
    close(probabilities(QUARTERS, top_k=99), [[0.1, 0.4, 0.2, 0.3]])


def test_top_k_keeps_ties():
    close(probabilities(np.log([[0.2, 0.3, 0.3, 0.2]]), top_k=3), [[0.2, 0.3, 0.3, 0.2]])


def test_top_p_keeps_the_fewest_symbols_that_reach_p():
    close(probabilities(QUARTERS, top_p=0.39), [[0, 1, 0, 0]])
    close(probabilities(QUARTERS, top_p=0.41), [[0, 4 / 7, 0, 3 / 7]])
    close(probabilities(QUARTERS, top_p=0.69), [[0, 4 / 7, 0, 3 / 7]])
    close(probabilities(QUARTERS, top_p=0.71), [[0, 4 / 9, 2 / 9, 3 / 9]])
    close(probabilities(QUARTERS, top_p=0.95), [[0.1, 0.4, 0.2, 0.3]])
    close(probabilities(QUARTERS, top_p=0), [[0, 1, 0, 0]])


def test_a_probability_that_reaches_p_exactly_is_enough():
    close(probabilities(np.log([[0.5, 0.25, 0.25]]), top_p=0.5), [[1, 0, 0]])


def test_top_p_is_taken_of_what_temperature_and_top_k_leave():
    # top_k=2 leaves 4/7 and 3/7: 4/7 reaches a half, though 0.4 does not.
    close(probabilities(QUARTERS, top_k=2, top_p=0.5), [[0, 1, 0, 0]])
    # Squared: 16/30 reaches a half.
    close(probabilities(QUARTERS, temperature=0.5, top_p=0.5), [[0, 1, 0, 0]])


def test_rows_are_independent():
    both = np.concatenate([QUARTERS, QUARTERS[:, ::-1]])
    close(probabilities(both, 0.7, 3, 0.6), np.concatenate([probabilities(row[None], 0.7, 3, 0.6) for row in both]))


def test_logits_are_left_as_they_are():
    logits = QUARTERS.copy()
    probabilities(logits, 0.5, 2, 0.5)
    draw(logits, np.random.default_rng(0), 0.5, 2, 0.5)
    assert (logits == QUARTERS).all()


# Draws


def test_temperature_zero_is_greedy():
    logits = np.array([[1.0, 3.0, 2.0], [5.0, 4.0, -np.inf]], np.float32)
    assert draw(logits, np.random.default_rng(0), temperature=0).tolist() == [1, 0]


@pytest.mark.parametrize(("options", "expected"), [((1.0,), [0.1, 0.4, 0.2, 0.3]), ((1.0, 2), [0, 4 / 7, 0, 3 / 7])])
def test_frequencies_are_the_probabilities(options, expected):
    """Chi-squared of 100,000 draws with 3 degrees of freedom at most: above 25 with probability 1.5e-5; the seed is fixed."""
    n = 100_000
    drawn = draw(np.repeat(QUARTERS, n, axis=0), np.random.default_rng(1), *options)
    counts, expected = np.bincount(drawn, minlength=4), n * np.array(expected)
    assert (counts[expected == 0] == 0).all()
    some = expected > 0
    assert ((counts - expected)[some] ** 2 / expected[some]).sum() < 25


class Fixed:
    """A generator that gives the thresholds it was made with."""

    def __init__(self, *thresholds):
        self.thresholds = np.array(thresholds)

    def random(self, size):
        return self.thresholds.reshape(size)


def test_draws_by_hand():
    # Cumulative: 0, 0.5, 0.5, 1. Neither end of the interval gives a symbol of probability zero.
    logits = np.array([[-np.inf, 0, -np.inf, 0, -np.inf]] * 5)
    assert draw(logits, Fixed(0, 0.49, 0.5, 0.51, 1 - 2**-53)).tolist() == [1, 1, 3, 3, 3]


def test_the_same_generator_draws_the_same():
    logits = np.random.default_rng(3).normal(size=(50, 20))
    drawn = [draw(logits, np.random.default_rng(seed), 0.8).tolist() for seed in (5, 5, 6)]
    assert drawn[0] == drawn[1] != drawn[2]


# Beam search


class SecondOrder:
    """A Markov model of second order over three symbols: a hypothesis needs its own state, the symbol before the last."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.logits = 2 * rng.normal(size=(3, 3, 3))  # [the symbol before, the last, the next]
        self.first = 2 * rng.normal(size=3)

    def step(self, symbols, state):
        (before,) = state
        assert len(before) == len(symbols)
        return self.logits[before, symbols], (symbols,)

    def score(self, sequence) -> float:
        """Log-probability of a sequence, symbol by symbol."""
        total, before, last = self.first[sequence[0]] - np.log(np.exp(self.first).sum()), 0, sequence[0]
        for symbol in sequence[1:]:
            row = self.logits[before, last]
            total += row[symbol] - np.log(np.exp(row).sum())
            before, last = last, symbol
        return float(total)

    def search(self, **options) -> list[Hypothesis]:
        state = (np.array([0]),)
        return beam_search(self.step, self.first[None], state, lambda state, rows: (state[0][rows],), **options)


@pytest.mark.parametrize("seed", range(5))
def test_with_enough_beams_it_finds_the_best_of_all_sequences(seed):
    model = SecondOrder(seed)
    ranked = sorted(itertools.product(range(3), repeat=4), key=model.score, reverse=True)
    found = model.search(beam=81, length=4)
    assert [h.symbols for h in found] == ranked
    close([h.log_probability for h in found], [model.score(sequence) for sequence in ranked])
    assert not any(h.ended for h in found)


@pytest.mark.parametrize("alpha", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_with_an_end_symbol_too(seed, alpha):
    """Sequences end with symbol 2, or after four symbols without it."""
    model = SecondOrder(seed)
    ended = [(*start, 2) for n in range(4) for start in itertools.product((0, 1), repeat=n)]
    unended = list(itertools.product((0, 1), repeat=4))

    def rank(sequence):
        return model.score(sequence) / ((5 + len(sequence)) / 6) ** alpha

    ranked = sorted(ended + unended, key=rank, reverse=True)
    found = model.search(beam=40, length=4, end=2, alpha=alpha)
    assert [(*h.symbols, 2) if h.ended else h.symbols for h in found] == ranked
    assert all(2 not in h.symbols for h in found)


@pytest.mark.parametrize("seed", range(5))
def test_one_beam_is_greedy(seed):
    model = SecondOrder(seed)
    greedy, before = [int(model.first.argmax())], 0
    for _ in range(5):
        last = greedy[-1]
        greedy.append(int(model.logits[before, last].argmax()))
        before = last
    (only,) = model.search(beam=1, length=6)
    assert only.symbols == tuple(greedy)


def test_length_normalisation_by_hand():
    """After `a` it ends with probability 0.6; it ends at once with 0.4."""

    def search(alpha):
        def step(symbols, state):
            return np.log([[0.4, 0.6]] * len(symbols)), state

        return beam_search(step, np.log([[0.6, 0.4]]), None, lambda state, rows: state, 4, 2, end=1, alpha=alpha)

    # log 0.4 = -0.916 with one symbol; log 0.36 = -1.022 with two; log 0.24 = -1.427 with two.
    assert [(h.symbols, h.ended) for h in search(0.0)] == [((), True), ((0,), True), ((0, 0), False)]
    # -0.916 / 1, -1.022 / (7/6) = -0.876, -1.427 / (7/6) = -1.223
    assert [(h.symbols, h.ended) for h in search(1.0)] == [((0,), True), ((), True), ((0, 0), False)]
    close([h.log_probability for h in search(1.0)], np.log([0.36, 0.4, 0.24]))


def test_symbols_that_cannot_be_are_never_in_a_hypothesis():
    def step(symbols, state):
        return np.array([[-np.inf, 0.0, 1.0]] * len(symbols)), state

    found = beam_search(step, np.array([[-np.inf, 1.0, 0.0]]), None, lambda state, rows: state, 50, 3)
    assert len(found) == 8
    assert all(0 not in h.symbols for h in found)


def test_no_length_gives_the_empty_sequence():
    assert SecondOrder(0).search(beam=3, length=0) == [Hypothesis((), 0.0, False)]


def test_ends_do_not_empty_the_beam():
    """The end is by far the likeliest everywhere; still the other hypotheses go on beside it."""

    def step(symbols, state):
        return np.log([[0.05, 0.05, 0.9]] * len(symbols)), state

    found = beam_search(step, np.log([[0.06, 0.04, 0.9]]), None, lambda state, rows: state, 3, 3, end=2)
    assert [h.symbols for h in found] == [(), (0,), (1,)]
    close([math.exp(h.log_probability) for h in found], [0.9, 0.054, 0.036])
