"""Pairs of sentences in the forms that there are: releases of Tatoeba, tab-separated lines, two parallel files, TFDS.

A pair is (source, target), as it was written; `cleaned` puts a sentence on one line, without signs that nobody sees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from rnnzoo.corpora.archive import read_members
from rnnzoo.corpora.text import decode_text
from rnnzoo.errors import CorpusError
from rnnzoo.training.reporter import Reporter

Pairs = Iterator[tuple[str, str]]

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\ufeff]")  # soft hyphen, zero-width signs


def tatoeba(archive: Path) -> Pairs:
    """The pairs of a release of manythings.org: the one text file in it that is not about it, in a folder or not.

    Raises:
        CorpusError: if there is no such file.
    """
    members = read_members(archive, lambda name: name.endswith(".txt") and not name.split("/")[-1].startswith("_"))
    if len(members) != 1:
        raise CorpusError(
            f"{archive} should hold one text file of pairs, it holds {len(members)}",
            "delete it and run rnnzoo data fetch translate",
        )
    ((name, content),) = members.items()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{name} in {archive} is not UTF-8 at byte {error.start}", "download it again") from None
    # Not splitlines(), which also cuts at signs that occur inside sentences.
    return tab_separated(iter(text.replace("\r\n", "\n").split("\n")), Path(f"{archive}/{name}"))


def tab_separated(lines: Iterable[str], path: Path) -> Pairs:
    """Pairs of lines `source TAB target`; further columns, such as a licence, are left out, and so are blank lines.

    Raises:
        CorpusError: at a line without a tab.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) < 2:
            raise CorpusError(
                f"line {number} of {path} has no tab: {line[:40]!r}",
                "expected lines of SOURCE, a tab, TARGET; two parallel files are given as --data one.txt,other.txt",
            )
        yield columns[0], columns[1]


def parallel(first: Path, second: Path, reporter: Reporter) -> Pairs:
    """Pairs of two files, line by line.

    Raises:
        CorpusError: if one of them is longer.
    """
    for number, pair in enumerate(_zipped(lines(first, reporter), lines(second, reporter)), start=1):
        if None in pair:
            shorter = first if pair[0] is None else second
            raise CorpusError(
                f"{first} and {second} should have equally many lines, {shorter.name} ends before line {number}",
                "line N of one file must be the translation of line N of the other",
            )
        yield pair


def _zipped(a: Iterator[str], b: Iterator[str]) -> Iterator[tuple[str | None, str | None]]:
    while True:
        pair = next(a, None), next(b, None)
        if pair == (None, None):
            return
        yield pair


def lines(path: Path, reporter: Reporter) -> Iterator[str]:
    """The lines of a text file."""
    held = ""
    for piece in decode_text(path, reporter.warn):
        *lines, held = (held + piece).split("\n")
        yield from lines
    if held:
        yield held


def oriented(columns: dict[str, str]) -> tuple[str, str]:
    """Source and target of an example of TFDS: a Translation {language: text}, or tatoeba's four columns."""
    if "source_sentence" in columns:
        pair = columns["source_sentence"], columns["target_sentence"]
        return pair[::-1] if columns.get("target_language", "").startswith("en") else pair
    languages = sorted(columns, key=lambda language: language != "en")
    return columns[languages[0]], columns[languages[1]]


def cleaned(text: str, normalize: str) -> str:
    """A sentence on one line: each run of white space, the hard and the thin ones too, is a space; no soft hyphens.

    With "ascii" also as the published program has it: without accents, in lower case, everything but a-z ! . ? a space.
    """
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    if normalize == "ascii":
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        text = re.sub(r"[^a-z!.?]+", " ", re.sub(r"([!.?])", r" \1", text.lower()))
    return " ".join(text.split())
