"""Splits by content: what must not be split apart, and where it falls."""

from __future__ import annotations

import hashlib

import pytest

from rnnzoo.corpora.splits import bucket, key, sha256_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm HUNGRY!", "i m hungry"),
        ("  i m   hungry ", "i m hungry"),
        ("Straße", "strasse"),  # casefold, not lower
        ("ﬁne ２", "fine 2"),  # NFKC: ligatures and full-width digits
        ("e\u0301te\u0301", "été"),  # NFKC composes
        ("a\u00a0b\u202f!", "a b"),  # French no-break spaces
        ("snake_case 3.5", "snake_case 3 5"),
        (" ?! ", "?!"),  # no words: what is left is the key
        ("\uff1f", "?"),
        ("", ""),
    ],
)
def test_key_is_the_words_whatever_their_case_punctuation_and_spacing(text, expected):
    assert key(text) == expected


def test_texts_without_words_do_not_all_share_one_key():
    assert key("?!") != key("...")


def test_bucket_is_the_first_eight_bytes_of_the_hash_as_a_fraction():
    # printf 'postag\0hello' | sha256sum | cut -c1-16
    assert bucket("postag", "hello") == 0xC50B5FF06E70E241 / 2**64


def test_bucket_depends_on_the_salt():
    assert bucket("sentiment-0", "good") != bucket("sentiment-1", "good")


def test_salt_and_key_cannot_be_mistaken_for_each_other():
    assert bucket("ab", "c") != bucket("a", "bc")


def test_buckets_are_spread_evenly():
    buckets = [bucket("translate", str(number)) for number in range(10_000)]
    assert all(0 <= value < 1 for value in buckets)
    # 2,500 expected; the standard deviation of a fair draw is 43.
    assert sum(value < 0.25 for value in buckets) == pytest.approx(2500, abs=4 * 43)


def test_sha256_of_joins_by_newline_in_utf8():
    # printf 'a\né' | sha256sum
    assert sha256_of(["a", "é"]) == "7ab79b5e89f288f04c7389fa4fd59ec40019be6831307a42095a4c60334e1b01"
    assert sha256_of(iter(["a", "é"])) == sha256_of(["a", "é"])
    assert sha256_of(["é", "a"]) != sha256_of(["a", "é"])
    assert sha256_of([]) == hashlib.sha256(b"").hexdigest()
