"""rnnzoo: the classic recurrent-network NLP recipes, correct, honest about their numbers, fast on a CPU.

Keras trains, NumPy runs. From Python::

    import rnnzoo
    print(rnnzoo.load("chargen")("Alice"))
"""

from pathlib import Path as _Path

__version__ = "0.1.0"

# In a checkout the recipes lie beside this package, not inside it; either way they are `rnnzoo.recipes`.
if not (_Path(__file__).parent / "recipes").is_dir():
    __path__.append(str(_Path(__file__).parents[1]))


def __getattr__(name: str):
    if name in ("load", "train", "load_keras"):
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
