"""Accuracy of tags, over the words that there are, and the baselines on the same words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnzoo import metrics
from rnnzoo.vocabulary import Vocabulary

from .corpus import Corpus, Split

SHOWN = 10  # confusions, and sentences, in the details of an evaluation


def evaluate(model: Any, split: Split) -> dict[str, float | None]:
    """The metrics of a model's tags on a split; see `score`."""
    return score(split, model.tag([sentence.words for sentence in split]))


def score(split: Split, predicted: Sequence[Sequence[str]]) -> dict[str, float | None]:
    """Metrics of predicted tags, one for each word of each sentence.

    Returns:
        accuracy: the share of words with the right tag; what counts as a word is known from the labels, so no prediction
            can be left out of it.
        accuracy_with_padding: the same with every sentence padded to the corpus' longest one and the padding counted as
            right. It is what published programs print, and says more about the padding than about the tags.
        oov_accuracy: accuracy on the words that do not occur in training; None if all do.
        macro_f1: mean F1 over the tags that occur among labels or predictions.
        sentence_accuracy: the share of sentences without a wrong tag.
    """
    labels = [tag for sentence in split for tag in sentence.tags]
    flat = [tag for tags in predicted for tag in tags]
    if [len(tags) for tags in predicted] != [len(sentence.words) for sentence in split]:
        raise ValueError("expected one tag for each word of each sentence")
    numbers = Vocabulary(dict.fromkeys([*labels, *flat]))
    true, guessed = numbers.encode(labels), numbers.encode(flat)
    right = true == guessed
    unseen = np.array([word not in split.seen for sentence in split for word in sentence.words])
    starts = np.cumsum([0, *(len(sentence.words) for sentence in split)])[:-1]
    padding = split.longest * len(split) - len(labels)
    return {
        "accuracy": metrics.accuracy(true, guessed),
        "accuracy_with_padding": float((right.sum() + padding) / (len(labels) + padding)),
        "oov_accuracy": metrics.accuracy(true, guessed, unseen) if unseen.any() else None,
        "macro_f1": metrics.macro_f1(metrics.confusion(true, guessed, len(numbers))),
        "sentence_accuracy": float(np.logical_and.reduceat(right, starts).mean()),
    }


def baselines(corpus: Corpus, split: str = "test") -> dict[str, dict[str, float]]:
    """Metrics of two taggers that need no tuning, so they learn from the validation sentences too."""
    learnt = [*corpus.train, *corpus.validation] if split == "test" else [*corpus.train]
    scored = corpus.split(split)
    return {
        "most frequent tag": score(scored, most_frequent_tags(learnt, [s.words for s in scored])),
        "averaged perceptron (NLTK)": score(scored, perceptron_tags(learnt, [s.words for s in scored])),
    }


def most_frequent_tags(learnt: Sequence, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """Each word's most frequent tag; for an unknown word the most frequent tag of all."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for sentence in learnt:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            counts[word][tag] += 1
    # Of equal counts the first in the alphabet, so that the order of the sentences does not matter.
    best = {word: min(tags, key=lambda tag: (-tags[tag], tag)) for word, tags in counts.items()}
    overall = sum(counts.values(), Counter())
    other = min(overall, key=lambda tag: (-overall[tag], tag))
    return [[best.get(word, other) for word in words] for words in sentences]


def perceptron_tags(learnt: Sequence, sentences: Sequence[Sequence[str]], iterations: int = 5) -> list[list[str]]:
    """Tags of NLTK's averaged perceptron (Collins 2002; Honnibal 2013), trained here with its default number of passes."""
    import random

    from nltk.tag import PerceptronTagger

    tagger = PerceptronTagger(load=False)
    state = random.getstate()
    random.seed(0)  # it shuffles with the global generator
    try:
        tagger.train([list(zip(s.words, s.tags, strict=True)) for s in learnt], nr_iter=iterations)
    finally:
        random.setstate(state)
    return [[tag for _, tag in tagger.tag(list(words))] for words in sentences]


def inspect(model: Any, corpus: Corpus, split: str = "test") -> dict[str, Any]:
    """The worst confusions, and sentences with wrong tags, labelled beside predicted; a wrong tag is in brackets."""
    sentences = corpus.split(split)
    confused: Counter = Counter()
    labels: Counter = Counter()
    wrong = []
    for sentence, tags in zip(sentences, model.tag([s.words for s in sentences]), strict=True):
        labels.update(sentence.tags)
        errors = [(label, tag) for label, tag in zip(sentence.tags, tags, strict=True) if label != tag]
        confused.update(errors)
        if errors:
            wrong.append((sentence, tags))
    worst = sorted(confused.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    return {
        "worst_confusions": [
            {"label": label, "predicted": tag, "times": count, "share_of_label": count / labels[label]}
            for (label, tag), count in worst
        ],
        "labelled_beside_predicted": [
            {"labelled": str(sentence), "predicted": _marked(sentence, tags)}
            for sentence, tags in wrong[:: max(1, len(wrong) // SHOWN)][:SHOWN]
        ],
    }


def _marked(sentence, tags) -> str:
    """`word/TAG` joined by spaces, wrong tags in brackets."""
    return " ".join(
        f"{word}/{tag}" if label == tag else f"{word}/[{tag}]" for word, label, tag in zip(*sentence, tags, strict=True)
    )
