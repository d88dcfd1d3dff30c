"""The pairs: download, clean, split by source, encode.

A translation pair may occur several times with other translations: the split is by the source's words, so that no source of
the test part is trained on in another spelling, and each distinct source is one test item with all its translations.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo import vocabulary as vocabularies
from rnnzoo.batching import Batch, length_batches, pad
from rnnzoo.corpora import encoded, source
from rnnzoo.corpora.fetch import RemoteFile, fetch, recorded_sha256
from rnnzoo.corpora.licence import Licence
from rnnzoo.corpora.ragged import Ragged
from rnnzoo.corpora.splits import bucket, key, sha256_of
from rnnzoo.errors import CorpusError
from rnnzoo.training.reporter import Reporter
from rnnzoo.vocabulary import UNKNOWN, Vocabularies, Vocabulary

from . import CORPORA, Config, readers
from .tokenizer import Tokenizer

END, START = 1, 2  # numbers of the target's symbols that end a sentence, and that the first word follows
SPECIAL = ("</s>", "<s>")  # no words: the tokenizer cuts off < and >
SALT = "translate"
PARTS = ("train", "validation", "test")
SIDES = ("source", "target")
VERSION = 2  # of what `_encode` writes

FILES = {
    "fra-eng": (RemoteFile("fra-eng.zip", ("https://www.manythings.org/anki/fra-eng.zip",), max_bytes=64 << 20, kind="zip"),),
}
LICENCES = {
    "fra-eng": Licence("CC BY 2.0 FR", "pairs of the Tatoeba project (tatoeba.org), as prepared by manythings.org/anki"),
}


@dataclass(frozen=True)
class Item:
    """A distinct source with its references, all the translations that the corpus has of exactly this text."""

    source: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """Encoded pairs.

    Attributes:
        vocabulary: "source" and "target", and the tokenizers of both as `extra`.
        sources, targets: the words of the training pairs, memory-mapped; targets without start and end.
        described: what a run records of it: name, argument, SHA-256, counts.
        folder: where the texts of the parts are.
    """

    vocabulary: Vocabularies
    sources: Ragged
    targets: Ragged
    described: dict[str, Any]
    folder: Path

    def facts(self) -> dict[str, Any]:
        return self.described

    def carries_state(self, config: Config) -> bool:
        return False

    def batches(self, config: Config, epoch: int, seed: int) -> Batches:
        """The batches of an epoch: pairs of near-equal lengths of source and target side by side."""
        return Batches(self.sources, self.targets, config, epoch, seed)

    @cached_property
    def texts(self) -> dict[str, list[list[str]]]:
        """Pairs of each part as texts, in corpus order."""
        return json.loads((self.folder / "pairs.json").read_text(encoding="utf-8"))

    def split(self, name: str) -> list[Item]:
        """The distinct sources of a part, in order of first appearance."""
        found: dict[str, dict[str, None]] = {}
        for text, translation in self.texts[name]:
            found.setdefault(text, {})[translation] = None
        return [Item(text, tuple(references)) for text, references in found.items()]

    @property
    def validation(self) -> list[Item]:
        return self.split("validation")

    def items(self, name: str) -> int:
        """Distinct sources in a part."""
        return len(self.split(name))

    def split_sha256(self, name: str) -> str:
        """SHA-256 of the distinct sources of a part, joined by a newline."""
        return self.described["split_sha256"][name]

    def leakage(self, name: str) -> dict[str, int]:
        """How many sources of a part, and how many of its translations, occur in training pairs."""
        sources = {text for text, _ in self.texts["train"]}
        targets = {translation for _, translation in self.texts["train"]}
        items = self.split(name)
        references = {reference for item in items for reference in item.references}
        return {
            "seen_in_training": sum(item.source in sources for item in items),
            "targets": len(references),
            "targets_seen_in_training": len(references & targets),
            "items_with_a_target_seen_in_training": sum(any(r in targets for r in item.references) for item in items),
        }

    def seen_through(self, vocabulary: Vocabularies) -> Corpus:
        """The same pairs for a model with another vocabulary: texts stay texts, the model encodes them itself."""
        return dataclasses.replace(self, vocabulary=vocabulary, sources=Ragged.of([]), targets=Ragged.of([]))


class Batches(Sequence[Batch]):
    """An epoch's batches. Sources and targets of a batch have near-equal lengths, so next to nothing is padded.

    Each batch has `inputs` `[batch, source time]` and its `mask`; `previous` `[batch, target time]`, the word before each
    target, first START; `targets`, the last of each END, and their mask `real`; and `own`, True where scheduled sampling
    feeds the model's own prediction.
    """

    def __init__(self, sources: Ragged, targets: Ragged, config: Config, epoch: int, seed: int):
        self.sources, self.targets, self.config, self.seed = sources, targets, config, [seed, 2, epoch]
        # One number to sort by: the target's length first, as the output layer costs most, then the source's.
        lengths = targets.lengths * (1 + sources.lengths.max(initial=0)) + sources.lengths
        self.batches = length_batches(lengths, config.batch_size, np.random.default_rng(self.seed))
        self.sampling = config.sampling * epoch / max(1, config.epochs - 1)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, k: int) -> Batch:
        chosen = self.batches[k]
        inputs, mask = pad([self.sources[i] for i in chosen])
        targets, real = pad([np.append(self.targets[i], END) for i in chosen])
        previous = np.empty_like(targets)
        previous[:, 0], previous[:, 1:] = START, targets[:, :-1]
        rng = np.random.default_rng([*self.seed, k])
        if self.config.word_dropout:
            inputs[rng.random(inputs.shape) < self.config.word_dropout] = UNKNOWN
        own = rng.random(previous.shape) < self.sampling
        own[:, 0] = False  # nothing has been predicted before the first word
        arrays = {"inputs": inputs, "mask": mask, "previous": previous, "targets": targets, "real": real, "own": own}
        return Batch(arrays, int(real.sum()))


# -- reading -----------------------------------------------------------------------------------------------------------


def load_corpus(config: Config, data: str | None, reporter: Reporter) -> Corpus:
    """The corpus that `data` names (see `rnnzoo.corpora.source`), encoded, from the cache where it is there already."""
    return source.load(data, CORPORA, lambda chosen: _load(config, chosen, reporter), reporter.warn)


SHAPING = ("pairs", "longest", "min_count", "words", "truecase", "normalize", "direction")


def _load(config: Config, chosen: source.Source, reporter: Reporter) -> Corpus:
    reading, sources = _reading(chosen, reporter)
    shaped_by = {"sources": sources, "kind": chosen.kind, "version": VERSION, **{k: getattr(config, k) for k in SHAPING}}
    folder = encoded.encode_once("translate", shaped_by, lambda empty: _encode(reading, config, empty))
    described = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    described = {"name": chosen.argument, "argument": chosen.argument, "sources": sources, **described}
    sides = [Ragged.load(folder, side) for side in SIDES]
    return Corpus(vocabularies.load(folder / "vocabulary.json"), *sides, described, folder)


@dataclass(frozen=True)
class Reading:
    """Pairs still to be read, by the part that they belong to; under "" those that are to be split."""

    parts: dict[str, Any]  # name -> a function without arguments that gives pairs


def _reading(chosen: source.Source, reporter: Reporter) -> tuple[Reading, dict[str, str]]:
    """The pairs of a source, and hashes of what they come from."""
    if chosen.kind == "sample":
        from .sample import generate

        pairs = generate()
        return Reading({"": lambda: iter(pairs)}), {"sample": sha256_of("\t".join(pair) for pair in pairs)}
    if chosen.kind == "registered":
        (file,) = FILES[chosen.value]
        path = fetch(file, reporter.note)
        return Reading({"": lambda: readers.tatoeba(path)}), {path.name: recorded_sha256(path)}
    if chosen.kind == "tfds":
        return _tfds(chosen.value)
    if chosen.kind == "files":
        first, second = (Path(part) for part in chosen.value.split(","))
        hashes = {first.name: source.file_sha256(first), second.name: source.file_sha256(second)}
        return Reading({"": lambda: readers.parallel(first, second, reporter)}), hashes
    path = Path(chosen.value)
    if path.suffix.lower() == ".zip":
        return Reading({"": lambda: readers.tatoeba(path)}), {path.name: source.file_sha256(path)}
    return Reading({"": lambda: readers.tab_separated(readers.lines(path, reporter), path)}), {
        path.name: source.file_sha256(path)
    }


def _tfds(name: str) -> tuple[Reading, dict[str, str]]:
    """A data set with two languages. English is the source where it is one of them. Test splits of its own are kept."""
    from rnnzoo.corpora.tfds import DataSet

    data = DataSet(name)

    def pairs(split: str) -> readers.Pairs:
        for example in data.examples(split):
            columns = {name: value.decode("utf-8", "replace") for name, value in example.items() if isinstance(value, bytes)}
            yield readers.oriented(columns)

    if "source_sentence" in data.features or len(data.features) != 2:
        data.require("source_sentence", "target_sentence")
    digest = {data.version: hashlib.sha256(data.version.encode()).hexdigest()}

    def reading(split: str):
        return lambda: pairs(split)

    if "test" in data.splits and "train" in data.splits:
        return Reading({split: reading(split) for split in PARTS if split in data.splits}), digest
    return Reading({"": lambda: (pair for split in data.splits for pair in pairs(split))}), digest


# -- cleaning and splitting --------------------------------------------------------------------------------------------


def part_of(text: str) -> str:
    """The part that a source belongs to, by its words alone."""
    place = bucket(SALT, key(text))
    return "test" if place < 0.25 else "validation" if place < 0.30 else "train"


def _split(reading: Reading, config: Config) -> dict[str, list[tuple[str, str]]]:
    """Cleaned pairs of each part, without the repeated ones, in corpus order."""
    parts: dict[str, dict[tuple[str, str], None]] = {part: {} for part in PARTS}

    def pairs(name: str) -> readers.Pairs:
        limited = name in ("", "train") and config.pairs
        for pair in islice(reading.parts[name](), config.pairs if limited else None):
            text, translation = (readers.cleaned(side, config.normalize) for side in pair)
            if text and translation:
                yield (text, translation) if config.direction == "forward" else (translation, text)

    if "" in reading.parts:
        for pair in pairs(""):
            parts[part_of(pair[0])][pair] = None
    else:
        held_out = set()
        for part in ("test", "validation", "train"):
            if part in reading.parts:
                for pair in pairs(part):
                    if key(pair[0]) not in held_out:
                        parts[part][pair] = None
                held_out |= {key(text) for text, _ in parts[part]}
        if "validation" not in reading.parts:
            for pair in list(parts["train"]):
                if bucket(SALT, key(pair[0])) < 0.05:
                    parts["validation"][pair] = parts["train"].pop(pair)
    return {part: list(pairs) for part, pairs in parts.items()}


# -- encoding ----------------------------------------------------------------------------------------------------------


def _encode(reading: Reading, config: Config, folder: Path) -> None:
    """Fill `folder` with texts, vocabularies and training arrays."""
    parts = _split(reading, config)
    for part in PARTS:
        if not parts[part]:
            raise CorpusError(
                f"the corpus has no pairs for {part}: {sum(map(len, parts.values()))} pairs in all",
                "give some hundred pairs or more",
            )
    tokenizers, symbols, words = [], [], []
    for side, special in enumerate(((), SPECIAL)):
        texts = [pair[side] for pair in parts["train"]]
        tokenizer = Tokenizer.fit(texts, config.truecase and config.normalize == "keep")
        words.append([tokenizer.words(text) for text in texts])
        counts = Counter(word for sentence in words[-1] for word in sentence)
        fitted = Vocabulary.fit(counts, config.min_count, config.words)
        symbols.append(Vocabulary((*special, *fitted.symbols)))
        tokenizers.append(tokenizer.dumps())
    vocabulary = Vocabularies({"source": symbols[0], "target": symbols[1]}, {"source": tokenizers[0], "target": tokenizers[1]})
    vocabulary.save(folder / "vocabulary.json")
    kept = [(s, t) for s, t in zip(*words, strict=True) if 0 < len(s) <= config.longest and 0 < len(t) <= config.longest]
    if not kept:
        raise CorpusError(f"no training pair has at most {config.longest} words", "raise longest=")
    for i, side in enumerate(SIDES):
        Ragged.of(symbols[i].encode(pair[i]) for pair in kept).save(folder, side)
    (folder / "pairs.json").write_text(json.dumps(parts, ensure_ascii=False), encoding="utf-8")
    distinct = {part: list(dict.fromkeys(text for text, _ in pairs)) for part, pairs in parts.items()}
    described = {
        "sha256": sha256_of("\t".join(pair) for part in PARTS for pair in parts[part]),
        "split_sha256": {part: sha256_of(sources) for part, sources in distinct.items()},
        "counts": {
            "pairs": sum(map(len, parts.values())),
            "source words": len(symbols[0]),
            "target words": len(symbols[1]),
            "training pairs": len(kept),
            **{part: len(sources) for part, sources in distinct.items()},
        },
    }
    (folder / "corpus.json").write_text(json.dumps(described), encoding="utf-8")
