"""Splits by a hash of the content: they never leak, need no random generator, and stay put when a corpus grows."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable


def key(text: str) -> str:
    """What two texts that must not be split apart have in common: their words, whatever the case and punctuation.

    A text without words (`?!`) is its own key, save for case and the white space around it.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded)) or folded.strip()


def bucket(salt: str, key: str) -> float:
    """Where `key` falls in [0, 1): evenly over keys, anew for each salt, so `< 0.25` takes a quarter of the keys."""
    digest = hashlib.sha256(f"{salt}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def sha256_of(items: Iterable[str]) -> str:
    """The hexadecimal SHA-256 of `items` joined by newlines, in UTF-8: it names a split, order included."""
    return hashlib.sha256("\n".join(items).encode()).hexdigest()
