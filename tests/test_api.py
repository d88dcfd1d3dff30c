"""The same as the command line, from Python: `rnnzoo.train`, `rnnzoo.load`, `rnnzoo.load_keras`."""

import numpy as np
import pytest

import rnnzoo
from rnnzoo.errors import CallError, RunError

SMALL = {"epochs": 1, "units": 12, "layers": 1, "window": 50, "embedding": 8, "sample_every": 0}


def test_train_gives_a_run_and_load_its_model(capsys):
    run = rnnzoo.train("chargen", data="sample", run="mine", seed=3, **SMALL)
    assert run.name == "mine" and run.best["epoch"] == 1 and run.record["seed"] == 3
    model = rnnzoo.load("chargen", run="mine")
    text = model("Alice", length=20, seed=1)
    assert text.startswith("Alice") and len(text) == 25
    assert text == rnnzoo.load("chargen")("Alice", length=20, seed=1)  # the newest run
    assert "".join(piece.text for piece in model.stream(["Alice"], length=20, seed=1)) == text
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == ""  # from Python nothing is printed unless asked for


@pytest.mark.keras
def test_load_keras_gives_a_keras_model_with_the_same_weights(tiny):
    from rnnzoo.keras_backend import keras

    model, built = rnnzoo.load("chargen"), rnnzoo.load_keras("chargen")
    assert isinstance(built, keras.Model)
    x = np.array([[1, 2, 3, 4, 5]])
    logits, _ = built(x, None)
    np.testing.assert_allclose(logits, model.network.call(x)[0], atol=1e-5)


def test_wrong_calls_are_errors_with_a_hint():
    with pytest.raises(CallError, match="'epcohs' is not a setting") as error:
        rnnzoo.train("chargen", epcohs=3)
    assert "epochs" in error.value.hint
    with pytest.raises(RunError, match="has no run 'first'"):
        rnnzoo.load("chargen", run="first")
    with pytest.raises(AttributeError):
        rnnzoo.nothing  # noqa: B018
