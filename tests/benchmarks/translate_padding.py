"""An epoch of translate in batches of near-equal lengths, against the same model padded to the longest pair of the corpus.

RNNZOO_MIRROR=... python tests/benchmarks/translate_padding.py [BATCHES]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from rnnzoo import zoo
from rnnzoo.batching import Batch
from rnnzoo.cells.initial import initial_weights
from rnnzoo.recipes.translate import Config
from rnnzoo.recipes.translate.corpus import load_corpus
from rnnzoo.recipes.translate.numpy_model import weight_shapes
from rnnzoo.training.engines import NumpyEngine
from rnnzoo.training.reporter import Reporter


def padded(batch: Batch, source: int, target: int) -> Batch:
    """The batch with every sentence as long as the longest; the output layer computes padding too."""
    a, arrays = batch.arrays, {}
    for name, array in a.items():
        width = source if name in ("inputs", "mask") else target
        arrays[name] = np.pad(array, ((0, 0), (0, width - array.shape[1])))
    arrays["real"] = np.ones_like(arrays["real"])
    return Batch(arrays, batch.tokens)


def main(count: int) -> None:
    config = Config()
    corpus = load_corpus(config, None, Reporter())
    weights = initial_weights(weight_shapes(config, corpus.vocabulary), 0, config.embedding_scale)
    epoch = corpus.batches(config, 0, 0)
    source, target = int(corpus.sources.lengths.max()), int(corpus.targets.lengths.max()) + 1
    bucketed = [epoch[k] for k in range(count)]
    full = [padded(batch, source, target) for batch in bucketed]
    seconds = {}
    for name, batches in (("bucketed", bucketed), ("padded", full)):
        engine = NumpyEngine(zoo.load("translate"), config, corpus.vocabulary, weights, 0)
        engine.step(batches[0], None, 1e-4, 0)
        wall, cpu = time.perf_counter(), time.process_time()
        for k, batch in enumerate(batches, start=1):
            engine.step(batch, None, 1e-4, k)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        seconds[name] = cpu
        share = sum(batch.tokens for batch in batches) / sum(batch.arrays["real"].size for batch in batches)
        print(
            f"{name:<9} {share:6.1%} real words, {wall / count * 1e3:7.1f} ms a step, "
            f"{cpu / count * 1e3:7.1f} ms of processor time"
        )
    print(f"padded to {source} and {target} words takes {seconds['padded'] / seconds['bucketed']:.2f} times as long")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
