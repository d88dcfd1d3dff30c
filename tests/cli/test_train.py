"""`rnnzoo train` in real processes: what it says, what it prints, what it leaves behind."""

from __future__ import annotations

import json

import pytest

from rnnzoo import runs

SMALL = ("cell=gru", "units=8", "layers=1", "embedding=4", "batch_size=8", "window=20", "sample_every=0", "engine=numpy")


@pytest.fixture
def text(tmp_path) -> str:
    (tmp_path / "book.txt").write_text("The heron sang to the snail, and the snail sang to the heron. " * 60)
    return "book.txt"


def test_before_the_first_epoch_it_says_what_will_be_trained(rnnzoo, text):
    ended = rnnzoo("train", "chargen", *SMALL, "epochs=2", "--data", text, "--run", "first")
    assert ended.status == 0
    assert ended.stdout == ""
    corpus, run, *rest = ended.stderr.splitlines()
    length = len((rnnzoo.folder / text).read_text().strip())
    assert corpus.startswith("chargen: corpus /") and corpus.endswith(
        f"{text} (1 books, 16 symbols, {int(0.9 * length):,} train, {int(0.95 * length) - int(0.9 * length)} validation, "
        f"{length - int(0.95 * length)} test)"
    )
    # 17 x 4 embedding; GRU: 4 x 24, 8 x 24, 2 x 24; 8 x 17 + 17 output.
    assert run == f"run first: {68 + 96 + 192 + 48 + 136 + 17} parameters, engine numpy, 2 epochs of 21 steps"
    assert rest[0].startswith("expected: ")
    epochs = [line for line in rest if line.startswith("epoch ")]
    assert [line.split()[1] for line in epochs] == ["1/2", "2/2"]
    assert "next: rnnzoo generate" in rest[-1]


def test_the_json_summary(rnnzoo, text, home):
    ended = rnnzoo("train", "chargen", *SMALL, "epochs=2", "--data", text, "--run", "first", "--json")
    run = runs.named("chargen", "first")
    summary = ended.json
    assert summary | {"seconds": 0, "tokens_per_second": 0} == {
        "recipe": "chargen",
        "run": "first",
        "path": str(home / "checkpoints" / "chargen" / "first"),
        "status": "finished",
        "engine": "numpy",
        "corpus": str(rnnzoo.folder / text),
        "epochs": 2,
        "best": {"metric": "bits_per_char", "value": run.best["value"], "epoch": run.best["epoch"]},
        "seconds": 0,
        "tokens_per_second": 0,
    }
    tokens = sum(entry["tokens"] for entry in run.record["history"])
    assert summary["tokens_per_second"] == pytest.approx(tokens / summary["seconds"], rel=0.05)
    assert ended.stderr != ""


def test_the_record_of_a_run(rnnzoo, text):
    rnnzoo("train", "chargen", *SMALL, "epochs=1", "--data", text, "--run", "first", "--seed", "7", "--quiet")
    record = runs.named("chargen", "first").record
    assert record["seed"] == 7
    assert record["engine"] == "numpy"
    assert record["config"]["units"] == 8
    assert record["corpus"]["argument"] == str(rnnzoo.folder / text)
    assert {"sha256", "split_sha256", "counts", "sources", "name"} <= set(record["corpus"])
    assert {"rnnzoo", "python", "numpy"} <= set(record["versions"])
    assert record["plan"] == {"epochs": 1, "steps_per_epoch": 21, "total_steps": 21}
    assert len(record["recipe_source"]["sha256"]) == 64
    assert (record["best"]["metric"], record["best"]["direction"]) == ("bits_per_char", "min")
    assert record["history"][0]["validation"].keys() == {"bits_per_char", "nats_per_char", "perplexity"}


def test_quiet_is_silent(rnnzoo, text):
    ended = rnnzoo("train", "chargen", *SMALL, "epochs=1", "--data", text, "--quiet")
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")


def test_a_preset_and_what_overrides_it(rnnzoo, text):
    ended = rnnzoo("train", "chargen", *SMALL, "epochs=1", "--data", text, "--preset", "book", "--run", "book", "--quiet")
    assert ended.status == 0
    config = runs.named("chargen", "book").record["config"]
    assert (config["schedule"], config["clipnorm"]) == ("constant", 0.0)  # of the preset
    assert (config["units"], config["epochs"]) == (8, 1)  # of the call


