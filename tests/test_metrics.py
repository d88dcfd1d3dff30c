"""Metrics by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.metrics import accuracy, confusion, f1_per_class, macro_f1, wilson_interval

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTIONS = np.array([0, 0, 1, 1, 0, 1])


def test_accuracy_over_all_items_and_over_masked_ones():
    assert accuracy(LABELS, PREDICTIONS) == 3 / 6
    assert accuracy(LABELS, PREDICTIONS, np.array([1, 1, 1, 1, 0, 0], bool)) == 3 / 4
    assert accuracy(LABELS.reshape(2, 3), PREDICTIONS.reshape(2, 3), np.array([[1, 0, 1], [1, 1, 0]], bool)) == 2 / 4


def test_confusion_has_labels_in_rows():
    assert confusion(LABELS, PREDICTIONS, 4).tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    # Class 0: precision 2/3, recall 2/3. Class 1: precision 1/3, recall 1/2. Class 2: never predicted. Class 3: nowhere.
    assert f1_per_class(confusion(LABELS, PREDICTIONS, 4)) == pytest.approx([2 / 3, 2 / 5, 0, 0])
    assert macro_f1(confusion(LABELS, PREDICTIONS, 4)) == pytest.approx((2 / 3 + 2 / 5 + 0) / 3)  # class 3 does not count


def test_wilson_interval():
    # 8 of 10 at 95 %: Newcombe (1998) gives such intervals; by hand with z = 1.96, centre (0.8 + 0.19208) / 1.38416.
    low, high = wilson_interval(8, 10)
    assert (low + high) / 2 == pytest.approx((0.8 + 0.192072917) / 1.384145834, abs=1e-6)
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 10)[0] == pytest.approx(0)
    assert wilson_interval(10, 10)[1] == pytest.approx(1)
