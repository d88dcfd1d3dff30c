"""The command line: one file per verb. A verb parses, calls a plain function, and renders what it returns."""

from __future__ import annotations

import os
import sys

from .. import console
from ..errors import explained


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit status (see DESIGN: 0, 1, 2, 130, 143)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments[: arguments.index("--")] if "--" in arguments else "--debug" in arguments
    if debug:
        arguments = [a for a in arguments if a != "--debug"]
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (`>&-`)
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the process lives
        if hasattr(getattr(sys, name), "reconfigure"):  # a name or a text may hold what the terminal's encoding lacks
            getattr(sys, name).reconfigure(errors="backslashreplace")
    status = 1
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing more to say, to anyone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as error:
        if debug:
            raise
        message, hint, status = explained(error)
        console.error(message, hint)
    except KeyboardInterrupt:
        console.note("interrupted")
        status = 130
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    import typer

    from . import completion
    from .app import build

    try:
        status = build([*arguments, *completion.words()])(args=arguments, standalone_mode=False, prog_name="rnnzoo")
        return status if isinstance(status, int) else 0
    except typer.TyperException as error:  # a wrong call, found by the parser
        if type(error).__name__ == "NoArgsIsHelpError":  # no call at all: the message is the help
            console.result(error.format_message())
            return 0
        console.error(_sentence(error.format_message()), _usage_hint(error))
        return 2
    except SystemExit as ended:  # how Click ends a closed pipe
        if isinstance(ended.__context__, BrokenPipeError):
            return 0
        raise
    except typer.Exit as error:
        return error.exit_code
    except typer.Abort:
        console.note("interrupted")
        return 130


def _sentence(message: str) -> str:
    message = message.split(" Did you mean")[0].split(" (Possible options")[0].rstrip(".")
    return message[:1].lower() + message[1:]


def _usage_hint(error: Exception) -> str:
    from ..errors import did_you_mean

    context = getattr(error, "ctx", None)
    path = context.command_path if context else "rnnzoo"
    hint = f"{path} --help shows what it takes"
    if context is None:
        return hint
    if option := getattr(error, "option_name", None):
        known = [name for parameter in context.command.params for name in (*parameter.opts, *parameter.secondary_opts)]
        if path.endswith(" generate"):
            hint += "; a text that begins with - goes after --"
        return did_you_mean(option, [name for name in known if name.startswith("--")], hint)
    commands = getattr(context.command, "commands", None)
    if commands and "'" in str(error):
        return did_you_mean(str(error).split("'")[1], commands, f"verbs: {', '.join(commands)}")
    return hint
