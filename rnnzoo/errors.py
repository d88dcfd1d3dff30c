"""The errors a user can cause. Each says what was wrong with the value received, and a hint says what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RnnzooError(Exception):
    """Something failed for a reason the user can mend.

    Args:
        message: one line: what was expected and what was received.
        hint: one line: what to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str):
        super().__init__(message)
        self.message = message
        self.hint = hint


class CallError(RnnzooError):
    """The call itself was wrong: an unknown name, a value of the wrong type, options that do not go together."""

    exit_code = 2


class DownloadError(RnnzooError):
    """A file could not be fetched from any of its addresses."""


class CorpusError(RnnzooError):
    """A corpus was found but cannot be used: wrong content, too short, not text."""


class RunError(RnnzooError):
    """A run directory is missing, damaged, or does not fit what is asked of it."""


class TrainingError(RnnzooError):
    """Training cannot go on, for instance after a non-finite loss."""


def explained(error: Exception) -> tuple[str, str, int]:
    """What failed, what to do about it, and the exit status, of any exception."""
    if isinstance(error, RnnzooError):
        return error.message, error.hint, error.exit_code
    if isinstance(error, MemoryError):
        return f"there is not enough memory. {error}", "smaller settings: batch_size, window, units or layers", 1
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{where}", "check the path, its permissions and the space on its disk", 1
    return (
        f"{type(error).__name__}: {error} (a defect of rnnzoo, not of your call)",
        "--debug shows the traceback; please report it with the command you ran",
        1,
    )


def did_you_mean(received: str, known: Iterable[str], otherwise: str) -> str:
    """A hint naming the known names closest to the one received, or `otherwise` where none is close."""
    close = difflib.get_close_matches(received, list(known), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else otherwise
