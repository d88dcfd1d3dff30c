"""What translations are worth: BLEU and its kin on free-running output, and the baselines on the same sentences.

The model writes each translation by itself, word after word from its own words, until its end symbol or the length limit;
nothing of the reference is fed. The headline is sacreBLEU with its signature (Post 2018) over all references of a source.
NLTK's two scores, the published one among them, are there for comparison: corpus BLEU, and the mean of sentence BLEUs
(smoothing method 1 of Chen and Cherry 2014), both on sacreBLEU's 13a tokens.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from .corpus import Corpus, Item
from .tokenizer import Tokenizer

BEAM = 5  # of the second score that `inspect` reports
SAMPLES = 10
LONGEST = 8  # sources of this many words and more are one group in BLEU by length


def evaluate(model: Any, items: Sequence[Item]) -> dict[str, float | str]:
    """Scores of greedy translations, one for each distinct source.

    Returns:
        "bleu", "chrf" (sacreBLEU, 0 to 100), "exact_match" (share of translations that are a reference), "nltk_bleu",
        "nltk_sentence_bleu" (0 to 1), and "bleu_signature".
    """
    return scores(translations(model, items), items)


def translations(model: Any, items: Sequence[Item], beam: int = 1) -> list[str]:
    """The best translation of each item."""
    found = model.translate([item.source for item in items], beam)
    return [kept[0].text if kept else "" for kept in found]


def scores(hypotheses: Sequence[str], items: Sequence[Item]) -> dict[str, float | str]:
    """As `evaluate`, for translations that are there already."""
    import sacrebleu

    streams = _streams(items)
    bleu, chrf = sacrebleu.metrics.BLEU(), sacrebleu.metrics.CHRF()
    exact = np.mean([hypothesis in item.references for hypothesis, item in zip(hypotheses, items, strict=True)])
    return {
        "bleu": bleu.corpus_score(list(hypotheses), streams).score,
        "chrf": chrf.corpus_score(list(hypotheses), streams).score,
        "exact_match": float(exact),
        **_nltk_scores(hypotheses, items),
        "bleu_signature": bleu.get_signature().format(),
    }


def bleu_of(hypotheses: Sequence[str], items: Sequence[Item]) -> float:
    """sacreBLEU alone."""
    import sacrebleu

    return sacrebleu.metrics.BLEU().corpus_score(list(hypotheses), _streams(items)).score


def _streams(items: Sequence[Item]) -> list[list[str | None]]:
    """References as sacreBLEU takes them: the first of each item, the second of each item, ...; None where there is none."""
    most = max(len(item.references) for item in items)
    return [[item.references[i] if i < len(item.references) else None for item in items] for i in range(most)]


def _nltk_scores(hypotheses: Sequence[str], items: Sequence[Item]) -> dict[str, float]:
    import warnings

    from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu, sentence_bleu
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    words = Tokenizer13a()
    tokens = [words(hypothesis).split() for hypothesis in hypotheses]
    references = [[words(reference).split() for reference in item.references] for item in items]
    smoothing = SmoothingFunction().method1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that short sentences have no 4-grams
        sentences = [sentence_bleu(r, t, smoothing_function=smoothing) for r, t in zip(references, tokens, strict=True)]
        return {"nltk_bleu": float(corpus_bleu(references, tokens)), "nltk_sentence_bleu": float(np.mean(sentences))}


def inspect(model: Any, corpus: Corpus, split: str = "test") -> dict[str, Any]:
    """Scores with beam search, BLEU by source length, how many references occur in training, and some translations."""
    items = corpus.split(split)
    greedy, searched = translations(model, items), translations(model, items, BEAM)
    leaked = corpus.leakage(split)
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, item in enumerate(items):
        by_length[min(LONGEST, len(model.tokenizers["source"].words(item.source)))].append(i)
    shown = range(0, len(items), max(1, len(items) // SAMPLES))[:SAMPLES]
    return {
        f"beam_{BEAM}": scores(searched, items),
        "bleu_by_source_length": {
            f"{length}{'+' if length == LONGEST else ''} words ({len(chosen)} sentences)": round(
                bleu_of([greedy[i] for i in chosen], [items[i] for i in chosen]), 2
            )
            for length, chosen in sorted(by_length.items())
        },
        "share_of_references_seen_in_training": round(leaked["targets_seen_in_training"] / max(1, leaked["targets"]), 4),
        "share_of_sources_with_a_reference_seen_in_training": round(
            leaked["items_with_a_target_seen_in_training"] / max(1, len(items)), 4
        ),
        "samples": [
            {"source": items[i].source, "translation": greedy[i], "references": list(items[i].references)} for i in shown
        ],
    }


# -- baselines ---------------------------------------------------------------------------------------------------------


def baselines(corpus: Corpus, split: str = "test") -> dict[str, dict[str, float | str]]:
    """Scores of two translators that learn next to nothing: the nearest training source's, and a word-by-word dictionary."""
    items, pairs = corpus.split(split), corpus.texts["train"]
    source, target = (Tokenizer.loads(corpus.vocabulary.extra[side]) for side in ("source", "target"))
    asked = [source.words(item.source) for item in items]
    known = [source.words(text) for text, _ in pairs]
    nearest = [pairs[i][1] for i in nearest_sentences(known, asked)]
    translation = dictionary(known, [target.words(text) for _, text in pairs])
    by_word = [target.text([translation.get(word, word) for word in words]) for words in asked]
    return {
        "nearest training source": scores(nearest, items),
        "word by word": scores(by_word, items),
    }


