"""Optimisers and gradient clipping in NumPy, with the arithmetic of `keras.optimizers`."""

from __future__ import annotations

import math

import numpy as np

Arrays = dict[str, np.ndarray]
BLOCK = 1 << 15  # entries updated at a time: the dozen passes over them find them in cache


def clip(gradients: Arrays, clipnorm: float, clipvalue: float) -> float:
    """Bound the gradients in place, each entry by `clipvalue` and then their global norm by `clipnorm` (0: no bound).

    Returns:
        the global norm before clipping by norm; it is not finite if any gradient is not.
    """
    if clipvalue:
        for gradient in gradients.values():
            np.clip(gradient, -clipvalue, clipvalue, out=gradient)
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients.values()))
    if clipnorm and norm > clipnorm:
        for gradient in gradients.values():
            gradient *= clipnorm / norm
    return norm


class SGD:
    """w -= rate g."""

    def __init__(self, weights: Arrays):
        self.weights = weights
        self.slots: Arrays = {}

    def update(self, gradients: Arrays, rate: float, step: int) -> None:
        """One update of the weights in place; the gradients are used up."""
        for name, gradient in gradients.items():
            gradient *= rate
            self.weights[name] -= gradient


class Adam:
    """Adam (Kingma, Ba 2015) as `keras.optimizers.Adam` has it: epsilon 1e-7 outside the bias correction."""

    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7

    def __init__(self, weights: Arrays):
        self.weights = weights
        self.slots: Arrays = {}
        for name, weight in weights.items():
            self.slots[f"{name}/m"] = np.zeros_like(weight)
            self.slots[f"{name}/v"] = np.zeros_like(weight)

    def update(self, gradients: Arrays, rate: float, step: int) -> None:
        """One update of the weights in place, `step` counting from 0; the gradients are used up."""
        scale = rate * math.sqrt(1 - self.BETA2 ** (step + 1)) / (1 - self.BETA1 ** (step + 1))
        for name, gradient in gradients.items():
            arrays = [_flat(a) for a in (gradient, self.slots[f"{name}/m"], self.slots[f"{name}/v"], self.weights[name])]
            for start in range(0, gradient.size, BLOCK):
                self._update(*(a[start : start + BLOCK] for a in arrays), scale)

    def _update(self, gradient: np.ndarray, m: np.ndarray, v: np.ndarray, weights: np.ndarray, scale: float) -> None:
        m *= self.BETA1
        scratch = gradient * (1 - self.BETA1)
        m += scratch
        np.multiply(gradient, gradient, out=gradient)
        gradient *= 1 - self.BETA2
        v *= self.BETA2
        v += gradient
        np.sqrt(v, out=gradient)
        gradient += self.EPSILON
        np.divide(m, gradient, out=scratch)
        scratch *= scale
        weights -= scratch


def _flat(array: np.ndarray) -> np.ndarray:
    """All entries of an array in a row; a view, unless it is a gradient that lies otherwise in memory."""
    return array.reshape(-1)


OPTIMIZERS = {"adam": Adam, "sgd": SGD}
