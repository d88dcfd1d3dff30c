"""Attention as a picture: which source words each word of a translation looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnzoo.errors import CallError, RnnzooError


def draw_attention(path: str, weights: np.ndarray, source: Sequence[str], target: Sequence[str]) -> None:
    """Write a PNG file with a row for each target word and a column for each source word; dark is a weight of 1.

    Args:
        weights: `[target words, source words]`.

    Raises:
        RnnzooError: if matplotlib is not installed.
        CallError: if the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise RnnzooError("drawing attention needs matplotlib, which is not installed", "pip install 'rnnzoo[plot]'") from None
    figure = Figure(figsize=(2 + 0.5 * len(source), 1.5 + 0.4 * len(target)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(weights, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), source, rotation=45, ha="left")
    axes.set_yticks(range(len(target)), target)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    for (row, column), weight in np.ndenumerate(weights):
        colour = "white" if weight > 0.5 else "black"
        axes.text(column, row, f"{weight:.2f}", ha="center", va="center", fontsize=7, color=colour)
    try:
        figure.savefig(path, format="png", dpi=150)
    except OSError as error:
        raise CallError(f"{path} cannot be written: {error.strerror}", "give a file in a folder you may write to") from None
