"""`rnnzoo show --gradients`, `--weights` and `--activations`: what goes on in the recurrent layers of a run."""

from __future__ import annotations

import json
import re
import struct

import numpy as np
import pytest

from rnnzoo import inference, runs
from rnnzoo.probes import gradients_by_lag
from rnnzoo.training.reporter import Reporter


def size_of_png(path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


@pytest.fixture
def lstm(rnnzoo, tiny):
    """A second run, of an LSTM."""
    assert (
        rnnzoo("train", "chargen", "--data", "sample", "epochs=1", "units=8", "layers=1", "cell=lstm", "--run", "lstm").status
        == 0
    )


def test_gradients_by_lag(rnnzoo, tiny):
    found = rnnzoo("show", "--gradients", "chargen/tiny", "--json").json["runs"]
    (run,) = found
    config = runs.open_run(tiny).record["config"]
    assert (run["recipe"], run["run"], run["corpus"], run["units"]) == ("chargen", "tiny", "sample", 16)
    assert [layer["layer"] for layer in run["layers"]] == [f"rnn.{i}" for i in reversed(range(config["layers"]))]
    for layer in run["layers"]:
        assert layer["state"] == "h"
        assert len(layer["norms"]) == 101 and set(layer["items"]) == {32}
        # A model after one epoch forgets: the gradient has all but vanished at lag 100.
        assert layer["norms"][0] > 10 * layer["norms"][20] > 0 and layer["norms"][100] < 1e-3 * layer["norms"][0]


def test_gradients_are_those_of_windows_with_a_lead_in(rnnzoo, tiny):
    (run,) = rnnzoo("show", "--gradients", "chargen/tiny", "--json").json["runs"]
    model = inference.load("chargen", str(tiny))
    corpus = model.recipe.part("corpus").load_corpus(model.network.config, "sample", Reporter())
    found = gradients_by_lag(model.network.probe_loss(corpus.split("test"), 32, 151))[0].norms
    assert len(found) == 151
    assert run["layers"][0]["norms"] == pytest.approx(found[:101], rel=1e-3)


def test_gradients_as_a_table_with_bars(rnnzoo, tiny):
    ended = rnnzoo("show", "--gradients", "chargen/tiny")
    rows = [line.split() for line in ended.lines if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows] == ["0", "1", "2", "4", "8", "16", "32", "64", "100"]
    assert rows[0][2].startswith("█" * 16)
    bars = [row[2].count("█") if len(row) > 2 else 0 for row in rows]
    assert bars == sorted(bars, reverse=True) and bars[-1] < bars[0]
    assert "32 test items of corpus sample" in ended.stdout
    assert ended.stderr == ""


def test_a_recipe_stands_for_its_newest_run(rnnzoo, tiny):
    assert rnnzoo("show", "--gradients", "chargen", "--json").stdout == rnnzoo(
        "show", "--gradients", str(tiny), "--json"
    ).stdout  # fmt: skip


def test_gradients_of_several_runs_in_one_picture(rnnzoo, lstm, tmp_path):
    pytest.importorskip("matplotlib")
    ended = rnnzoo("show", "--gradients", "chargen/tiny", "chargen/lstm", "--plot", tmp_path / "lags.png")
    assert ended.status == 0, ended.stderr
    assert ended.stderr == f"drawn in {tmp_path / 'lags.png'}\n"
    assert "tiny (gru)" in ended.stdout and "lstm (lstm)" in ended.stdout
    width, height = size_of_png(tmp_path / "lags.png")
    assert width > 800 and height > 400


def test_weights_by_gate(rnnzoo, tiny):
    weights = runs.open_run(tiny).best_weights()
    found = rnnzoo("show", "--weights", "chargen/tiny", "--json").json
    kernel = weights["rnn.0.recurrent_kernel"].astype(np.float64)
    gates = [w for w in found["weights"] if w["weight"] == "rnn.0.recurrent_kernel"]
    assert [(g["gate"], g["shape"]) for g in gates] == [("z", [16, 16]), ("r", [16, 16]), ("c", [16, 16])]
    for gate, piece in zip(gates, np.split(kernel, 3, axis=1), strict=True):
        assert gate["norm"] == pytest.approx(np.linalg.norm(piece), rel=1e-6)
        assert gate["spectral_radius"] == pytest.approx(np.abs(np.linalg.eigvals(piece)).max(), rel=1e-4)
    assert {w["weight"] for w in found["weights"]} == set(weights)
    shown = rnnzoo("show", "--weights", "chargen/tiny").stdout
    for word in ("z update", "r reset", "c candidate", "16 x 16", "rnn.0.bias (recurrent)", "spectral radius"):
        assert word in shown


def test_activations_over_a_text(rnnzoo, tiny):
    text = "the cat sat ☃"
    found = rnnzoo("show", "chargen/tiny", "--activations", text, "--json").json
    network = inference.load("chargen", str(tiny)).network
    record: dict = {}
    _, state = network.call(np.array([[0]]))
    network.call(network.vocabulary.encode(list(text))[None], state, record)
    for layer in found["layers"]:
        assert layer["tokens"] == list(text)
        y = record[layer["layer"]][0].T
        assert sorted(layer["units"]) == list(range(16))
        assert np.array(layer["activations"]) == pytest.approx(y[layer["units"]], abs=1e-6)
        spread = np.array(layer["activations"]).std(axis=1)
        assert (np.diff(spread) <= 1e-7).all()


def test_activations_for_people(rnnzoo, tiny):
    text = "the cat\tsat"
    lines = rnnzoo("show", "chargen/tiny", "--activations", text).lines
    header = next(i for i, line in enumerate(lines) if line.startswith(" unit"))
    assert lines[header] == " unit  the cat→sat"
    unit, levels = lines[header + 1].split()
    assert int(unit) < 16 and len(levels) == len(text) and set(levels) <= set("▁▂▃▄▅▆▇█")


def test_a_long_text_is_folded(rnnzoo, tiny):
    lines = rnnzoo("show", "chargen/tiny", "--activations", "tea " * 60).lines
    assert max(map(len, lines)) <= 110
    layers = runs.open_run(tiny).record["config"]["layers"]
    assert sum(line.startswith(" unit") for line in lines) == 3 * layers


def test_activations_as_a_picture(rnnzoo, tiny, tmp_path):
    pytest.importorskip("matplotlib")
    ended = rnnzoo("show", "chargen/tiny", "--activations", "a snowman ☃ and 漢字", "--plot", tmp_path / "units.png", "--quiet")
    assert (ended.status, ended.stderr) == (0, "")
    assert min(size_of_png(tmp_path / "units.png")) > 200


def test_without_matplotlib(rnnzoo, tiny, tmp_path):
    ended = rnnzoo(
        "show",
        "chargen/tiny",
        "--gradients",
        "--plot",
        tmp_path / "x.png",
        prelude="import sys; sys.modules['matplotlib'] = None",
    )
    said = ended.refused(1)
    assert "matplotlib" in said and "pip install 'rnnzoo[plot]'" in said
    assert not (tmp_path / "x.png").exists()


def test_a_picture_that_cannot_be_written(rnnzoo, tiny):
    pytest.importorskip("matplotlib")
    assert "/nowhere/x.png cannot be written" in rnnzoo("show", "chargen", "--gradients", "--plot", "/nowhere/x.png").refused(2)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (["--gradients", "--weights", "chargen"], "--gradients and --weights do not go together"),
        (["--weights", "--preset", "book", "chargen"], "--weights and --preset do not go together"),
        (["--weights", "chargen", "--plot", "x.png"], "--plot draws what --gradients or --activations shows"),
        (["chargen", "--plot", "x.png"], "--plot draws what --gradients or --activations shows"),
        (["--weights", "chargen/tiny", "chargen/tiny"], "only --gradients compares several runs"),
        (["--activations", "", "chargen/tiny"], "hidden units are shown over a text, received ''"),
        (["--gradients", "chargne"], "did you mean chargen?"),
    ],
)
def test_calls_that_are_wrong(rnnzoo, tiny, call, says):
    assert says in rnnzoo("show", *call).refused(2)