def test_a_sample_paragraph_every_so_many_epochs(rnnzoo, text):
    settings = [s for s in SMALL if not s.startswith("sample_every")]
    ended = rnnzoo("train", "chargen", *settings, "sample_every=2", "epochs=3", "--data", text)
    lines = ended.stderr.splitlines()
    shown = [i for i, line in enumerate(lines) if line.startswith("  | ")]
    assert len(shown) == 1
    assert lines[shown[0] - 1].startswith("epoch 2/3")
    assert len(lines[shown[0]]) == 4 + 300


def test_the_loud_fallback_to_the_sample(rnnzoo):
    """Neither the mirror nor the network can be reached."""
    nowhere = {"RNNZOO_MIRROR": "/no/such/folder"}
    ended = rnnzoo("train", "chargen", *SMALL, "window=60", "epochs=1", "--run", "fallen", "--quiet", env=nowhere)
    assert ended.status == 0
    (warning,) = ended.stderr.splitlines()  # loud: even --quiet does not silence it
    assert warning.startswith("warning: THE EMBEDDED SAMPLE STANDS IN for corpus carroll: ")
    assert "/no/such/folder/pg28885.txt" in warning
    assert "https://www.gutenberg.org" in warning
    run = runs.named("chargen", "fallen")
    assert run.on_sample
    assert run.record["corpus"]["argument"] == "sample"
    evaluated = rnnzoo("eval", "chargen", "--no-baselines", "--json", env=nowhere)
    assert evaluated.json["corpus"] == "sample"
    assert evaluated.stderr == ""  # it is evaluated on what it was trained on, which needs no fallback


def test_a_named_corpus_does_not_fall_back(rnnzoo, home):
    ended = rnnzoo("train", "chargen", *SMALL, "--data", "carroll", env={"RNNZOO_MIRROR": "/no/such/folder"})
    said = ended.refused(1)
    assert "pg28885.txt could not be downloaded" in said
    assert "/no/such/folder/pg28885.txt: No such file" in said
    assert f"put it at {home}/downloads/pg28885.txt" in said
    assert not (home / "checkpoints").exists()


def test_finished_and_extended(rnnzoo, tiny):
    again = rnnzoo("train", "chargen", "--resume", "--run", "tiny")
    assert again.status == 0
    assert "run tiny is already at epoch 1; epochs=M extends it" in again.stderr
    longer = rnnzoo("train", "chargen", "--resume", "--run", "tiny", "epochs=2", "--json")
    assert longer.json["epochs"] == 2
    assert "re-planned from 1 to 2 epochs" in longer.stderr
    assert len(runs.open_run(tiny).record["history"]) == 2


def test_what_cannot_be_resumed(rnnzoo, tiny):
    assert "cannot go on with units=17" in rnnzoo("train", "chargen", "--resume", "--run", "tiny", "units=17").refused(2)
    assert "chargen has no unfinished run" in rnnzoo("train", "chargen", "--resume").refused(1)
    said = rnnzoo("train", "chargen", "--resume", "--data", "sample").refused(2)
    assert "--resume goes on with a run as it was started" in said


def test_a_loss_that_is_not_finite(rnnzoo, text):
    settings = ("learning_rate=1e38", "warmup=0", "clipnorm=0")
    ended = rnnzoo("train", "chargen", *SMALL, *settings, "--data", text, "--run", "wild")
    assert "is not finite" in ended.refused(1)
    assert "learning_rate=" in ended.stderr.splitlines()[-1]
    assert "Warning" not in ended.stderr


def test_a_terminal_gets_colour_and_no_color_takes_it_away(rnnzoo, tmp_path):
    pty = pytest.importorskip("pty")
    import os

    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        mine, theirs = pty.openpty()
        with rnnzoo.start("train", "chargen", "epochs=x", stderr=theirs, env={"TERM": "xterm"} | env) as process:
            process.communicate(timeout=30)
        os.close(theirs)
        said = os.read(mine, 10_000).decode()
        os.close(mine)
        assert "error:" in said
        assert ("\x1b[" in said) == coloured
    assert json.dumps(said)
