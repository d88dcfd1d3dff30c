"""Find recipes and load them, by name or by path.

A recipe is a folder with the same files in each (`__init__.py` is its card, then `corpus`, `sample`, `model`, `numpy_model`,
`evaluation`). There is no list of recipes: whatever folder lies in `rnnzoo.recipes` is one.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from . import paths
from .errors import CallError, RnnzooError, did_you_mean

DEFAULT = "chargen"  # what `generate` without a recipe runs


@dataclass(frozen=True)
class Recipe:
    """A loaded recipe. The card is imported; the other files only when `part` asks for them.

    The card (`__init__.py`) has NAME, SUMMARY, Config, Options, PRESETS, CORPORA (the first is the default), METRIC and
    DIRECTION ("min" or "max"). `corpus` has `load_corpus(config, source, report)`; `numpy_model` has `NumpyModel(config,
    vocabulary, weights)`; `model` has `build(config, vocabulary)`; `evaluation` has `evaluate(model, items)`.

    A NumpyModel may also have `probe(text)` and `probe_loss(items, number, steps)`, for `rnnzoo show --activations` and
    `--gradients`: `rnnzoo.probes` says what they return.
    """

    name: str
    card: ModuleType
    folder: Path
    built_in: bool

    def part(self, file: str) -> ModuleType:
        """One of the recipe's modules, for instance `part("corpus")`.

        Raises:
            RnnzooError: if it cannot be imported.
        """
        with _importing(f"{file}.py of recipe {self.name}", self.folder / f"{file}.py"):
            return importlib.import_module(f"{self.card.__name__}.{file}")

    @property
    def argument(self) -> str:
        """What names the recipe on a command line: its name, or the path of its folder."""
        return self.name if self.built_in else str(self.folder)

    @contextmanager
    def hints_by_argument(self):
        """Errors about runs know a recipe by the name its runs are kept under; a hint has to name what can be typed."""
        try:
            yield
        except RnnzooError as error:
            error.hint = error.hint.replace(f"rnnzoo train {self.name}", f"rnnzoo train {self.argument}")
            raise

    def source_sha256(self) -> str:
        """Hash of the recipe's Python files, recorded in its runs."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()


def names() -> list[str]:
    """Names of the built-in recipes, from their folders, without importing one."""
    from . import recipes

    found = {path.parent.name for root in recipes.__path__ for path in Path(root).glob("*/__init__.py")}
    return sorted(found, key=lambda name: (name != DEFAULT, name))


def load(name: str) -> Recipe:
    """A recipe by its name, or by the path of a folder (anything with a separator, `.` or `..`).

    Raises:
        CallError: if there is no such recipe.
        RnnzooError: if the recipe's card cannot be imported.
    """
    if is_path(name):
        return _load_folder(paths.given(name).resolve())
    if name not in names():
        known = ", ".join(names())
        raise CallError(f"no recipe {name!r}", did_you_mean(name, names(), f"recipes: {known}; a folder of your own: ./{name}"))
    with _importing(f"recipe {name}", "its __init__.py, or reinstall rnnzoo"):
        card = importlib.import_module(f"rnnzoo.recipes.{name}")
    return Recipe(name, card, Path(card.__file__).parent, built_in=True)


def name_of(name: str) -> str:
    """The name under which the runs of a recipe, given as to `load`, are kept; the recipe itself is not looked at."""
    return _name_of_folder(paths.given(name).resolve()) if is_path(name) else name


def is_path(name: str) -> bool:
    """Whether what names a recipe is the path of a folder."""
    return "/" in name or "\\" in name or name in (".", "..")


def _load_folder(folder: Path) -> Recipe:
    if not os.path.isfile(folder / "__init__.py"):
        raise CallError(f"no recipe in {folder}: it has no __init__.py", f"rnnzoo copy {DEFAULT} {folder} makes one to edit")
    # Two folders of one name are two modules: the path is part of the module's name. A copy's relative imports stay inside it.
    name = _name_of_folder(folder)
    module_name = f"rnnzoo_recipe_{name.replace('-', '_').replace('.', '_').replace('@', '_')}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            module_name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module  # before it is executed: dataclasses look their module up
        try:
            with _importing(f"recipe {folder}", folder / "__init__.py"):
                spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[module_name]
            raise
    return Recipe(name, sys.modules[module_name], folder, built_in=False)


def _name_of_folder(folder: Path) -> str:
    return f"{folder.name}@{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


@contextmanager
def _importing(what: str, culprit: str | Path):
    try:
        yield
    except Exception as error:
        raise RnnzooError(f"{what} cannot be imported: {type(error).__name__}: {error}", f"mend {culprit}") from error


def copy(recipe: Recipe, folder: str) -> str:
    """Copy a recipe's folder, without compiled files; returns the new folder as it was given.

    Raises:
        CallError: if the folder exists already, or cannot be made.
    """
    try:
        shutil.copytree(recipe.folder, folder, ignore=shutil.ignore_patterns("__pycache__", "pretrained"))
    except FileExistsError:
        raise CallError(f"{folder} exists already", "name a new folder") from None
    except OSError as error:
        raise CallError(
            f"cannot make {folder}: {error.strerror or error}", "name a folder in a place you may write to"
        ) from None
    return folder
