"""Tagged sentences: download, read, split, encode. Words and tags stay in step from the file to the batch."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
from rnnzoo.corpora.licence import Licence
from rnnzoo.corpora.splits import bucket, key, sha256_of
from rnnzoo.corpora.text import decode_text
from rnnzoo.errors import CorpusError
from rnnzoo.training.reporter import Reporter
from rnnzoo.vocabulary import UNKNOWN, Vocabularies, Vocabulary

from . import CORPORA, Config, features, readers
from .features import LOWERCASE, Encoder, canonical, spelling
from .readers import Sentence

PARTS = ("train", "validation", "test")
TREEBANK_TRAIN, TREEBANK_VALIDATION = 2700, 300  # the standard cut: these sentences, then the test ones
FEWEST = 20  # sentences; with fewer there is nothing to hold out

_NLTK = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/"
FILES = {
    "treebank": (RemoteFile("treebank.zip", (_NLTK + "treebank.zip",), kind="zip"),),
    "masc": (RemoteFile("masc_tagged.zip", (_NLTK + "masc_tagged.zip",), kind="zip"),),
}
LICENCES = {
    "treebank": Licence("research only", "Penn Treebank sample of NLTK, University of Pennsylvania", may_be_shipped=False),
    "masc": Licence(
        "free for research and commercial use",
        "Manually Annotated Sub-Corpus (MASC) of the American National Corpus, Penn tags, as in NLTK: N. Ide, C. Baker, "
        "C. Fellbaum, R. Passonneau, The Manually Annotated Sub-Corpus: A Community Resource For and By the People, ACL 2010",
    ),
}


@dataclass(frozen=True)
class Split(Sequence[Sentence]):
    """Sentences, and what an evaluation of them must know of the whole corpus.

    Attributes:
        longest: words of the corpus' longest sentence, which published programs pad all to.
        seen: the words of the sentences that are learnt from before these are scored.
    """

    sentences: list[Sentence]
    longest: int
    seen: frozenset[str]

    def __len__(self) -> int:
        return len(self.sentences)

    def __getitem__(self, index):
        return self.sentences[index]


@dataclass(frozen=True)
class Corpus:
    """Tagged sentences in three parts.

    Attributes:
        vocabulary: "words", "features" and "tags", fitted on the training sentences.
        train, validation, test: the sentences of each part.
        described: what a run records of it: name, argument, SHA-256, counts.
        refitted: whether the validation sentences are learnt from in the end.
    """

    vocabulary: Vocabularies
    train: Split
    validation: Split
    test: Split
    described: dict[str, Any]
    refitted: bool = False

    def facts(self) -> dict[str, Any]:
        return self.described

    def carries_state(self, config: Config) -> bool:
        return False  # each sentence is read from zero

    def refits(self, config: Config, epoch: int) -> bool:
        """Whether an epoch (from 0) learns from the validation sentences too: the last ones do; see `Config.refit`."""
        return config.refit > 0 and epoch >= config.epochs - round(config.refit * config.epochs)

    def batches(self, config: Config, epoch: int, seed: int) -> Batches:
        """The batches of an epoch: sentences of near-equal length, in an order of their own."""
        if not self.refits(config, epoch):
            return Batches(self.encoded, config, config.batch_size, [seed, 2, epoch])
        steps = -(-len(self.train) // config.batch_size)  # of every epoch: the schedule counts on it
        sentences = self.encoded.followed_by(self.validation, self.vocabulary)
        return Batches(sentences, config, -(-len(sentences.targets) // steps), [seed, 2, epoch])

    @cached_property
    def encoded(self) -> Encoded:
        """The training sentences as numbers, made once: it takes as long as a small epoch."""
        return Encoded.of(self.train, self.vocabulary)

    def split(self, name: str) -> Split:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def items(self, name: str) -> int:
        """Sentences in a split."""
        return len(self.split(name))

    def split_sha256(self, name: str) -> str:
        """SHA-256 of a split's sentences as `word/TAG` joined by spaces, themselves joined by newlines."""
        return self.described["split_sha256"][name]

    def leakage(self, name: str) -> dict[str, int]:
        """How many sentences of a split occur, word for word, among those that are learnt from before it is scored."""
        learnt = self.train if name != "test" or not self.refitted else [*self.train, *self.validation]
        train = {sentence.words for sentence in learnt}
        return {"seen_in_training": sum(sentence.words in train for sentence in self.split(name))}

    def seen_through(self, vocabulary: Vocabularies) -> Corpus:
        """The same sentences for a model with another vocabulary: they are kept as words, so nothing else changes."""
        return dataclasses.replace(self, vocabulary=vocabulary)


