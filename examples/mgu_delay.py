"""An MGU that remembers: it reads random numbers and says each of them again, three steps later. NumPy only.

    python examples/mgu_delay.py

At each step the network must keep three numbers apart, drop the oldest one and take in the new one; nothing can be guessed,
for the numbers are independent. The measure is the squared error as a share of the targets' variance: 1 is what the best
constant answer gets, and nothing learned; below 0.01 the delay line works.

A sequence has a loss at every step, so the gradient enters at every step of the backward walk. A published program for this
cell never ran; what it got wrong is what to look at here: `backward` is given the tape of its own `forward`; the cell's
derivatives are taken of what went into its gates; the output layer's gradient pairs d(t) with h(t), not with h(t-1); each
bias has its own gradient; and no step's error is dropped.
"""

from __future__ import annotations

import argparse

import numpy as np

from rnnzoo.cells import MGU
from rnnzoo.cells.initial import initial_weights
from rnnzoo.training.optimizers import Adam, clip


def sequences(rng: np.random.Generator, batch: int, time: int, delay: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers uniform in [-1, 1], and what is to be said at steps `delay` and later: `[batch, time, 1]`, shorter by `delay`."""
    x = rng.uniform(-1, 1, (batch, time, 1)).astype(np.float32)
    return x, x[:, : time - delay]


class Network:
    """An MGU with a linear output: y(t) = h(t) V + c."""

    def __init__(self, units: int, seed: int):
        shapes = MGU.weight_shapes(1, units)
        self.weights = initial_weights({**shapes, "output.kernel": (units, 1), "output.bias": (1,)}, seed)
        self.cell = MGU({name: self.weights[name] for name in shapes})  # the same arrays: an update of one is of both

    def answer(self, x: np.ndarray):
        """Outputs `[batch, time, 1]`, and what `gradients` needs."""
        h, _, tape = self.cell.forward(x)
        return h @ self.weights["output.kernel"] + self.weights["output.bias"], (h, tape)

    def gradients(self, d_y: np.ndarray, kept) -> dict[str, np.ndarray]:
        """From dL/d outputs `[batch, time, 1]`, by weight. The error of each step flows into its h(t), and from there back."""
        h, tape = kept
        _, _, gradients = self.cell.backward(tape, d_y @ self.weights["output.kernel"].T)
        gradients["output.kernel"] = np.einsum("btu,bto->uo", h, d_y)
        gradients["output.bias"] = d_y.sum(axis=(0, 1))
        return gradients


def share_of_variance(network: Network, x: np.ndarray, targets: np.ndarray, delay: int) -> float:
    """Mean squared error over the targets' variance."""
    y, _ = network.answer(x)
    return float(np.mean((y[:, delay:] - targets) ** 2) / targets.var())


def train(units=32, delay=3, time=23, batch=32, rate=0.01, steps=1500, seed=0, report=print) -> float:
    """Learn the delay; returns the final share of variance on sequences that were not trained on."""
    rng = np.random.default_rng([seed, 1])
    unseen = sequences(np.random.default_rng([seed, 2]), 256, time, delay)
    network = Network(units, seed)
    optimizer = Adam(network.weights)
    report(f"MGU of {units} units, {sum(w.size for w in network.weights.values()):,} parameters; delay {delay}, {steps} steps")
    for step in range(steps):
        if step % 100 == 0:
            report(f"step {step:4}  error {share_of_variance(network, *unseen, delay):.4f} of the variance")
        x, targets = sequences(rng, batch, time, delay)
        y, kept = network.answer(x)
        d_y = np.zeros_like(y)
        d_y[:, delay:] = 2 * (y[:, delay:] - targets) / targets.size  # of the mean squared error
        gradients = network.gradients(d_y, kept)
        clip(gradients, clipnorm=1.0, clipvalue=0.0)
        optimizer.update(gradients, rate * (1 - step / steps), step)  # ever smaller steps: the error ends lower
    error = share_of_variance(network, *unseen, delay)
    report(f"step {steps:4}  error {error:.4f} of the variance, on 256 unseen sequences")
    return error


def main() -> None:
    parser = argparse.ArgumentParser(description="An MGU learns to repeat its input of some steps before.")
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--delay", type=int, default=3, help="steps between a number and its repetition")
    parser.add_argument("--steps", type=int, default=1500, help="training steps of 32 sequences")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train(options.units, options.delay, 20 + options.delay, steps=options.steps, seed=options.seed)


if __name__ == "__main__":
    main()
