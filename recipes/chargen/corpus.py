"""The text: download, clean, cut into training, validation and test parts, encode.

Everything is streamed: a text of gigabytes passes through in pieces and ends in memory-mapped arrays.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo import vocabulary as vocabularies
from rnnzoo.batching import Streams, Windows
from rnnzoo.corpora import encoded, points, source
from rnnzoo.corpora.fetch import RemoteFile, fetch, recorded_sha256
from rnnzoo.corpora.licence import Licence
from rnnzoo.corpora.points import Points
from rnnzoo.corpora.text import decode_text
from rnnzoo.errors import CallError, CorpusError
from rnnzoo.training.reporter import Reporter
from rnnzoo.vocabulary import UNKNOWN, Vocabulary

from . import CORPORA, Config

START = UNKNOWN  # fed before the first character of a text; the unknown symbol has no other use as an input
PARTS = ("train", "validation", "test")
SHORTEST = 200  # characters; with fewer there is nothing to hold out
BLOCK = 1 << 24  # characters searched at a time

FILES = {
    "carroll": (
        RemoteFile("pg28885.txt", ("https://www.gutenberg.org/cache/epub/28885/pg28885.txt",), max_bytes=4 << 20),
        RemoteFile("12-0.txt", ("https://www.gutenberg.org/files/12/12-0.txt",), max_bytes=4 << 20),
    ),
}
LICENCES = {
    "carroll": Licence(
        "public domain",
        "Lewis Carroll, Alice's Adventures in Wonderland (1865) and Through the Looking-Glass (1871), Project Gutenberg "
        "eBooks 28885 and 12",
    ),
}

# The line may be broken in two and ends with three stars; in some releases it just ends.
_BEGIN = re.compile(r"\*\*\*\s*START OF (?:THE|THIS) PROJECT GUTENBERG(?:(?:[^*\n]|\n(?!\s*\n))*\*\*\*|[^\n]*)", re.I)
_END = re.compile(r"\*\*\*\s*END OF (?:THE|THIS) PROJECT GUTENBERG", re.I)


@dataclass(frozen=True)
class Corpus:
    """An encoded text.

    Attributes:
        train, validation, test: symbols of each book's part, 1-D integer arrays, memory-mapped.
        described: what a run records of it: name, argument, SHA-256, counts.
    """

    vocabulary: Vocabulary
    train: list[np.ndarray]
    validation: list[np.ndarray]
    test: list[np.ndarray]
    described: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        return self.described

    def carries_state(self, config: Config) -> bool:
        return config.stateful

    def batches(self, config: Config, epoch: int, seed: int) -> Streams | Windows:
        """The batches of an epoch: contiguous streams, or shuffled windows."""
        if config.stateful:
            return Streams(self.train, config.batch_size, config.window, START)
        return Windows(self.train, config.batch_size, config.window, START, np.random.default_rng([seed, 2, epoch]))

    def split(self, name: str) -> list[np.ndarray]:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def items(self, name: str) -> int:
        """Characters in a split."""
        return sum(len(text) for text in self.split(name))

    def split_sha256(self, name: str) -> str:
        """SHA-256 of a split's texts joined by a newline."""
        return self.described["split_sha256"][name]

    def training_text(self, limit: int = 64 << 20) -> str:
        """The training text, its first `limit` characters; books are joined by a NUL, which occurs in none."""
        points = np.array([0, *map(ord, self.vocabulary.symbols)], "<u4")
        return "\0".join(points[text[:limit]].tobytes().decode("utf-32-le") for text in self.train)[:limit]

    def leakage(self, name: str) -> dict[str, int]:
        """How many texts a split has, and how many of them occur whole in the training text."""
        seen = sum(any(_occurs(text, within) for within in self.train) for text in self.split(name))
        return {"texts": len(self.split(name)), "seen_in_training": seen}

    def seen_through(self, vocabulary: Vocabulary) -> Corpus:
        """The same texts in the numbers of another vocabulary, for a model that was trained on another corpus."""
        if vocabulary.symbols == self.vocabulary.symbols:
            return self
        numbers = np.concatenate([[UNKNOWN], vocabulary.encode(self.vocabulary.symbols)]).astype(vocabulary.code_points.dtype)
        parts = {part: [numbers[text] for text in self.split(part)] for part in PARTS}
        return dataclasses.replace(self, vocabulary=vocabulary, **parts)


