"""The n-gram baseline against hand calculation, a slow implementation of the definitions, and another's figures."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from rnnzoo.recipes.chargen.ngram import SMOOTHINGS, NgramModel, best_order, count


def encode(text: str, symbols: str) -> np.ndarray:
    """Symbol ids from 1; what is not among `symbols` is 0, as UNK is."""
    return np.array([symbols.find(symbol) + 1 for symbol in text], np.int64)


def zipf_texts(seed: int, lengths: tuple[int, ...], vocabulary: int) -> list[np.ndarray]:
    """Texts with frequent and rare symbols, each depending on the one before; symbol 0 does not occur."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, vocabulary)
    rows = [rng.permutation(weights / weights.sum()) for _ in range(vocabulary)]
    texts = []
    for length in lengths:
        text = [1]
        while len(text) <= length:
            text.append(1 + rng.choice(vocabulary - 1, p=rows[text[-1]]))
        texts.append(np.array(text[1:], np.int64))
    return texts


def by_definition(texts, order, vocabulary, smoothing):
    """p(symbol, history) as a closure over dictionaries, written from the definitions."""
    occurrences, before = Counter(), defaultdict(set)
    for text in (tuple(text.tolist()) for text in texts):
        for end in range(1, len(text) + 1):
            for start in range(max(0, end - order), end):
                occurrences[text[start:end]] += 1
                before[text[start:end]].add(text[start - 1] if start else "boundary")

    follow, discounts = defaultdict(dict), {}
    for length in range(1, order + 1):
        grams = [gram for gram in occurrences if len(gram) == length]
        raw = smoothing == "witten-bell" or length == order
        counts = {gram: occurrences[gram] if raw else len(before[gram]) for gram in grams}
        for gram in grams:
            follow[gram[:-1]][gram[-1]] = counts[gram]
        n = Counter(counts.values())
        discounts[length] = {1: 0.5, 2: 1.0, 3: 1.5}
        if all(n[c] for c in (1, 2, 3, 4)):
            y = n[1] / (n[1] + 2 * n[2])
            estimates = {c: c - (c + 1) * y * n[c + 1] / n[c] for c in (1, 2, 3)}
            discounts[length] = estimates if min(estimates.values()) > 0 else discounts[length]

    def p(symbol: int, history: tuple[int, ...]) -> float:
        history = history[max(0, len(history) - order + 1) :]
        shorter = p(symbol, history[1:]) if history else 1 / vocabulary
        seen = follow.get(history)
        if not seen:
            return shorter
        total, c = sum(seen.values()), seen.get(symbol, 0)
        if smoothing == "witten-bell":
            return (c + len(seen) * shorter) / (total + len(seen))
        discount = discounts[len(history) + 1]
        freed = sum(discount[min(other, 3)] for other in seen.values())
        return (c - discount[min(c, 3)] if c else 0) / total + freed / total * shorter

    return p


def test_witten_bell_bigrams_by_hand():
    # abracadabra, vocabulary of 6 with UNK. Unigrams: a 5, b 2, r 2, c 1, d 1: N = 11, T = 5.
    #   p(a) = (5 + 5/6) / 16 = 35/96, p(b) = p(r) = (2 + 5/6) / 16 = 17/96, p(c) = 11/96, p(UNK) = 5/96
    # After a: b 2, c 1, d 1: N = 4, T = 3.   After b: r 2: N = 2, T = 1.
    model = NgramModel.fit([encode("abracadabra", "abcdr")], 2, 6, "witten-bell")
    expected = {
        "ab": [35 / 96, (2 + 3 * 17 / 96) / 7],
        "ac": [35 / 96, (1 + 3 * 11 / 96) / 7],
        "a?": [35 / 96, 3 * 5 / 96 / 7],
        "br": [17 / 96, (2 + 1 * 17 / 96) / 3],
        "?a": [5 / 96, 35 / 96],  # nothing is known after UNK: the unigram alone
    }
    for text, probabilities in expected.items():
        assert 2 ** model.log2_probabilities(encode(text, "abcdr")) == pytest.approx(probabilities)


