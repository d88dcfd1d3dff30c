"""The embedded sample corpus: the same everywhere, ours alone, and true to the regularities that it promises."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from rnnzoo.recipes.chargen.copied import longest_copied
from rnnzoo.recipes.chargen.sample import FRIENDS, generate


@pytest.fixture(scope="module")
def books() -> list[str]:
    return generate()


def test_the_same_on_every_platform(books):
    assert hashlib.sha256("\n".join(books).encode()).hexdigest()[:32] == "32a697829efd92a5407d31c91b0d5968"
    assert generate(seed=1) != books


def test_two_books_of_the_size_asked_for(books):
    assert len(books) == 2
    for wanted, made in ((60_000, books), (5_000, generate(0, 5_000))):
        assert all(wanted / 2 <= len(book) < wanted / 2 + 1_000 for book in made)


def test_prose_with_chapters_dialogue_and_many_symbols(books):
    for book in books:
        assert "Alice " in book
        assert book.endswith("\n\nTHE END")
        chapters = [int(number) for number in re.findall(r"^CHAPTER (\d+)\. ", book, re.M)]
        assert chapters == list(range(1, len(chapters) + 1))
        assert len(chapters) > 5
    assert all(symbol == "\n" or " " <= symbol <= "~" for symbol in "".join(books))
    assert len(set("".join(books))) >= 60


def test_quotes_and_parentheses_close_in_every_paragraph(books):
    for paragraph in "\n\n".join(books).split("\n\n"):
        quoted = paragraph.split('"')
        assert len(quoted) % 2 == 1
        assert all(part == part.strip() for part in quoted[1::2])
        assert len(re.findall(r"\([^()]*\)", paragraph)) == paragraph.count("(") == paragraph.count(")")


def test_articles_sums_and_answers_are_right(books):
    text = "\n".join(books)
    assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text)
    sums = re.findall(r"(\d+) [\w-]+ and (\d+) [\w-]+ make (\d+) ", text)
    differences = re.findall(r"Take (\d+) [\w-]+ from (\d+), and only (\d+) are left", text)
    assert sums and all(int(a) + int(b) == int(total) for a, b, total in sums)
    assert differences and all(int(total) - int(b) == int(a) for b, total, a in differences)
    answers = re.findall(r'"Have you seen my ([\w-]+)\?" asked [\w ]+\. "Your ([\w-]+) is ', text)
    assert answers and all(asked == answered for asked, answered in answers)


def test_one_friend_with_one_manner_in_every_chapter(books):
    manners = {friend["friend"]: friend["manner"] for friend in FRIENDS}
    for book in books:
        for chapter in re.split(r"^CHAPTER .*$", book, flags=re.M)[1:]:
            heard = set(re.findall(r"(?:said|asked) ((?:the|Mistress|Professor) [A-Z][\w ]+?)[,.]", chapter))
            (only,) = heard
            assert only in {f"{friend} {manner}" for friend, manner in manners.items()}


@pytest.mark.real
def test_nothing_is_taken_from_the_novels(books):
    paths = [Path(os.environ.get("RNNZOO_MIRROR", "")) / name for name in ("pg28885.txt", "12-0.txt")]
    if not all(path.is_file() for path in paths):
        pytest.skip("RNNZOO_MIRROR is not a folder that holds pg28885.txt and 12-0.txt")
    straight = str.maketrans("‘’“”", "''\"\"")
    ours = " ".join(" ".join(books).casefold().split())
    for path in paths:
        novel = " ".join(path.read_text(encoding="utf-8-sig").translate(straight).casefold().split())
        assert len(longest_copied(ours, novel)) < 25
