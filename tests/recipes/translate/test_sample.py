"""The embedded sample: two languages from one grammar, beyond word-by-word translation."""

from __future__ import annotations

import re

from rnnzoo.recipes.translate.corpus import Item
from rnnzoo.recipes.translate.evaluation import bleu_of, dictionary
from rnnzoo.recipes.translate.sample import ADJECTIVES, NOUNS, generate


def test_it_is_the_same_each_time_and_has_no_pair_twice():
    assert generate() == generate()
    assert len(set(generate())) == 3_000
    assert generate(seed=1) != generate()


def test_adjectives_agree_with_their_noun():
    feminine = {noun[2] for noun in NOUNS if noun[4]}
    for noun in feminine:
        text = " ".join(b for _, b in generate())
        assert not re.search(rf"\b{noun} (vert|blanc|noir|lourd)\b", text)
    assert re.search(r"\bpommes? vertes?\b", " ".join(b for _, b in generate()))


def test_most_adjectives_follow_their_noun_and_some_precede_it():
    after = [a[1] for a in ADJECTIVES if not a[5]]
    text = " ".join(b for _, b in generate())
    assert re.search(rf"\bchat ({'|'.join(after)})\b", text)
    assert re.search(r"\b(petit|grand|joli|mauvais) chat\b", text)


def test_negation_embraces_the_verb_and_vowels_are_elided():
    texts = [b for a, b in generate() if " not " in a]
    assert texts and all(re.search(r"\b(ne |n')(\w+ |l')?\w+ pas\b", text) for text in texts)
    assert not any(re.search(r"\b(ne|je|le|la|de) [aeiouéêîœ]", text, re.I) for _, text in generate())


def test_a_dictionary_cannot_translate_it():
    pairs = generate()
    train, test = pairs[:2_500], pairs[2_500:]

    def words(text):
        return re.findall(r"\w+'?|[^\w\s]", text)

    known = dictionary([words(a) for a, _ in train], [words(b) for _, b in train])
    hypotheses = [" ".join(known.get(word, word) for word in words(a)) for a, _ in test]
    assert bleu_of(hypotheses, [Item(a, (b,)) for a, b in test]) < 25
