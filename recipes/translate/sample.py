"""The embedded sample corpus: English and French sentences from one small synchronous grammar, written for this project.

Each rule writes both languages at once. Word by word it cannot be translated: articles and adjectives agree with the
French noun in gender and number, most adjectives follow their noun and some precede it, pronouns stand before the verb,
negation embraces it and turns `un` into `de`, questions turn verb and subject round, and verbs agree with their subject.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Pick = Callable[[Sequence], Any]

# English singular and plural, French singular and plural, feminine or not.
NOUNS = (
    ("cat", "cats", "chat", "chats", False),
    ("dog", "dogs", "chien", "chiens", False),
    ("table", "tables", "table", "tables", True),
    ("house", "houses", "maison", "maisons", True),
    ("apple", "apples", "pomme", "pommes", True),
    ("egg", "eggs", "œuf", "œufs", False),
    ("boat", "boats", "bateau", "bateaux", False),
    ("horse", "horses", "cheval", "chevaux", False),
    ("school", "schools", "école", "écoles", True),
    ("letter", "letters", "lettre", "lettres", True),
    ("book", "books", "livre", "livres", False),
    ("key", "keys", "clé", "clés", True),
    ("tree", "trees", "arbre", "arbres", False),
    ("island", "islands", "île", "îles", True),
)

# English; French masculine, feminine, and their plurals; whether it stands before the noun.
ADJECTIVES = (
    ("red", "rouge", "rouge", "rouges", "rouges", False),
    ("green", "vert", "verte", "verts", "vertes", False),
    ("white", "blanc", "blanche", "blancs", "blanches", False),
    ("black", "noir", "noire", "noirs", "noires", False),
    ("heavy", "lourd", "lourde", "lourds", "lourdes", False),
    ("strange", "étrange", "étrange", "étranges", "étranges", False),
    ("small", "petit", "petite", "petits", "petites", True),
    ("big", "grand", "grande", "grands", "grandes", True),
    ("pretty", "joli", "jolie", "jolis", "jolies", True),
    ("bad", "mauvais", "mauvaise", "mauvais", "mauvaises", True),
)

# English base and third person; French by person: je, il, nous, vous, ils.
VERBS = (
    ("see", "sees", ("vois", "voit", "voyons", "voyez", "voient")),
    ("look for", "looks for", ("cherche", "cherche", "cherchons", "cherchez", "cherchent")),
    ("sell", "sells", ("vends", "vend", "vendons", "vendez", "vendent")),
    ("like", "likes", ("aime", "aime", "aimons", "aimez", "aiment")),
    ("find", "finds", ("trouve", "trouve", "trouvons", "trouvez", "trouvent")),
    ("draw", "draws", ("dessine", "dessine", "dessinons", "dessinez", "dessinent")),
    ("forget", "forgets", ("oublie", "oublie", "oublions", "oubliez", "oublient")),
    ("wait for", "waits for", ("attends", "attend", "attendons", "attendez", "attendent")),
)

# English, French, the verb's person, English third person singular; be in both languages; feminine, plural.
SUBJECTS = (
    ("I", "je", 0, False, "am", "suis", False, False),
    ("he", "il", 1, True, "is", "est", False, False),
    ("she", "elle", 1, True, "is", "est", True, False),
    ("we", "nous", 2, False, "are", "sommes", False, True),
    ("you", "vous", 3, False, "are", "êtes", False, False),
    ("they", "ils", 4, False, "are", "sont", False, True),
    ("Ada", "Ada", 1, True, "is", "est", True, False),
    ("Hugo", "Hugo", 1, True, "is", "est", False, False),
)

# English; French masculine, feminine, and plurals.
STATES = (
    ("tired", "fatigué", "fatiguée", "fatigués", "fatiguées"),
    ("happy", "heureux", "heureuse", "heureux", "heureuses"),
    ("ready", "prêt", "prête", "prêts", "prêtes"),
    ("late", "en retard", "en retard", "en retard", "en retard"),
    ("curious", "curieux", "curieuse", "curieux", "curieuses"),
)

VOWELS = "aeiouhâàéèêîôœ"


@dataclass(frozen=True)
class Phrase:
    """A noun phrase in both languages, and how others agree with it; `denied` is it as the object of a negated verb."""

    english: str
    french: str
    denied: tuple[str, str]
    feminine: bool
    plural: bool


def generate(seed: int = 0, pairs: int = 3_000) -> list[tuple[str, str]]:
    """Distinct pairs; the same for a seed on every platform and Python: only `random()` is used, which Python guarantees."""
    uniform = random.Random(seed).random

    def pick(choices: Sequence) -> Any:
        return choices[int(uniform() * len(choices))]

    found: dict[tuple[str, str], None] = {}
    for english, french in _sentences(pick):
        found[_finished(english), _finished(french)] = None
        if len(found) == pairs:
            return list(found)
    raise AssertionError("sentences never end")


def _sentences(pick: Pick) -> Iterator[tuple[str, str]]:
    rules = (_statement, _statement, _statement, _pronoun, _state, _description, _question)
    while True:
        yield pick(rules)(pick)


def _noun_phrase(pick: Pick) -> Phrase:
    singular, plural, mot, mots, feminine = pick(NOUNS)
    many = pick((False, False, True))
    noun, nom = (plural, mots) if many else (singular, mot)
    english, french, precedes = noun, nom, False
    if pick((True, False)):
        adjective, *forms, precedes = pick(ADJECTIVES)
        form = forms[feminine + 2 * many]
        english, french = f"{adjective} {noun}", f"{form} {nom}" if precedes else f"{nom} {form}"
    if pick((True, False)):
        article = "les" if many else "la" if feminine else "le"
        both = f"the {english}", _elided(article, french)
        return Phrase(*both, both, feminine, many)
    a = "an" if english[0] in "aeiou" else "a"
    denied = f"{'any' if many else a} {english}", _elided("de", french)
    if many:
        return Phrase(f"some {english}", _elided("de", french) if precedes else f"des {french}", denied, feminine, many)
    return Phrase(f"{a} {english}", f"{'une' if feminine else 'un'} {french}", denied, feminine, many)


def _statement(pick: Pick) -> tuple[str, str]:
    """Subject, verb, object; a third of them negated."""
    subject, sujet, person, third, *_ = pick(SUBJECTS)
    base, thirds, verbs = pick(VERBS)
    thing, verbe = _noun_phrase(pick), verbs[person]
    if pick((True, False, False)):
        negated = f"{'does' if third else 'do'} not {base}"
        english, french = thing.denied
        return f"{subject} {negated} {english}.", f"{sujet} {_elided('ne', verbe)} pas {french}."
    return f"{subject} {thirds if third else base} {thing.english}.", f"{_elided(sujet, verbe)} {thing.french}."


def _pronoun(pick: Pick) -> tuple[str, str]:
    """The object as a pronoun, which French puts before the verb."""
    subject, sujet, person, third, *_ = pick(SUBJECTS)
    base, thirds, verbs = pick(VERBS)
    thing, verbe = _noun_phrase(pick), verbs[person]
    first = f"Here {'are' if thing.plural else 'is'} {thing.english}:"
    premier = f"Voici {thing.french} :"
    pronoun, pronom = ("them", "les") if thing.plural else ("it", "la" if thing.feminine else "le")
    if pick((True, False)):
        negated = f"{'does' if third else 'do'} not {base}"
        return f"{first} {subject} {negated} {pronoun}.", f"{premier} {sujet} ne {_elided(pronom, verbe)} pas."
    return f"{first} {subject} {thirds if third else base} {pronoun}.", f"{premier} {sujet} {_elided(pronom, verbe)}."


def _state(pick: Pick) -> tuple[str, str]:
    """How somebody is."""
    subject, sujet, _, _, be, être, feminine, plural = pick(SUBJECTS)
    state, *forms = pick(STATES)
    état = forms[feminine + 2 * plural]
    if pick((True, False)):
        return f"{subject} {be} not {state}.", f"{sujet} {_elided('ne', être)} pas {état}."
    return f"{subject} {be} {state}.", f"{sujet} {être} {état}."


def _description(pick: Pick) -> tuple[str, str]:
    """What a thing is like: the adjective agrees across the verb."""
    thing = _noun_phrase(pick)
    adjective, *forms, _ = pick(ADJECTIVES)
    form = forms[thing.feminine + 2 * thing.plural]
    être = "sont" if thing.plural else "est"
    be = "are" if thing.plural else "is"
    if pick((True, False, False)):
        return f"{thing.english} {be} not {adjective}.", f"{thing.french} {_elided('ne', être)} pas {form}."
    return f"{thing.english} {be} {adjective}.", f"{thing.french} {être} {form}."


def _question(pick: Pick) -> tuple[str, str]:
    """A question: English asks with do, French turns verb and subject round."""
    subject, sujet, person, third, *_ = pick(SUBJECTS[1:6])
    base, _, verbs = pick(VERBS)
    thing, verbe = _noun_phrase(pick), verbs[person]
    link = "-t-" if verbe[-1] in "ae" and sujet in ("il", "elle") else "-"
    return f"{'does' if third else 'do'} {subject} {base} {thing.english}?", f"{verbe}{link}{sujet} {thing.french} ?"


def _elided(word: str, following: str) -> str:
    """A word and the one after it: `je`, `ne`, `le`, `la`, `de` lose their vowel before another one."""
    if word in ("je", "ne", "le", "la", "de") and following[0] in VOWELS:
        return f"{word[:-1]}'{following}"
    return f"{word} {following}"


def _finished(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
