"""TensorBoard event files: the scalars of each epoch, read back with TensorFlow's own reader."""

from __future__ import annotations

import pytest

from rnnzoo import runs, zoo
from rnnzoo.errors import CallError
from rnnzoo.training.schedule import step_size
from rnnzoo.training.train import resume, train

TINY = {"units": 4, "embedding": 4, "layers": 1, "sample_every": 0}
CALL = ("train", "chargen", "--data", "sample", *(f"{key}={value}" for key, value in TINY.items()))


def scalars(run) -> dict[str, dict[int, float]]:
    """By tag the value of each epoch, of all files of a run; a later one replaces an earlier one."""
    from rnnzoo.keras_backend import tf

    found: dict[str, dict[int, float]] = {}
    for path in sorted((run.path / "tensorboard").iterdir(), key=lambda path: path.stat().st_mtime_ns):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    return found


def expected(run) -> dict[str, dict[int, float]]:
    """The same from the history, for a step size that no later plan changed."""
    config, total = run.record["config"], run.record["plan"]["total_steps"]
    found: dict[str, dict[int, float]] = {}
    for entry in run.record["history"]:
        rate = step_size(entry["step"] - 1, total, config["learning_rate"], config["warmup"], config["schedule"])
        own = {"train/nats": entry["train_nats"], "learning_rate": rate}
        for tag, value in (own | {f"validation/{name}": value for name, value in entry["validation"].items()}).items():
            found.setdefault(tag, {})[entry["epoch"]] = pytest.approx(value, rel=1e-6)
    return found


@pytest.mark.keras
def test_each_epoch_has_its_scalars_also_after_resume(home):
    config = zoo.load("chargen").card.Config(**TINY, epochs=2, schedule="constant", warmup=0.0)
    run = train("chargen", config, data="sample", name="x", tensorboard=True)
    assert run.record["engine"] == "keras"
    found = scalars(run)
    assert found == expected(run)
    assert set(found) == {"train/nats", "learning_rate"} | {f"validation/{n}" for n in run.record["history"][0]["validation"]}
    resumed = resume("chargen", ["epochs=3"], name="x")  # it was started with event files, so it goes on with them
    assert len(resumed.record["history"]) == 3
    assert scalars(resumed) == expected(resumed)


@pytest.mark.keras
def test_on_the_command_line(rnnzoo):
    ended = rnnzoo(*CALL, "epochs=1", "--tensorboard", "--run", "x", timeout=300)
    assert ended.status == 0
    assert "engine keras, for --tensorboard" in ended.stderr  # the engine is chosen, and that is said
    assert scalars(runs.named("chargen", "x"))["train/nats"].keys() == {1}


def test_the_numpy_engine_writes_none(rnnzoo, home, tiny):
    said = rnnzoo(*CALL, "engine=numpy", "--tensorboard").refused(2)
    assert "--tensorboard writes with TensorFlow, received engine=numpy" in said and "engine=keras" in said
    with pytest.raises(CallError, match="run tiny was started with engine=numpy"):
        resume("chargen", ["epochs=2"], name="tiny", tensorboard=True)
    assert not (tiny / "tensorboard").exists()
