"""Labelled sentences: download, parse, drop duplicates, split, encode.                                 (no TensorFlow)"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo import vocabulary as vocabularies
from rnnzoo.batching import Batch, length_batches, pad
from rnnzoo.corpora import encoded, source
from rnnzoo.corpora.archive import read_members
from rnnzoo.corpora.fetch import RemoteFile, fetch, recorded_sha256
from rnnzoo.corpora.labelled import read_labelled
from rnnzoo.corpora.licence import Licence
from rnnzoo.corpora.ragged import Ragged
from rnnzoo.corpora.splits import bucket, key, sha256_of
from rnnzoo.errors import CorpusError
from rnnzoo.training.reporter import Reporter
from rnnzoo.vocabulary import UNKNOWN, Vocabularies, Vocabulary

from . import CORPORA, Config
from .examples import Labelled
from .ratios import class_counts, log_count_ratios, written
from .tokens import grams, tokens

PARTS = ("train", "validation", "test")
TEST, VALIDATION = 1 / 3, 0.4  # upper bounds of the buckets
FEWEST = 10  # training sentences

FILES = {
    "uci": (
        RemoteFile(
            "sentiment labelled sentences.zip",
            (
                "https://archive.ics.uci.edu/static/public/331/sentiment+labelled+sentences.zip",
                "https://archive.ics.uci.edu/ml/machine-learning-databases/00331/sentiment%20labelled%20sentences.zip",
            ),
            kind="zip",
            max_bytes=4 << 20,
        ),
    ),
}
LICENCES = {
    "uci": Licence(
        "CC BY 4.0",
        "Sentiment Labelled Sentences, UCI Machine Learning Repository: D. Kotzias, M. Denil, N. de Freitas, P. Smyth, "
        "From Group to Individual Labels using Deep Features, KDD 2015",
    ),
}
UCI_FILES = ("amazon_cells_labelled.txt", "imdb_labelled.txt", "yelp_labelled.txt")
UCI_LABELS = {"0": "negative", "1": "positive"}


@dataclass(frozen=True)
class Sentence:
    """What the models read of a sentence: numbers of its words `[words]` and of its known n-grams `[grams]`."""

    words: np.ndarray
    grams: np.ndarray


@dataclass(frozen=True)
class Split(Sequence[Sentence]):
    """The sentences of a split, encoded, with their labels `[sentences]` (class numbers from 0) and `texts`."""

    words: Ragged
    grams: Ragged
    labels: np.ndarray
    read_texts: Callable[[], list[str]]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index):
        return Sentence(self.words[index], self.grams[index])

    @cached_property
    def texts(self) -> list[str]:
        return self.read_texts()


class Batches(Sequence[Batch]):
    """The batches of an epoch: sentences of near-equal length together.

    Each has `inputs` (words, `[batch, time]`; UNK where a word is dropped) and `mask` (True at a word), `labels` `[batch]`,
    `grams` `[batch, most grams]` (0 after the last) and `values` `[batch, most grams, outputs]`: their log-count ratios
    without the counts of the sentence itself. Those ratios are what a sentence not trained on would have; with its own
    counts every rare n-gram would seem to prove the label, and the RNN would be left nothing to learn.
    """

    def __init__(self, split: Split, counts: np.ndarray, config: Config, rng: np.random.Generator):
        self.split, self.counts, self.config = split, counts, config
        self._indices = length_batches(split.words.lengths, config.batch_size, rng)
        self._seed = int(rng.integers(2**63))

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, k: int) -> Batch:
        if not 0 <= k < len(self):
            raise IndexError(k)
        chosen, config = self._indices[k], self.config
        inputs, mask = pad([self.split.words[i] for i in chosen])
        if config.word_dropout:
            dropped = np.random.default_rng([self._seed, k]).random(inputs.shape) < config.word_dropout
            inputs[dropped] = UNKNOWN
        labels = np.asarray(self.split.labels[chosen], np.int32)
        arrays = {"inputs": inputs, "mask": mask, "labels": labels}
        if config.words_up_to or config.characters_up_to:
            arrays["grams"], present = pad([self.split.grams[i] for i in chosen])
            counts = self.counts[arrays["grams"]]
            own = (np.arange(counts.shape[-1]) == labels[:, None, None]) & present[..., None]
            arrays["values"] = log_count_ratios(counts - own, self.counts, config.gram_smoothing) * present[..., None]
        return Batch(arrays, len(chosen))


@dataclass(frozen=True)
class Corpus:
    """An encoded corpus.

    Attributes:
        vocabulary: "words", "grams" and "labels"; the class of a label is its number less one.
        counts: of training sentences of each class with each n-gram, `[grams, classes]`.
        described: what a run records of it.
    """

    config: Config
    vocabulary: Vocabularies
    counts: np.ndarray
    train: Split
    validation: Split
    test: Split
    described: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        return self.described

    def carries_state(self, config: Config) -> bool:
        return False

    def batches(self, config: Config, epoch: int, seed: int) -> Batches:
        """The batches of an epoch, in the order and with the word dropout of its own."""
        return Batches(self.train, self.counts, config, np.random.default_rng([seed, 2, epoch]))

    def split(self, name: str) -> Split:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def items(self, name: str) -> int:
        return len(self.split(name))

    def split_sha256(self, name: str) -> str:
        """SHA-256 of a split's sentences joined by newlines."""
        return self.described["split_sha256"][name]

    def leakage(self, name: str) -> dict[str, int]:
        """How many sentences of a split are training sentences too, by their key."""
        train = set(map(key, self.train.texts)) if name != "train" else set()
        return {"seen_in_training": sum(key(text) in train for text in self.split(name).texts)}

    def seen_through(self, vocabulary: Vocabularies) -> Corpus:
        """The same sentences in the numbers of another vocabulary, for a model that was trained on another corpus.

        Raises:
            CorpusError: if they have a label that the other vocabulary lacks.
        """
        if {n: v.symbols for n, v in vocabulary.items()} == {n: v.symbols for n, v in self.vocabulary.items()}:
            return self
        missing = [label for label in self.vocabulary["labels"].symbols if label not in vocabulary["labels"]]
        if missing:
            raise CorpusError(
                f"the corpus has the label {missing[0]!r}, the model knows {', '.join(vocabulary['labels'].symbols)}",
                "name a corpus with the model's labels, or train a model on this one",
            )
        numbers = vocabulary["labels"].encode(self.vocabulary["labels"].symbols) - 1
        parts = {}
        for name in PARTS:
            own = self.split(name)
            words, found, _ = encode(own.texts, vocabulary, self.config)
            parts[name] = Split(words, found, numbers[np.asarray(own.labels)], own.read_texts)
        return dataclasses.replace(self, vocabulary=vocabulary, **parts)


