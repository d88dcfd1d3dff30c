"""The two engines: the same losses from the same weights, and both resume as if nothing had happened."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from rnnzoo import runs, zoo
from rnnzoo.batching import Streams, Windows
from rnnzoo.cells import CELLS
from rnnzoo.cells.initial import initial_weights
from rnnzoo.config import fields
from rnnzoo.training import loop
from rnnzoo.training.engines import ENGINES, Averaged, flatten, unflatten
from rnnzoo.training.reporter import Reporter
from rnnzoo.training.train import resume, train
from rnnzoo.vocabulary import Vocabulary

VOCABULARY = Vocabulary("abcdefg")
START = 0


def configured(**settings):
    """A small model without any kind of dropout."""
    config = zoo.load("chargen").card.Config
    whole = {name: 0.0 for name in fields(config) if "dropout" in name}
    small = {"units": 7, "embedding": 5, "layers": 2, "learning_rate": 0.01, "sample_every": 0}
    return config(**whole | small | settings)


def engine(name, config, **options):
    module = zoo.load("chargen").part("numpy_model")
    weights = initial_weights(module.weight_shapes(config, VOCABULARY), seed=3, embedding_scale=config.embedding_scale)
    return ENGINES[name](zoo.load("chargen"), config, VOCABULARY, weights, **{"seed": 3} | options)


def texts():
    """Two texts with something to learn: each symbol mostly follows from the one before it."""
    rng = np.random.default_rng(0)
    return [(np.cumsum(rng.choice([1, 1, 1, 2], size=length)) % 7 + 1).astype(np.int32) for length in (700, 500)]


def losses(engine, batches, steps, carried=True, rate=0.01):
    """Mean loss of each step, over the batches again and again; state starts anew with each pass."""
    received, state = [], None
    for step in range(steps):
        batch = batches[step % len(batches)]
        state = state if carried and step % len(batches) else None
        loss, state = engine.step(batch, state, rate, step)
        received.append(loss / batch.tokens)
    return np.array(received)


@pytest.mark.keras
@pytest.mark.parametrize("cell", CELLS)
def test_both_engines_have_the_same_losses(cell):
    """50 steps, two layers, carried state with rows that start afresh, windows of two lengths; 1e-4 relative."""
    batches = Streams(texts(), 3, 16, START)
    assert {len(set(batch.arrays["keep"].tolist())) for batch in batches} == {1, 2}
    numpy, keras = (losses(engine(name, configured(cell=cell)), batches, 50) for name in ("numpy", "keras"))
    assert numpy[-1] < 0.8 * numpy[0]
    np.testing.assert_allclose(numpy, keras, rtol=1e-4)


@pytest.mark.keras
@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd", "clipvalue": 0.001, "clipnorm": 0.0, "learning_rate": 3.0},
        {"optimizer": "sgd", "clipvalue": 0.01, "clipnorm": 0.02, "learning_rate": 3.0},
        {"clipnorm": 0.0},
    ],
    ids=["by value", "by value and norm", "not clipped"],
)
def test_whatever_the_optimiser_and_the_bounds(settings):
    config = configured(cell="simple_rnn", layers=1, **settings)
    batches = Windows(texts(), 8, 16, START, np.random.default_rng(0))
    numpy, keras = (
        losses(engine(name, config), batches, 20, carried=False, rate=config.learning_rate) for name in ("numpy", "keras")
    )
    assert numpy[-1] < numpy[0] - 0.01
    np.testing.assert_allclose(numpy, keras, rtol=1e-4)


@pytest.mark.keras
def test_both_engines_keep_the_same_state_and_weights():
    config, batches = configured(cell="lstm"), Streams(texts(), 3, 16, START)
    ours, theirs = engine("numpy", config), engine("keras", config)
    states = [e.step(batches[0], None, 0.01, 0)[1] for e in (ours, theirs)]
    exported = [e.export_state(state) for e, state in zip((ours, theirs), states, strict=True)]
    assert [array.shape for array in exported[0]] == [(3, 7)] * 4  # two layers, h and c
    for a, b in zip(*exported, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert ours.weights().keys() == theirs.weights().keys()
    for name, array in ours.weights().items():
        np.testing.assert_allclose(array, theirs.weights()[name], atol=1e-4)


def poisoned(name):
    """An engine one of whose weights is infinite."""
    made = engine(name, configured(cell="simple_rnn", layers=1))
    weights = {key: np.array(array) for key, array in made.weights().items()}
    weights["output_layer.bias"][1] = np.inf
    made.restore(weights, made.slots())
    return made


@pytest.mark.parametrize("name", ["numpy", pytest.param("keras", marks=pytest.mark.keras)])
def test_a_loss_that_is_not_finite_leaves_weights_and_optimiser_alone(name):
    made = poisoned(name)
    before = {key: np.array(array) for key, array in (made.weights() | made.slots()).items()}
    loss, _ = made.step(Streams(texts(), 3, 16, START)[0], None, 0.01, 0)
    assert not math.isfinite(loss)
    for key, array in (made.weights() | made.slots()).items():
        np.testing.assert_array_equal(array, before[key])


@pytest.mark.parametrize("name", ["numpy", pytest.param("keras", marks=pytest.mark.keras)])
def test_dropout_is_drawn_from_the_seed_and_the_step_alone(name):
    config, batch = configured(dropout=0.5, cell="simple_rnn", layers=1), Streams(texts(), 3, 16, START)[0]
    one, other = (engine(name, config, seed=seed) for seed in (1, 2**32 - 1))
    received = [one.step(batch, None, 0.0, step)[0] for step in (5, 6, 5, 7, 6)]  # nothing is learnt at a rate of zero
    assert received[2] == received[0]
    assert received[4] == received[1]
    assert len({*received, other.step(batch, None, 0.0, 5)[0]}) == 4


@pytest.mark.parametrize("name", ["numpy", pytest.param("keras", marks=pytest.mark.keras)])
def test_restored_it_goes_on_as_the_one_it_was_taken_from(name):
    config, batches = configured(dropout=0.2, cell="lstm"), Streams(texts(), 3, 16, START)
    first, state = engine(name, config), None
    for step in range(5):
        _, state = first.step(batches[step], state, 0.01, step)
    second = engine(name, config)
    second.restore(
        {key: np.array(array) for key, array in first.weights().items()},
        {key: np.array(array) for key, array in first.slots().items()},
    )
    other = second.import_state([np.array(array) for array in first.export_state(state)])
    for step in range(5, 8):
        loss, state = first.step(batches[step], state, 0.01, step)
        other_loss, other = second.step(batches[step], other, 0.01, step)
        assert loss == other_loss
    for key, array in first.weights().items():
        assert array.tobytes() == second.weights()[key].tobytes()


@pytest.mark.keras
def test_keras_drops_connections_of_the_recurrent_kernel_and_gives_them_no_gradient():
    from rnnzoo.keras_backend import tf

    batch = Streams(texts(), 3, 16, START)[0]
    model = engine("keras", configured(recurrent_dropout=0.5, layers=1)).model
    arrays = {name: tf.convert_to_tensor(array) for name, array in batch.arrays.items()}
    with tf.GradientTape() as tape:
        loss, _ = model.batch_loss(arrays, model.initial_state(3), training=True)
    gradient = tape.gradient(loss, model.rnn[0].cell.recurrent_kernel.value).numpy()
    assert 0.3 < (gradient == 0).mean() < 0.7
    assert loss != model.batch_loss(arrays, model.initial_state(3), training=False)[0]


class Scripted:
    """An engine whose weight takes the values it is given."""

    name = "scripted"

    def __init__(self, *values):
        self.values, self.w = values, np.zeros(1)

    def step(self, batch, state, rate, step):
        self.w[0] = self.values[step]
        return 1.0, state

    def weights(self):
        return {"w": self.w}

    def slots(self):
        return {"m": np.array([7.0])}

    def restore(self, weights, slots):
        self.w[...] = weights["w"]
        assert slots == {"m": 7.0}


def test_averaged_weights_by_hand():
    engine = Averaged(Scripted(1.0, 2.0, 4.0), decay=0.25)
    received = []
    for step in range(3):
        assert engine.step(None, "state", 0.1, step) == (1.0, "state")
        received.append(float(engine.weights()["w"][0]))
    # Of the average is kept 1/10, 2/11, then 0.25 at most: 0.9 of 1; 2/11 0.9 + 9/11 2; a quarter of that and 3/4 of 4.
    second = 2 / 11 * 0.9 + 9 / 11 * 2
    assert received == pytest.approx([0.9, second, second / 4 + 3])
    assert engine.slots()["trained/w"] == 4.0
    other = Averaged(Scripted(0, 0, 0, 8.0), decay=0.25)
    other.restore({"w": engine.weights()["w"].copy()}, {name: array.copy() for name, array in engine.slots().items()})
    assert other.engine.w == 4.0
    other.step(None, None, 0.1, 3)
    assert other.weights()["w"] == pytest.approx((second / 4 + 3) / 4 + 6)


def test_states_are_flattened_in_order_and_back():
    nested = ((1, 2), (3,), ((4, 5), 6))
    assert flatten(nested) == [1, 2, 3, 4, 5, 6]
    assert unflatten(nested, [6, 5, 4, 3, 2, 1]) == ((6, 5), (4,), ((3, 2), 1))


class Killed(BaseException):
    pass


class DiesAt(Reporter):
    def __init__(self, step: int):
        self.left = step

    def step(self, *args):
        self.left -= 1
        if not self.left:
            raise Killed


@pytest.mark.keras
def test_keras_resumes_bit_for_bit_with_dropout_and_carried_state(tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("the heron sang to the snail and the snail sang to the heron. " * 20)
    settings = {"engine": "keras", "dropout": 0.3, "recurrent_dropout": 0.3, "cell": "lstm", "layers": 1}
    settings |= {"epochs": 2, "batch_size": 4, "window": 10}
    config, data = configured(**settings), str(tmp_path / "text.txt")
    whole = train("chargen", config, data=data, name="whole")
    assert whole.record["plan"]["total_steps"] > 50
    assert len(whole.record["history"]) == 2
    rng = random.Random(0)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(Killed):
        train("chargen", config, data=data, name="killed", reporter=DiesAt(rng.randint(2, 50)))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 1000.0)
    killed = resume("chargen", name="killed")

    def arrays(run):
        last = run.record["last"][0]
        read = runs.open_run(run.path).read_arrays(last["file"], last["sha256"])
        return {name: array.tobytes() for name, array in read.items()} | {"best": run.best["sha256"].encode()}

    assert arrays(killed) == arrays(whole)
    assert [entry["train_nats"] for entry in killed.record["history"]] == [e["train_nats"] for e in whole.record["history"]]
