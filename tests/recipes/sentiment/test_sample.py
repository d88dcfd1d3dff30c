"""The embedded sample: the same everywhere, balanced, and labelled by composition."""

from __future__ import annotations

import hashlib
import re

import pytest

from rnnzoo.recipes.sentiment.sample import BAD, FRAMES, GOOD, NEGATIONS, generate


@pytest.fixture(scope="module")
def sentences() -> list[tuple[str, str]]:
    return generate()


def test_the_same_on_every_platform(sentences):
    text = "\n".join(map("\t".join, sentences))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "af7e0f8498eb2bd5"
    assert generate(seed=1) != sentences


def test_distinct_and_balanced(sentences):
    assert len({text for text, _ in sentences}) == len(sentences) == 3000
    assert sum(label == "positive" for _, label in sentences) == 1500


def test_labels_follow_from_composition(sentences):
    """An independent reading: of the deciding clause, the sign of the adjective, turned by each negation and frame."""
    for text, label in sentences:
        clause = text.partition(" but ")[2] or text
        if text.startswith("although "):
            adjectives = list(re.finditer(rf"\b({'|'.join(GOOD + BAD)})\b", text))
            clause = text[adjectives[0].end() :]
        (adjective,) = re.findall(rf"\b({'|'.join(GOOD + BAD)})\b", clause)
        turns = len(re.findall(rf"\b({'|'.join(NEGATIONS)})\b", re.sub("|".join(FRAMES), "", clause)))
        turns += len(re.findall("|".join(FRAMES), clause))
        assert (label == "positive") == ((adjective in GOOD) == (turns % 2 == 0)), text
