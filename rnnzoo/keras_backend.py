"""The one door to TensorFlow and Keras: imported only inside functions that train or compare, and quietly.

TensorFlow writes start-up lines to file descriptor 2 from C++, before its log level is read; so the descriptor itself is
pointed elsewhere while it is imported and first used.
"""

from __future__ import annotations

import contextlib
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@contextlib.contextmanager
def _silent():
    if os.environ.get("RNNZOO_TENSORFLOW_LOG"):
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


with _silent():
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise ImportError(f"rnnzoo trains on Keras' tensorflow backend, KERAS_BACKEND is {keras.backend.backend()!r}")
    tf.get_logger().setLevel("ERROR")
    tf.constant(0.0)  # the device is set up, and its lines written, at the first tensor

__all__ = ["keras", "tf"]
