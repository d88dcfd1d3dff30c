"""Recurrent cells from scratch in NumPy, one file each: one step, a whole sequence, and its gradients (BPTT).

Weights lie in Keras' layout, so the same arrays serve a `keras.layers` layer and a cell here. NumPy alone is imported.
"""

from .base import Cell
from .gru import GRU, GRUResetBefore
from .lstm import LSTM
from .simple_rnn import SimpleRNN

CELLS: dict[str, type[Cell]] = {
    "simple_rnn": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRUResetBefore,
}

__all__ = ["CELLS", "Cell", "GRU", "GRUResetBefore", "LSTM", "SimpleRNN"]
