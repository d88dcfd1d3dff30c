"""Milliseconds per training step of a character language model: our engines beside `keras.Model.fit` and PyTorch.

    python tests/benchmarks/training.py [--cells gru lstm] [--units 100 256 1024] [--rounds 7]

Batch 64, 100 steps, vocabulary 90, embedding 256, Adam, no dropout; the systems take turns, medians are printed, and the
share of this machine's best measured matrix product that our faster engine reaches. Stateful training with gradients cut at
the window's edge, as rnnzoo trains; for Keras' fit and PyTorch the state is zero at each window, which costs them nothing.
PyTorch is only a guest: without it its column is empty.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from rnnzoo import zoo
from rnnzoo.batching import Streams
from rnnzoo.cells import CELLS
from rnnzoo.cells.initial import initial_weights
from rnnzoo.training.engines import ENGINES
from rnnzoo.vocabulary import Vocabulary

BATCH, TIME, SYMBOLS, EMBEDDING = 64, 100, 90, 256
PAUSE = 0.3  # seconds between turns
VOCABULARY = Vocabulary(map(chr, range(33, 33 + SYMBOLS - 1)))


def engine_step(name: str, cell: str, units: int):
    recipe = zoo.load("chargen")
    config = recipe.card.Config(
        cell=cell,
        units=units,
        embedding=EMBEDDING,
        batch_size=BATCH,
        window=TIME,
        dropout=0.0,
        recurrent_dropout=0.0,
        layers=1,
        clipnorm=0.0,
    )
    shapes = recipe.part("numpy_model").weight_shapes(config, VOCABULARY)
    engine = ENGINES[name](recipe, config, VOCABULARY, initial_weights(shapes, 0), 0)
    text = np.random.default_rng(0).integers(1, SYMBOLS, BATCH * TIME * 50).astype(np.uint8)
    batches = Streams([text], BATCH, TIME, 0)
    state, k = None, 0

    def step():
        nonlocal state, k
        _, state = engine.step(batches[k % len(batches)], state, 1e-3, k)
        k += 1

    return step


def keras_fit_step(cell: str, units: int):
    from rnnzoo.keras_backend import keras
    from rnnzoo.layers.recurrent import recurrent_layer

    model = keras.Sequential(
        [
            keras.layers.Embedding(SYMBOLS, EMBEDDING),
            recurrent_layer(cell, units, return_state=False),
            keras.layers.Dense(SYMBOLS),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(0)
    steps = 4  # per call of fit, so that its own start is not what is measured
    x, y = (rng.integers(0, SYMBOLS, (BATCH * steps, TIME)) for _ in range(2))

    def step():
        model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0, shuffle=False)

    step.steps = steps
    return step


def torch_step(cell: str, units: int):
    try:
        import torch
    except ImportError:
        return None
    if cell not in ("gru", "lstm"):
        return None
    embedding, dense = torch.nn.Embedding(SYMBOLS, EMBEDDING), torch.nn.Linear(units, SYMBOLS)
    rnn = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](EMBEDDING, units, batch_first=True)
    optimizer = torch.optim.Adam([*embedding.parameters(), *rnn.parameters(), *dense.parameters()])
    x, y = torch.randint(0, SYMBOLS, (BATCH, TIME)), torch.randint(0, SYMBOLS, (BATCH * TIME,))

    def step():
        optimizer.zero_grad()
        logits = dense(rnn(embedding(x))[0])
        torch.nn.functional.cross_entropy(logits.reshape(-1, SYMBOLS), y).backward()
        optimizer.step()

    return step


def timed(step) -> float:
    start = time.perf_counter()
    step()
    return (time.perf_counter() - start) / getattr(step, "steps", 1)


def turn(step) -> list[float]:
    """Seconds of each step of one turn, half a second or three steps, after one that is not counted.

    The pause lets the threads of the system before go to sleep: each library's spin for a while after their work, on the
    cores that the next one needs.
    """
    time.sleep(PAUSE)
    step()
    times: list[float] = []
    while len(times) < 3 or sum(times) < 0.5:
        times.append(timed(step))
    return times


def peak_gflops() -> float:
    """The best single-precision product seen, in GFLOP/s: one that is as large as a weight gradient."""
    a = np.random.default_rng(0).random((2048, 2048), np.float32)
    seconds = min(timed(lambda: a @ a) for _ in range(10))
    return 2 * 2048**3 / seconds / 1e9


def flops(cell: str, units: int) -> float:
    """Multiplications and additions of one step that cannot be avoided: the recurrent and the output products, times three."""
    gates = len(CELLS[cell].gates)
    return 3 * 2 * BATCH * TIME * (units * gates * units + units * SYMBOLS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", default=["gru", "lstm"])
    parser.add_argument("--units", nargs="+", type=int, default=[100, 256, 1024])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    peak = peak_gflops()
    print(f"peak of a 2048 x 2048 product: {peak:.0f} GFLOP/s")
    print(f"{'cell':<10}{'units':>6}{'numpy':>9}{'keras':>9}{'fit':>9}{'torch':>9}   fit/ours torch/ours  of peak")
    for cell in arguments.cells:
        for units in arguments.units:
            systems = {
                "numpy": engine_step("numpy", cell, units),
                "keras": engine_step("keras", cell, units),
                "fit": keras_fit_step(cell, units),
                "torch": torch_step(cell, units),
            }
            systems = {name: step for name, step in systems.items() if step}
            for step in systems.values():
                step(), step()
            times = {name: [] for name in systems}
            for _ in range(arguments.rounds):
                for name, step in systems.items():
                    times[name] += turn(step)
            median = {name: statistics.median(values) for name, values in times.items()}
            ours = min(median["numpy"], median["keras"])
            columns = "".join(
                f"{1e3 * median[n]:9.1f}" if n in median else f"{'':>9}" for n in ("numpy", "keras", "fit", "torch")
            )
            torch_ratio = f"{median['torch'] / ours:10.2f}" if "torch" in median else f"{'':>10}"
            share = flops(cell, units) / ours / 1e9 / peak
            print(f"{cell:<10}{units:>6}{columns}   {median['fit'] / ours:8.2f} {torch_ratio} {share:8.0%}", flush=True)


if __name__ == "__main__":
    main()