@dataclass(frozen=True)
class Encoded:
    """Sentences as numbers.

    Attributes:
        inputs: `[words, 1 + features]` of each sentence.
        targets: `[words]` of each.
        counts: how often each word number occurs, `[vocabulary]`.
    """

    inputs: list[np.ndarray]
    targets: list[np.ndarray]
    counts: np.ndarray

    @classmethod
    def of(cls, sentences: Sequence[Sentence], vocabulary: Vocabularies) -> Encoded:
        encode = Encoder(vocabulary, with_features=True)
        inputs = [encode(sentence.words) for sentence in sentences]
        counts = np.bincount(np.concatenate([x[:, 0] for x in inputs]), minlength=len(vocabulary["words"]))
        return cls(inputs, [vocabulary["tags"].encode(sentence.tags) for sentence in sentences], counts)

    def followed_by(self, sentences: Sequence[Sentence], vocabulary: Vocabularies) -> Encoded:
        """These and further sentences; words that only those have are UNK, read by their spelling."""
        more = Encoded.of(sentences, vocabulary)
        return Encoded(self.inputs + more.inputs, self.targets + more.targets, self.counts + more.counts)


class Batches(Sequence[Batch]):
    """Sentences side by side, padded to the longest of the batch.

    Each batch has `inputs` (`[batch, time, 1 + features]`), `targets` and `weights` (`[batch, time]`, weight 1 for a word).
    In the inputs some words are hidden: with probability a / (a + count), a = `word_dropout`, a word is read as UNK, and its
    spelling without the feature that is the whole word (Kiperwasser, Goldberg 2016); `feature_dropout` hides single features.
    """

    def __init__(self, sentences: Encoded, config: Config, batch_size: int, seed: list[int]):
        self.sentences, self.config, self.seed = sentences, config, seed
        lengths = [len(targets) for targets in sentences.targets]
        self.width = 1 + (features.KINDS if config.features else 0)
        self.order = length_batches(lengths, batch_size, np.random.default_rng(seed))

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, k: int) -> Batch:
        if not 0 <= k < len(self):
            raise IndexError(k)
        chosen = self.order[k]
        targets, real = pad([self.sentences.targets[i] for i in chosen])
        inputs = np.zeros((*real.shape, self.width), np.int32)
        inputs[real] = self._hidden(np.concatenate([self.sentences.inputs[i][:, : self.width] for i in chosen]), k)
        arrays = {"inputs": inputs, "targets": targets, "weights": real.astype(np.float32)}
        return Batch(arrays, int(real.sum()))

    def _hidden(self, inputs: np.ndarray, k: int) -> np.ndarray:
        """Words `[words, 1 + features]` with what is dropped out of them; the batch's number alone decides on the draws."""
        rng = np.random.default_rng([*self.seed, k])
        if self.config.word_dropout:
            rare = self.config.word_dropout / (self.config.word_dropout + self.sentences.counts[inputs[:, 0]])
            inputs[rng.random(len(inputs)) < rare, :2] = UNKNOWN
        if self.config.feature_dropout and inputs.shape[1] > 1:
            inputs[:, 1:][rng.random((len(inputs), inputs.shape[1] - 1)) < self.config.feature_dropout] = UNKNOWN
        return inputs


def load_corpus(config: Config, data: str | None, reporter: Reporter) -> Corpus:
    """The corpus that `data` names (see `rnnzoo.corpora.source`), split, from the cache where it is there already."""
    return source.load(data, CORPORA, lambda chosen: _load(config, chosen, reporter), reporter.warn)


def _load(config: Config, chosen: source.Source, reporter: Reporter) -> Corpus:
    read, sources = _reader(chosen, config, reporter)
    shaped_by = {
        "sources": sources,
        # What is read and counted is the code's doing too; a cache must not outlive it.
        "code": [hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest() for module in (features, readers)],
        "name": chosen.value if chosen.kind == "registered" else chosen.kind,
        **{setting: getattr(config, setting) for setting in ("traces", "tags", "vocabulary", "lowercase")},
    }
    folder = encoded.encode_once("postag", shaped_by, lambda empty: _write(read(), config, empty))
    described = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    described = {"name": chosen.argument, "argument": chosen.argument, "sources": sources, **described}
    refitted = config.refit > 0
    parts = _read(folder, refitted)
    return Corpus(vocabularies.load(folder / "vocabulary.json"), **parts, described=described, refitted=refitted)


