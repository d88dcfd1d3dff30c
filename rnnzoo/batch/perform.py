"""One job, done: what training, evaluation and inference give, as a result that JSON can hold."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from typing import Any

from .. import evaluation, inference, lines, paths, runs
from ..errors import RnnzooError, RunError, explained
from ..training import train as training
from ..training.interrupts import Interrupted
from ..training.reporter import Reporter
from .jobs import Job

KEPT = 8  # models that a process keeps


class Performer:
    """Does jobs in this process. Models stay loaded: a run that a job of the batch makes has a name of its own.

    Args:
        share: threads of a training that does not say how many; 0 for a fair share of what is there.
    """

    def __init__(self, share: int = 0):
        self.share = share
        self.load = functools.lru_cache(KEPT)(inference.load)

    def outcome(self, job: Job, reporter: Reporter) -> dict[str, Any]:
        """{"status": "done", "result"} or {"status": "failed", "error", "hint"}.

        Raises:
            Interrupted, KeyboardInterrupt: after a signal.
        """
        try:
            result = {"train": self._train, "eval": self._eval, "generate": self._generate}[job.verb](job, reporter)
            return {"status": "done", "result": json.loads(json.dumps(result, default=_plain))}
        except Interrupted:
            raise
        except Exception as error:
            message, hint, _ = explained(error)
            if not isinstance(error, (RnnzooError, OSError, MemoryError)):
                hint = f"rnnzoo {job.verb} with --debug shows the traceback; please report it with the job"
            return {"status": "failed", "error": message, "hint": hint}

    def _train(self, job: Job, reporter: Reporter) -> Mapping[str, Any]:
        recipe, seed = job.recipe, job.given.get("seed", 0)
        if job.begun and runs.exists(recipe.name, job.run):
            run = runs.named(recipe.name, job.run)
            if training.restored_config(recipe, run) != job.config or run.record["seed"] != seed:
                raise RunError(f"run {job.run} was not begun by this job: its settings are others", "choose another name")
            run = training.resume(recipe, name=job.run, reporter=reporter)
        else:
            run = training.train(
                recipe,
                job.config,
                data=job.data,
                name=job.run,
                seed=seed,
                tensorboard=job.given.get("tensorboard", False),
                reporter=reporter,
                share=self.share,
            )
        return training.summary(run)

    def _eval(self, job: Job, reporter: Reporter) -> Mapping[str, Any]:
        return evaluation.evaluate(
            job.recipe,
            job.run,
            data=job.data,
            split=job.given.get("split", "test"),
            with_baselines=job.given.get("baselines", True),
            reporter=reporter,
            load=self.load,
        )

    def _generate(self, job: Job, reporter: Reporter) -> Mapping[str, Any]:
        model = self.load(job.recipe, job.run)
        seed = job.given.get("seed")
        seed = inference.fresh_seed() if seed is None else seed
        as_json = job.given.get("json", False)
        result = {"run": model.run.name, "corpus": model.run.record["corpus"]["name"], "seed": seed}
        pieces = model.answers(job.texts(), job.options, seed, as_json)
        if job.output is None:
            return result | {"answers": [record for _, record in pieces if record is not None]}
        answered = 0
        with lines.writing(job.output) as file:
            for text, record in pieces:
                file.write(text)
                answered += record is not None
        return result | {"output": job.output, "answered": answered}


def is_there(job: Job) -> bool:
    """Whether what a job that was done has made is still there."""
    if job.verb == "train":
        try:
            return runs.named(job.recipe.name, job.run).finished
        except RnnzooError:
            return False
    return job.output is None or os.path.isfile(paths.given(job.output))


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