def read(text: str, config: Config) -> tuple[list[str], list[str], bool]:
    """Words and n-grams of a text, and whether it was cut off."""
    words = tokens(text, config.punctuation)
    kept = words[: config.length]
    return kept, grams(kept, config.words_up_to, config.characters_up_to), len(kept) < len(words)


def encode(texts: Iterable[str], vocabulary: Vocabularies, config: Config) -> tuple[Ragged, Ragged, int]:
    """Words and known n-grams of texts, numbered; and how many texts were cut off."""
    words, found, cut = [], [], 0
    for text in texts:
        own_words, own_grams, was_cut = read(text, config)
        numbers = vocabulary["grams"].encode(own_grams)
        words.append(vocabulary["words"].encode(own_words))
        found.append(numbers[numbers != UNKNOWN])
        cut += was_cut
    return Ragged.of(words), Ragged.of(found), cut


# -- sources -----------------------------------------------------------------------------------------------------------


def load_corpus(config: Config, data: str | None, reporter: Reporter) -> Corpus:
    """The corpus that `data` names (see `rnnzoo.corpora.source`), encoded, from the cache where it is there already."""
    return source.load(data, CORPORA, lambda chosen: _load(config, chosen, reporter), reporter.warn)


# Settings that the encoded arrays depend on.
SHAPING = ("fold", "min_count", "vocabulary", "length", "punctuation", "words_up_to", "characters_up_to", "grams", "limit")


