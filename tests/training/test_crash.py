"""Crashes: whatever change of files is the last one before the end, training goes on to the same weights, bit for bit.

`tests/benchmarks/crash.py` kills real processes at random moments, as often as one likes; here it is run for a few kills.
Beside it each moment is tried in turn, within one process, from the making of the run to its end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnzoo import paths, runs, zoo
from rnnzoo.corpora import encoded
from rnnzoo.errors import TrainingError
from rnnzoo.training import loop
from rnnzoo.training.train import resume, train
from rnnzoo.vocabulary import Vocabulary

DRIVER = Path(__file__).parents[1] / "benchmarks" / "crash.py"


@pytest.mark.parametrize(
    ("engine", "kills"), [("numpy", 4), pytest.param("keras", 1, marks=pytest.mark.keras)], ids=["numpy", "keras"]
)
def test_processes_killed_at_random_moments_lose_nothing(engine, kills, offline):
    command = [sys.executable, DRIVER, "--engine", engine, "--kills", str(kills)]
    done = subprocess.run(list(map(str, command)), env=offline, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{kills} kills, ")


class Killed(BaseException):
    """The process ends here."""


def dies_at(monkeypatch, call: int) -> list[str]:
    """The process "is killed" before the change of files number `call`; nothing changes after that. Returns those made."""
    made: list[str] = []

    def counted(module, name):
        real = getattr(module, name)

        def wrapper(*args, **kwargs):
            if len(made) >= call:
                raise Killed
            made.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, wrapper)

    for name in ("replace", "rename", "fsync"):
        counted(os, name)
    for name in ("mkdir", "unlink", "symlink_to"):
        counted(Path, name)
    counted(shutil, "rmtree")
    return made


def contents(run: runs.Run) -> dict:
    """Weights, optimiser, state, history and best of a run, but for times and file names."""
    run = runs.open_run(run.path)
    last, best = run.record["last"][0], run.best
    arrays = run.read_arrays(last["file"], last["sha256"]) | {f"best/{k}": v for k, v in run.best_weights().items()}
    return {
        "arrays": {name: array.tobytes() for name, array in arrays.items()},
        "history": [{key: value for key, value in entry.items() if key != "seconds"} for entry in run.record["history"]],
        "best": {key: best[key] for key in ("value", "epoch", "step", "sha256")},
        "status": run.record["status"],
    }


@pytest.fixture
def text(tmp_path) -> str:
    path = tmp_path / "text.txt"
    path.write_text("The windmill turned, and Alice (who liked to be exact) counted the sails: one, two, three, four. " * 3)
    return str(path)


def configured(epochs: int):
    return zoo.load("chargen").card.Config(
        units=5, embedding=4, layers=2, dropout=0.3, batch_size=4, window=20, epochs=epochs, sample_every=0, engine="numpy"
    )


def test_killed_at_any_change_of_files_a_run_ends_in_the_same_weights(text, monkeypatch):
    whole = contents(train("chargen", configured(1), data=text, name="whole"))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)  # after each step
    begun = []
    for call in range(1000):
        name = f"killed-at-{call}"
        with monkeypatch.context() as patched:
            made = dies_at(patched, call)
            try:
                train("chargen", configured(1), data=text, name=name)
                break
            except Killed:
                pass
        begun.append((paths.checkpoints() / "chargen" / name).exists())
        ended = resume("chargen", name=name) if begun[-1] else train("chargen", configured(1), data=text, name=name)
        assert contents(ended) == whole, (call, made)
        assert len(list(ended.path.glob("*.safetensors"))) == 4  # best, its link, the two last
        assert not list(ended.path.glob("*.partial"))
    assert begun == sorted(begun)
    assert begun.count(False) > 5
    assert begun.count(True) > 20
    names = {path.name for path in (paths.checkpoints() / "chargen").iterdir()}
    assert names == {".lock", "whole", *(f"killed-at-{i}" for i in range(call + 1))}


def test_killed_while_it_is_extended_a_run_goes_on_with_the_old_plan_or_with_the_new(text, monkeypatch):
    train("chargen", configured(1), data=text, name="short")
    shutil.copytree(paths.checkpoints() / "chargen" / "short", paths.checkpoints() / "chargen" / "whole")
    whole = contents(resume("chargen", ["epochs=2"], name="whole"))
    planned = []
    for call in range(1000):
        name = f"killed-at-{call}"
        shutil.copytree(paths.checkpoints() / "chargen" / "short", paths.checkpoints() / "chargen" / name)
        with monkeypatch.context() as patched:
            dies_at(patched, call)
            try:
                resume("chargen", ["epochs=2"], name=name)
                break
            except Killed:
                pass
        again = resume("chargen", name=name)
        planned.append(again.record["config"]["epochs"] == 2)
        assert contents(again if planned[-1] else resume("chargen", ["epochs=2"], name=name)) == whole, call
    assert planned == sorted(planned)
    assert 0 < planned.count(False) < 8  # before the first change of run.json is on disk


def test_killed_while_a_corpus_is_encoded_it_is_encoded_again(monkeypatch):
    def encode(folder: Path) -> None:
        for name in ("a", "b"):
            np.save(folder / f"{name}.npy", np.arange(100))
            (folder / f"{name}.scratch").write_bytes(b"x")
            (folder / f"{name}.scratch").unlink()

    for call in range(100):
        with monkeypatch.context() as patched:
            made = dies_at(patched, call)
            try:
                encoded.encode_once("chargen", {"number": call}, encode)
                break
            except Killed:
                pass
        folder = encoded.encode_once("chargen", {"number": call}, encode)
        assert {path.name for path in folder.iterdir()} == {"a.npy", "b.npy", encoded.SIZES}
        np.testing.assert_array_equal(np.load(folder / "b.npy"), np.arange(100))
        assert not list(folder.parent.glob("*.partial"))
    assert made.count("fsync") == 3  # the arrays and their sizes, before the folder gets its name
    assert made[-1] == "replace"


def test_what_a_process_knew_of_a_run_before_it_held_it_does_not_count():
    record = {"config": {}, "corpus": {}, "status": "unfinished", "last": [], "history": []}
    mine = runs.create("chargen", "shared", record, Vocabulary("ab"))
    theirs = runs.open_run(mine.path)
    with runs.exclusive(theirs):
        theirs.record["history"] = [{"epoch": 1}]
        theirs.commit()
    assert mine.record["history"] == []
    with runs.exclusive(mine):
        assert mine.record["history"] == [{"epoch": 1}]


def test_a_training_that_fails_before_its_first_checkpoint_leaves_no_run(text):
    config = zoo.load("chargen").card.Config(units=5, learning_rate=1e38, warmup=0.0, clipnorm=0.0, engine="numpy", dropout=0.0)
    with pytest.raises(TrainingError, match="not finite"):
        train("chargen", config, data=text, name="hopeless")
    assert [path.name for path in (paths.checkpoints() / "chargen").iterdir()] == [".lock"]
