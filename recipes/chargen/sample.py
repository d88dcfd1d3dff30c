"""The embedded sample corpus: two short nonsense tales about a girl named Alice, written by a small seeded grammar.

The wording is this project's own. It stands in for a real corpus where none can be had, and in tests. There is
something in it to learn beyond spelling: quotes and parentheses close; singular and plural, `a` and `an`, his and
her agree; whoever is met in a chapter has one manner of speaking; what is asked for is what is answered; and sums
are right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

Pick = Callable[[Sequence], Any]

CHAPTER = 12  # paragraphs

TITLES = ("Alice and the Borrowed Weather", "Alice Beyond the Windmill")

FRIENDS = (
    {"friend": "the Heron", "he": "he", "his": "his", "manner": "gravely"},
    {"friend": "the Lamplighter", "he": "he", "his": "his", "manner": "in a whisper"},
    {"friend": "the Snail", "he": "she", "his": "her", "manner": "without any haste"},
    {"friend": "Mistress Plum", "he": "she", "his": "her", "manner": "kindly"},
    {"friend": "Professor Quill", "he": "he", "his": "his", "manner": "with great pride"},
    {"friend": "the Old Umbrella", "he": "she", "his": "her", "manner": "stiffly"},
    {"friend": "the Badger", "he": "he", "his": "his", "manner": "crossly"},
)

THINGS = (
    ("acorn", "acorns"),
    ("button", "buttons"),
    ("candle", "candles"),
    ("egg", "eggs"),
    ("fiddle", "fiddles"),
    ("goose", "geese"),
    ("ink-bottle", "ink-bottles"),
    ("jug", "jugs"),
    ("knife", "knives"),
    ("mousetrap", "mousetraps"),
    ("onion", "onions"),
    ("pancake", "pancakes"),
    ("quilt", "quilts"),
    ("slipper", "slippers"),
    ("waxwork", "waxworks"),
)

RULES = {
    "narration": (
        "Alice {walked} {where}, and {friend} {walked} after her.",
        "{Friend} had left {his} {thing} {where}, and {he} could not think why.",
        "There was a {look} {thing} {where}; next to it there were {many} {others}, all of them {look}.",
        "The {thing} was {look}, but the {others} were {look}.",
        "Every {thing} has its {other}, just as all {things} have their {others}.",
        "Alice (who {habit}) {felt}.",
        "At {hour} o'clock {friend} {bowed} to the {thing}, and then {he} {bowed} to the {other} too.",
        "It was a {look} sort of morning: the {things} were {look}, and nobody had dusted the {others}.",
        "{Friend} {walked} {where} with a {look} {thing} on {his} head, for {he} {felt_so} {mood}.",
        "So Alice {felt}, and {friend} took out {his} {thing} and polished it.",
    ),
    "exchange": (
        '"Have you seen my {thing}?" asked {friend} {manner}. "Your {thing} is {where}," said Alice.',
        '"What a {look} {thing}!" cried Alice. "That is no {thing} at all," said {friend} {manner}. "It is a {other}."',
        '"{first} {things} and {second} {things} make {total} {things}," said {friend} {manner}.',
        '"Take {second} {others} from {total}, and only {first} are left," said {friend} {manner}. Alice {felt}.',
        '"The notice says \'No {things} {where}\'," said Alice, "so the {things} had better go."',
        '"Are {things} ever {look}?" asked Alice. "{Things} are always {look}," said {friend} {manner}.',
        '"Oh, do look at the {others}!" said Alice. "They are {where}!"',
        '"I am not {mood}," said {friend} {manner}, and {he} {walked} {where}.',
    ),
    "walked": ("walked", "hopped", "tiptoed", "hurried", "wandered", "zigzagged"),
    "where": ("{under} the {place}",),
    "under": ("under", "behind", "beside", "near", "beyond"),
    "place": ("bridge", "hedge", "kitchen table", "windmill", "haystack", "ladder", "pond", "garden gate", "chimney"),
    "look": ("purple", "sleepy", "enormous", "crooked", "polite", "damp", "upside-down", "ordinary", "fizzy", "lazy"),
    "mood": ("puzzled", "hungry", "brave", "drowsy", "jolly", "quarrelsome"),
    "felt": ("{felt_so} {mood}", "burst out laughing", "hummed a tune", "counted the {things} again"),
    "felt_so": ("felt rather", "felt quite", "was very"),
    "habit": ("liked to be exact", "had never owned a {other}", "kept a {thing} in her pocket", "was fond of {things}"),
    "bowed": ("bowed", "sang", "waved", "made a speech"),
    "many": ("two", "three", "five", "seven", "a dozen", "too many"),
    "hour": ("one", "two", "four", "six", "nine", "eleven"),
    "heading": ("{Friend} and the {Things}", "{total} {look} {things}", "{Where}", "A Question of {Things} & {Others}"),
}


def generate(seed: int = 0, characters: int = 60_000) -> list[str]:
    """Two books of about half of `characters` each, a blank line between paragraphs, ending with a line `THE END`.

    The same for a seed on every platform and Python: only `random()` is used, whose sequence Python guarantees.
    """
    uniform = random.Random(seed).random

    def pick(choices: Sequence) -> Any:
        return choices[int(uniform() * len(choices))]

    return [_book(title, characters // len(TITLES), pick) for title in TITLES]


def _book(title: str, characters: int, pick: Pick) -> str:
    paragraphs = [title.upper()]
    friend: dict[str, str] = {}
    while sum(map(len, paragraphs)) < characters:
        chapter, position = divmod(len(paragraphs) - 1, 1 + CHAPTER)
        if position == 0:
            friend = pick(FRIENDS)
            heading = _expand("{heading}", friend | _cast(pick), pick)
            paragraphs.append(f"CHAPTER {chapter + 1}. {heading.upper()}")
        else:
            words = friend | _cast(pick)
            kinds = [pick(("{narration}", "{exchange}")) for _ in range(pick((1, 2, 3, 4)))]
            paragraphs.append(" ".join(_expand(kind, words, pick) for kind in kinds))
    return "\n\n".join([*paragraphs, "THE END"])


def _cast(pick: Pick) -> dict[str, str]:
    """What one paragraph is about: two different things, in singular and plural, and two numbers with their sum."""
    index, step = pick(range(len(THINGS))), pick(range(1, len(THINGS)))
    (thing, things), (other, others) = THINGS[index], THINGS[(index + step) % len(THINGS)]
    first, second = pick(range(2, 20)), pick(range(2, 20))
    numbers = {"first": str(first), "second": str(second), "total": str(first + second)}
    return {"thing": thing, "things": things, "other": other, "others": others} | numbers


def _expand(template: str, words: dict[str, str], pick: Pick) -> str:
    """The template with each {slot} filled from `words`, else by a rule; what fills a {Slot} begins with a capital."""

    def fill(slot: re.Match) -> str:
        name = slot[1].lower()
        text = words[name] if name in words else _expand(pick(RULES[name]), words, pick)
        return text if slot[1] == name else text[0].upper() + text[1:]

    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", re.sub(r"\{(\w+)\}", fill, template))
