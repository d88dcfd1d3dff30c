"""Recurrent cells from scratch in NumPy, one file each: one step, a whole sequence, and its gradients (BPTT).

Weights lie in Keras' layout, so the same arrays serve a `keras.layers` layer and a cell here. NumPy alone is imported.
"""

from .base import Cell
from .gru import GRU, GRUResetBefore
from .lstm import LSTM
from .mgu import MGU
from .peephole_lstm import PeepholeLSTM
from .simple_rnn import SimpleRNN
from .wrappers import Bidirectional, Stacked

CELLS: dict[str, type[Cell]] = {
    "simple_rnn": SimpleRNN,
    "lstm": LSTM,
    "peephole_lstm": PeepholeLSTM,
    "gru": GRU,
    "gru_reset_before": GRUResetBefore,
    "mgu": MGU,
}

__all__ = [
    "CELLS",
    "Bidirectional",
    "Cell",
    "GRU",
    "GRUResetBefore",
    "LSTM",
    "MGU",
    "PeepholeLSTM",
    "SimpleRNN",
    "Stacked",
]
