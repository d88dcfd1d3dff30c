"""`rnnzoo copy`: a recipe's folder as a start for your own."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import console
from .options import JSON, QUIET, RECIPE

EXAMPLES = (
    "rnnzoo copy chargen ./mine",
    "rnnzoo train ./mine",
)


def copy(
    recipe: RECIPE,
    folder: Annotated[str, typer.Argument(metavar="DIR", help="The new folder; it must not exist yet.")],
    json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Copy a recipe's folder, to edit it and train it by its path."""
    from .. import zoo

    path = zoo.copy(zoo.load(recipe), folder)
    shown = path if "/" in path else f"./{path}"
    if json:
        console.document({"recipe": recipe, "folder": shown})
    elif not quiet:
        console.note(f"copied {recipe} to {shown}; edit it, then: rnnzoo train {shown}")