def _load(config: Config, chosen: source.Source, reporter: Reporter) -> Corpus:
    examples, sources = _examples(chosen, config, reporter)
    settings = {name: getattr(config, name) for name in SHAPING}
    folder = encoded.encode_once(
        "sentiment", {"sources": sources, "kind": chosen.kind, **settings}, lambda empty: _encode(examples(), config, empty)
    )
    described = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    described = {"name": chosen.argument, "argument": chosen.argument, "sources": sources, **described}
    for remark in described["remarks"]:
        reporter.note(remark)
    parts = {part: _load_split(folder, part) for part in PARTS}
    return Corpus(
        config, vocabularies.load(folder / "vocabulary.json"), np.load(folder / "counts.npy"), **parts, described=described
    )


def _load_split(folder: Path, part: str) -> Split:
    def texts() -> list[str]:
        return json.loads((folder / f"{part}.texts.json").read_text(encoding="utf-8"))

    labels = np.load(folder / f"{part}.labels.npy")
    return Split(Ragged.load(folder, f"{part}.words"), Ragged.load(folder, f"{part}.grams"), labels, texts)


def _examples(chosen: source.Source, config: Config, reporter: Reporter):
    """A function that reads the labelled texts of a source, and hashes of what they come from."""
    if chosen.kind == "sample":
        from .sample import generate

        pairs = generate()
        return lambda: [Labelled(*pair) for pair in pairs], {"sample": sha256_of(map("\t".join, pairs))}
    if chosen.kind == "registered":
        (file,) = FILES[chosen.value]
        path = fetch(file, reporter.note)
        return lambda: uci(path), {path.name: recorded_sha256(path)}
    if chosen.kind == "tfds":
        from .reviews import Reviews

        data = Reviews(chosen.value)
        return lambda: data.examples(config.limit), {data.version: hashlib.sha256(data.version.encode()).hexdigest()}
    path = Path(chosen.value)
    pairs = read_labelled(path, reporter.warn)
    pairs = pairs[: config.limit or None]
    return lambda: [Labelled(*pair) for pair in pairs], {path.name: recorded_sha256(path)}


def uci(path: Path) -> list[Labelled]:
    """The UCI Sentiment Labelled Sentences: three files of lines `sentence TAB label`, label 0 or 1.

    Lines end with a line feed and nothing else (two have a U+0085 inside), quotes mean nothing, and the older release has
    lines whose tab is followed by no label: these are left out.

    Raises:
        CorpusError: if the archive holds something else.
    """
    members = read_members(path, lambda name: name.rpartition("/")[2] in UCI_FILES)
    by_name = {name.rpartition("/")[2]: content for name, content in members.items()}
    found = []
    for name in UCI_FILES:
        if name not in by_name:
            raise CorpusError(f"{path} should hold {name}, it holds {', '.join(by_name) or 'none of its kind'}", _AGAIN)
        for number, line in enumerate(by_name[name].decode("utf-8", "replace").split("\n"), start=1):
            text, tab, label = line.rstrip("\r").rpartition("\t")
            if tab and label in UCI_LABELS and text.strip():
                found.append(Labelled(text.strip(), UCI_LABELS[label]))
            elif tab and label.strip() or line.strip() and not tab:
                raise CorpusError(
                    f"{name} line {number}: expected a sentence, a tab and 0 or 1, received {line[-40:]!r}", _AGAIN
                )
    if len(found) < 1000:
        raise CorpusError(f"{path} should hold 3,000 labelled sentences, it holds {len(found)}", _AGAIN)
    return found


_AGAIN = "delete it and run rnnzoo data fetch sentiment"


# -- splits ------------------------------------------------------------------------------------------------------------


def distinct(examples: Iterable[Labelled]) -> tuple[list[Labelled], dict[str, int]]:
    """One example of each key: the first; none of a key whose examples differ in their label.

    A key of a source's own test or validation split is dropped from training, so that duplicates never leak. Counts are of
    the examples dropped, as "duplicates" and "conflicting".
    """
    examples = [example for example in examples if key(example.text)]
    keys = [key(example.text) for example in examples]
    labels: dict[str, str | None] = {}
    for own, example in zip(keys, examples, strict=True):
        labels[own] = example.label if labels.get(own, example.label) == example.label else None
    kept: dict[str, Labelled] = {}
    order = {"test": 0, "validation": 1, "train": 2, None: 3}
    for own, example in sorted(zip(keys, examples, strict=True), key=lambda pair: order[pair[1].part]):
        if labels[own] is not None:
            kept.setdefault(own, example)
    chosen = set(map(id, kept.values()))
    conflicting = sum(labels[own] is None for own in keys)
    counts = {"duplicates": len(examples) - len(kept) - conflicting, "conflicting": conflicting}
    return [example for example in examples if id(example) in chosen], counts


