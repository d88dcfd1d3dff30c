"""The Keras layer for each cell of `rnnzoo.cells`, by the cell's name."""

from __future__ import annotations

from functools import partial

import keras

from .mgu import MGUCell
from .peephole_lstm import PeepholeLSTMCell


def _peephole_lstm(units, output_peephole="new", **options):
    return keras.layers.RNN(PeepholeLSTMCell(units, output_peephole), **options)


def _mgu(units, **options):
    return keras.layers.RNN(MGUCell(units), **options)


LAYERS = {
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "peephole_lstm": _peephole_lstm,
    "gru": partial(keras.layers.GRU, reset_after=True),
    "gru_reset_before": partial(keras.layers.GRU, reset_after=False),
    "mgu": _mgu,
}


def recurrent_layer(cell: str, units: int, **options) -> keras.layers.RNN:
    """The Keras layer that computes what `CELLS[cell]` computes, from weights of the same names and shapes.

    `layer(x, mask=mask, initial_state=[...])` takes `x` `[batch, time, features]`, booleans `[batch, time]` and states
    `[batch, units]`; it returns outputs `[batch, time, units]`, zero where the mask is False, then each final state.
    The weights are `layer.cell.kernel`, `layer.cell.recurrent_kernel`, `layer.cell.bias` (and `layer.cell.peephole`).

    Args:
        cell: a name in `rnnzoo.cells.CELLS`.
        options: of the Keras layer, beside or instead of `return_sequences=True, return_state=True,
            zero_output_for_mask=True`; and of the cell: `activation` (simple_rnn), `output_peephole` (peephole_lstm).
    """
    if cell not in LAYERS:
        raise ValueError(f"cell must be one of {', '.join(LAYERS)}, received {cell!r}")
    defaults = {"return_sequences": True, "return_state": True, "zero_output_for_mask": True}
    return LAYERS[cell](units, **defaults | options)