def nearest_sentences(known: Sequence[Sequence[str]], asked: Sequence[Sequence[str]]) -> list[int]:
    """For each sentence asked for the index of the known one most like it: cosine of TF-IDF over words and word pairs.

    Of equally near ones the first.
    """

    def terms(words: Sequence[str]) -> Counter:
        framed = ["", *words, ""]
        return Counter([*words, *zip(framed, framed[1:], strict=False)])

    counted = [terms(words) for words in known]
    found_in = Counter(term for counts in counted for term in counts)
    idf = {term: math.log(len(known) / n) + 1 for term, n in found_in.items()}
    postings: dict[Any, list] = defaultdict(list)
    for i, counts in enumerate(counted):
        norm = math.sqrt(sum((n * idf[term]) ** 2 for term, n in counts.items()))
        for term, n in counts.items():
            postings[term].append((i, n * idf[term] / norm))
    places = {term: np.array([i for i, _ in found]) for term, found in postings.items()}
    weights = {term: np.array([w for _, w in found]) for term, found in postings.items()}
    nearest = []
    for words in asked:
        similarity = np.zeros(len(known))
        for term, n in terms(words).items():
            if term in places:
                similarity[places[term]] += n * idf[term] * weights[term]
        nearest.append(int(similarity.argmax()))
    return nearest


def dictionary(sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]], rounds: int = 8) -> dict[str, str]:
    """For each source word the target word that IBM model 1 (Brown et al. 1993) finds most probable, after some EM rounds."""
    source_numbers = {word: i for i, word in enumerate(dict.fromkeys(w for s in sources for w in s))}
    target_numbers = {word: i for i, word in enumerate(dict.fromkeys(w for t in targets for w in t))}
    size = len(target_numbers)
    links, positions, position = [], [], 0  # of each link its pair of words, and which target position it explains
    for source, target in zip(sources, targets, strict=True):
        numbers = np.array([source_numbers[word] for word in source], np.int64) * size
        for word in target:
            links.append(numbers + target_numbers[word])
            positions.append(np.full(len(numbers), position))
            position += 1
    pairs, link = np.unique(np.concatenate(links), return_inverse=True)
    positions, owner = np.concatenate(positions), pairs // size
    probability = np.ones(len(pairs))
    for _ in range(rounds):
        share = probability[link]
        share /= np.bincount(positions, share, position)[positions]
        expected = np.bincount(link, share, len(pairs))
        probability = expected / np.bincount(owner, expected, len(source_numbers))[owner]
    order = np.lexsort((-probability, owner))
    first = np.flatnonzero(np.r_[True, np.diff(owner[order]) > 0])
    source_words, target_words = list(source_numbers), list(target_numbers)
    return {source_words[owner[i]]: target_words[pairs[i] % size] for i in order[first]}
