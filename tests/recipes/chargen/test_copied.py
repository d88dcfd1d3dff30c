"""The longest copied passage against brute force."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rnnzoo.recipes.chargen.copied import longest_copied


def brute_force(sample: str, source: str) -> int:
    """The length of the longest passage that both hold."""
    passages = (sample[i:j] for i in range(len(sample)) for j in range(i + 1, len(sample) + 1))
    return max((len(passage) for passage in passages if passage in source), default=0)


def test_the_longest_passage_that_both_hold():
    assert longest_copied("and so the heron sang", "why the heron slept") == " the heron s"


def test_the_first_in_the_source_of_equally_long_ones():
    assert longest_copied("xx yy", "a yy, an xx") == " yy"
    assert longest_copied("xx-yy", "a yy, an xx") == "yy"


def test_nothing_in_common():
    assert longest_copied("abc", "xyz") == ""
    assert longest_copied("", "xyz") == ""
    assert longest_copied("abc", "") == ""


def test_a_whole_sample_and_a_whole_source():
    assert longest_copied("heron", "the heron sang") == "heron"
    assert longest_copied("the heron sang", "heron") == "heron"


@given(st.text("ab", max_size=30) | st.text("abcé\n", max_size=30), st.text("ab", max_size=60) | st.text(max_size=60))
def test_equals_brute_force(sample, source):
    passage = longest_copied(sample, source)
    assert passage in sample
    assert passage in source
    assert len(passage) == brute_force(sample, source)
