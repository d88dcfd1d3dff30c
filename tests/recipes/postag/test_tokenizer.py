"""Tokens of the Penn Treebank: by hand, and against NLTK's tokeniser, which this one replaces."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rnnzoo.recipes.postag.tokenizer import tokenize

PIECES = """
    can't cannot gonna wanna 'tis 'twas more'n d'ye GIMME it's (Mr. etc.). ... 1,000 a:b "hi" ''x''y `` -- dogs'
    IT'S I'LL n't lemme, gotta. x... ." .) ,, :, $5.50 R&D #1 [x] {y} <z> 12:30 we'd I'm o'clock ' '' " ?! U.S.
    e.g., half-time
"""


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The cat sat on the mat.", "The cat sat on the mat ."),
        ("They can't, won't and shouldn't.", "They ca n't , wo n't and should n't ."),
        ("Mr. Vinken's 61; he'll join.", "Mr. Vinken 's 61 ; he 'll join ."),
        ('"Quoted," she said (twice).', "`` Quoted , '' she said ( twice ) ."),
        ("It cost $1,000.50 at 12:30...", "It cost $ 1,000.50 at 12:30 ..."),
        ("Cannot gonna", "Can not gon na"),
        ("the dogs' bones -- all", "the dogs ' bones -- all"),
        ("the U.S. economy", "the U.S. economy"),  # a period is a token only where it ends the text
        ("", ""),
        (" \t ", ""),
    ],
)
def test_by_hand(text, tokens):
    assert tokenize(text) == tokens.split()


def random_texts(count: int) -> list[str]:
    rng, pieces = random.Random(0), PIECES.split()
    alphabet = "aA1 .,:;'\"`()[]{}<>-?!$%&n't gonna 's \t\n’“é"
    texts = ["".join(rng.choice(alphabet) for _ in range(rng.randint(0, 25))) for _ in range(count)]
    return texts + [
        " ".join(rng.choice(pieces) + rng.choice(["", ",", ".", '"', "'", ")"]) for _ in range(rng.randint(0, 9)))
        for _ in range(count)
    ]


def test_nltk_gives_the_same_tokens_of_thousands_of_texts():
    from nltk.tokenize import TreebankWordTokenizer

    reference = TreebankWordTokenizer()
    for text in random_texts(3000):
        assert tokenize(text) == reference.tokenize(text), text


@pytest.mark.real
def test_nltk_gives_the_same_tokens_of_novels_and_reviews():
    from nltk.tokenize import TreebankWordTokenizer

    mirror = Path(os.environ["RNNZOO_MIRROR"])
    texts = []
    for name in ("pg28885.txt", "12-0.txt"):
        novel = " ".join((mirror / name).read_text(encoding="utf-8-sig").split())
        texts += re.split(r"(?<=[.!?]) ", novel)
        texts += re.split(r"(?<=[.!?]) ", novel.translate(str.maketrans("‘’“”", "''\"\"")))
    with zipfile.ZipFile(mirror / "sentiment labelled sentences.zip") as archive:
        for name in archive.namelist():
            if name.endswith("_labelled.txt") and "MACOSX" not in name:
                texts += archive.read(name).decode("utf-8").split("\n")
    assert len(texts) > 5000
    reference = TreebankWordTokenizer()
    for text in texts:
        assert tokenize(text) == reference.tokenize(text), text


def test_neither_nltk_nor_a_framework_is_imported():
    program = (
        "import sys; from rnnzoo.recipes.postag import numpy_model; "
        "print([m for m in ('nltk', 'tensorflow', 'keras', 'tensorflow_datasets', 'rich') if m in sys.modules])"
    )
    import rnnzoo

    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(rnnzoo.__file__).parents[1]
    )
    assert found.stdout == "[]\n"
