"""The embedded sample corpus: sentences of a phrase-structure grammar, tagged by the rule that wrote each word.

Grammar and words are this project's own. Most of its words have two tags or three ("the watch", "they watch", "her" before a
noun and after a verb), each of them often, so that a word alone says little and only its neighbours decide.
"""

from __future__ import annotations

import random

SENTENCES = 1500

# A right side is a sequence of symbols; what is no symbol is a terminal. Lexical symbols are tags, see WORDS.
RULES: dict[str, tuple[str, ...]] = {
    "S": ("Clause .", "Clause .", "Clause .", "Clause CC Clause .", "PP , Clause .", "RB , Clause .", "Question ?"),
    "Clause": ("One Does", "Many Do", "One Did", "Many Did", "One MD Plain", "Many MD Plain", "One Is VBN by:IN Other"),
    "Question": ("MD One Plain", "MD Many Plain", "does:VBZ One Plain", "do:VBP Many Plain"),
    "Does": ("VBZ Object", "VBZ Object PP", "VBZ to:TO Plain", "thinks:VBZ that:IN Clause", "RB VBZ Object"),
    "Do": ("VBP Object", "VBP Object PP", "VBP to:TO Plain", "think:VBP that:IN Clause", "RB VBP Object"),
    "Did": ("VBD Object", "VBD Object PP", "VBD to:TO Plain", "thought:VBD that:IN Clause", "had:VBD VBN Object"),
    "Plain": ("VB Object", "VB Object PP"),
    "Is": ("is:VBZ", "was:VBD"),
    "One": ("DT NN", "DT JJ NN", "PRP$ NN", "PRP$ JJ NN", "NNP", "DT NN PP", "he:PRP", "she:PRP", "DT NN Relative"),
    "Many": ("the:DT NNS", "the:DT JJ NNS", "CD NNS", "PRP$ NNS", "they:PRP", "we:PRP", "these:DT NNS"),
    "Other": ("DT NN", "DT JJ NN", "PRP$ NN", "NNP", "CD NNS", "PRP$ NNS"),
    "Object": ("Other", "Other", "the:DT NNS", "her:PRP", "him:PRP", "them:PRP"),
    "Relative": ("that:WDT VBZ Other", "that:WDT VBD Other"),
    "PP": ("IN Other",),
}

WORDS: dict[str, str] = {
    "DT": "the the a this that every",
    "PRP$": "her her his their our",
    "NNP": "Ada Boris Carmen Mr._Light Mrs._Book Will",
    "CD": "two three seven 12 40",
    "CC": "and but or",
    "RB": "often still hard early well",
    "MD": "will can may must",
    "IN": "in near behind with like past",
    "JJ": "light clean left cool hard early past open cold still",
    "NN": "watch light paint water plant hammer book saw park duck will can cool past fish dress cold",
    "NNS": "watches lights paints waters plants hammers books saws parks ducks dresses cans",
    "VB": "watch light paint water plant hammer book saw park duck clean cool open dress like fish",
    "VBP": "watch light paint water plant hammer book saw park duck clean cool open dress like fish",
    "VBZ": "watches lights paints waters plants hammers books saws parks ducks cleans cools opens dresses likes",
    "VBD": "watched lit painted saw left found planted cleaned opened liked hammered",
    "VBN": "watched lit painted seen left found planted cleaned opened hammered sawn",
}


def generate(seed: int = 0, sentences: int = SENTENCES) -> list[list[tuple[str, str]]]:
    """Sentences of (word, tag), the first word capitalised.

    The same for a seed on every platform and Python: only `random()` is used, whose sequence Python guarantees.
    """
    uniform = random.Random(seed).random

    def pick(choices):
        return choices[int(uniform() * len(choices))]

    def expand(symbol: str) -> list[tuple[str, str]]:
        if symbol in RULES:
            return [pair for part in pick(RULES[symbol]).split() for pair in expand(part)]
        if symbol in WORDS:
            return [(word, symbol) for word in pick(WORDS[symbol].split()).split("_")]
        word, colon, tag = symbol.partition(":")
        return [(word, tag if colon else "." if word == "?" else word)]

    return [_capitalised(expand("S")) for _ in range(sentences)]


def _capitalised(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    (word, tag), *rest = pairs
    return [(word[0].upper() + word[1:], tag), *rest]