def _occurs(text: np.ndarray, within: np.ndarray) -> bool:
    """Whether `text` is a part of `within`, which is read in blocks."""
    wanted = text.tobytes()
    return any(wanted in within[at : at + BLOCK + len(text) - 1].tobytes() for at in range(0, len(within), BLOCK))


def load_corpus(config: Config, data: str | None, reporter: Reporter) -> Corpus:
    """The corpus that `data` names (see `rnnzoo.corpora.source`), encoded, from the cache where it is there already."""
    return source.load(data, CORPORA, lambda chosen: _load(config, chosen, reporter), reporter.warn)


def _load(config: Config, chosen: source.Source, reporter: Reporter) -> Corpus:
    books, sources = _books(chosen, reporter)
    shaped_by = {"sources": sources, "whitespace": config.whitespace, "heldout": config.heldout, "kind": chosen.kind}
    folder = encoded.encode_once("chargen", shaped_by, lambda empty: _encode(books, config, empty))
    described = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    described = {"name": chosen.argument, "argument": chosen.argument, "sources": sources, **described}
    parts = {part: [np.load(path, mmap_mode="r") for path in sorted(folder.glob(f"{part}-*.npy"))] for part in PARTS}
    return Corpus(vocabularies.load(folder / "vocabulary.json"), **parts, described=described)


@dataclass(frozen=True)
class Book:
    """A text still to be read: `pieces()` streams it, cleaned; `part` is the split it belongs to, None if it is to be cut."""

    pieces: Callable[[], Iterator[str]]
    part: str | None = None


def _books(chosen: source.Source, reporter: Reporter) -> tuple[list[Book], dict[str, str]]:
    """The books of a source, and hashes of what they come from."""
    if chosen.kind == "sample":
        from .sample import generate

        texts = generate()
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
        return [Book(partial(iter, [text])) for text in texts], {"sample": digest}
    if chosen.kind == "registered":
        files = [fetch(file, reporter.note) for file in FILES[chosen.value]]
        return [Book(partial(carroll, path)) for path in files], {path.name: recorded_sha256(path) for path in files}
    if chosen.kind == "tfds":
        return _tfds_books(chosen.value)
    path = Path(chosen.value)
    if not path.is_file():  # before it is hashed: that of a pipe would be all that there is to read
        raise CallError(f"expected a text file, received {path}, which is not a regular file", "name one text file")
    return [Book(lambda: between_markers(decode_text(path, reporter.warn)))], {path.name: source.file_sha256(path)}


def _tfds_books(name: str) -> tuple[list[Book], dict[str, str]]:
    """Each split of a data set of texts is a book, its examples joined by newlines. A test split of its own is kept."""
    from rnnzoo.corpora.tfds import DataSet

    data = DataSet(name)
    data.require("text")

    def pieces(split: str) -> Iterator[str]:
        for i, example in enumerate(data.examples(split)):
            if not isinstance(example["text"], bytes):
                raise CorpusError(f"the feature 'text' of data set tfds:{name} is no text", "choose a data set of texts")
            yield ("\n" if i else "") + example["text"].decode("utf-8", "replace")

    digest = hashlib.sha256(data.version.encode()).hexdigest()
    if not {"train", "test"} <= set(data.splits):
        return [Book(partial(pieces, split)) for split in data.splits], {data.version: digest}
    books = [Book(partial(pieces, split), split) for split in PARTS if split in data.splits]
    return books, {data.version: digest}


def carroll(path: Path) -> Iterator[str]:
    """A Gutenberg novel between its markers, without the producers' credit and illustrations, up to its line THE END.

    Raises:
        CorpusError: if the file is not such a novel.
    """
    text = "".join(decode_text(path))
    if not _BEGIN.search(text):
        raise CorpusError(
            f"{path} is not the expected novel: it has no line '*** START OF THE PROJECT GUTENBERG EBOOK'",
            f"delete it and run rnnzoo data fetch chargen; to train on any text: --data {path}",
        )
    text = "".join(between_markers(iter([text])))
    text = re.sub(r"\A\s*Produced by.*?\n[ \t]*\n", "", text, flags=re.S)
    text = re.sub(r"\[Illustration[^\]]*\]", "", text)
    end = re.search(r"^[ \t]*THE END[ \t]*$", text, re.M)
    if not end or "Alice" not in text:
        raise CorpusError(
            f"{path} is not the expected novel: it lacks {'a line THE END' if not end else 'Alice'}",
            "delete it and run rnnzoo data fetch chargen",
        )
    yield text[: end.end()]


