"""The training loop: what it does at each step and epoch, how it stops, and that it resumes as if nothing had happened."""

from __future__ import annotations

import json
import math
import os
import random
import signal
from types import SimpleNamespace

import numpy as np
import pytest

from rnnzoo import runs, zoo
from rnnzoo.batching import Batch
from rnnzoo.errors import CallError, RunError, TrainingError
from rnnzoo.recipes.chargen.sample import generate
from rnnzoo.training import loop
from rnnzoo.training.engines import flatten
from rnnzoo.training.interrupts import Interrupted
from rnnzoo.training.loop import Task, fit
from rnnzoo.training.reporter import Reporter
from rnnzoo.training.schedule import step_size
from rnnzoo.training.train import resume, train
from rnnzoo.vocabulary import Vocabulary

STEPS, TOKENS = 4, 10  # of an epoch; of a batch


# The loop alone, with an engine that counts


class Counter:
    """An engine whose weight and optimiser count the steps, and whose state counts the steps since it was zero."""

    name = "counter"

    def __init__(self, losses=lambda step: 10.0 + step, each=lambda step: None):
        self.count, self.losses, self.each = 0, losses, each
        self.ages: list[int] = []
        self.rates: list[float] = []

    def step(self, batch, state, rate, step):
        self.each(step)
        assert step == self.count, "each step is done once, in order"
        loss = self.losses(step)
        age = int(state[0][0]) if state is not None else 0
        self.ages.append(age)
        self.rates.append(rate)
        if math.isfinite(loss):
            self.count += 1
        return loss, (np.array([age + 1]),)

    def weights(self):
        return {"w": np.array([self.count])}

    def slots(self):
        return {"m": np.array([-self.count])}

    def restore(self, weights, slots):
        self.count = int(weights["w"][0])
        assert slots["m"] == [-self.count]

    def export_state(self, state):
        return flatten(state)

    def import_state(self, arrays):
        return tuple(arrays)


class Notes(Reporter):
    """Remembers what it is told, and may end the process at a step."""

    def __init__(self, dies_at: int = -1):
        self.steps, self.epochs, self.samples, self.warnings, self.notes = [], [], [], [], []
        self.dies_at = dies_at

    def note(self, line):
        self.notes.append(line)

    def warn(self, line):
        self.warnings.append(line)

    def start(self, facts):
        self.facts = facts

    def step(self, epoch, step, loss, tokens, seconds):
        self.steps.append((epoch, step, loss))
        if len(self.steps) == self.dies_at:
            raise Killed

    def epoch(self, entry, improved):
        self.epochs.append((entry["epoch"], improved))

    def sample(self, epoch, text):
        self.samples.append((epoch, text))


class Killed(BaseException):
    """The process ends here, without a word to anyone."""


@pytest.fixture
def course():
    """A run with its task: `metrics` gives the validation metric of each epoch."""

    def make(epochs=3, metrics=lambda epoch: -epoch, direction="min", carries_state=True, sample=None, **settings):
        plan = {"epochs": epochs, "steps_per_epoch": STEPS, "total_steps": STEPS * epochs}
        record = {"config": {}, "corpus": {"name": "x"}, "status": "unfinished", "history": [], "best": None, "last": []}
        run = runs.create("counter", None, record | {"plan": plan}, Vocabulary("a"))
        config = {"minutes": 0, "learning_rate": 0.5, "warmup": 0.2, "schedule": "linear", "patience": 0} | settings
        task = Task(
            config=SimpleNamespace(**config),
            batches=lambda epoch: [Batch({}, TOKENS)] * STEPS,
            carries_state=carries_state,
            validate=lambda weights: {"score": float(metrics(weights["w"][0] / STEPS))},
            metric="score",
            direction=direction,
            **({"sample": sample} if sample else {}),
        )
        return run, task

    return make


def test_every_step_of_the_plan_once_with_its_step_size(course):
    run, task = course()
    engine, notes = Counter(), Notes()
    fit(run, task, engine, notes)
    assert engine.count == 12
    assert engine.rates == [step_size(step, 12, 0.5, 0.2, "linear") for step in range(12)]
    assert [(epoch, step) for epoch, step, _ in notes.steps] == [(e, s) for e in (1, 2, 3) for s in (1, 2, 3, 4)]
    assert runs.open_run(run.path).record["status"] == "finished"


