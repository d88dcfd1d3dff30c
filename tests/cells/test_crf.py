"""The conditional random field against all sequences of classes one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rnnzoo.cells.crf import crf_log_partition, crf_loss, crf_marginals, viterbi

CLASSES, LENGTHS = 3, (4, 2, 1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def chain(rng):
    """Emissions, transitions, targets and mask of three sequences, of 4, 2 and 1 steps."""
    mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    emissions = rng.standard_normal((*mask.shape, CLASSES))
    return emissions, 2 * rng.standard_normal((CLASSES, CLASSES)), rng.integers(0, CLASSES, mask.shape), mask


def scores(emissions, transitions):
    """The score of every sequence of classes, by the sequence, for emissions `[time, classes]`."""
    time, classes = emissions.shape
    return {
        y: sum(emissions[t, k] for t, k in enumerate(y)) + sum(transitions[pair] for pair in itertools.pairwise(y))
        for y in itertools.product(range(classes), repeat=time)
    }


def every_row(emissions, transitions):
    return [scores(own[:length], transitions) for own, length in zip(emissions, LENGTHS, strict=True)]


def test_partition_and_loss_are_those_of_all_sequences(chain):
    emissions, transitions, targets, mask = chain
    found = every_row(emissions, transitions)
    logs = [np.log(np.exp(list(own.values())).sum()) for own in found]
    np.testing.assert_allclose(crf_log_partition(emissions, transitions, mask), logs, rtol=1e-12)
    true = [own[tuple(y[:length].tolist())] for own, y, length in zip(found, targets, LENGTHS, strict=True)]
    assert crf_loss(emissions, transitions, targets, mask)[0] == pytest.approx(sum(logs) - sum(true), rel=1e-12)


def test_marginals_are_those_of_all_sequences(chain):
    emissions, transitions, _, mask = chain
    expected = np.zeros_like(emissions)
    for own, row in zip(every_row(emissions, transitions), expected, strict=True):
        total = np.exp(list(own.values())).sum()
        for y, score in own.items():
            row[np.arange(len(y)), y] += np.exp(score) / total
    np.testing.assert_allclose(crf_marginals(emissions, transitions, mask), expected, atol=1e-12)


def test_the_best_sequence_is_the_best_of_all(chain):
    emissions, transitions, _, mask = chain
    paths = viterbi(emissions, transitions, mask)
    expected = [max(own, key=own.get) for own in every_row(emissions, transitions)]
    assert [tuple(path[:length].tolist()) for path, length in zip(paths, LENGTHS, strict=True)] == expected
    alone = emissions.argmax(axis=-1)
    assert (paths != alone)[mask].any()  # the transitions have a say


def test_gradients_are_those_of_central_differences(chain):
    emissions, transitions, targets, mask = chain
    _, *gradients = crf_loss(*chain)
    for array, gradient in zip((emissions, transitions), gradients, strict=True):
        expected = np.empty_like(array)
        for i in np.ndindex(array.shape):
            kept = array[i]
            array[i] = kept + 1e-5
            above = crf_loss(*chain)[0]
            array[i] = kept - 1e-5
            below = crf_loss(*chain)[0]
            array[i] = kept
            expected[i] = (above - below) / 2e-5
        assert np.abs(gradient - expected).max() / np.abs(expected).max() < 1e-6


def test_padding_changes_nothing(chain):
    emissions, transitions, targets, mask = chain
    loss, d_emissions, d_transitions = crf_loss(*chain)
    assert not d_emissions[~mask].any()
    longer = [np.concatenate((a, np.full_like(a, fill)), axis=1) for a, fill in ((emissions, 7), (targets, 1), (mask, 0))]
    padded, padded_d_emissions, padded_d_transitions = crf_loss(longer[0], transitions, *longer[1:])
    assert padded == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(padded_d_emissions[:, :4], d_emissions, atol=1e-12)
    assert not padded_d_emissions[:, 4:].any()
    np.testing.assert_allclose(padded_d_transitions, d_transitions, atol=1e-12)
    paths = viterbi(longer[0], transitions, longer[2])
    np.testing.assert_array_equal(paths[:, :4][mask], viterbi(emissions, transitions, mask)[mask])


def test_without_transitions_it_is_a_softmax(chain):
    emissions, transitions, targets, mask = chain
    probabilities = np.exp(emissions) / np.exp(emissions).sum(axis=-1, keepdims=True)
    loss, d_emissions, _ = crf_loss(emissions, np.zeros_like(transitions), targets, mask)
    assert loss == pytest.approx(-np.log(np.take_along_axis(probabilities, targets[..., None], 2)[..., 0][mask]).sum())
    np.testing.assert_allclose(d_emissions[mask], (probabilities - np.eye(CLASSES)[targets])[mask], atol=1e-12)


def test_a_class_may_be_excluded(chain):
    emissions, transitions, _, mask = chain
    without = emissions.copy()
    without[..., 0] = -np.inf
    rest = crf_marginals(np.ascontiguousarray(emissions[..., 1:]), transitions[1:, 1:], mask)
    np.testing.assert_allclose(crf_marginals(without, transitions, mask)[..., 1:], rest, atol=1e-12)
    assert (crf_marginals(without, transitions, mask)[..., 0] == 0).all()
    assert (viterbi(without, transitions, mask)[mask] > 0).all()


def test_long_sequences_and_large_scores_keep_their_precision(rng):
    emissions = (20 * rng.standard_normal((2, 5000, 4))).astype(np.float32)
    transitions = (5 * rng.standard_normal((4, 4))).astype(np.float32)
    mask = np.ones((2, 5000), bool)
    exact = emissions.astype(np.float64), transitions.astype(np.float64), mask
    np.testing.assert_allclose(crf_marginals(emissions, transitions, mask), crf_marginals(*exact), atol=1e-4)
    np.testing.assert_allclose(crf_log_partition(emissions, transitions, mask), crf_log_partition(*exact), rtol=1e-6)
    np.testing.assert_array_equal(viterbi(emissions, transitions, mask), viterbi(*exact))
