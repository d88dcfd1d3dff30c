"""Data sets of TensorFlow Datasets that hold a text and its label, such as imdb_reviews, glue/sst2, sentiment140.

Their splits are kept where they are labelled. A test split whose labels are withheld (glue/sst2: -1) is left out and the
labelled validation split becomes the test; other splits (imdb_reviews' unsupervised one) are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rnnzoo.corpora.tfds import DataSet
from rnnzoo.errors import CorpusError

from .examples import Labelled

TEXTS, LABELS = ("text", "sentence"), ("label", "polarity", "sentiment")
# What these numbers mean, so that a model of one corpus can be evaluated on another. Others keep the names of the data set.
POLARITIES = {
    "imdb_reviews": {0: "negative", 1: "positive"},
    "yelp_polarity_reviews": {0: "negative", 1: "positive"},
    "glue/sst2": {0: "negative", 1: "positive"},
    "sentiment140": {0: "negative", 2: "neutral", 4: "positive"},
}


class Reviews:
    """The labelled texts of a data set.

    Raises:
        CorpusError: if its examples have no text, or no label.
    """

    def __init__(self, name: str):
        self.data = DataSet(name)
        self.text, self.label = self._feature(TEXTS), self._feature(LABELS)
        known = next((names for data, names in POLARITIES.items() if name == data or name.startswith(f"{data}/")), {})
        self.names = known or self.data.class_names(self.label)

    def _feature(self, names: tuple[str, ...]) -> str:
        found = next((name for name in names if name in self.data.features), None)
        if found is None:
            self.data.require(names[0])
        return found

    @property
    def version(self) -> str:
        return self.data.version

    def examples(self, limit: int = 0) -> list[Labelled]:
        """The labelled texts of all splits, at most `limit` of each (0: all)."""
        splits = {part: list(self._split(part, limit)) for part in ("train", "validation", "test") if part in self.data.splits}
        if not splits.get("train"):
            raise CorpusError(
                f"data set tfds:{self.data.name} has no labelled split train, only {', '.join(self.data.splits)}",
                "choose another data set",
            )
        if not splits.get("test"):  # none, or its labels are withheld
            splits["test"] = splits.pop("validation", [])
        if not splits["test"]:
            return [Labelled(text, label) for text, label in splits["train"]]
        return [Labelled(text, label, part) for part, own in splits.items() for text, label in own]

    def _split(self, split: str, limit: int) -> Iterator[tuple[str, str]]:
        for example in islice(self.data.examples(split), limit or None):
            number = int(example[self.label])
            if number >= 0:
                yield " ".join(example[self.text].decode("utf-8", "replace").split()), self.names.get(number, str(number))
