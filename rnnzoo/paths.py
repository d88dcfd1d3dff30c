"""Where rnnzoo keeps what it downloads, encodes and trains."""

from __future__ import annotations

import os
from pathlib import Path


def given(text: str) -> Path:
    """The path that a user names, `~` expanded. What may not exist is to be asked of os.path: `Path.exists` and its like
    raise for a name that is too long, as `Path.expanduser` does for a user that is unknown.
    """
    return Path(os.path.expanduser(text))


def checkout() -> Path | None:
    """The repository this package runs from (an editable install, or Python started inside it); None from a wheel."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "recipes").is_dir() and (root / "pyproject.toml").is_file() else None


def home() -> Path:
    """The cache root: `$RNNZOO_HOME`, else `data/` of the checkout, else the user's cache directory."""
    if os.environ.get("RNNZOO_HOME"):
        return given(os.environ["RNNZOO_HOME"]).absolute()
    if root := checkout():
        return root / "data"
    from platformdirs import user_cache_path

    return user_cache_path("rnnzoo")


def downloads() -> Path:
    return home() / "downloads"


def corpora() -> Path:
    return home() / "corpora"


def checkpoints() -> Path:
    return home() / "checkpoints"


def shipped(recipe: str) -> Path:
    """Where the trained model lies that comes with a built-in recipe; a recipe need not have one."""
    from . import recipes

    folders = [Path(root) / recipe / "pretrained" for root in recipes.__path__]
    return next((folder for folder in folders if folder.is_dir()), folders[0])
