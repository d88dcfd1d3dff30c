"""The Typer application, put together from the verbs' files."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import copy, data, eval, generate, show, train, verify
from . import list as list_


def build(arguments: list[str]) -> typer.Typer:
    """The application. `arguments` tell which recipe's options `generate` has to know."""
    app = typer.Typer(
        name="rnnzoo",
        help="The classic recurrent-network NLP recipes: Keras trains, NumPy runs.",
        epilog="Try: rnnzoo list, then rnnzoo train chargen.",
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    app.command("list", epilog=list_.EXAMPLES)(list_.list_recipes)
    app.command("train", epilog=train.EXAMPLES)(train.train)
    app.command("generate", epilog=generate.EXAMPLES)(generate.command(arguments))
    app.command("eval", epilog=eval.EXAMPLES)(eval.evaluate)
    app.command("show", epilog=show.EXAMPLES)(show.show)
    app.command("verify", epilog=verify.EXAMPLES)(verify.verify)
    app.command("copy", epilog=copy.EXAMPLES)(copy.copy)
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