def test_state_is_carried_through_an_epoch_and_starts_anew_in_the_next(course):
    engine = Counter()
    fit(*course(epochs=2), engine, Notes())
    assert engine.ages == [0, 1, 2, 3, 0, 1, 2, 3]


def test_state_is_not_carried_where_the_task_says_so(course):
    engine = Counter()
    fit(*course(epochs=2, carries_state=False), engine, Notes())
    assert engine.ages == [0] * 8


def test_history_by_hand(course):
    run, task = course(epochs=2)
    notes = Notes()
    fit(run, task, Counter(), notes)
    first, second = runs.open_run(run.path).record["history"]
    # Losses 10, 11, 12, 13 and 14, 15, 16, 17 nats of 10 tokens each.
    assert {**first, "seconds": 0} == {
        "epoch": 1, "step": 4, "train_nats": 1.15, "tokens": 40, "seconds": 0, "validation": {"score": -1.0}
    }  # fmt: skip
    assert (second["epoch"], second["step"], second["train_nats"], second["tokens"]) == (2, 8, 1.55, 40)
    assert [loss for *_, loss in notes.steps[:5]] == pytest.approx([1.0, 1.05, 1.1, 1.15, 1.4])  # the mean of the epoch so far


@pytest.mark.parametrize(("direction", "best"), [("min", 2), ("max", 1)])
def test_the_best_epoch_is_kept(course, direction, best):
    run, task = course(epochs=4, metrics=lambda e: [0, 3, 1, 2, 1][int(e)], direction=direction)
    notes = Notes()
    fit(run, task, Counter(), notes)
    run = runs.open_run(run.path)
    assert (run.best["epoch"], run.best["step"], run.best["value"]) == (best, best * STEPS, {1: 3, 2: 1}[best])
    assert (run.best["metric"], run.best["direction"]) == ("score", direction)
    assert run.best_weights()["w"] == [best * STEPS]
    improved = [epoch for epoch, better in notes.epochs if better]
    assert improved == ([1, 2] if direction == "min" else [1])  # the 1 of epoch 4 is no better than that of epoch 2


def test_early_stopping(course):
    scores = [0, 3, 1, 2, 2, 0]
    run, task = course(epochs=5, metrics=lambda e: scores[int(e)], patience=2)
    fit(run, task, Counter(), Notes())
    run = runs.open_run(run.path)
    assert len(run.record["history"]) == 4  # the best is epoch 2; epochs 3 and 4 are no better
    assert run.record["status"] == "stopped"
    assert run.finished
    assert run.best["epoch"] == 2


def test_patience_zero_never_stops(course):
    run, task = course(epochs=5, metrics=lambda e: e)
    fit(run, task, Counter(), Notes())
    assert len(run.record["history"]) == 5
    assert run.record["status"] == "finished"


def test_samples_are_shown_where_the_recipe_gives_one(course):
    notes = Notes()
    fit(*course(epochs=3, sample=lambda w, epoch: f"w is {w['w'][0]}" if epoch == 2 else None), Counter(), notes)
    assert notes.samples == [(2, "w is 8")]


