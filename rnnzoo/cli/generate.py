"""`rnnzoo generate`: what a trained model says to a text. Each recipe brings its own options."""

from __future__ import annotations

import dataclasses
import inspect
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from .. import config as configs
from .. import console, lines, zoo
from ..errors import CallError, RnnzooError, did_you_mean
from . import completion
from .options import JSON, QUIET, RUN

EXAMPLES = (
    "rnnzoo generate --prefix Alice --temperature 0.8",
    'rnnzoo generate translate "I am a little hungry."',
)
WORDS = Annotated[list[str] | None, typer.Argument(metavar="RECIPE TEXT", autocompletion=completion.first_word)]
FLUSH_SECONDS = 0.03  # between writes of a text that is streamed


def command(arguments: list[str]) -> Callable:
    """The verb as a function whose signature has the options of all recipes, so that Typer knows them."""
    fields = _option_fields(arguments) if "generate" in arguments else {}
    recipe_named = _named(arguments) if fields else None

    def generate(
        words: list[str] | None,
        run: str | None,
        input: str | None,
        output: str | None,
        seed: int | None,
        json: bool,
        quiet: bool,
        **options: str | bool | None,
    ) -> None:
        name, texts = _recipe_and_texts(words or [])
        recipe = zoo.load(name)
        given = _typed(recipe, {key: value for key, value in options.items() if value is not None})
        if "prefix" in given:
            if texts or input:
                raise CallError("--prefix and TEXT or --input cannot both be given", "leave one of them out")
            texts = [given["prefix"]]
        alone = bool(words) and not texts
        _generate(recipe, _lines(texts, input, alone), recipe.card.Options(**given), run, output, seed, json, quiet)

    generate.__doc__ = "Generate with a trained model.\n\nText, labels, tags or translations; without RECIPE it is chargen."
    keyword, positional = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [
        inspect.Parameter(name, positional if name == "words" else keyword, default=default, annotation=annotation)
        for name, annotation, default in (
            ("words", WORDS, None),
            ("run", RUN, None),
            ("input", Annotated[str | None, typer.Option(metavar="FILE", help="Read one text per line; - for stdin.")], None),
            ("output", Annotated[str | None, typer.Option(metavar="FILE", help="Write the results to a file.")], None),
            (
                "seed",
                Annotated[int | None, typer.Option(metavar="N", min=0, help="Seed of the draws [default: a new one].")],
                None,
            ),
            ("json", JSON, False),
            ("quiet", QUIET, False),
        )
    ]
    foreign = [
        inspect.Parameter(name, keyword, default=None, annotation=_annotation(name, of, recipe_named))
        for name, of in fields.items()
    ]
    generate.__signature__ = inspect.Signature(own + foreign)
    return generate


def _option_fields(arguments: list[str]) -> dict[str, dict[str, tuple[dataclasses.Field, Any]]]:
    """Each option, by recipe the field and the type of it: of all built-in recipes and of recipes that are named by path."""
    found: dict[str, dict[str, tuple[dataclasses.Field, Any]]] = {}
    paths = [a for a in arguments if "/" in a and os.path.isfile(Path(a) / "__init__.py")]
    for name in [*paths, *zoo.names()]:
        try:
            options = zoo.load(name).card.Options
        except RnnzooError:
            continue
        for key, field in configs.fields(options).items():
            found.setdefault(key, {})[name] = field, get_type_hints(options)[key]
    return found


def _named(arguments: list[str]) -> str | None:
    """The built-in recipe that a call of `generate` names, if any."""
    return next((a for a in arguments[arguments.index("generate") + 1 :] if a in zoo.names()), None)


def examples(arguments: list[str]) -> tuple[str, ...]:
    """What the help shows: calls of the recipe that is named, or of two."""
    if "generate" not in arguments or not (name := _named(arguments)):
        return EXAMPLES
    return (zoo.load(name).card.EXAMPLE, f"rnnzoo generate {name} --input texts.txt --output answers.jsonl --json")


def _annotation(name: str, of: dict[str, tuple[dataclasses.Field, Any]], named: str | None) -> Any:
    """An option as Typer has it. Where the call names a recipe, its help shows the options of that recipe alone."""

    def described(field: dataclasses.Field) -> str:
        shown = f" [default: {field.default!r}]" if field.default != "" and not isinstance(field.default, bool) else ""
        return field.metadata["help"] + shown

    if named in of:
        field, kind = of[named]
        help = described(field)[:1].upper() + described(field)[1:]
    else:
        field, kind = next(iter(of.values()))
        help = "; ".join(f"{recipe}: {described(own)}" for recipe, (own, _) in of.items())
    hidden = named is not None and named not in of
    # Values stay text here: the recipe's own dataclass types and checks them, as it does for key=value.
    if kind is bool:
        return Annotated[bool | None, typer.Option(configs.flag(name), help=f"{help}.", hidden=hidden)]
    metavar = {int: "N", float: "NUMBER"}.get(kind, "TEXT")
    return Annotated[str | None, typer.Option(configs.flag(name), metavar=metavar, help=f"{help}.", hidden=hidden)]