def test_kneser_ney_bigrams_by_hand():
    # abracadabra again; too short to estimate discounts, so they are 1/2, 1, 3/2.
    # Unigrams by distinct predecessors: a 4 (r, c, d, boundary), b 1, c 1, d 1, r 1, together 8;
    #   freed (3/2 + 4 * 1/2) / 8 = 7/16, so p(UNK) = 7/16 / 6 = 7/96, p(a) = (4 - 3/2) / 8 + 7/96 = 37/96,
    #   p(b) = p(c) = p(d) = p(r) = (1 - 1/2) / 8 + 7/96 = 13/96
    # Bigrams by occurrence. After a: b 2, c 1, d 1: freed (1 + 1/2 + 1/2) / 4 = 1/2.   After b: r 2: freed 1/2.
    model = NgramModel.fit([encode("abracadabra", "abcdr")], 2, 6, "kneser-ney")
    expected = {
        "ab": [37 / 96, (2 - 1) / 4 + 1 / 2 * 13 / 96],
        "ac": [37 / 96, (1 - 1 / 2) / 4 + 1 / 2 * 13 / 96],
        "a?": [37 / 96, 1 / 2 * 7 / 96],
        "br": [13 / 96, (2 - 1) / 2 + 1 / 2 * 13 / 96],
        "?a": [7 / 96, 37 / 96],
    }
    for text, probabilities in expected.items():
        assert 2 ** model.log2_probabilities(encode(text, "abcdr")) == pytest.approx(probabilities)


def test_the_three_discounts_by_hand():
    # Counts: a b c d 1, e f 2, g 3, h 4, so n1 = 4, n2 = 2, n3 = 1, n4 = 1 and Y = 4 / (4 + 2 * 2) = 1/2:
    #   D1 = 1 - 2 Y 2/4 = 1/2, D2 = 2 - 3 Y 1/2 = 5/4, D3+ = 3 - 4 Y 1/1 = 1; freed 4/2 + 2 * 5/4 + 1 + 1 = 13/2 of 15
    symbols = "abcdefgh"
    model = NgramModel.fit([encode("abcdeeffggghhhh", symbols)], 1, 9, "kneser-ney")
    expected = np.array([0, 1 / 2, 3 / 4, 2, 3]) / 15 + 13 / 2 / 15 / 9
    assert 2 ** model.log2_probabilities(encode("?aegh", symbols)) == pytest.approx(expected)


def test_a_discount_below_zero_is_not_used():
    # n1 = 4, n2 = 1, n3 = 4, n4 = 1: Y = 4/6, D2 = 2 - 3 Y 4/1 = -6, so 1/2, 1, 3/2: freed 4/2 + 1 + 5 * 3/2 of 22
    symbols = "abcdefghij"
    model = NgramModel.fit([encode("abcdeefffggghhhiiijjjj", symbols)], 1, 11, "kneser-ney")
    expected = np.array([0, 1 / 2, 1, 3 / 2, 5 / 2]) / 22 + 21 / 2 / 22 / 11
    assert 2 ** model.log2_probabilities(encode("?aefj", symbols)) == pytest.approx(expected)


def test_ngrams_stay_within_their_text_and_the_boundary_is_one_predecessor():
    ab, b = encode("ab", "ab"), encode("b", "ab")
    unigrams, bigrams, trigrams = count([ab, b, ab], 3, 3)
    assert unigrams.occurrences.tolist() == [2, 3]  # a, b
    assert unigrams.predecessors.tolist() == [1, 2]  # a: boundary; b: a, boundary
    assert bigrams.occurrences.tolist() == [2]  # ab, not ba or bb across texts
    assert bigrams.predecessors.tolist() == [1]  # the same boundary twice
    assert trigrams.occurrences.tolist() == []


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("lengths", [(3000, 1, 0, 700), (40, 2, 7), (3,)])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_equals_the_definitions(smoothing, lengths, order):
    vocabulary = 12
    train = zipf_texts(1, lengths, vocabulary)
    text = np.concatenate([zipf_texts(2, (300,), vocabulary)[0], [0, 0, 3, 0], train[0][:20]])
    p = by_definition(train, order, vocabulary, smoothing)
    expected = [p(symbol, tuple(text[:i].tolist())) for i, symbol in enumerate(text.tolist())]
    model = NgramModel.fit(train, order, vocabulary, smoothing)
    assert 2 ** model.log2_probabilities(text) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_probabilities_sum_to_one_after_any_context(smoothing):
    vocabulary = 12
    model = NgramModel.fit(zipf_texts(3, (2000, 500), vocabulary), 4, vocabulary, smoothing)
    for context in ([], [0], [5], [1, 0, 2], [9, 9, 9, 9], zipf_texts(4, (10,), vocabulary)[0].tolist()):
        last = [2 ** model.log2_probabilities(np.array([*context, symbol]))[-1] for symbol in range(vocabulary)]
        assert min(last) > 0
        assert sum(last) == pytest.approx(1, abs=1e-12)


