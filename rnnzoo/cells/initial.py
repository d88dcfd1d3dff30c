"""Initial weights, drawn from a NumPy generator so that every engine starts from the same ones."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Uniform in +-sqrt(6 / (rows + columns)) (Glorot, Bengio 2010): Keras' default for kernels."""
    limit = np.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def orthogonal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Orthonormal rows or columns (Saxe et al. 2014): Keras' default for recurrent kernels."""
    a = rng.standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(a)
    q *= np.sign(np.diag(r))
    return np.ascontiguousarray(q if shape[0] >= shape[1] else q.T, np.float32)


def initial_weights(shapes: Mapping[str, tuple[int, ...]], seed: int, embedding_scale: float = 0.05) -> dict[str, np.ndarray]:
    """Keras' default initialisation for weights known by name and shape.

    The last part of a name says what an array is: `embeddings` uniform in +-`embedding_scale`, `kernel` Glorot,
    `recurrent_kernel` orthogonal, biases and peepholes zero, the forget gate of an LSTM's bias one (Keras'
    `unit_forget_bias`; Jozefowicz et al. 2015). Each array has a generator of its own, so that adding a layer leaves
    the others as they were.
    """
    weights = {}
    for name, shape in shapes.items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        kind = name.rpartition(".")[2]
        if kind == "embeddings":
            weights[name] = rng.uniform(-embedding_scale, embedding_scale, shape).astype(np.float32)
        elif kind == "recurrent_kernel":
            weights[name] = orthogonal(rng, shape)
        elif kind == "kernel":
            weights[name] = glorot_uniform(rng, shape)
        else:
            weights[name] = np.zeros(shape, np.float32)
            units = shapes.get(name.removesuffix(kind) + "recurrent_kernel", (0,))[0]
            if units and shape == (4 * units,):
                weights[name][units : 2 * units] = 1
    return weights
