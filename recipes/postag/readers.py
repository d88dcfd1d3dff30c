"""Tagged sentences in the formats that there are: treebank trees, word/TAG and word_TAG lines, columns, CoNLL-U.

A sentence is a pair of equally long tuples, words and tags; whatever is read is never joined and split again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rnnzoo.errors import CorpusError

TRACE = "-NONE-"  # the tag of what stands in the tree but not in the text
FORMATS = "word/TAG separated by spaces, two columns separated by tabs, or CoNLL-U"


class Sentence(NamedTuple):
    """Words and their tags, in step."""

    words: tuple[str, ...]
    tags: tuple[str, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Sentence:
        return cls(*(tuple(column) for column in zip(*pairs, strict=True)))

    def __str__(self) -> str:
        """`word/TAG` joined by spaces: what the hash of a split is taken of."""
        return " ".join(f"{word}/{tag}" for word, tag in zip(self.words, self.tags, strict=True))


_LEAF = re.compile(r"\(([^\s()]+) ([^\s()]+)\)")
_TREE = re.compile(r"^\(", re.M)


def trees(text: str) -> Iterator[Sentence]:
    """The sentences of a treebank file: a tree begins with a parenthesis at the start of a line; its leaves are (TAG word)."""
    for tree in _TREE.split(text)[1:]:
        if leaves := _LEAF.findall(tree):
            yield Sentence.of((word, tag) for tag, word in leaves)


def without_traces(sentence: Sentence) -> Sentence | None:
    """A sentence without the tokens that no text has; None if nothing is left."""
    pairs = [(word, tag) for word, tag in zip(*sentence, strict=True) if tag != TRACE]
    return Sentence.of(pairs) if pairs else None


def underscored(text: str) -> Iterator[Sentence]:
    """The sentences of a MASC file, a line of `word_TAG` each.

    Some tokens were cut at a space inside of them ("D. C._NN"): what has no tag is the beginning of the next word that has
    one. What has a tag and no word, or no tag to the end of its line, is left out.
    """
    for line in text.split("\n"):
        pairs, begun = [], ""
        for token in line.split():
            word, underscore, tag = token.rpartition("_")
            if not underscore:
                begun += token
            elif (word or begun) and tag:
                pairs.append((begun + word, tag))
                begun = ""
        if pairs:
            yield Sentence.of(pairs)


def user_file(lines: Iterable[str], name: str, tags: str) -> Iterator[Sentence]:
    """The sentences of a user's file, whose format is told by its first lines.

    Args:
        lines: without their ends.
        name: of the file, for errors.
        tags: the column of CoNLL-U, "upos" or "xpos".

    Raises:
        CorpusError: naming the first line that is not of the format.
    """
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if not line.strip() or line.startswith("# "):
            continue
        rest = _with_first((number, line), numbered)
        columns = len(line.split("\t"))
        if columns == 10:
            return _conllu(rest, name, {"upos": 3, "xpos": 4}[tags])
        if columns > 1:
            return _columns(rest, name)
        if "/" in line:
            return _slashed(rest, name)
        raise CorpusError(f"line {number} of {name} has no tags: {_shown(line)}", f"expected {FORMATS}")
    raise CorpusError(f"{name} has no sentence", f"expected {FORMATS}")


def _with_first(first, rest):
    yield first
    yield from rest


def _slashed(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Sentence]:
    """A sentence on each line; the tag follows the last slash, so a word may hold slashes."""
    for number, line in lines:
        pairs = []
        for token in line.split():
            word, _, tag = token.rpartition("/")
            if not word or not tag:
                raise CorpusError(
                    f"line {number} of {name}: expected word/TAG, received {_shown(token)}", f"expected {FORMATS}"
                )
            pairs.append((word, tag))
        if pairs:
            yield Sentence.of(pairs)


def _columns(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Sentence]:
    """A word, a tab and its tag on each line, a blank line after each sentence; a word may hold spaces."""
    pairs = []
    for number, line in lines:
        if not line.strip():
            if pairs:
                yield Sentence.of(pairs)
            pairs = []
            continue
        word, _, tag = line.partition("\t")
        if "\t" in tag or not word.strip() or not tag.strip():
            raise CorpusError(
                f"line {number} of {name}: expected a word, a tab and a tag, received {_shown(line)}", f"expected {FORMATS}"
            )
        pairs.append((word.strip(), tag.strip()))
    if pairs:
        yield Sentence.of(pairs)


def _conllu(lines: Iterable[tuple[int, str]], name: str, column: int) -> Iterator[Sentence]:
    """CoNLL-U (universaldependencies.org/format.html): ten columns; ranges (1-2) and empty nodes (1.1) are not tagged."""
    pairs = []
    for number, line in lines:
        if not line.strip():
            if pairs:
                yield Sentence.of(pairs)
            pairs = []
            continue
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 10:
            raise CorpusError(
                f"line {number} of {name}: expected the 10 columns of CoNLL-U, received {len(fields)}", f"expected {FORMATS}"
            )
        if not fields[0].isdigit():
            continue
        if fields[column] == "_":
            other = "upos" if column == 4 else "xpos"
            raise CorpusError(
                f"line {number} of {name} has no {'xpos' if column == 4 else 'upos'} tag for {_shown(fields[1])}",
                f"tags={other} reads the other column",
            )
        pairs.append((fields[1], fields[column]))
    if pairs:
        yield Sentence.of(pairs)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
