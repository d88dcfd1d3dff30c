"""The Typer application, put together from the verbs' files."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import batch, copy, data, eval, generate, show, train, verify
from . import list as list_
from .options import examples

EXAMPLES = (
    "rnnzoo generate --prefix Alice --temperature 0.8",
    'rnnzoo generate translate "I am a little hungry."',
    "rnnzoo list",
    "rnnzoo train sentiment",
)


def build(arguments: list[str]) -> typer.Typer:
    """The application. `arguments` tell which recipe's options `generate` has to know."""
    app = typer.Typer(
        name="rnnzoo",
        help="The classic recurrent-network NLP recipes: Keras trains, NumPy runs.",
        epilog=examples(*EXAMPLES),
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    app.command("list", epilog=examples(*list_.EXAMPLES))(list_.list_recipes)
    app.command("train", epilog=examples(*train.EXAMPLES))(train.train)
    app.command("generate", epilog=examples(*generate.examples(arguments)))(generate.command(arguments))
    app.command("eval", epilog=examples(*eval.EXAMPLES))(eval.evaluate)
    app.command("batch", epilog=examples(*batch.EXAMPLES))(batch.batch)
    app.command("show", epilog=examples(*show.EXAMPLES))(show.show)
    app.command("verify", epilog=examples(*verify.EXAMPLES))(verify.verify)
    app.command("copy", epilog=examples(*copy.EXAMPLES))(copy.copy)
    app.add_typer(data.app, name="data")
    return app


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"rnnzoo {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """The classic recurrent-network NLP recipes: Keras trains, NumPy runs."""
