"""Encoded corpora on disk: encoded once, found again by the hash of everything that shaped them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import RnnzooError

VERSION = 1  # raise it when the encoding of any recipe changes: older caches are then left aside


def encode_once(recipe: str, shaped_by: Mapping[str, Any], encode: Callable[[Path], None]) -> Path:
    """The folder with an encoded corpus; `encode(folder)` fills it if it is not there yet.

    The folder gets its name only when it is complete, and one process at a time encodes, so neither a crash nor a second
    process ever leaves half a corpus.

    Args:
        shaped_by: JSON-able: hashes of the source and every setting that the arrays depend on.
    """
    from filelock import FileLock

    digest = hashlib.sha256(json.dumps([VERSION, shaped_by], sort_keys=True).encode()).hexdigest()[:16]
    folder = paths.corpora() / recipe / digest
    if folder.is_dir():
        return folder
    partial = folder.with_name(f"{digest}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{digest}.lock")):
            if not folder.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                try:
                    encode(partial)
                except BaseException:
                    shutil.rmtree(partial, ignore_errors=True)
                    raise
                os.replace(partial, folder)
    except OSError as error:
        raise RnnzooError(
            f"cannot write the encoded corpus in {folder.parent}: {error.strerror or error}",
            "free some space, or set RNNZOO_HOME to a folder you may write to",
        ) from error
    return folder
