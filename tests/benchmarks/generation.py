"""Characters per second when a language model writes: rnnzoo's NumPy step beside PyTorch's step loop.

    python tests/benchmarks/generation.py [--units 100 512 1024] [--rounds 5]

GRU, batch 1 and 64 samples in one batch, vocabulary 90, embedding 256, temperature 0.8; systems take turns, medians are
printed. PyTorch is only a guest: without it its column is empty.
"""

from __future__ import annotations

import argparse
import statistics
import time

from rnnzoo import zoo
from rnnzoo.cells.initial import initial_weights
from rnnzoo.vocabulary import Vocabulary

SYMBOLS, EMBEDDING = 90, 256


def ours(units: int):
    recipe = zoo.load("chargen")
    vocabulary = Vocabulary(map(chr, range(33, 33 + SYMBOLS - 1)))
    config = recipe.card.Config(layers=1, units=units, embedding=EMBEDDING)
    module = recipe.part("numpy_model")
    network = module.NumpyModel(config, vocabulary, initial_weights(module.weight_shapes(config, vocabulary), 0))

    def write(length: int, samples: int):
        for _ in network.generate(["A"], recipe.card.Options(length=length, samples=samples), seed=0):
            pass

    return write


def torchs(units: int):
    try:
        import torch
    except ImportError:
        return None
    embedding, rnn, dense = (
        torch.nn.Embedding(SYMBOLS, EMBEDDING),
        torch.nn.GRU(EMBEDDING, units),
        torch.nn.Linear(units, SYMBOLS),
    )

    @torch.inference_mode()
    def write(length: int, samples: int):
        symbols, h, written = torch.zeros((1, samples), dtype=torch.long), None, []
        for _ in range(length):
            y, h = rnn(embedding(symbols), h)
            symbols = torch.multinomial(torch.softmax(dense(y[0]) / 0.8, dim=-1), 1).T
            written.append(symbols[0].tolist())  # ours hands out characters too

    return write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", nargs="+", type=int, default=[100, 512, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{'units':>6}{'rnnzoo':>10}{'torch':>10}  rnnzoo/torch   64 samples cost as many single ones")
    for units in arguments.units:
        systems = {"rnnzoo": ours(units), "torch": torchs(units)}
        systems = {name: write for name, write in systems.items() if write}
        length = 2000 if units < 500 else 600
        speed: dict[str, list[float]] = {name: [] for name in systems}
        cost = []
        for _ in range(arguments.rounds + 1):
            for name, write in systems.items():
                start = time.perf_counter()
                write(length, 1)
                speed[name].append(length / (time.perf_counter() - start))
            start = time.perf_counter()
            systems["rnnzoo"](100, 64)
            cost.append((time.perf_counter() - start) / (100 / speed["rnnzoo"][-1]))
        median = {name: statistics.median(values[1:]) for name, values in speed.items()}
        torch_column = (
            f"{median['torch']:10,.0f}  {median['rnnzoo'] / median['torch']:12.1f}" if "torch" in median else f"{'':>24}"
        )
        print(f"{units:>6}{median['rnnzoo']:10,.0f}{torch_column}   {statistics.median(cost[1:]):10.1f}", flush=True)


if __name__ == "__main__":
    main()
