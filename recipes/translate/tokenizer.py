"""Text to words and back. What spacing and capitals a language has is learned from its training text.

A word is a run of letters and digits; every other sign is a word of its own. An apostrophe or hyphen inside a word cuts
it in two and stays with the side that varies less: French has `J' | ai` and `Est | -ce`, English `I | 'm`. Signs take
the spacing that most of them have in the training text: ` !` in French, `!` in English. Scripts that are written without
spaces are cut into characters.

With `truecase` the first word of a sentence is written as it usually is inside sentences (Koehn et al. 2007, Moses), so
that `Are` and `are` are one word; coming back, a sentence begins with a capital if training sentences do.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

# Letters of scripts without spaces: Thai, Lao, Burmese, Khmer; kana; Chinese characters.
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
LETTER = rf"(?:(?![{UNSPACED}])\w)"
MARKS = "'-"
_FOLDED = str.maketrans({"’": "'", "‘": "'", "‐": "-", "‑": "-"})


class Tokenizer:
    """Words of one language.

    Args:
        right: the marks (of `'` and `-`) that stay with the word after them; the others stay with the word before.
        before, after: signs that have a space before, after them.
        capitals: words that keep their capital at the start of a sentence, such as names; None where no word is changed.
        capitalised: whether sentences begin with a capital.
    """

    def __init__(
        self,
        right: str = "",
        before: Iterable[str] = (),
        after: Iterable[str] = (),
        capitals: Iterable[str] | None = None,
        capitalised: bool = False,
    ):
        self.right, self.before, self.after = right, frozenset(before), frozenset(after)
        self.capitals = None if capitals is None else frozenset(capitals)
        self.capitalised = capitalised

    # -- learning --------------------------------------------------------------------------------------------------

    @classmethod
    def fit(cls, texts: Sequence[str], truecase: bool) -> Tokenizer:
        """The habits of `texts`, the training text of one language."""
        folded = [text.translate(_FOLDED) for text in texts]
        right = "".join(mark for mark in MARKS if _varies_less_after(mark, folded))
        before, after = _spacing(folded)
        plain = cls(right, before, after)
        if not truecase:
            return plain
        inside, first = Counter(), Counter()
        for text in folded:
            words = plain._cut(text)
            starts = True
            for word in words:
                if word[0].isalpha():
                    (first if starts else inside)[word] += 1
                starts = word in ".!?"
        capitals = {word for word in inside if word != _lowered(word) and inside[word] > inside[_lowered(word)]}
        # A word that is an acronym, or never seen in lower case in a text of names, is left as it is.
        capitals |= {word for word in first if len(word) > 1 and word.isupper() and not inside[word.lower()]}
        capitalised = sum(n for word, n in first.items() if word[0].isupper()) * 2 > sum(first.values())
        return cls(right, before, after, capitals, capitalised)

    # -- using -----------------------------------------------------------------------------------------------------

    def words(self, text: str) -> list[str]:
        """The words of a text; none if it is blank."""
        words = self._cut(text.translate(_FOLDED))
        if self.capitals is not None and words and words[0] not in self.capitals:
            words[0] = _lowered(words[0])
        return words

    def text(self, words: Sequence[str]) -> str:
        """The text that has these words."""
        out, quoted, glued = [], False, True
        for word in words:
            opening = word == '"' and not quoted
            if word == '"':
                quoted = not quoted
            if not (glued or self._leans_left(word, opening) or (out and _unspaced(out[-1]) and _unspaced(word))):
                out.append(" ")
            out.append(word)
            glued = self._leans_right(word, opening)
        text = "".join(out)
        return text[:1].upper() + text[1:] if self.capitalised and self.capitals is not None else text

    @cached_property
    def _pattern(self) -> re.Pattern:
        left = "".join(mark for mark in MARKS if mark not in self.right)
        begins = rf"(?:(?<=\w)[{re.escape(self.right)}])?" if self.right else ""
        ends = rf"(?:[{re.escape(left)}](?=\w))?" if left else ""
        return re.compile(rf"{begins}{LETTER}+{ends}|\S")

    def _cut(self, text: str) -> list[str]:
        return self._pattern.findall(text)

    def _leans_left(self, word: str, opening: bool) -> bool:
        """Whether there is no space before a word."""
        if word == '"':
            return not opening
        if word[0].isalnum():
            return False
        return len(word) > 1 or word not in self.before

    def _leans_right(self, word: str, opening: bool) -> bool:
        """Whether there is no space after a word."""
        if word == '"':
            return opening
        if word[-1].isalnum():
            return False
        return len(word) > 1 or word not in self.after

    # -- keeping ---------------------------------------------------------------------------------------------------

    def dumps(self) -> str:
        """As JSON."""
        capitals = None if self.capitals is None else sorted(self.capitals)
        kept: dict[str, Any] = {"right": self.right, "before": sorted(self.before), "after": sorted(self.after)}
        return json.dumps(kept | {"capitals": capitals, "capitalised": self.capitalised}, ensure_ascii=False)

    @classmethod
    def loads(cls, text: str) -> Tokenizer:
        return cls(**json.loads(text))


def _varies_less_after(mark: str, texts: Iterable[str]) -> bool:
    """Whether fewer different words stand after a mark inside words than before it."""
    before, after = set(), set()
    pattern = re.compile(rf"({LETTER}+){re.escape(mark)}(?=({LETTER}+))")
    for text in texts:
        for match in pattern.finditer(text):
            before.add(match[1].lower())
            after.add(match[2].lower())
    return len(after) < len(before)


def _spacing(texts: Iterable[str]) -> tuple[set[str], set[str]]:
    """Signs that mostly have a space before them, and after them; the ends of a text do not count."""
    before, after = Counter(), Counter()
    for text in texts:
        for match in re.finditer(r"[^\w\s]", text):
            at, sign = match.start(), match[0]
            if at:
                before[sign] += 1 if text[at - 1].isspace() else -1
            if at + 1 < len(text):
                after[sign] += 1 if text[at + 1].isspace() else -1
    return {sign for sign, n in before.items() if n > 0}, {sign for sign, n in after.items() if n > 0}


def _lowered(word: str) -> str:
    """A word without its capital; signs that it begins with stay."""
    return word[:1].lower() + word[1:]


def _unspaced(word: str) -> bool:
    return re.fullmatch(rf"[{UNSPACED}]", word) is not None
