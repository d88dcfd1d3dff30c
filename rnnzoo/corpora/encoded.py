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
SIZES = "sizes.json"  # of the files of an encoded corpus, in bytes by name; written last


def encode_once(recipe: str, shaped_by: Mapping[str, Any], encode: Callable[[Path], None]) -> Path:
    """The folder with an encoded corpus; `encode(folder)` fills it if it is not there yet.

    The folder gets its name only when it is complete and on disk, and one process at a time encodes, so neither a crash nor
    a second process ever leaves half a corpus. One that lost a file or a part of one since then is encoded again.

    Args:
        shaped_by: JSON-able: hashes of the source and every setting that the arrays depend on.
        encode: a function of the recipe. Its recipe's code shapes the arrays too: a copy whose parser was edited must not be
            given what the original has encoded.
    """
    from filelock import FileLock

    digest = hashlib.sha256(json.dumps([VERSION, shaped_by, _code_sha256(encode)], sort_keys=True).encode()).hexdigest()[:16]
    folder = paths.corpora() / recipe / digest
    if _is_whole(folder):
        return folder
    partial = folder.with_name(f"{digest}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{digest}.lock")):
            if not _is_whole(folder):
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                try:
                    encode(partial)
                    _seal(partial)
                    shutil.rmtree(folder, ignore_errors=True)
                except BaseException:
                    shutil.rmtree(partial, ignore_errors=True)
                    raise
                os.replace(partial, folder)
    except BrokenPipeError:  # of a remark on the corpus, no trouble of the cache
        raise
    except OSError as error:
        raise RnnzooError(
            f"cannot write the encoded corpus in {folder.parent}: {error.strerror or error}",
            "free some space, or set RNNZOO_HOME to a folder you may write to",
        ) from error
    return folder


def _seal(folder: Path) -> None:
    """Put the files of a folder on disk, then their sizes."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    (folder / SIZES).write_text(json.dumps(sizes), encoding="utf-8")
    for name in (*sizes, SIZES):
        with open(folder / name, "rb") as file:
            os.fsync(file.fileno())


def _is_whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / SIZES).read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _code_sha256(function: Callable) -> str:
    """Hash of the Python files in the folder that a function comes from."""
    digest = hashlib.sha256()
    for path in sorted(Path(function.__code__.co_filename).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
