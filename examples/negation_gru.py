"""A GRU that learns what "not" does: sentences like "i am not at all happy", good or bad? NumPy only.

    python examples/negation_gru.py

No word tells the answer: "happy" is good and "not happy" is bad, "not sad" is good. The test sentences combine frames and
modifiers that were not seen together, so what is tested is composition. The cell is the original GRU (Cho et al. 2014), reset
gate before the product:

    z, r = s(x W + h U + b),   c = tanh(x W + (r h) U + b),   h' = z h + (1 - z) c

Sizes, step size and initial weights are those of a published program: one-hot words, 64 units, a logistic output, SGD 0.01,
gradients clipped to [-1, 1], weights N(0, 1) / 1000. Its update gate u is 1 - z, and its gradient took -dh u for the direct
path from h' to h, which is dh (1 - u): here dh z, see rnnzoo/cells/gru.py. Measured here, five seeds: the training loss comes
to 0.015 after 1,290 to 3,231 epochs, not 280: weights as small as these are a plateau, with hardly a gradient to leave it by.
With --scale 0.1 it is 636 to 786. An update takes the summed gradient of all sentences, for speed; --batch 1 takes one sentence
at a time, as the published program did, and needs as many epochs: 1,284 for seed 0 (1,290 without), in 37 s for 2 s.
"""

from __future__ import annotations

import argparse
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from rnnzoo.batching import pad
from rnnzoo.cells import GRUResetBefore
from rnnzoo.cells.losses import sigmoid_cross_entropy
from rnnzoo.training.optimizers import SGD, clip

FRAMES = ("{}", "i am {}", "it is {} right now", "this was {} earlier")
MODIFIERS = ("", "very ", "so ", "not ", "not at all ")
GOOD, BAD = ("good", "happy"), ("bad", "sad")
WORDS = sorted(set(" ".join((*FRAMES, *MODIFIERS, *GOOD, *BAD)).replace("{}", "").split()))  # 18


def sentences(seed: int) -> tuple[list, list]:
    """58 training and 20 test sentences with their labels: of each modifier one frame, drawn by the seed, is for the test."""
    rng, train, test = np.random.default_rng([seed, 0]), [], []
    for modifier in MODIFIERS:
        held_out = rng.integers(len(FRAMES))
        for i, frame in enumerate(FRAMES):
            for word in GOOD + BAD:
                label = (word in GOOD) != modifier.startswith("not")  # "not" turns the word's sense over
                (test if i == held_out else train).append((frame.format(modifier + word), label))
    return [train[i] for i in rng.permutation(len(train))[:58]], test


def encode(labelled: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-hot words `[batch, time, 18]`, which of them are real `[batch, time]`, and labels `[batch]`."""
    numbers, mask = pad([np.array([WORDS.index(word) for word in text.split()]) for text, _ in labelled])
    return np.eye(len(WORDS), dtype=np.float32)[numbers], mask, np.array([label for _, label in labelled], np.float32)


class Classifier:
    """The last state of a GRU, and a logistic output of it: P(good) = s(h V + c)."""

    def __init__(self, units: int, scale: float, rng: np.random.Generator):
        shapes = GRUResetBefore.weight_shapes(len(WORDS), units)
        self.weights = {name: (scale * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()}
        self.weights["bias"][:] = 0
        self.cell = GRUResetBefore(self.weights)  # the same arrays: an update of one is of both
        self.weights["V"] = (scale * rng.standard_normal(units)).astype(np.float32)
        self.weights["c"] = np.zeros(1, np.float32)

    def read(self, x: np.ndarray, mask: np.ndarray):
        """Logits `[batch]`, and what `loss_and_gradients` needs; where the mask is False the state is held."""
        _, (h,), tape = self.cell.forward(x, None, mask)
        return h @ self.weights["V"] + self.weights["c"], h, tape

    def loss_and_gradients(self, x, mask, labels) -> tuple[float, dict[str, np.ndarray]]:
        """Cross-entropy in nats, summed over sentences, and its gradients by weight."""
        logits, h, tape = self.read(x, mask)
        loss, d_logits = sigmoid_cross_entropy(logits, labels)  # d_logits is P(good) - label
        _, _, gradients = self.cell.backward(tape, None, (d_logits[:, None] * self.weights["V"],))
        return loss, {**gradients, "V": d_logits @ h, "c": d_logits.sum(keepdims=True)}

    def accuracy(self, x, mask, labels) -> float:
        return float(np.mean((self.read(x, mask)[0] > 0) == labels))


def train(seed=0, units=64, rate=0.01, scale=0.001, batch=58, until=0.015, epochs=4000, report=print) -> tuple[int, float]:
    """Train until the mean loss of an epoch is below `until`; returns the epochs that took, and the test accuracy."""
    training, test = map(encode, sentences(seed))
    rng = np.random.default_rng([seed, 1])
    model = Classifier(units, scale, rng)
    optimizer = SGD(model.weights)
    count = len(training[0])
    for epoch in range(1, epochs + 1):
        total, order = 0.0, rng.permutation(count)
        for at in range(0, count, batch):
            loss, gradients = model.loss_and_gradients(*(array[order[at : at + batch]] for array in training))
            total += loss
            clip(gradients, clipnorm=0, clipvalue=1)
            optimizer.update(gradients, rate, epoch)
        done = total / count < until or epoch == epochs
        if done or epoch % 200 == 0:
            accuracies = f"training {model.accuracy(*training):.3f}, test {model.accuracy(*test):.3f}"
            report(f"seed {seed}  epoch {epoch:4}  loss {total / count:.4f}  accuracy: {accuracies}", flush=True)
        if done:
            return epoch, model.accuracy(*test)


def main() -> None:
    parser = argparse.ArgumentParser(description="A GRU learns negation.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="of sentences, weights and order")
    parser.add_argument("--scale", type=float, default=0.001, help="standard deviation of the initial weights")
    parser.add_argument("--batch", type=int, default=58, help="sentences whose gradients an update sums; published: 1")
    parser.add_argument("--until", type=float, default=0.015, help="mean training loss to stop at")
    options = parser.parse_args()
    with threadpool_limits(1):  # arrays this small are not worth a second thread
        results = [train(seed, scale=options.scale, batch=options.batch, until=options.until) for seed in options.seeds]
    print(f"median epochs {median(e for e, _ in results):.0f}, median test accuracy {median(a for _, a in results):.3f}")


if __name__ == "__main__":
    main()
