"""The embedded sample: the same everywhere, in step, and ambiguous word by word."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict

from rnnzoo.recipes.postag.sample import generate


def test_the_same_on_every_platform():
    text = "\n".join(" ".join(f"{word}/{tag}" for word, tag in sentence) for sentence in generate())
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "ab96a8146d5f4994"
    assert generate(1) != generate(0)
    assert generate(0, 10) == generate()[:10]


def test_words_have_several_tags_and_none_of_them_is_rare():
    counts: dict[str, Counter] = defaultdict(Counter)
    for sentence in generate():
        for word, tag in sentence:
            counts[word.lower()][tag] += 1
    several = [word for word, tags in counts.items() if len(tags) > 1]
    assert len(several) > 40
    assert {"DT", "IN", "WDT"} <= set(counts["that"]) and {"PRP", "PRP$"} <= set(counts["her"])
    words = sum(sum(tags.values()) for tags in counts.values())
    best_without_context = sum(max(tags.values()) for tags in counts.values()) / words
    assert best_without_context < 0.85


def test_sentences_begin_with_a_capital_and_end_with_a_stop():
    for sentence in generate():
        (first, _), *_, (last, tag) = sentence
        assert first[0].isupper() or first[0].isdigit()
        assert last in ".?" and tag == "."
