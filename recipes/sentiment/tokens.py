"""From a sentence to what the models read: its words, and the n-grams that are counted beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence

NEGATIONS = frozenset(
    ("not", "no", "n't", "never", "nothing", "none", "nor", "neither", "without", "hardly", "barely", "cannot")
)
SCOPE = 3  # words after a negation that count as negated
MARK = "_NEG"

_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[!?.]+|[^\w\s]")
_WORD = re.compile(r"[\w'’]+")
_UNSPELT = frozenset(  # contractions without their apostrophe
    ["dont", "didnt", "doesnt", "wont", "cant", "isnt", "wasnt", "arent", "werent", "couldnt", "wouldnt", "shouldnt", "hasnt"]
)


def tokens(text: str, punctuation: bool = True) -> list[str]:
    """The words of a text in lower case; a text of white space has none.

    With punctuation, marks are words too, English contractions are two words ("don't": "do", "n't") and every digit is 0;
    without, words are what lies between punctuation and white space, as in the published program.
    """
    text = text.casefold().replace("’", "'")
    if not punctuation:
        return [word for word in (word.strip("'") for word in _WORD.findall(text)) if word]
    return [part for token in _TOKEN.findall(text) for part in _parts(re.sub(r"\d", "0", token))]


def _parts(token: str) -> tuple[str, ...]:
    if token.endswith("n't") and len(token) > 3:
        return token[:-3], "n't"
    if token in _UNSPELT:
        return token[:-2], "n't"
    head, apostrophe, tail = token.partition("'")
    return (head, apostrophe + tail) if head and tail else (token,)


def negated(words: Sequence[str]) -> list[str]:
    """The words, marked where a negation stands at most SCOPE words before them in the same clause (Das, Chen 2001)."""
    marked, remaining = [], 0
    for word in words:
        if word in NEGATIONS:
            marked.append(word)
            remaining = SCOPE
            continue
        if not (word[0].isalnum() or word[0] in "_'"):
            remaining = 0  # a punctuation mark ends the clause
        marked.append(word + MARK if remaining else word)
        remaining = max(0, remaining - 1)
    return marked


def grams(words: Sequence[str], words_up_to: int, characters_up_to: int) -> list[str]:
    """The distinct n-grams of a sentence, in order of first appearance.

    They are runs of 1 to `words_up_to` words with their negation marks, and, within and across words, runs of 3 to
    `characters_up_to` characters (written after a NUL, so that none is taken for a word).
    """
    marked = negated(words)
    found = [" ".join(marked[i : i + n]) for n in range(1, words_up_to + 1) for i in range(len(marked) - n + 1)]
    line = f" {' '.join(words)} "
    found += ["\0" + line[i : i + n] for n in range(3, characters_up_to + 1) for i in range(len(line) - n + 1)]
    return list(dict.fromkeys(found))
