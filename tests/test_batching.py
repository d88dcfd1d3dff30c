"""Batches of truncated BPTT: every symbol is predicted once, from the one before it, in windows that follow one another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnzoo.batching import Streams, Windows, length_batches, pad

START = 0


def numbered(lengths) -> list[np.ndarray]:
    """Texts in which no symbol occurs twice, so that each says where it comes from: 1001, 1002, ... 2001, 2002, ..."""
    return [1000 * text + np.arange(1, length + 1) for text, length in enumerate(lengths, start=1)]


def arrays(batch) -> dict[str, list]:
    return {name: array.tolist() for name, array in batch.arrays.items()}


def predictions(batches) -> list[tuple[int, int]]:
    """All real (input, target) pairs."""
    pairs = []
    for batch in batches:
        a = batch.arrays
        real = a["weights"] == 1
        assert batch.tokens == real.sum()
        assert set(np.unique(a["weights"])) <= {0, 1}
        pairs += zip(a["inputs"][real].tolist(), a["targets"][real].tolist(), strict=True)
    return pairs


def expected_predictions(texts) -> list[tuple[int, int]]:
    return [(before, symbol) for text in texts for before, symbol in zip([START, *text], text, strict=False)]


texts_of = st.lists(st.integers(0, 60), min_size=1, max_size=8).filter(any).map(numbered)


def test_streams_by_hand():
    streams = Streams(numbered([5, 3]), batch_size=2, window=2, start=START)
    assert [arrays(batch) for batch in streams] == [
        {
            "inputs": [[0, 1001], [0, 2001]],
            "targets": [[1001, 1002], [2001, 2002]],
            "weights": [[1, 1], [1, 1]],
            "keep": [0, 0],
        },
        {
            "inputs": [[1002, 1003], [2002, 0]],
            "targets": [[1003, 1004], [2003, 0]],
            "weights": [[1, 1], [1, 0]],
            "keep": [1, 1],
        },
        {"inputs": [[1004], [0]], "targets": [[1005], [0]], "weights": [[1], [0]], "keep": [1, 0]},
    ]
    assert [batch.tokens for batch in streams] == [4, 3, 1]


def test_a_text_is_cut_into_contiguous_streams():
    streams = Streams(numbered([7]), batch_size=2, window=10, start=START)
    (batch,) = streams
    assert batch.arrays["targets"].tolist() == [[1001, 1002, 1003, 0], [1004, 1005, 1006, 1007]]
    # The second stream begins in mid-text: its first input is the symbol before, its state is zero all the same.
    assert batch.arrays["inputs"].tolist() == [[0, 1001, 1002, 0], [1003, 1004, 1005, 1006]]
    assert batch.arrays["keep"].tolist() == [0, 0]


def test_rows_are_shared_out_by_length():
    # 90 and 30 symbols in 4 rows: three pieces of 30 and one of 30.
    assert Streams(numbered([90, 30]), 4, 30, START).rows == [[(0, 0, 30)], [(0, 30, 60)], [(0, 60, 90)], [(1, 0, 30)]]


def test_more_texts_than_rows_queue():
    streams = Streams(numbered([2, 5, 3]), batch_size=2, window=2, start=START)
    # The longest first; the third goes to the row with the least so far.
    assert streams.rows == [[(1, 0, 5)], [(2, 0, 3), (0, 0, 2)]]
    assert [batch.arrays["keep"].tolist() for batch in streams] == [[0, 0], [1, 1], [1, 0]]
    assert streams[2].arrays["targets"].tolist() == [[2005, 0], [1001, 1002]]


def test_fewer_rows_where_there_is_not_enough_text():
    assert len(Streams(numbered([3]), batch_size=32, window=10, start=START).rows) == 3


@given(texts_of, st.integers(1, 12), st.integers(1, 20))
def test_every_symbol_is_a_target_once_after_the_symbol_before_it(texts, batch_size, window):
    streams = Streams(texts, batch_size, window, START)
    assert sorted(predictions(streams)) == sorted(expected_predictions(texts))
    assert all(batch.arrays["inputs"].shape[1] <= window for batch in streams)
    assert all(len(batch.arrays["inputs"]) <= batch_size for batch in streams)


@given(texts_of, st.integers(1, 12), st.integers(1, 20))
def test_a_window_goes_on_where_the_one_before_it_ended(texts, batch_size, window):
    streams = Streams(texts, batch_size, window, START)
    last = np.zeros(len(streams.rows), int)  # the last target of each row, 0 before the first
    full = np.zeros(len(streams.rows), bool)  # whether the row's window before had no padding, which would spoil its state
    for batch in streams:
        a = batch.arrays
        for row in range(len(streams.rows)):
            real = int(a["weights"][row].sum())
            if a["keep"][row]:
                assert a["inputs"][row, 0] == last[row]
                assert a["targets"][row, 0] == last[row] + 1
                assert full[row]
            elif real:  # a new piece: it starts a text, or lies in the middle of one that another row began
                assert a["targets"][row, 0] != last[row] + 1
            last[row] = a["targets"][row, real - 1] if real else last[row]
            full[row] = real == window


@given(texts_of, st.integers(1, 12), st.integers(1, 20))
def test_state_is_kept_wherever_the_text_goes_on(texts, batch_size, window):
    """As many rows start afresh as there are pieces: state is never dropped within one."""
    streams = Streams(texts, batch_size, window, START)
    starts = sum(int(((a["keep"] == 0) & (a["weights"].sum(axis=1) > 0)).sum()) for a in (batch.arrays for batch in streams))
    assert starts == sum(len(row) for row in streams.rows)
    assert len(streams.rows) == min(batch_size, sum(map(len, texts)))


@given(st.integers(1, 200), st.integers(1, 12))
def test_streams_of_one_text_differ_by_one_symbol_at_most(length, batch_size):
    lengths = [end - begin for ((_, begin, end),) in Streams(numbered([length]), batch_size, 5, START).rows]
    assert sum(lengths) == length
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("make", [Streams, lambda *a: Windows(*a, np.random.default_rng(0))])
def test_there_are_no_batches_beyond_the_last(make):
    batches = make(numbered([9]), 2, 3, START)
    assert len(list(batches)) == len(batches)
    for k in (len(batches), -1):
        with pytest.raises(IndexError):
            batches[k]


def test_windows_by_hand():
    batches = Windows(numbered([5]), batch_size=9, window=2, start=START, rng=np.random.default_rng(0))
    (batch,) = batches
    rows = sorted(zip(*(arrays(batch)[name] for name in ("targets", "inputs", "weights", "keep")), strict=True))
    assert rows == [
        ([1001, 1002], [0, 1001], [1, 1], 0),
        ([1003, 1004], [1002, 1003], [1, 1], 0),
        ([1005, 0], [1004, 0], [1, 0], 0),
    ]


@given(texts_of, st.integers(1, 12), st.integers(1, 20), st.integers(0, 5))
def test_windows_hold_every_symbol_once_and_carry_no_state(texts, batch_size, window, seed):
    batches = list(Windows(texts, batch_size, window, START, np.random.default_rng(seed)))
    assert sorted(predictions(batches)) == sorted(expected_predictions(texts))
    assert not any(batch.arrays["keep"].any() for batch in batches)


def test_windows_are_shuffled_by_the_generator_alone():
    def order(seed):
        return [
            a["targets"].tolist()
            for a in (b.arrays for b in Windows(numbered([500]), 4, 5, START, np.random.default_rng(seed)))
        ]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sum(order(1), []) != sorted(sum(order(1), []))


def test_short_windows_come_last():
    batches = list(Windows(numbered([11] * 6), 4, 5, START, np.random.default_rng(0)))
    padded = [not batch.arrays["weights"].all() for batch in batches]
    assert padded == [False, False, False, False, False]  # 12 full windows, then 6 of one symbol: 3 batches and 2
    assert [batch.arrays["inputs"].shape for batch in batches] == [(4, 5), (4, 5), (4, 5), (4, 1), (2, 1)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 9), st.integers(0, 3))
def test_length_batches_hold_every_item_once_beside_items_of_its_length(lengths, batch_size, seed):
    batches = length_batches(lengths, batch_size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // batch_size)
    assert all(len(batch) <= batch_size for batch in batches)
    # Batches are intervals of the sorted lengths: no two overlap but at their ends.
    spans = sorted((min(lengths[i] for i in batch), max(lengths[i] for i in batch)) for batch in batches)
    assert all(high <= next_low for (_, high), (next_low, _) in zip(spans, spans[1:], strict=False))


def test_length_batches_come_in_random_order_with_random_neighbours():
    lengths = [1, 2, 3, 4] * 50
    batches = [length_batches(lengths, 10, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert [b.tolist() for b in batches[0]] == [b.tolist() for b in batches[1]]
    assert {frozenset(b.tolist()) for b in batches[0]} != {frozenset(b.tolist()) for b in batches[2]}
    assert [lengths[b[0]] for b in batches[0]] != sorted(lengths[b[0]] for b in batches[0])


def test_padding_by_hand():
    padded, mask = pad([np.array([5, 6, 7]), np.array([], int), np.array([8])])
    assert padded.tolist() == [[5, 6, 7], [0, 0, 0], [8, 0, 0]]
    assert mask.tolist() == [[True, True, True], [False, False, False], [True, False, False]]
    padded, mask = pad([np.array([], int)])
    assert padded.tolist() == [[0]]
    assert mask.tolist() == [[False]]
