"""On what terms a corpus may be used, and whom to name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """The terms of a corpus.

    Attributes:
        terms: the licence's name.
        attribution: the work and its authors.
        may_be_shipped: whether a model trained on the corpus may come with rnnzoo.
    """

    terms: str
    attribution: str
    may_be_shipped: bool = True