@pytest.mark.parametrize("flaw", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_the_last_good_checkpoint(course, flaw):
    run, task = course()
    with pytest.raises(TrainingError, match=r"the loss is not finite at step 7 \(epoch 2\)") as caught:
        fit(run, task, Counter(losses=lambda step: flaw if step == 6 else 1.0), Notes())
    assert "learning_rate=0.125" in caught.value.hint
    again = runs.open_run(run.path)
    assert not again.finished
    assert again.best_weights()["w"] == [4]
    assert again.record["last"][0]["progress"]["step"] == 4
    fit(again, task, engine := Counter(), Notes())  # once the reason is gone, it goes on
    assert engine.count == 12


@pytest.mark.parametrize("flaw", [math.nan, math.inf])
def test_a_validation_that_is_not_finite_stops_too(course, flaw):
    run, task = course(metrics=lambda epoch: flaw if epoch == 2 else 1.0)
    with pytest.raises(TrainingError, match=f"score is not finite .{flaw}. after epoch 2"):
        fit(run, task, Counter(), Notes())
    again = runs.open_run(run.path)
    assert again.best_weights()["w"] == [4]
    assert again.record["last"][0]["progress"]["step"] == 4
    assert len(again.record["history"]) == 1


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes forward by ten seconds when it is told to."""
    now = SimpleNamespace(seconds=1000.0)

    def tick(step):
        now.seconds += 10

    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return tick


def test_minutes_cap_the_time_and_cut_the_epoch(course, clock):
    run, task = course(minutes=1.0)
    engine = Counter(each=clock)
    fit(run, task, engine, Notes())
    assert engine.count == 6
    run = runs.open_run(run.path)
    assert run.record["status"] == "stopped"
    assert [entry.get("cut_by_minutes", False) for entry in run.record["history"]] == [False, True]
    assert run.record["history"][1]["tokens"] == 2 * TOKENS
    assert run.record["last"][0]["progress"]["seconds"] == 60


def test_minutes_never_alter_the_schedule_and_time_is_summed_over_sessions(course, clock):
    run, task = course(minutes=1.0)
    uncut, rates = Counter(), []
    fit(*course(), uncut, Notes())
    fit(run, task, first := Counter(each=clock), Notes())
    task.config.minutes = 1.5
    fit(runs.open_run(run.path), task, second := Counter(each=clock), Notes())
    task.config.minutes = 0
    fit(runs.open_run(run.path), task, third := Counter(each=clock), Notes())
    rates = first.rates + second.rates + third.rates
    assert [len(engine.rates) for engine in (first, second, third)] == [6, 3, 3]
    assert rates == uncut.rates
    assert first.ages + second.ages + third.ages == uncut.ages


def test_a_checkpoint_within_an_epoch_every_half_minute(course, clock):
    run, task = course()
    with pytest.raises(Killed):
        fit(run, task, Counter(each=clock), Notes(dies_at=11))
    last = runs.open_run(run.path).record["last"]
    # An epoch's end at 40 and 80 seconds writes one anyway, so within the epochs of 40 seconds each there is one at 40.
    assert [entry["progress"]["step"] for entry in last] == [8, 8]
    assert loop.CHECKPOINT_SECONDS == 30


@pytest.mark.parametrize("dies_at", range(1, 13))
def test_killed_at_any_step_it_does_each_lost_step_again(course, monkeypatch, dies_at):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)  # after every step
    run, task = course()
    with pytest.raises(Killed):
        fit(run, task, Counter(), Notes(dies_at=dies_at))
    engine = Counter()
    fit(runs.open_run(run.path), task, engine, Notes())
    assert engine.count == 12
    assert len(engine.ages) == 12 - (dies_at - 1)  # the step before which it was saved is the one it had just done
    assert engine.ages == [step % STEPS for step in range(dies_at - 1, 12)]
    history = runs.open_run(run.path).record["history"]
    assert [entry["epoch"] for entry in history] == [1, 2, 3]
    assert [entry["train_nats"] for entry in history] == [1.15, 1.55, 1.95]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at", [0, 5, 7])
def test_a_signal_ends_the_step_saves_and_says_so(course, number, at):
    run, task = course()
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    stopped = Counter(each=lambda step: os.kill(os.getpid(), number) if step == at else None)
    with pytest.raises(Interrupted) as caught:
        fit(run, task, stopped, Notes())
    assert caught.value.signal == number
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert stopped.count == at + 1
    again = runs.open_run(run.path)
    assert again.record["last"][0]["progress"]["step"] == at + 1
    assert not again.finished
    fit(again, task, engine := Counter(), Notes())
    assert stopped.rates + engine.rates == [step_size(step, 12, 0.5, 0.2, "linear") for step in range(12)]
    assert stopped.ages + engine.ages == [0, 1, 2, 3] * 3


def test_a_second_ctrl_c_ends_it_at_once(course):
    run, task = course()

    def twice(step):
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(run, task, Counter(each=twice), Notes())
    assert runs.open_run(run.path).record["last"][0]["progress"]["step"] == 4


def damage(run, *which):
    """Flip a bit in the newest (0) or the older (1) of the last checkpoints."""
    for index in which:
        path = run.path / run.record["last"][index]["file"]
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(course, monkeypatch):
    run, task = course()
    with pytest.raises(Killed):
        fit(run, task, Counter(), Notes(dies_at=10))
    assert [entry["progress"]["step"] for entry in run.record["last"]] == [8, 4]
    damage(run, 0)
    notes, engine = Notes(), Counter()
    fit(runs.open_run(run.path), task, engine, notes)
    (warning,) = notes.warnings
    assert "last-000002.safetensors is damaged" in warning
    assert "going on from the checkpoint before it" in warning
    assert engine.ages == [0, 1, 2, 3, 0, 1, 2, 3]
    record = runs.open_run(run.path).record
    assert [entry["epoch"] for entry in record["history"]] == [1, 2, 3]
    assert record["status"] == "finished"
    assert runs.open_run(run.path).best_weights()["w"] == [12]


def test_two_damaged_checkpoints_are_an_error_and_nothing_is_overwritten(course):
    run, task = course()
    with pytest.raises(Killed):
        fit(run, task, Counter(), Notes(dies_at=10))
    damage(run, 0, 1)
    before = (run.path / "run.json").read_bytes()
    with pytest.raises(RunError, match="no checkpoint of run .* can be read"):
        fit(runs.open_run(run.path), task, Counter(), Notes())
    assert (run.path / "run.json").read_bytes() == before


def test_a_run_without_a_checkpoint_starts_at_the_beginning(course):
    run, task = course()
    with pytest.raises(Killed):
        fit(run, task, Counter(), Notes(dies_at=2))
    fit(runs.open_run(run.path), task, engine := Counter(), Notes())
    assert len(engine.ages) == 12


# chargen in NumPy

SETTINGS = {
    "units": 6, "embedding": 4, "layers": 2, "dropout": 0.3, "batch_size": 4, "window": 12, "epochs": 3,
    "sample_every": 0, "engine": "numpy", "learning_rate": 0.01,
}  # fmt: skip


@pytest.fixture
def text(tmp_path) -> str:
    path = tmp_path / "text.txt"
    path.write_text(generate(0, 5000)[0][:2500])
    return str(path)


def configured(**settings):
    return zoo.load("chargen").card.Config(**SETTINGS | settings)


def outcome(run) -> dict:
    """All that a run ends in, but for times: weights, optimiser and history."""
    run = runs.open_run(run.path)
    last = run.record["last"][0]
    arrays = run.read_arrays(last["file"], last["sha256"]) | {f"best/{k}": v for k, v in run.best_weights().items()}
    return {
        "arrays": {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()},
        "history": [{key: value for key, value in entry.items() if key != "seconds"} for entry in run.record["history"]],
        "best": {key: value for key, value in run.best.items() if key != "file"},
        "status": run.record["status"],
    }


def test_the_same_seed_trains_the_same_weights_and_another_does_not(text):
    same, again, other = (outcome(train("chargen", configured(epochs=1), data=text, seed=seed)) for seed in (5, 5, 6))
    assert same == again
    assert same["arrays"] != other["arrays"]


@pytest.mark.parametrize("seconds_between_checkpoints", [-1.0, 0.02, 1000.0])
@pytest.mark.parametrize("stateful", [True, False])
def test_killed_at_random_steps_it_ends_in_the_same_weights_bit_for_bit(
    text, monkeypatch, stateful, seconds_between_checkpoints
):
    config = configured(stateful=stateful, epochs=2)
    whole = train("chargen", config, data=text)
    total = whole.record["plan"]["total_steps"]
    assert total > 60
    rng = random.Random(f"{stateful} {seconds_between_checkpoints}")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", seconds_between_checkpoints)
    with pytest.raises(Killed):
        train("chargen", config, data=text, name="killed", reporter=Notes(dies_at=rng.randint(1, total // 3)))
    for _ in range(3):
        with pytest.raises(Killed):
            resume("chargen", name="killed", reporter=Notes(dies_at=rng.randint(1, total // 5)))
    finished = resume("chargen", name="killed")
    assert outcome(finished) == outcome(whole)


def test_dropout_is_on_in_that_test(text):
    """Without dropout the weights differ: it would be easy to resume without it."""
    kept, dropped = (train("chargen", configured(epochs=1, dropout=dropout), data=text) for dropout in (0.0, 0.3))
    assert outcome(kept)["arrays"] != outcome(dropped)["arrays"]


def test_a_damaged_checkpoint_costs_steps_but_no_bit(text):
    whole = train("chargen", configured(), data=text)
    with pytest.raises(Killed):
        train(
            "chargen", configured(), data=text, name="killed", reporter=Notes(dies_at=whole.record["plan"]["total_steps"] - 5)
        )
    damage(runs.named("chargen", "killed"), 0)
    notes = Notes()
    assert outcome(resume("chargen", name="killed", reporter=notes)) == outcome(whole)
    assert len(notes.warnings) == 1


def test_epochs_extend_a_finished_run(text):
    """With a constant step size, two epochs and one more are three, bit for bit."""
    steady = {"schedule": "constant", "warmup": 0.0}
    three = train("chargen", configured(**steady), data=text)
    train("chargen", configured(epochs=2, **steady), data=text, name="two")
    notes = Notes()
    extended = resume("chargen", ["epochs=3"], name="two", reporter=notes)
    assert outcome(extended) == outcome(three)
    assert notes.notes[0].startswith("re-planned from 2 to 3 epochs")
    assert runs.open_run(extended.path).record["config"]["epochs"] == 3
    assert runs.open_run(extended.path).record["plan"] == three.record["plan"]


def test_a_finished_run_says_so(text):
    run = train("chargen", configured(epochs=1), data=text, name="done")
    before = (run.path / "run.json").read_bytes()
    for overrides in ([], ["epochs=1"], ["minutes=5"], ["patience=3"]):
        notes = Notes()
        again = resume("chargen", overrides, name="done", reporter=notes)
        assert notes.notes == ["run done is already at epoch 1; epochs=M extends it"]
        assert again.record["status"] == "finished"
        assert notes.steps == []
        assert (run.path / "run.json").read_bytes() == before


def test_a_run_that_patience_stopped_goes_on_without_it_and_ends_in_the_same_weights(text, monkeypatch):
    def worse_and_worse(model, items):
        return {"bits_per_char": float(np.linalg.norm(model.kernel))}  # which grows in training

    monkeypatch.setattr(zoo.load("chargen").part("evaluation"), "evaluate", worse_and_worse)
    whole = train("chargen", configured(epochs=4), data=text, name="whole")
    train("chargen", configured(epochs=4, patience=2), data=text, name="stopped")
    before = runs.named("chargen", "stopped").record
    assert (before["status"], len(before["history"])) == ("stopped", 3)
    for overrides in ([], ["epochs=9"], ["patience=1"]):  # the best epoch would lie back as far as before
        notes = Notes()
        resume("chargen", overrides, name="stopped", reporter=notes)
        patience = 1 if "patience=1" in overrides else 2
        assert notes.notes == [f"run stopped is stopped after epoch 3 by patience={patience}; patience=0 lifts it"]
        assert runs.named("chargen", "stopped").record == before
    assert outcome(resume("chargen", ["patience=0"], name="stopped")) == outcome(whole)
    assert runs.named("chargen", "stopped").record["config"]["patience"] == 0


def test_an_epoch_already_done_cannot_be_undone(text):
    train("chargen", configured(epochs=2), data=text, name="done")
    with pytest.raises(CallError, match="run done is already at epoch 2, received epochs=1") as caught:
        resume("chargen", ["epochs=1"], name="done")
    assert caught.value.hint == "epochs=2 or more"


def test_a_changed_setting_is_refused(text):
    with pytest.raises(Killed):
        train("chargen", configured(), data=text, name="killed", reporter=Notes(dies_at=50))
    before = (runs.named("chargen", "killed").path / "run.json").read_bytes()
    with pytest.raises(CallError, match="was started with units=6, it cannot go on with units=7") as caught:
        resume("chargen", ["epochs=4", "units=7"], name="killed")
    assert "leave units out" in caught.value.hint
    assert (runs.named("chargen", "killed").path / "run.json").read_bytes() == before
    finished = resume("chargen", ["units=6"], name="killed")  # what has not changed may be said again
    assert finished.record["status"] == "finished"


def test_a_changed_corpus_is_refused(text):
    with pytest.raises(Killed):
        train("chargen", configured(), data=text, name="killed", reporter=Notes(dies_at=5))
    with open(text, "a") as file:
        file.write("more")
    with pytest.raises(RunError, match="the corpus has changed since run killed was started"):
        resume("chargen", name="killed")


def test_the_newest_unfinished_run_is_resumed(text):
    for name in ("one", "two"):
        with pytest.raises(Killed):
            train("chargen", configured(), data=text, name=name, reporter=Notes(dies_at=2))
    assert resume("chargen").name == "two"
    assert resume("chargen").name == "one"


def test_a_run_that_minutes_stopped_goes_on_without_the_cap_and_ends_in_the_same_weights(text):
    whole = train("chargen", configured(), data=text)
    capped = train("chargen", configured(minutes=1e-4), data=text, name="capped")
    assert capped.record["status"] == "stopped"
    notes = Notes()
    resume("chargen", name="capped", reporter=notes)
    assert notes.notes == ["run capped is stopped after epoch 0 by minutes=0.0001; minutes=0 lifts the cap"]
    arrays = {name: array for name, array in outcome(resume("chargen", ["minutes=0"], name="capped"))["arrays"].items()}
    last = {name: array for name, array in arrays.items() if not name.startswith("best/")}
    assert last == {name: array for name, array in outcome(whole)["arrays"].items() if not name.startswith("best/")}


def test_weights_that_blow_up_end_in_one_clear_error(text, recwarn):
    with pytest.raises(TrainingError, match="is not finite"):
        train("chargen", configured(learning_rate=1e38, warmup=0.0, clipnorm=0.0, dropout=0.0), data=text)
    assert [str(w.message) for w in recwarn if w.category is RuntimeWarning] == []


def test_weights_that_only_grow_large_are_no_defect(text):
    """At a step size of 1e6 losses are huge but finite; their perplexity is beyond floats."""
    run = train("chargen", configured(epochs=1, learning_rate=1e6), data=text)
    assert math.isfinite(run.best["value"])
    json.loads((run.path / "run.json").read_text(), parse_constant=pytest.fail)  # Infinity is not JSON


def test_the_expected_time_counts_the_steps_of_this_session(capsys):
    """Resumed at step 500 of an epoch, 20 steps in 2 seconds are still 0.1 s each: 1,000 of them take 1 min 40 s."""
    from rnnzoo.console import TrainingReporter

    reporter = TrainingReporter()
    corpus = {"name": "x", "counts": {}}
    facts = {"recipe": "r", "run": "x", "corpus": corpus, "parameters": 1, "engine": "numpy", "epochs": 1, "metric": "m"}
    reporter.start(facts | {"steps_per_epoch": 1000})
    for step in range(1, 21):
        reporter.step(1, 500 + step, 1.0, step * 10, step * 0.1)
    assert capsys.readouterr().err.splitlines()[-1] == "expected: 1 min 40 s for 1 epochs, at 100 tokens/s"


# In real processes; for those that are killed outright, see test_crash.py


def arguments(text, epochs=SETTINGS["epochs"], **settings) -> list[str]:
    return [f"{key}={value}" for key, value in (SETTINGS | {"epochs": epochs} | settings).items()] + ["--data", text]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_process_saves_and_says_how_to_go_on(rnnzoo, home, text, number, status):
    with rnnzoo.start("train", "chargen", *arguments(text, 5000), "--run", "long") as process:
        for line in process.stderr:
            if line.startswith(b"epoch 2/"):
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert out == b""
    last_line = err.decode().splitlines()[-1]
    assert "the checkpoint is saved" in last_line
    assert "rnnzoo train chargen --resume --run long" in last_line
    assert b"Traceback" not in err
    done = runs.named("chargen", "long").record["last"][0]["progress"]
    assert done["epoch"] >= 2
    ended = rnnzoo("train", "chargen", "--resume", "--run", "long", f"epochs={done['epoch'] + 1}", "--json")
    assert (ended.status, ended.json["status"], ended.json["epochs"]) == (0, "finished", done["epoch"] + 1)