def between_markers(pieces: Iterator[str]) -> Iterator[str]:
    """A text without what Project Gutenberg puts around it, so that its licence is not trained on; other texts unchanged."""
    head = ""
    for piece in pieces:
        head += piece
        if len(head) > 1 << 16:
            break
    if not (begin := _BEGIN.search(head)):
        yield head
        yield from pieces
        return
    yield from _until_end(head[begin.end() :].removeprefix("\n"), pieces)


def _until_end(held: str, pieces: Iterator[str]) -> Iterator[str]:
    overlap = 200  # longer than a marker: it may be cut by the border of two pieces
    while True:
        if end := _END.search(held):
            yield held[: end.start()]
            return
        piece = next(pieces, None)
        if piece is None:
            yield held
            return
        yield held[:-overlap]
        held = held[-overlap:] + piece


def normalised(pieces: Iterable[str], whitespace: str) -> Iterator[str]:
    """White space as the setting has it; nothing at the ends of the text.

    `collapse`: each run becomes one space. `paragraphs`: a run with a blank line in it becomes "\\n\\n", any other one a
    space. `keep`: unchanged.
    """
    if whitespace == "keep":
        yield from pieces
        return
    gap = ""  # white space not yet written: it may go on in the next piece, and at the ends it is dropped
    started = False
    for piece in pieces:
        for run in (found[0] for found in re.finditer(r"\s+|\S+", piece)) if whitespace == "paragraphs" else [piece]:
            body = run.strip()
            if not body:
                gap = _shortened(gap + run)
                continue
            lead = run[: len(run) - len(run.lstrip())]
            yield (_gap(gap + lead, whitespace) if started else "") + " ".join(body.split())
            started, gap = True, _shortened(run[len(run.rstrip()) :])


def _shortened(run: str) -> str:
    """White space with the same meaning as `run`, in two characters at most: there may be a gigabyte of it."""
    return "\n" * min(2, run.count("\n")) or run[:1]


def _gap(run: str, whitespace: str) -> str:
    if not run:
        return ""
    return "\n\n" if whitespace == "paragraphs" and run.count("\n") > 1 else " "


def _encode(books: list[Book], config: Config, folder: Path) -> None:
    """Fill `folder` with the symbols of each part of each book, the vocabulary and the counts."""
    texts = []
    for i, book in enumerate(books):
        text = Points.write(folder / f"book-{i}.u4", normalised(book.pieces(), config.whitespace))
        texts.append(text)
        least = 1 if book.part in ("validation", "test") else SHORTEST  # what is a part already is not cut
        if len(text) < least:
            raise CorpusError(
                f"the text has {len(text)} characters after cleaning, at least {least} are needed to hold some out",
                "give a longer text",
            )
    parts = _cut(texts, [book.part for book in books], config.heldout)
    known = points.distinct(parts["train"])
    vocabulary = Vocabulary(map(chr, known))
    for part, held in parts.items():
        for i, text in enumerate(held):
            points.encode(text, vocabulary, folder / f"{part}-{i:03d}.npy")
    vocabulary.save(folder / "vocabulary.json")
    described = {
        "sha256": points.sha256(texts),
        "split_sha256": {part: points.sha256(held) for part, held in parts.items()},
        "counts": {
            "books": len(books),
            "symbols": len(known),
            **{part: sum(map(len, held)) for part, held in parts.items()},
        },
    }
    (folder / "corpus.json").write_text(json.dumps(described), encoding="utf-8")
    for text in texts:
        text.path.unlink()


def _cut(texts: list[Points], kept: list[str | None], heldout: int) -> dict[str, list[Points]]:
    """The parts of each split: the last 5 % of a text are test, the 5 % before validation, unless its source says otherwise."""
    parts: dict[str, list[Points]] = {part: [] for part in PARTS}
    for text, part in zip(texts, kept, strict=True):
        if part is None:
            begin, middle = int(0.9 * len(text)), int(0.95 * len(text))
            parts["train"].append(text.part(0, begin))
            parts["validation"].append(text.part(begin, middle))
            parts["test"].append(text.part(middle, len(text)))
        elif part == "train" and "validation" not in kept:
            begin = int(0.95 * len(text))
            parts["train"].append(text.part(0, begin))
            parts["validation"].append(text.part(begin, len(text)))
        else:
            parts[part].append(text)
    if heldout:
        for part in ("validation", "test"):
            parts[part] = [text.part(0, max(1, heldout // len(parts[part]))) for text in parts[part]]
    return parts
