"""Clearing the cache of what can be had again: downloads and encoded corpora, never runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from .. import paths


def clean(recipe: str, downloads: Iterable[str]) -> list[str]:
    """Remove a recipe's encoded corpora and the named downloads; returns the paths removed."""
    removed = []
    for name in downloads:
        for path in (paths.downloads() / name, paths.downloads() / f"{name}.json"):
            if path.exists():
                path.unlink()
                removed.append(str(path))
    folder = paths.corpora() / recipe
    if folder.is_dir():
        shutil.rmtree(folder)
        removed.append(str(folder))
    return removed
