"""Trained models without a framework: `load` gives the NumPy model of a run."""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from . import runs, zoo
from .errors import CallError, RunError
from .training.train import restored_config


class Piece(NamedTuple):
    """A part of what a model answers.

    Attributes:
        text: to be shown as it comes.
        record: with the last piece of an answer: the whole answer, for JSON. It ends the answer's line.
    """

    text: str
    record: dict[str, Any] | None = None


class Model:
    """The NumPy model of a run, ready to use.

    Calling it with a text gives the answer to it as a text; `network` is the recipe's own NumPy model.
    """

    def __init__(self, recipe: zoo.Recipe, run: runs.Run, network: Any):
        self.recipe, self.run, self.network = recipe, run, network

    def __call__(self, text: str = "", **options: Any) -> str:
        return "".join(piece.text for piece in self.stream([text], **options))

    def stream(self, texts: list[str], seed: int | None = None, **options: Any):
        """Pieces of the answers to `texts`, in order; `options` are fields of the recipe's Options.

        Raises:
            CallError: for an option that the recipe lacks.
        """
        unknown = sorted(set(options) - set(self.recipe.card.Options.__dataclass_fields__))
        if unknown:
            raise CallError(
                f"{unknown[0]!r} is not an option of {self.recipe.name}",
                "options: " + ", ".join(self.recipe.card.Options.__dataclass_fields__),
            )
        return self.network.generate(texts, self.recipe.card.Options(**options), fresh_seed() if seed is None else seed)

    def answers(self, texts: Iterable[str], options: Any, seed: int, as_json: bool = False) -> Iterator[Piece]:
        """The answers to `texts` as they are written to a stream or a file: their pieces, each answer ended by a newline.

        Args:
            options: an instance of the recipe's Options.
            as_json: each answer is a line of JSON. Records hold what such a line holds.
        """
        for text, record in self.network.generate(texts, options, seed):
            if record is None:
                yield Piece("" if as_json else text)
            else:
                record = {"recipe": self.recipe.name, "run": self.run.name, **record}
                yield Piece((json.dumps(record, ensure_ascii=False) if as_json else text) + "\n", record)


def arriving(texts: Iterable[str], most: int) -> Iterator[list[str]]:
    """`texts` in lists of what has arrived by now, at least one and at most `most` of them.

    A file is read in full lists, for models that are faster on many texts at once; yet whoever sends a line through a pipe
    and waits gets its answer before the next one is sent. Where `texts` asks a person (`one_by_one`), lists have one text.
    """
    if isinstance(texts, Sequence):
        yield from (list(texts[at : at + most]) for at in range(0, len(texts), most))
        return
    if getattr(texts, "one_by_one", False):
        yield from ([text] for text in texts)
        return
    arrived: queue.Queue = queue.Queue(2 * most)
    gone = threading.Event()

    def put(item: Any) -> bool:
        while not gone.is_set():
            try:
                arrived.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        try:
            for text in texts:
                if not put((text, None)):
                    return
            put((None, None))
        except BaseException as error:  # raised again where the texts are wanted
            put((None, error))

    threading.Thread(target=read, daemon=True, name="texts").start()
    try:
        while True:
            items = [arrived.get()]
            while len(items) < most and items[-1][0] is not None:
                try:
                    # A reader that is at work is given a moment: lists of one would waste more.
                    items.append(arrived.get(timeout=0.002))
                except queue.Empty:
                    break
            batch = [text for text, _ in items if text is not None]
            if batch:
                yield batch
            if items[-1][0] is None:
                if items[-1][1] is not None:
                    raise items[-1][1]
                return
    finally:
        gone.set()


def fresh_seed() -> int:
    """A seed from the operating system's randomness."""
    return int.from_bytes(os.urandom(4))


def load(recipe: str | zoo.Recipe, run: str | runs.Run | None = None) -> Model:
    """The model of a run: by name or path, else the newest trained one of the recipe.

    Raises:
        RunError: if there is none, or its weights, vocabulary and configuration do not fit one another.
    """
    recipe = zoo.load(recipe) if isinstance(recipe, str) else recipe
    with recipe.hints_by_argument():
        run = run if isinstance(run, runs.Run) else runs.resolve(recipe.name, run)
    config, vocabulary, weights = restored_config(recipe, run), run.vocabulary(), run.best_weights()
    module = recipe.part("numpy_model")
    expected = module.weight_shapes(config, vocabulary)
    received = {name: array.shape for name, array in weights.items()}
    for name in sorted(set(expected) | set(received)):
        if expected.get(name) != received.get(name):
            raise RunError(
                f"run {run.name}: weight {name} should have shape {expected.get(name)}, has {received.get(name)}",
                f"its files are of different runs; train again: rnnzoo train {recipe.name}",
            )
    return Model(recipe, run, module.NumpyModel(config, vocabulary, weights))
