"""What `--data` means: a registered name, `sample`, `tfds:NAME[/CONFIG]`, or the path of a file; and the stand-in for nothing.

Without `--data` the recipe's own corpus is used. Only then, if it cannot be had, does the embedded sample stand in, loudly.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .. import paths
from ..errors import CallError, CorpusError, DownloadError, did_you_mean

T = TypeVar("T")
SAMPLE, TFDS = "sample", "tfds:"


@dataclass(frozen=True)
class Source:
    """Where a corpus comes from.

    Attributes:
        kind: "registered", "sample", "tfds", "file" or "files".
        value: the registered name, the TFDS name, or the absolute path; of two parallel files both, a comma between.
    """

    kind: str
    value: str

    @property
    def argument(self) -> str:
        """The `--data` that names this source again."""
        return TFDS + self.value if self.kind == "tfds" else self.value


def resolve(data: str, registered: Sequence[str]) -> Source:
    """The source that `--data` names.

    Raises:
        CallError: if it is neither a known name nor an existing file.
    """
    if data == SAMPLE:
        return Source("sample", SAMPLE)
    if data in registered:
        return Source("registered", data)
    if data.startswith(TFDS):
        if not data.removeprefix(TFDS):
            raise CallError("tfds: needs the name of a data set", "for instance --data tfds:tiny_shakespeare")
        return Source("tfds", data.removeprefix(TFDS))
    path = paths.given(data)
    if os.path.exists(path):
        return Source("file", str(path.absolute()))
    several = [paths.given(part) for part in data.split(",")]
    if len(several) == 2 and all(map(os.path.exists, several)):
        return Source("files", ",".join(str(path.absolute()) for path in several))
    known = [*registered, SAMPLE]
    raise CallError(
        f"no corpus or file {data!r}", did_you_mean(data, known, f"corpora: {', '.join(known)}; or the path of your own file")
    )


def load(data: str | None, registered: Sequence[str], read: Callable[[Source], T], warn: Callable[[str], None]) -> T:
    """Read the corpus that `data` names, or the recipe's first registered one with the sample as its stand-in."""
    if data is not None:
        return read(resolve(data, registered))
    try:
        return read(Source("registered", registered[0]))
    except DownloadError as error:
        warn(f"THE EMBEDDED SAMPLE STANDS IN for corpus {registered[0]}: {error.message} ({error.hint})")
        return read(Source("sample", SAMPLE))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a user's file, to be recorded in a run."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}", "give the path of a file that you may read") from None
