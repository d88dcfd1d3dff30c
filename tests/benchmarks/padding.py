"""A training step in batches of near-equal lengths, against the same model padded to the longest item of the corpus.

    RNNZOO_MIRROR=... python tests/benchmarks/padding.py [--recipes sentiment postag translate] [--batches 20] [KEY=VALUE]...

Both take the same batches, spread over an epoch, in turns; processor time, which other work on the machine disturbs less. The
padded model computes padding as the published programs do, in the output layer too; its loss leaves it out in either case.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from rnnzoo import config as configs
from rnnzoo import zoo
from rnnzoo.batching import Batch
from rnnzoo.cells.initial import initial_weights
from rnnzoo.training.engines import NumpyEngine
from rnnzoo.training.reporter import Reporter

# Arrays of a batch that have a step for each word, by the array whose longest one they are padded to.
STEPS = {
    "sentiment": {"inputs": ("inputs", "mask")},
    "postag": {"inputs": ("inputs", "targets", "weights")},
    "translate": {"inputs": ("inputs", "mask"), "targets": ("previous", "targets", "real")},
}


def padded(batch: Batch, steps: dict[str, tuple[str, ...]], longest: dict[str, int]) -> Batch:
    """The batch with every item as long as the longest."""
    arrays = dict(batch.arrays)
    for side, names in steps.items():
        for name in names:
            array = arrays[name]
            arrays[name] = np.pad(array, ((0, 0), (0, longest[side] - array.shape[1]), *((0, 0),) * (array.ndim - 2)))
    if "real" in arrays:  # where translate's output layer is computed
        arrays["real"] = np.ones_like(arrays["real"])
    return Batch(arrays, batch.tokens)


def compare(name: str, count: int, overrides: list[str]) -> None:
    recipe, steps = zoo.load(name), STEPS[name]
    config = configs.apply(recipe.card.Config(), overrides)
    corpus = recipe.part("corpus").load_corpus(config, None, Reporter())
    shapes = recipe.part("numpy_model").weight_shapes(config, corpus.vocabulary)
    epoch = corpus.batches(config, 0, 0)
    every = [epoch[k] for k in range(len(epoch))]
    longest = {side: max(batch.arrays[side].shape[1] for batch in every) for side in steps}
    bucketed = every[:: max(1, len(every) // count)]
    systems = {"bucketed": bucketed, "padded": [padded(batch, steps, longest) for batch in bucketed]}
    engines = {
        system: NumpyEngine(recipe, config, corpus.vocabulary, initial_weights(shapes, 0, config.embedding_scale), 0)
        for system in systems
    }
    spent = dict.fromkeys(systems, 0.0)
    for k in range(len(bucketed)):
        for system, engine in engines.items():
            start = time.process_time()
            engine.step(systems[system][k], None, 1e-4, k)
            spent[system] += time.process_time() - start
    sizes = " and ".join(map(str, longest.values()))
    print(
        f"{name:<10} {1e3 * spent['bucketed'] / len(bucketed):8.1f} ms a step, padded to {sizes} words "
        f"{1e3 * spent['padded'] / len(bucketed):8.1f} ms: {spent['padded'] / spent['bucketed']:.1f} times as long"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--batches", type=int, default=20)
    arguments, overrides = parser.parse_known_args()
    for name in arguments.recipes:
        compare(name, arguments.batches, overrides)


if __name__ == "__main__":
    main()