def test_bits_are_the_mean_over_all_symbols_of_all_texts():
    model = NgramModel.fit(zipf_texts(5, (500,), 6), 3, 6)
    short, long = zipf_texts(6, (10, 90), 6)
    assert model.bits([short, long, short[:0]]) == pytest.approx(0.1 * model.bits([short]) + 0.9 * model.bits([long]))


def test_best_order_is_the_best_of_all_that_can_be_fitted():
    train, validation = zipf_texts(7, (4000, 1000, 600), 8)[:2], zipf_texts(7, (4000, 1000, 600), 8)[2:]
    bits = {(s, n): NgramModel.fit(train, n, 8, s).bits(validation) for s in SMOOTHINGS for n in range(2, 6)}
    model = best_order(train, validation, 8, orders=range(2, 6))
    assert (model.smoothing, model.order) == min(bits, key=bits.get)
    assert model.bits(validation) == min(bits.values())


@pytest.mark.parametrize(
    ("texts", "order"),
    [([], 2), ([[]], 2), ([[1]], 0), ([[3]], 2), ([[-1]], 2)],
)
def test_what_cannot_be_fitted_is_refused(texts, order):
    with pytest.raises(ValueError, match="expected .* received"):
        NgramModel.fit([np.array(text, np.int64) for text in texts], order, 3)


def test_what_cannot_be_scored_or_smoothed_is_refused():
    model = NgramModel.fit([np.array([1, 2, 1])], 2, 3)
    for call in (lambda: model.bits([]), lambda: model.bits([np.array([3])]), lambda: NgramModel([], 3, "good-turing")):
        with pytest.raises(ValueError, match="expected .* received"):
            call()


def novel(path: Path) -> str:
    """A Gutenberg file's text by the rules of the chargen corpus, white space collapsed."""
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    start = re.search(r"^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG.*?\*\*\*[^\n]*\n", text, re.M | re.S)
    body = text[start.end() : re.search(r"^\*\*\* ?END OF", text, re.M).start()]
    body = re.sub(r"\A\s*Produced by.*?\n\s*\n", "", body, flags=re.S)
    body = re.sub(r"\[Illustration[^\]]*\]", "", body)
    return " ".join(body[: re.search(r"^\s*THE END\s*$", body, re.M).end()].split())


@pytest.mark.real
def test_the_bits_of_an_independent_implementation_on_the_two_novels():
    """Validation and test: Witten-Bell n=5 2.057 and 2.124, modified Kneser-Ney n=8 1.848 and 1.925."""
    paths = [Path(os.environ.get("RNNZOO_MIRROR", "")) / name for name in ("pg28885.txt", "12-0.txt")]
    if not all(path.is_file() for path in paths):
        pytest.skip("RNNZOO_MIRROR is not a folder that holds pg28885.txt and 12-0.txt")
    parts = [[], [], []]
    for text in map(novel, paths):
        cuts = [0, int(0.9 * len(text)), int(0.95 * len(text)), len(text)]
        for part, begin, end in zip(parts, cuts, cuts[1:], strict=False):
            part.append(text[begin:end])
    assert hashlib.sha256("\n".join(parts[2]).encode()).hexdigest().startswith("53151ee43a58")

    symbols = "".join(sorted(set("".join(parts[0]))))
    train, validation, test = ([encode(text, symbols) for text in part] for part in parts)
    for smoothing, order, expected in (("witten-bell", 5, (2.057, 2.124)), ("kneser-ney", 8, (1.848, 1.925))):
        model = NgramModel.fit(train, order, len(symbols) + 1, smoothing)
        assert (model.bits(validation), model.bits(test)) == pytest.approx(expected, abs=0.001)
    best = best_order(train, validation, len(symbols) + 1)
    assert best.smoothing == "kneser-ney"
    assert best.bits(test) < 1.925
