"""Pictures of what `rnnzoo.probes` finds: the only module of the keeper that imports matplotlib, and that inside functions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from .errors import CallError, RnnzooError

MOST_UNITS = 64  # rows of a picture of hidden units: more cannot be told apart


def draw_gradients(path: str, series: Sequence[dict[str, Any]]) -> None:
    """A PNG file with a line for each of `series` ("label", "dashed", "norms" by lag), on a logarithmic axis.

    Norms are drawn as shares of the first that is not zero, so that models whose losses differ can be compared.

    Raises:
        RnnzooError: if matplotlib is not installed.
        CallError: if the file cannot be written.
    """
    figure = _figure(8, 4.5)
    axes = figure.add_subplot()
    colours: dict[str, str] = {}
    for one in series:
        # A memory is dashed, in the colour of the same layer's output.
        colour = colours.setdefault(one["group"], f"C{len(colours)}")
        first = next((norm for norm in one["norms"] if norm), 1.0)
        shares = [norm / first or float("nan") for norm in one["norms"]]
        axes.plot(range(len(shares)), shares, "--" if one["dashed"] else "-", color=colour, label=one["label"])
    axes.set_yscale("log")
    axes.set_xlabel("lag: steps between the state and the loss")
    axes.set_ylabel("|dL/ds|, share of the first")
    axes.grid(True, alpha=0.3)
    axes.legend()
    _save(figure, path)


def draw_units(path: str, layers: Sequence[dict[str, Any]]) -> None:
    """A PNG file with a picture for each of `layers` ("layer", "tokens" `[steps]`, "activations" `[units, steps]`).

    Raises:
        RnnzooError: if matplotlib is not installed.
        CallError: if the file cannot be written.
    """
    width = min(40, max(4, *(2.5 + 0.16 * max(len(t), sum(map(len, t)) // 2) for t in (layer["tokens"] for layer in layers))))
    figure = _figure(width, 1 + 4 * len(layers))
    for i, layer in enumerate(layers):
        axes = figure.add_subplot(len(layers), 1, i + 1)
        shown = layer["activations"][:MOST_UNITS]
        bound = max((abs(a) for row in shown for a in row), default=0) or 1.0
        image = axes.imshow(shown, cmap="RdBu_r", vmin=-bound, vmax=bound, aspect="auto", interpolation="nearest")
        tokens = layer["tokens"]
        single = all(len(token) == 1 for token in tokens)
        axes.set_xticks(range(len(tokens)), tokens, fontsize=7, rotation=0 if single else 90)
        axes.set_yticks([])
        axes.set_ylabel(f"{layer['layer']}: {len(shown)} units,\nthe most varying on top")
        figure.colorbar(image, ax=axes, pad=0.01)
    _save(figure, path)


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise RnnzooError("--plot needs matplotlib, which is not installed", "pip install 'rnnzoo[plot]'") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # characters that the font lacks
            figure.savefig(path, format="png", dpi=150)
    except OSError as error:
        raise CallError(f"{path} cannot be written: {error.strerror}", "give a file in a folder you may write to") from None
