"""Tables of labelled texts."""

from __future__ import annotations

import numpy as np
import pytest

from rnnzoo.corpora.labelled import read_labelled
from rnnzoo.corpora.ragged import Ragged
from rnnzoo.errors import CallError, CorpusError


def table(tmp_path, name: str, content: str, **options):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    return read_labelled(path, **options)


def test_tab_separated_lines_are_split_at_tabs_alone(tmp_path):
    content = 'say "hi\tgood\r\nnext\u0085line, too\tbad\r\n\r\nagain\tbad'
    assert table(tmp_path, "t.tsv", content) == [('say "hi', "good"), ("next\u0085line, too", "bad"), ("again", "bad")]


def test_csv_is_quoted_and_may_hold_line_ends(tmp_path):
    content = 'label,id,text\r\ngood,1,"one, ""two""\nthree"\r\nbad,2,four\r\n'
    assert table(tmp_path, "t.csv", content) == [('one, "two"\nthree', "good"), ("four", "bad")]
    assert table(tmp_path, "s.csv", "text;label\na, b;x\nc;y\n") == [("a, b", "x"), ("c", "y")]


def test_without_a_header_the_label_is_the_column_with_fewer_values(tmp_path):
    assert table(tmp_path, "t.tsv", "1\tfine\n0\tpoor\n1\tgrand\n") == [("fine", "1"), ("poor", "0"), ("grand", "1")]


def test_incomplete_rows_are_counted(tmp_path):
    told = []
    assert table(tmp_path, "t.tsv", "text\tlabel\nfine\t\npoor\t0\n", report=told.append) == [("poor", "0")]
    assert "1 rows without a text or a label" in told[0]


@pytest.mark.parametrize(
    "content, message",
    [
        ("one column\n", "line 1: expected a text and a label, received 1 columns"),
        ("text\tlabel\nfine\t1\nshort\n", "line 3: expected at least 2 columns"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, content, message):
    with pytest.raises(CorpusError, match=message):
        table(tmp_path, "t.tsv", content)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CallError, match="there is no"):
        read_labelled(tmp_path / "none.tsv")


def test_ragged_sequences_survive_being_saved(tmp_path):
    sequences = [np.array([3, 1]), np.array([], np.int32), np.array([2])]
    ragged = Ragged.of(sequences)
    ragged.save(tmp_path, "x")
    loaded = Ragged.load(tmp_path, "x")
    assert [list(sequence) for sequence in loaded] == [[3, 1], [], [2]]
    assert loaded.lengths.tolist() == [2, 0, 1] and list(loaded[-1]) == [2]
    with pytest.raises(IndexError):
        loaded[3]