def _typed(recipe: zoo.Recipe, given: dict[str, str | bool]) -> dict[str, Any]:
    known = configs.fields(recipe.card.Options)
    for key in given:
        if key not in known:
            own = ", ".join(configs.flag(name) for name in known)
            raise CallError(f"{configs.flag(key)} is not an option of {recipe.name}", f"its options: {own}")
    return {
        key: configs.parse(recipe.card.Options, key, value if isinstance(value, str) else str(value))
        for key, value in given.items()
    }


def _recipe_and_texts(words: list[str]) -> tuple[str, list[str]]:
    """The first word is the recipe. Without one it is the default recipe, which takes its text by --prefix."""
    if not words:
        return zoo.DEFAULT, []
    name, *texts = words
    if name == "-":
        return zoo.DEFAULT, words
    if name not in zoo.names() and " " in name.strip() and "/" not in name:
        raise CallError(
            f"expected a recipe before the text, received {name!r}",
            did_you_mean(name.split()[0], zoo.names(), f'for instance rnnzoo generate {zoo.DEFAULT} "{name[:30]}"'),
        )
    if name not in zoo.names() and name.isalnum() and not texts:
        recipes = f"recipes: {', '.join(zoo.names())}; a text that begins so: rnnzoo generate --prefix {name}"
        raise CallError(f"no recipe {name!r}", did_you_mean(name, zoo.names(), recipes))
    return name, texts


def _generate(recipe, texts, options, run, output, seed, json, quiet) -> None:
    from .. import inference

    model = inference.load(recipe, run)
    seed = inference.fresh_seed() if seed is None else seed
    if not quiet:
        drawn = f", seed {seed}" if hasattr(options, "temperature") else ""  # the others' answers are no matter of chance
        console.note(f"{recipe.name}, {model.run.title}{drawn}")
    with _Writer(output) as out:
        for text, record in model.answers(texts, options, seed, as_json=json):
            out.write(text, ended=record is not None)


def _lines(texts: list[str], input: str | None, alone: bool) -> Iterable[str]:
    """The texts to answer, one after the other, so that answers come while lines still arrive.

    `alone` says that the recipe was named and nothing else: at a terminal, that asks for a prompt.
    """
    if texts and texts != ["-"] and input:
        raise CallError("TEXT and --input cannot both be given", "leave one of them out")
    if texts == ["-"] or input == "-" or (not texts and input is None and not sys.stdin.isatty() and _has_stdin()):
        return lines.decoded(sys.stdin.buffer, "stdin")
    if input is not None:
        return lines.of_file(input)
    if alone and sys.stdin.isatty():
        return Prompt()
    return iter(texts or [""])


class Prompt:
    """Lines typed at a terminal, until its end of file (Ctrl-D)."""

    one_by_one = True  # each is answered before the next is asked for; see `rnnzoo.inference.arriving`

    def __iter__(self) -> Iterator[str]:
        while True:
            print("> ", end="", file=sys.stderr, flush=True)
            line = sys.stdin.readline()
            if not line:
                return
            yield line.rstrip("\n")


def _has_stdin() -> bool:
    """Whether stdin is a pipe or a file: a job runner's closed or empty device is no input."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


class _Writer:
    """Writes to stdout in small bursts, or to a file that appears when it is complete."""

    def __init__(self, path: str | None):
        self.target = lines.writing(path) if path else nullcontext(sys.stdout)
        self.to_file = path is not None
        self.pending: list[str] = []
        self.flushed = time.monotonic()

    def __enter__(self):
        self.file = self.target.__enter__()
        return self

    def write(self, text: str, ended: bool = False) -> None:
        """`ended`: an answer ends here. It is shown at once, for the next one may wait for a line that is sent after it."""
        self.pending.append(text)
        if ended or time.monotonic() - self.flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        self.file.write("".join(self.pending))
        self.file.flush()
        self.pending.clear()
        self.flushed = time.monotonic()

    def __exit__(self, kind, *details):
        if kind is None or not self.to_file:
            self.flush()
        return self.target.__exit__(kind, *details)
