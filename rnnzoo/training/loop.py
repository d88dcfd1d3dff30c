"""The training loop: explicit state in and out, validation and checkpoints, exact resume.

Everything that shapes the final weights is a function of the configuration, the seed and the step number. The clock only
decides when checkpoints are written and, with `minutes`, when a run stops; so a run that was killed and resumed ends in the
same weights, bit for bit, as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..batching import Batch
from ..errors import RunError, TrainingError
from ..runs import Run
from .engines import Engine
from .interrupts import Interrupted, deferred
from .reporter import Reporter
from .schedule import step_size

IN_TRAINING = "validation_in_training"  # marks an epoch of the history whose validation metrics are of items trained on
CHECKPOINT_SECONDS = 30.0  # between checkpoints within an epoch


@dataclass
class Progress:
    """Where training is: it is written with each checkpoint and read when a run is resumed."""

    epoch: int = 0  # epochs completed
    position: int = 0  # steps done of the epoch under way
    step: int = 0  # steps done in all
    loss: float = 0.0  # nats summed over the epoch under way
    tokens: int = 0  # tokens of the epoch under way
    seconds: float = 0.0  # training time of all sessions


@dataclass(frozen=True)
class Task:
    """What the loop needs to know of a recipe's run.

    Attributes:
        batches: epoch number (from 0) -> its batches, always the same ones for the same number.
        carries_state: whether a batch's final state starts the next one of the epoch.
        validate: weights -> metrics on the validation items.
        metric, direction: the metric that decides which epoch is best, and whether "min" or "max" is better.
        sample: weights, epoch -> a text to show, or None; after each epoch.
        refits: epoch number (from 0) -> whether its batches hold the validation items too. From such an epoch on, validation
            says nothing any more: the newest weights are kept, and the best metric stays that of the best epoch before.
    """

    config: Any
    batches: Callable[[int], Sequence[Batch]]
    carries_state: bool
    validate: Callable[[dict], dict[str, float]]
    metric: str
    direction: str
    sample: Callable[[dict, int], str | None] = lambda weights, epoch: None
    refits: Callable[[int], bool] = lambda epoch: False


def fit(run: Run, task: Task, engine: Engine, reporter: Reporter) -> None:
    """Train `run` from where its last checkpoint left it to the end of its plan.

    Raises:
        TrainingError: if the loss is no longer finite; the last good checkpoint stays.
        Interrupted: after SIGINT or SIGTERM, with the checkpoint saved.
    """
    config, plan = task.config, run.record["plan"]
    progress, state = _restore(run, engine, reporter)
    session_start, session_tokens, seconds_before = time.monotonic(), 0, progress.seconds
    saved_at = time.monotonic()

    def out_of_time() -> bool:
        return bool(config.minutes) and progress.seconds >= config.minutes * 60

    def save() -> None:
        nonlocal saved_at
        _checkpoint(run, engine, progress, state)
        saved_at = time.monotonic()

    with deferred() as requests:
        if progress.epoch >= plan["epochs"]:  # it was re-planned to end where it already is
            run.record["status"] = "finished"
            save()
        while progress.epoch < plan["epochs"]:
            batches = task.batches(progress.epoch)
            while progress.position < len(batches):
                if requests.signal is not None:
                    save()
                    raise Interrupted(requests.signal)
                if out_of_time():
                    break
                batch = batches[progress.position]
                rate = step_size(progress.step, plan["total_steps"], config.learning_rate, config.warmup, config.schedule)
                loss, after = engine.step(batch, state if task.carries_state else None, rate, progress.step)
                if not math.isfinite(loss):
                    raise TrainingError(
                        f"the loss is not finite at step {progress.step + 1} (epoch {progress.epoch + 1})",
                        _smaller_steps(config),
                    )
                state = after
                progress.position += 1
                progress.step += 1
                progress.loss += loss
                progress.tokens += batch.tokens
                session_tokens += batch.tokens
                now = time.monotonic()
                progress.seconds = seconds_before + now - session_start
                reporter.step(
                    progress.epoch + 1, progress.position, progress.loss / progress.tokens, session_tokens, now - session_start
                )
                if now - saved_at > CHECKPOINT_SECONDS:
                    save()
            if progress.tokens:
                _end_epoch(run, task, engine, progress, reporter, cut=progress.position < len(batches))
                progress.seconds = seconds_before + time.monotonic() - session_start
            stopped = out_of_time() or out_of_patience(run, config.patience)
            if progress.position == len(batches):
                progress.epoch += 1
                progress.position, progress.loss, progress.tokens, state = 0, 0.0, 0, None
            if stopped or progress.epoch == plan["epochs"]:
                run.record["status"] = "finished" if progress.epoch == plan["epochs"] else "stopped"
            save()
            if stopped:
                break


def _end_epoch(run: Run, task: Task, engine: Engine, progress: Progress, reporter: Reporter, cut: bool) -> None:
    """Validate, note the epoch in the history, and keep the weights if they are the best so far."""
    weights = engine.weights()
    metrics = task.validate(weights)
    # Once trained on, always trained on: also in a run that was extended after its plan's end.
    refitted = task.refits(progress.epoch) or any(IN_TRAINING in entry for entry in run.record["history"])
    entry = {
        "epoch": progress.epoch + 1,
        "step": progress.step,
        "train_nats": progress.loss / progress.tokens,
        "tokens": progress.tokens,
        "seconds": round(progress.seconds, 3),
        **({"cut_by_minutes": True} if cut else {}),
        **({IN_TRAINING: True} if refitted else {}),
        "validation": metrics,
    }
    value, best = metrics[task.metric], run.best
    if not math.isfinite(value):
        raise TrainingError(
            f"the validation {task.metric} is not finite ({value}) after epoch {progress.epoch + 1}",
            _smaller_steps(task.config),
        )
    better = refitted or best is None or (value < best["value"] if task.direction == "min" else value > best["value"])
    run.record["history"].append(entry)
    if better:
        # Numbered like the checkpoint to come, not by the step: a run that went back and was re-planned may pass a step twice.
        file = f"best-{run.record.get('checkpoints', 0) + 1:06d}.safetensors"
        run.record["best"] = {
            "metric": task.metric,
            "direction": task.direction,
            "value": value,
            "epoch": progress.epoch + 1,
            "step": progress.step,
            "file": file,
            "sha256": run.write_arrays(file, weights),
        }
        if refitted and best is not None:
            run.record["best"] |= {"value": best["value"], "epoch": best["epoch"], "refitted_to_epoch": progress.epoch + 1}
    reporter.epoch(entry, improved=better)
    text = task.sample(weights, progress.epoch + 1)
    if text is not None:
        reporter.sample(progress.epoch + 1, text)


def _smaller_steps(config: Any) -> str:
    return f"lower the step size: learning_rate={config.learning_rate / 4:g}, or bound gradients: clipnorm=1"


def out_of_patience(run: Run, patience: int) -> bool:
    """Whether the best epoch lies `patience` epochs back. It follows from the history alone, so resuming cannot change it."""
    history, best = run.record["history"], run.best
    if history and IN_TRAINING in history[-1]:
        return False
    return bool(patience and best and history and history[-1]["epoch"] - best["epoch"] >= patience)


def _checkpoint(run: Run, engine: Engine, progress: Progress, state: Any) -> None:
    """Write what resuming needs and switch to it; the checkpoint before this one is kept as a fallback."""
    run.record["checkpoints"] = serial = run.record.get("checkpoints", 0) + 1
    file = f"last-{serial:06d}.safetensors"
    arrays = {f"weights/{name}": array for name, array in engine.weights().items()}
    arrays |= {f"optimizer/{name}": array for name, array in engine.slots().items()}
    if state is not None:
        arrays |= {f"state/{i:03d}": array for i, array in enumerate(engine.export_state(state))}
    entry = {
        "file": file,
        "sha256": run.write_arrays(file, arrays),
        "progress": vars(progress).copy(),
    }
    run.record["last"] = [entry, *run.record["last"][:1]]
    run.commit()


def _restore(run: Run, engine: Engine, reporter: Reporter) -> tuple[Progress, Any]:
    """Continue from the newest checkpoint that is whole; from the start if the run has none yet."""
    for entry in list(run.record["last"]):
        try:
            arrays = run.read_arrays(entry["file"], entry["sha256"])
        except RunError as error:
            reporter.warn(f"{error.message}; going on from the checkpoint before it")
            continue
        parts: dict[str, dict] = {"weights": {}, "optimizer": {}, "state": {}}
        for name, array in arrays.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = array
        try:
            engine.restore(parts["weights"], parts["optimizer"])
        except (KeyError, ValueError) as error:
            raise RunError(
                f"run {run.name} does not fit recipe {run.record['recipe']} as it is now: {error}",
                f"train again: rnnzoo train {run.record['recipe']}",
            ) from None
        state = engine.import_state([parts["state"][key] for key in sorted(parts["state"])]) if parts["state"] else None
        run.record["last"] = run.record["last"][run.record["last"].index(entry) :]
        progress = Progress(**entry["progress"])
        # What is trained again is noted again: epochs after this checkpoint, and one that `minutes` had cut short.
        run.record["history"] = [past for past in run.record["history"] if past["epoch"] <= progress.epoch]
        return progress, state
    if run.record["last"]:
        raise RunError(f"no checkpoint of run {run.name} can be read", f"train again: rnnzoo train {run.record['recipe']}")
    return Progress(), None
