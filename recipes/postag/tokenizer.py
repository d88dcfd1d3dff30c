"""Raw text into the tokens of the Penn Treebank: `can't.` is `ca n't .`, double quotes are `` and ''.

The rules are those of Robert MacIntyre's sed script for the treebank (1995) in the order it has them, with the additions of
NLTK's TreebankWordTokenizer, whose tokens they give. A period is a token only where it ends the text, so a line should hold
one sentence: elsewhere it may be an abbreviation's.
"""

from __future__ import annotations

import re

_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # Opening quotes: at the start of the text, or after a space or an opening bracket.
        (r'^"', "``"),
        (r"``", " `` "),
        (r"(?<=[ (\[{<])(?:\"|'')", " `` "),
        # Colon and comma, but not within a number (1,000 or 12:30). The character after them is used up: of two in a row,
        # one may stay with what follows, as in the original.
        (r"([:,])(\D)", r" \1 \2"),
        (r"([:,])$", r" \1 "),
        (r"\.{3}", " ... "),
        (r"([;@#$%&])", r" \1 "),
        # The period that ends the text, closing brackets and quotes after it or not; not the last of several.
        (r"([^.])\.([])}>\"']*)\s*$", r"\1 .\2 "),
        (r"([?!])", r" \1 "),
        (r"([^'])' ", r"\1 ' "),
        (r"([][(){}<>])", r" \1 "),
        (r"--", " -- "),
        # From here on the text has a space before and after it. What is still a double quote closes.
        (r"\A|\Z", " "),
        (r"''", " '' "),
        (r'"', " '' "),
        # Possessives and contractions, in lower or in upper case.
        (r"([^' ])('[sSmMdD]|') ", r"\1 \2 "),
        (r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r"\1 \2 "),
    )
)

# Contractions that are one word to the eye and two to the treebank.
_CONTRACTIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(can)(not)\b",
        r"\b(d)('ye)\b",
        r"\b(gim)(me)\b",
        r"\b(gon)(na)\b",
        r"\b(got)(ta)\b",
        r"\b(lem)(me)\b",
        r"\b(more)('n)\b",
        r"\b(wan)(na)(?=\s)",
        r" ('t)(is)\b",
        r" ('t)(was)\b",
    )
)


def tokenize(text: str) -> list[str]:
    """The tokens of a text, best of one sentence."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    for pattern in _CONTRACTIONS:
        text = pattern.sub(r" \1 \2 ", text)
    return text.split()
