"""What the Tab key offers beside verbs and options: recipes and runs. Folders are only listed: no recipe or run is opened."""

from __future__ import annotations

import os

import typer


def words() -> list[str]:
    """The words of the command line that a shell asks to be completed; none in an ordinary call."""
    return os.environ.get("COMP_WORDS", os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()


def recipes(incomplete: str) -> list[str]:
    """Names of recipes, and recipes of one's own in the folder that is being typed."""
    from .. import paths, zoo

    if "/" not in incomplete:
        return zoo.names()
    typed = incomplete.rpartition("/")[0] + "/"
    try:
        return [typed + folder.name for folder in sorted(paths.given(typed).iterdir()) if (folder / "__init__.py").is_file()]
    except OSError:
        return []


def first_word(context: typer.Context, incomplete: str) -> list[str]:
    """Recipes where a call of `generate` may name one: what follows it is text."""
    return [] if context.params.get("words") else recipes(incomplete)


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Runs of the recipe that the call names, the newest first."""
    from .. import runs, zoo

    known = context.params.get("recipe") or next(iter(context.params.get("words") or ()), None)
    # An option that still lacks its value keeps the parser from the arguments before it.
    before = words()[2:-1] if incomplete else words()[2:]
    after_verb = [word for word in before if not word.startswith("-")]
    return runs.names(zoo.name_of(known or next(iter(after_verb), zoo.DEFAULT)))


def targets(incomplete: str) -> list[str]:
    """Recipes, and runs as RECIPE/RUN or, where only one recipe has such a run, by their bare name."""
    from .. import runs, zoo

    recipe, slash, _ = incomplete.partition("/")
    if slash:
        return [f"{recipe}/{run}" for run in runs.names(recipe)] if recipe in zoo.names() else recipes(incomplete)
    names = [run for name in zoo.names() for run in runs.names(name)]
    return [*recipes(incomplete), *(name for name in names if names.count(name) == 1)]
