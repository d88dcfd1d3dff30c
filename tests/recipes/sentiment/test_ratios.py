"""Log-count ratios by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.corpora.ragged import Ragged
from rnnzoo.recipes.sentiment.ratios import class_counts, log_count_ratios, outputs, read, written


def test_counts_are_of_sentences_by_class():
    grams = Ragged.of([np.array([1, 2]), np.array([], np.int32), np.array([2])])
    assert class_counts(grams, np.array([0, 1, 1]), 4, 2).tolist() == [[0, 0], [1, 0], [1, 1], [0, 0]]


def test_two_classes_have_one_ratio():
    table = np.array([[0, 0], [3, 1], [0, 2]])  # with smoothing 1: (1, 1), (4, 2), (1, 3) of totals (6, 6)
    assert outputs(2) == 1
    assert log_count_ratios(table, table, 1.0)[:, 0] == pytest.approx([0, np.log(2 / 4), np.log(3)])


def test_more_classes_have_one_each_against_the_rest():
    table = np.array([[1, 0, 0], [0, 1, 1]])  # smoothed by 1, class 0 has 2 and 1 of 3, the rest together 1 and 3 of 4
    assert outputs(3) == 3
    assert log_count_ratios(table, table, 1.0)[:, 0] == pytest.approx(np.log([(2 / 3) / (1 / 4), (1 / 3) / (3 / 4)]))


def test_counts_survive_being_written():
    counts = np.array([[0, 0], [12, 3]])
    assert read(written(counts), 2).tolist() == counts.tolist()