def test_without_a_run(rnnzoo):
    assert rnnzoo("show", "--weights", "chargen").lines[0].startswith("chargen/pretrained")
    assert rnnzoo("copy", "chargen", "./mine").status == 0
    assert re.search(r"hint: rnnzoo train \S*/mine", rnnzoo("show", "--weights", "./mine").refused(1))


SMALL = ("--data", "sample", "epochs=1", "units=4", "engine=numpy")
OTHERS = {  # of the sample: what the steps of a text are called; the layers that --activations and --gradients show
    "sentiment": ("The food wasn't good!", ["the", "food", "was", "n't", "good", "!"], ["rnn.0 forward", "rnn.0 backward"]),
    "postag": ("The cat can't sit.", ["The", "cat", "ca", "n't", "sit", "."], ["rnn.0 forward", "rnn.0 backward"]),
    "translate": ("the cat sat.", ["the", "cat", "sat", "."], ["encoder.0 forward", "encoder.0 backward"]),
}


@pytest.mark.parametrize("recipe", OTHERS)
def test_the_other_recipes(rnnzoo, recipe, tmp_path):
    text, tokens, names = OTHERS[recipe]
    assert rnnzoo("train", recipe, *SMALL).status == 0
    layers = rnnzoo("show", recipe, "--activations", text, "--json").json["layers"]
    assert [layer["layer"] for layer in layers if "coder" not in layer["layer"] or "en" in layer["layer"]] == names
    width = 2 if recipe == "translate" else 4  # of its units each direction has half
    for layer in layers[:2]:
        assert layer["tokens"] == tokens
        assert sorted(layer["units"]) == list(range(width)) and np.shape(layer["activations"]) == (width, len(tokens))
    if recipe == "translate":  # its decoder reads what it has written itself
        written = rnnzoo("generate", "translate", text, "--json").json["translations"][0]["words"]
        assert (layers[2]["layer"], layers[2]["tokens"]) == ("decoder.0", ["<s>", *written])
        assert np.shape(layers[2]["activations"]) == (4, len(written) + 1)
    shown = rnnzoo("show", recipe, "--activations", text).stdout
    assert f"{names[0]}: the {width} units" in shown and " unit  " + " ".join(tokens) in shown

    (run,) = rnnzoo("show", recipe, "--gradients", "--json").json["runs"]
    assert list(dict.fromkeys(layer["layer"] for layer in run["layers"])) == names
    for layer in run["layers"]:
        assert layer["items"] == sorted(layer["items"], reverse=True) and 1 < layer["items"][0] <= 32
        assert len(layer["norms"]) == len(layer["items"]) > 2 and max(layer["norms"]) > 0
    assert "their number stands in brackets" in rnnzoo("show", recipe, "--gradients").stdout
    assert "hidden units are shown over a text" in rnnzoo("show", recipe, "--activations", "  ").refused(2)
    pytest.importorskip("matplotlib")
    for asked in (["--activations", text], ["--gradients"]):
        assert rnnzoo("show", recipe, *asked, "--plot", tmp_path / "x.png", "--quiet").status == 0
        assert min(size_of_png(tmp_path / "x.png")) > 200
        (tmp_path / "x.png").unlink()


def test_a_recipe_that_does_not_open_its_layers(rnnzoo, tmp_path):
    assert rnnzoo("copy", "chargen", "./closed").status == 0
    twin = tmp_path / "closed" / "numpy_model.py"
    twin.write_text(twin.read_text().replace("def probe", "def _probe"))
    small = ("--data", "sample", "epochs=1", "units=4", "layers=1", "engine=numpy", "sample_every=0", "--json")
    path = rnnzoo("train", "./closed", *small).json["path"]
    for asked, method in ((["--gradients"], "probe_loss"), (["--activations", "tea"], "probe")):
        said = rnnzoo("show", "./closed", *asked).refused(2)
        assert f"its NumpyModel has no method {method!r}" in said and "rnnzoo/probes.py" in said
    # Weights need no opening; and a run by its path never imports the code of a copy.
    assert json.loads(rnnzoo("show", "./closed", "--weights", "--json").stdout)["units"] == 4
    assert "belongs to a recipe of your own" in rnnzoo("show", path, "--weights").refused(2)
