"""The two published from-scratch programs, made right: they run as they are, and learn what they say."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnzoo.cells import GRUResetBefore

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def program(offline, tmp_path):
    """Run an example in a process of its own and return its lines; it must not have imported a framework."""

    def run(name: str, *arguments: object) -> list[str]:
        code = (
            "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__'); "
            "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
        )
        command = [sys.executable, "-c", code, EXAMPLES / name, *arguments]
        done = subprocess.run(list(map(str, command)), cwd=tmp_path, env=offline, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def load(name: str):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- negation --------------------------------------------------------------------------------------------------------------


def test_negation_is_learned_with_the_published_sizes_step_size_and_initial_weights(program):
    *progress, summary = program("negation_gru.py")
    ended = [re.search(r"seed (\d) .* loss (\S+)  accuracy: training (\S+), test (\S+)", line).groups() for line in progress]
    last = {seed: tuple(map(float, figures)) for seed, *figures in ended}
    assert list(last) == ["0", "1", "2", "3", "4"]
    losses, training, test = zip(*last.values(), strict=True)
    assert np.median(losses) <= 0.015
    assert np.median(training) == 1
    assert np.median(test) >= 0.95
    assert float(summary.split()[-1]) == pytest.approx(np.median(test), abs=1e-3)


def test_larger_initial_weights_leave_the_plateau_sooner(program):
    (summary,) = [line for line in program("negation_gru.py", "--scale", 0.1, "--seeds", 0, 1, 2) if line.startswith("median")]
    epochs, accuracy = re.fullmatch(r"median epochs (\d+), median test accuracy (\S+)", summary).groups()
    assert int(epochs) < 1000
    assert float(accuracy) >= 0.95


@pytest.mark.parametrize("seed", range(5))
def test_the_sentences(seed):
    example = load("negation_gru")
    train, test = example.sentences(seed)
    assert (len(train), len(test), len(example.WORDS)) == (58, 20, 18)
    assert len({text for text, _ in train + test}) == 78, "no sentence twice, none on both sides"
    assert {word for text, _ in train for word in text.split()} == set(example.WORDS)
    labels = dict(train + test)
    known = {"not bad": True, "i am not at all happy": False, "this was very good earlier": True, "sad": False}
    assert all(labels.get(text, label) == label for text, label in known.items())
    # No test sentence has a frame and a modifier that occur together in training.
    shapes = [{re.sub("good|bad|happy|sad", "_", text) for text, _ in part} for part in (train, test)]
    assert not shapes[0] & shapes[1]
    assert train == example.sentences(seed)[0]


def test_the_gradients_of_the_classifier():
    example = load("negation_gru")
    model = example.Classifier(3, 0.5, np.random.default_rng(0))
    model.weights = {name: w.astype(np.float64) for name, w in model.weights.items()}
    model.cell = GRUResetBefore({name: model.weights[name] for name in ("kernel", "recurrent_kernel", "bias")})
    x, mask, labels = example.encode([("not at all good", False), ("sad", False), ("i am happy", True)])
    batch = (x.astype(np.float64), mask, labels.astype(np.float64))
    _, gradients = model.loss_and_gradients(*batch)
    for name, weight in model.weights.items():
        for index in [np.unravel_index(i, weight.shape) for i in range(0, weight.size, max(1, weight.size // 12))]:
            kept, losses = weight[index], []
            for sign in (1, -1):
                weight[index] = kept + sign * 1e-5
                losses.append(model.loss_and_gradients(*batch)[0])
            weight[index] = kept
            assert gradients[name][index] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6, abs=1e-9), name


def test_a_sentence_is_read_alike_alone_and_beside_longer_ones():
    example = load("negation_gru")
    model = example.Classifier(8, 0.5, np.random.default_rng(0))
    labelled = [("good", True), ("this was not at all sad earlier", True)]
    together, _, _ = model.read(*example.encode(labelled)[:2])
    alone = [model.read(*example.encode([one])[:2])[0][0] for one in labelled]
    assert together == pytest.approx(alone, abs=1e-6)


# -- a delay ---------------------------------------------------------------------------------------------------------------


def test_the_mgu_repeats_its_input_of_three_steps_before(program):
    lines = program("mgu_delay.py")
    errors = [float(re.search(r"error (\S+) of the variance", line)[1]) for line in lines if line.startswith("step")]
    assert 0.8 < errors[0] < 2  # nothing is known yet; 1 is what the best constant answer gets
    assert errors[-1] < 1e-2


def test_the_targets_are_the_inputs_of_three_steps_before():
    x, targets = load("mgu_delay").sequences(np.random.default_rng(0), 2, 10, 3)
    assert targets.shape == (2, 7, 1)
    assert all((targets[:, t - 3] == x[:, t - 3]).all() for t in range(3, 10))
    assert np.corrcoef(x[:, 3:].ravel(), targets.ravel())[0, 1] < 0.9, "repeating the present input is no answer"


def test_the_gradients_of_the_mgu():
    example = load("mgu_delay")
    network = example.Network(3, seed=0)
    for holder in (network.weights, network.cell.weights):
        holder.update({name: network.weights[name].astype(np.float64) for name in holder})
    network.cell.weights.update({name: network.weights[name] for name in network.cell.weights})
    rng = np.random.default_rng(1)
    x, d_y = rng.standard_normal((2, 6, 1)), rng.standard_normal((2, 6, 1))

    def loss():
        return float((network.answer(x)[0] * d_y).sum())

    gradients = network.gradients(d_y, network.answer(x)[1])
    assert gradients.keys() == network.weights.keys()
    for name, weight in network.weights.items():
        for index in np.ndindex(weight.shape):
            kept, losses = weight[index], []
            for sign in (1, -1):
                weight[index] = kept + sign * 1e-5
                losses.append(loss())
            weight[index] = kept
            assert gradients[name][index] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6, abs=1e-9), name
