"""Who may import whom (DESIGN, Rooms): read from the source, and seen in real processes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "nltk"}
FRAMEWORKS = HEAVY | {"torch", "jax"}
# Importing these is importing Keras.
HEAVY_MODULES = ("rnnzoo.keras_backend", "rnnzoo.layers")


@dataclass(frozen=True)
class Import:
    """One imported module, by its absolute name, and where."""

    module: str
    line: int
    lazy: bool  # inside a function
    level: int = 0  # dots of a relative import


def module_of(path: str) -> tuple[str, bool]:
    """The absolute name of the module in a file of the repository, and whether it is a package."""
    parts = Path(path).with_suffix("").parts
    parts = ("rnnzoo", *parts) if parts[0] == "recipes" else parts
    return (".".join(parts[:-1]), True) if parts[-1] == "__init__" else (".".join(parts), False)


def imports(path: str, source: str) -> Iterator[Import]:
    """All imports of a source file. Of `from a import b` both `a` and `a.b` are given, for b may be a module."""
    name, is_package = module_of(path)

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".") if is_package else name.split(".")[:-1]
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield Import(module, node.lineno, lazy, node.level)
            yield from (Import(f"{module}.{alias.name}", node.lineno, lazy, node.level) for alias in node.names)
        inner = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inner)

    yield from walk(ast.parse(source), lazy=False)


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def violations(path: str, source: str) -> list[str]:
    """What a file imports against the rules, in words."""
    found = []
    own, _ = module_of(path)
    package = own if path.endswith("__init__.py") else own.rpartition(".")[0]
    recipe = ".".join(own.split(".")[:3]) if within(own, "rnnzoo.recipes") else None
    may_be_heavy = within(own, *HEAVY_MODULES) or (recipe and own == f"{recipe}.model")
    for item in imports(path, source):
        top = item.module.split(".")[0]
        ours = top == "rnnzoo"
        where = f"{path}:{item.line} imports {item.module}"
        if within(own, "rnnzoo.cells", "rnnzoo.decoding", "rnnzoo.metrics"):
            allowed = within(item.module, package) if within(own, "rnnzoo.cells") else False
            if not (allowed or top == "numpy" or top in sys.stdlib_module_names):
                found.append(f"{where}: NumPy alone")
        if top == "rich" and own != "rnnzoo.console":
            found.append(f"{where}: only the console draws")
        if not item.lazy and not may_be_heavy and (top in FRAMEWORKS or within(item.module, *HEAVY_MODULES)):
            found.append(f"{where}: frameworks only inside functions")
        if recipe and not item.lazy and own != f"{recipe}.model" and within(item.module, f"{recipe}.model"):
            found.append(f"{where}: the Keras model only inside functions")
        if not within(own, "rnnzoo.cli", "rnnzoo.__main__") and within(item.module, "rnnzoo.cli"):
            found.append(f"{where}: nobody needs the command line")
        if not within(own, "rnnzoo.cli", "rnnzoo.console") and within(item.module, "rnnzoo.console"):
            found.append(f"{where}: engine rooms are silent")
        if within(item.module, "rnnzoo.recipes") and item.module != "rnnzoo.recipes" and not recipe:
            found.append(f"{where}: the house does not know its recipes")
        if recipe:
            relative = within(item.module, recipe)
            if within(item.module, "rnnzoo.recipes") and not (relative and item.level):
                found.append(f"{where}: a recipe imports its siblings, relatively, and no other recipe")
            if item.level and not relative:
                found.append(f"{where}: relative imports stay inside the recipe, so that a copy works")
        if not ours and top == "recipes":
            found.append(f"{where}: there is no module of that name where rnnzoo is installed")
    return found


FILES = sorted(str(path.relative_to(PROJECT)) for room in ("rnnzoo", "recipes") for path in (PROJECT / room).rglob("*.py"))


@pytest.mark.parametrize("path", FILES)
def test_the_rules_are_kept(path):
    assert violations(path, (PROJECT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("rnnzoo/cells/gru.py", "import scipy"),
        ("rnnzoo/cells/gru.py", "from ..errors import CallError"),
        ("rnnzoo/cells/__init__.py", "from ..config import setting"),
        ("rnnzoo/decoding.py", "def f():\n    import keras"),
        ("rnnzoo/metrics.py", "from .vocabulary import UNKNOWN"),
        ("rnnzoo/runs.py", "from .cli import main"),
        ("rnnzoo/runs.py", "from . import cli"),
        ("rnnzoo/training/loop.py", "from ..console import note"),
        ("rnnzoo/training/loop.py", "def f():\n    from .. import console"),
        ("rnnzoo/zoo.py", "from .recipes import chargen"),
        ("rnnzoo/cli/show.py", "def f():\n    import rnnzoo.recipes.chargen"),
        ("rnnzoo/cli/show.py", "import rich"),
        ("rnnzoo/inference.py", "def f():\n    from rich.table import Table"),
        ("rnnzoo/cli/train.py", "import tensorflow as tf"),
        ("rnnzoo/corpora/tfds.py", "import tensorflow_datasets"),
        ("rnnzoo/verification.py", "from .keras_backend import tf"),
        ("rnnzoo/verification.py", "if True:\n    from . import layers"),
        ("recipes/chargen/corpus.py", "import nltk"),
        ("recipes/chargen/evaluation.py", "from .model import build"),
        ("recipes/chargen/evaluation.py", "from . import model"),
        ("recipes/chargen/corpus.py", "from rnnzoo.recipes.chargen.sample import generate"),
        ("recipes/chargen/corpus.py", "from ..sentiment.corpus import load_corpus"),
        ("recipes/chargen/corpus.py", "from rnnzoo.recipes import sentiment"),
        ("recipes/chargen/__init__.py", "from ...config import setting"),
        ("recipes/chargen/__init__.py", "from rnnzoo.console import note"),
        ("recipes/chargen/__init__.py", "import recipes.chargen.corpus"),
    ],
)
def test_a_breach_is_seen(path, source):
    assert len(violations(path, source)) >= 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("rnnzoo/cells/gru.py", "import numpy as np\nfrom dataclasses import dataclass\nfrom .base import Cell"),
        ("rnnzoo/cells/__init__.py", "from .base import Cell"),
        ("rnnzoo/console.py", "def f():\n    from rich.table import Table"),
        ("rnnzoo/cli/show.py", "from .. import console\nfrom ..zoo import load"),
        ("rnnzoo/zoo.py", "def f():\n    from . import recipes"),
        ("rnnzoo/training/engines.py", "def f():\n    from ..keras_backend import tf\n    import keras"),
        ("rnnzoo/layers/mgu.py", "import keras"),
        ("rnnzoo/keras_backend.py", "import tensorflow as tf"),
        ("recipes/chargen/model.py", "from rnnzoo.keras_backend import keras\nfrom . import Config"),
        (
            "recipes/chargen/corpus.py",
            "from rnnzoo.errors import CallError\nfrom . import Config\nfrom .sample import generate",
        ),
    ],
)
def test_what_is_allowed_is_no_breach(path, source):
    assert violations(path, source) == []


def test_no_other_third_party_module_is_imported_at_the_top():
    """What costs time is imported where it is needed. NumPy and Typer are all that modules ask for when they are loaded."""
    third_party = {
        (item.module.split(".")[0], path)
        for path in FILES
        for item in imports(path, (PROJECT / path).read_text(encoding="utf-8"))
        if not item.lazy and item.module.split(".")[0] not in {"rnnzoo", *sys.stdlib_module_names}
    }
    frameworks = {path for module, path in third_party if module in FRAMEWORKS}
    assert all("layers/" in path or path.endswith(("keras_backend.py", "model.py")) for path in frameworks)
    assert {module for module, path in third_party if path not in frameworks} == {"numpy", "typer"}


# In real processes

LOADED = """
import atexit, sys
atexit.register(lambda: print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr))
"""


def loaded(ended) -> set[str]:
    """The top-level modules that a process had loaded at its end."""
    assert ended.status == 0, ended.stderr
    (line,) = (line for line in ended.stderr.splitlines() if line.startswith("LOADED "))
    return set(line.split()[1:])


@pytest.mark.parametrize(
    "call",
    [
        ("list",),
        ("list", "--json"),
        ("--help",),
        ("train", "--help"),
        ("generate", "--help"),
        ("batch", "--help"),
        ("--version",),
    ],
)
def test_to_list_and_to_help_takes_no_numpy(call, rnnzoo, tiny):
    modules = loaded(rnnzoo(*call, prelude=LOADED))
    assert "typer" in modules
    assert not modules & {"numpy", "rich", "safetensors", "requests", *FRAMEWORKS}


@pytest.mark.parametrize(
    "call",
    [
        ("generate", "chargen", "Alice", "--length", "3", "--temperature", "0.8"),
        ("eval", "chargen"),
        ("show", "chargen/tiny"),
        ("train", "chargen", "--resume", "--run", "tiny", "epochs=2"),
    ],
)
def test_to_run_a_model_takes_no_framework(call, rnnzoo, tiny):
    modules = loaded(rnnzoo(*call, prelude=LOADED))
    assert "numpy" in modules
    assert not modules & FRAMEWORKS
