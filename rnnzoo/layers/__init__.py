"""Keras layers for the cells of `rnnzoo.cells`, with the same weights: names, layout, meaning. Imports Keras."""

from .. import keras_backend  # noqa: F401 - before anything imports keras, which would be loud
from .mgu import MGUCell
from .peephole_lstm import PeepholeLSTMCell
from .recurrent import recurrent_layer

__all__ = ["MGUCell", "PeepholeLSTMCell", "recurrent_layer"]
