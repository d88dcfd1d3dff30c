"""Options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion

JSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Print results, warnings and errors only.")]
RUN = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="A run's name or path [default: the newest].", autocompletion=completion.runs),
]
RECIPE = Annotated[
    str,
    typer.Argument(metavar="RECIPE", help="A recipe's name, or the path of its folder.", autocompletion=completion.recipes),
]
DATA = Annotated[
    str | None, typer.Option("--data", metavar="D", help="A registered corpus, sample, tfds:NAME, or your own file.")
]


def examples(*commands: str) -> str:
    """Example calls below a verb's help, each on a line of its own."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {command}" for command in commands)])
