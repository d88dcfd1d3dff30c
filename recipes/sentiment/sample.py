"""The embedded sample corpus: sentences whose label follows from composition, written by a small seeded grammar.

A clause has the polarity of its adjective; a negation turns it, and "it is not true that" turns the whole clause again; of
two clauses the one after "but" decides, unless "although" comes first. No word by itself tells the label of a sentence: what
is before and after it does, so a model that only counts words stays near chance and an RNN does not. Intensifiers and times
change nothing. The vocabulary extends the one of the well-known from-scratch exercise ("i am not at all happy right now").
"""

from __future__ import annotations

import random

SUBJECTS = (("i", "am", "was"), ("she", "is", "was"), ("this", "is", "was"), ("we", "are", "were"), ("the cook", "is", "was"))
GOOD = ("good", "happy", "kind", "brilliant", "lovely", "fine")
BAD = ("bad", "sad", "rude", "dull", "awful", "poor")
INTENSIFIERS = ("", "", "very", "really", "so")
NEGATIONS = ("not", "not at all", "never", "hardly", "by no means")
NOW, EARLIER = ("", "right now", "today", "these days"), ("", "earlier", "yesterday", "last year")
FRAMES = ("it is not true that", "nobody says that")
LABELS = ("negative", "positive")


def generate(seed: int = 0, sentences: int = 3000) -> list[tuple[str, str]]:
    """Distinct sentences, each with its label, as many of one label as of the other (or one more).

    The same for a seed on every platform and Python: only `random()` is used, whose sequence Python guarantees.
    """
    uniform = random.Random(seed).random

    def pick(choices):
        return choices[int(uniform() * len(choices))]

    def clause() -> tuple[str, int]:
        subject, present, past = pick(SUBJECTS)
        polarity = pick((-1, 1))
        adjective = pick(GOOD if polarity > 0 else BAD)
        earlier = uniform() < 0.5
        negation = pick(NEGATIONS) if uniform() < 0.5 else ""
        words = [
            subject,
            past if earlier else present,
            negation,
            pick(INTENSIFIERS),
            adjective,
            pick(EARLIER if earlier else NOW),
        ]
        polarity = -polarity if negation else polarity
        if uniform() < 0.1:
            words.insert(0, pick(FRAMES))
            polarity = -polarity
        return " ".join(word for word in words if word), polarity

    def sentence() -> tuple[str, int]:
        first, polarity = clause()
        kind = uniform()
        if kind < 0.8:
            return first, polarity
        second, other = clause()
        return (f"{first} but {second}", other) if kind < 0.9 else (f"although {first} {second}", other)

    found: dict[str, str] = {}
    room = {LABELS[0]: sentences // 2, LABELS[1]: sentences - sentences // 2}
    while any(room.values()):
        text, polarity = sentence()
        label = LABELS[polarity > 0]
        if text not in found and room[label]:
            found[text] = label
            room[label] -= 1
    return list(found.items())