# -- sources -----------------------------------------------------------------------------------------------------------

Parts = dict[str, list[Sentence]]


def _reader(chosen: source.Source, config: Config, reporter: Reporter):
    """What reads a source into its parts, and hashes of what it comes from."""
    if chosen.kind == "sample":
        from .sample import generate

        sentences = [Sentence.of(pairs) for pairs in generate()]
        return lambda: _by_bucket(sentences), {"sample": sha256_of(map(str, sentences))}
    if chosen.kind == "registered":
        files = [fetch(file, reporter.note) for file in FILES[chosen.value]]
        hashes = {path.name: recorded_sha256(path) for path in files}
        if chosen.value == "treebank":
            return lambda: _treebank(files[0], config.traces), hashes
        return lambda: _by_bucket(_masc(files[0])), hashes
    if chosen.kind == "tfds":
        return _tfds(chosen.value, config.tags)
    path = Path(chosen.value)
    lines = "".join(decode_text(path, reporter.warn)).split("\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return lambda: _by_bucket(_traced(readers.user_file(lines, path.name, config.tags), config.traces)), {path.name: digest}


def _treebank(path: Path, traces: str) -> Parts:
    """The Penn Treebank sample: the trees of combined/*.mrg in the order of the files' names, cut where it always is."""
    members = read_members(path, lambda name: name.startswith("treebank/combined/") and name.endswith(".mrg"))
    sentences = list(itertools.chain.from_iterable(readers.trees(members[name].decode("utf-8")) for name in sorted(members)))
    first_test = TREEBANK_TRAIN + TREEBANK_VALIDATION
    if len(sentences) <= first_test:
        raise CorpusError(
            f"{path} has {len(sentences)} sentences, the Penn Treebank sample has 3,914",
            "delete it and run rnnzoo data fetch postag",
        )
    cuts = {
        "train": sentences[:TREEBANK_TRAIN],
        "validation": sentences[TREEBANK_TRAIN:first_test],
        "test": sentences[first_test:],
    }
    return {part: list(_traced(own, traces)) for part, own in cuts.items()}


def _masc(path: Path) -> Iterator[Sentence]:
    members = read_members(path, lambda name: name.endswith(".txt") and not name.endswith("categories.txt"))
    for name in sorted(members):
        yield from readers.underscored(members[name].decode("utf-8"))


def _traced(sentences: Iterable[Sentence], traces: str) -> Iterator[Sentence]:
    for sentence in sentences:
        kept = sentence if traces == "keep" else readers.without_traces(sentence)
        if kept is not None:
            yield kept


def _by_bucket(sentences: Iterable[Sentence]) -> Parts:
    """Split by a hash of the words: a quarter is test, a twentieth validation; the same words never fall into two parts."""
    parts: Parts = {part: [] for part in PARTS}
    for sentence in sentences:
        place = bucket("postag", key(" ".join(sentence.words)))
        parts["test" if place < 0.25 else "validation" if place < 0.30 else "train"].append(sentence)
    return parts


def _tfds(name: str, tags: str):
    """A data set of tagged sentences: `tokens` with `upos` and `xpos` (universal_dependencies) or `pos` (conll2003)."""
    from rnnzoo.corpora.tfds import DataSet

    data = DataSet(name)
    column = "pos" if "pos" in data.features else tags
    data.require("tokens", column)
    names = data.class_names(column)

    def sentences(split: str) -> Iterator[Sentence]:
        for example in data.examples(split):
            words = tuple(token.decode("utf-8", "replace") for token in example["tokens"])
            values = example[column]
            labels = tuple(names[v] for v in values) if names else tuple(v.decode("utf-8", "replace") for v in values)
            if len(words) != len(labels):
                raise CorpusError(
                    f"data set tfds:{name} has {len(words)} words and {len(labels)} tags in {' '.join(words)[:50]!r}",
                    "choose a data set with a tag for each word",
                )
            if words:
                yield Sentence(words, labels)

    def read() -> Parts:
        if "test" not in data.splits:
            return _by_bucket(itertools.chain.from_iterable(map(sentences, data.splits)))
        held_out = next((split for split in ("validation", "dev") if split in data.splits), None)
        parts = {"train": list(sentences("train")), "test": list(sentences("test"))}
        if held_out:
            return parts | {"validation": list(sentences(held_out))}
        cut = _by_bucket(parts["train"])
        return {"train": cut["train"] + cut["test"], "validation": cut["validation"], "test": parts["test"]}

    return read, {data.version: hashlib.sha256(data.version.encode()).hexdigest()}


# -- the cache ---------------------------------------------------------------------------------------------------------


def _write(parts: Parts, config: Config, folder: Path) -> None:
    """Fill `folder` with the sentences of each part, the vocabularies and the counts."""
    total = sum(map(len, parts.values()))
    empty = next((part for part in PARTS if not parts[part]), None)
    if total < FEWEST or empty:
        raise CorpusError(
            f"the corpus has {total} sentences, at least {FEWEST} are needed to hold some out" if total < FEWEST
            else f"the corpus has {total} sentences and none of them falls into the {empty} part",
            "give a longer file",
        )  # fmt: skip
    vocabulary = _fit(parts["train"], config.vocabulary, config.lowercase)
    vocabulary.save(folder / "vocabulary.json")
    everything = [sentence for part in PARTS for sentence in parts[part]]
    for name, columns in (("words", [s.words for s in everything]), ("tags", [s.tags for s in everything])):
        forms = Vocabulary(dict.fromkeys(itertools.chain.from_iterable(columns)))
        forms.save(folder / f"{name}.json")
        np.save(folder / f"{name}.npy", forms.encode(list(itertools.chain.from_iterable(columns))))
    np.save(folder / "lengths.npy", np.array([len(sentence.words) for sentence in everything], np.int32))
    words = {part: sum(len(sentence.words) for sentence in parts[part]) for part in PARTS}
    described = {
        "sha256": sha256_of(map(str, everything)),
        "split_sha256": {part: sha256_of(map(str, parts[part])) for part in PARTS},
        "sentences": {part: len(parts[part]) for part in PARTS},
        "counts": {
            "sentences": total,
            "words": sum(words.values()),
            "distinct words in training": len({word for sentence in parts["train"] for word in sentence.words}),
            "tags": len({tag for sentence in everything for tag in sentence.tags}),
            **{part: len(parts[part]) for part in PARTS},
        },
    }
    (folder / "corpus.json").write_text(json.dumps(described), encoding="utf-8")


def _fit(train: list[Sentence], size: int, lowercase: bool) -> Vocabularies:
    """The vocabularies of the training sentences. A feature must occur twice: once, it says no more than the word does."""
    words = Counter(canonical(word) for sentence in train for word in sentence.words)
    forms = Counter(word.lower() for word in words.elements()) if lowercase else words
    spelt: Counter[str] = Counter()
    for word, count in words.items():
        spelt.update(dict.fromkeys(spelling(word), count))
    return Vocabularies(
        {
            "words": Vocabulary.fit(forms, size=size),
            "features": Vocabulary.fit(spelt, min_count=2),
            "tags": Vocabulary.fit(Counter(tag for sentence in train for tag in sentence.tags)),
        },
        LOWERCASE if lowercase else None,
    )


def _read(folder: Path, refitted: bool) -> dict[str, Split]:
    columns = {}
    for name in ("words", "tags"):
        symbols = ("", *vocabularies.load(folder / f"{name}.json").symbols)
        columns[name] = [symbols[i] for i in np.load(folder / f"{name}.npy").tolist()]
    lengths = np.load(folder / "lengths.npy")
    ends = np.cumsum(lengths).tolist()
    sentences = [
        Sentence(tuple(columns["words"][begin:end]), tuple(columns["tags"][begin:end]))
        for begin, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
    counts = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))["sentences"]
    cuts = np.cumsum([0, *(counts[part] for part in PARTS)]).tolist()
    own = {part: sentences[begin:end] for part, begin, end in zip(PARTS, cuts, cuts[1:], strict=False)}
    seen = {part: frozenset(word for sentence in own[part] for word in sentence.words) for part in ("train", "validation")}
    before = {part: seen["train"] | seen["validation"] if part == "test" and refitted else seen["train"] for part in PARTS}
    return {part: Split(own[part], int(lengths.max()), before[part]) for part in PARTS}