def split(examples: Sequence[Labelled], fold: int) -> dict[str, list[Labelled]]:
    """The parts of a fold by hash of the content; a source's own test split is kept, and validation if it has one."""
    parts: dict[str, list[Labelled]] = {part: [] for part in PARTS}
    own = {example.part for example in examples}
    for example in examples:
        part = example.part
        at = bucket(f"sentiment-{fold}", key(example.text))
        if part is None:
            part = "test" if at < TEST else "validation" if at < VALIDATION else "train"
        elif part == "train" and "validation" not in own and at < 0.05:
            part = "validation"
        parts[part].append(example)
    return parts


def _encode(examples: Iterable[Labelled], config: Config, folder: Path) -> None:
    """Fill `folder` with the encoded parts, the vocabularies, the texts and the counts."""
    kept, dropped = distinct(examples)
    parts, remarks = split(kept, config.fold), []
    labels = sorted({example.label for example in parts["train"]})
    if len(parts["train"]) < FEWEST or len(labels) < 2 or not parts["validation"] or not parts["test"]:
        raise CorpusError(
            f"expected at least {FEWEST} different training sentences of two labels or more, and some to hold out; received "
            f"{', '.join(f'{len(own)} {part}' for part, own in parts.items())}, labels: {', '.join(labels) or 'none'}",
            "give more labelled sentences",
        )
    for part in ("validation", "test"):
        known = [example for example in parts[part] if example.label in labels]
        if unknown := len(parts[part]) - len(known):
            remarks.append(f"{unknown} {part} texts have a label that no training text has; they are left out")
            parts[part] = known
    word_counts: Counter[str] = Counter()
    gram_counts: Counter[str] = Counter()
    for example in parts["train"]:
        words, found, _ = read(example.text, config)
        word_counts.update(words)
        gram_counts.update(found)
    vocabulary = {
        "words": Vocabulary.fit(word_counts, config.min_count, config.vocabulary),
        "grams": Vocabulary.fit(gram_counts, 1, config.grams),
        "labels": Vocabulary(labels),
    }
    lengths, cut = [], 0
    for part, own in parts.items():
        texts = [example.text for example in own]
        words, found, own_cut = encode(texts, vocabulary, config)
        numbers = vocabulary["labels"].encode([example.label for example in own]) - 1
        if part == "train":
            counts = class_counts(found, numbers, len(vocabulary["grams"]), len(labels))
        words.save(folder, f"{part}.words")
        found.save(folder, f"{part}.grams")
        np.save(folder / f"{part}.labels.npy", numbers)
        (folder / f"{part}.texts.json").write_text(json.dumps(texts), encoding="utf-8")
        lengths.append(words.lengths)
        cut += own_cut
    np.save(folder / "counts.npy", counts)
    Vocabularies(vocabulary, {"counts": written(counts)}).save(folder / "vocabulary.json")
    if cut:
        remarks.append(f"{cut} texts are longer than {config.length} words: the rest of them is cut off (length=N reads more)")
    lengths = np.concatenate(lengths)
    described = {
        "sha256": sha256_of(f"{example.label}\t{example.text}" for example in kept),
        "split_sha256": {part: sha256_of(example.text for example in own) for part, own in parts.items()},
        "counts": {
            "sentences": len(kept),
            **{part: len(own) for part, own in parts.items()},
            "words": len(vocabulary["words"]) - 1,
            "grams": len(vocabulary["grams"]) - 1,
        },
        "details": {
            "dropped": dropped,
            "labels": {part: dict(sorted(Counter(e.label for e in own).items())) for part, own in parts.items()},
            "words per sentence": {f"{p} %": int(np.percentile(lengths, p)) for p in (5, 25, 50, 75, 90, 95, 99, 100)},
            "cut off": cut,
        },
        "remarks": remarks,
    }
    (folder / "corpus.json").write_text(json.dumps(described), encoding="utf-8")
