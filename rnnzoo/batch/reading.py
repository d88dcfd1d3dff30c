"""The jobs of a file, and what they are to one another: runs and files that one of them makes and another one takes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from .. import paths, runs
from ..corpora import source
from ..errors import CallError, RunError, did_you_mean
from .jobs import Checks, Job, JobsError, Problem, parse, short


def read(content: bytes, planned: Mapping[str, str] | None = None, new_name: str = "") -> list[Job]:
    """The jobs in the content of a file, checked.

    Args:
        planned: of an earlier start of the batch, the run of each job's key that did not name one (see `Job`).
        new_name: what names of runs begin with that no job gives.

    Raises:
        JobsError: with all that is wrong.
    """
    checks = Checks()
    found = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            with checks.of(number):
                found.append(parse(number, _object(line, number), checks))
    if not found and not checks.problems:
        checks.problems.append(Problem(1, "there are no jobs", 'a job is a line like {"verb": "eval", "recipe": "chargen"}'))
    _Batch([job for job in found if job], checks, planned or {}, new_name).settle()
    if checks.problems:
        raise JobsError(checks.problems)
    return found


def _object(line: bytes, number: int) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = [key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i])]
        if twice:
            raise CallError(f"{twice[0]!r} is given twice", "leave one of them out")
        return dict(pairs)

    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"), object_pairs_hook=once)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise CallError(f"it is not UTF-8 (byte 0x{line[error.start]:02x})", "convert it: iconv -f latin1 -t utf-8") from None
    except UnicodeEncodeError:
        raise CallError("a text in it has half a character (a lone surrogate)", "write the character itself") from None
    except (ValueError, RecursionError) as error:
        raise CallError(
            f"it is not JSON: {error}", 'a job is one object on one line, like {"verb": "eval", "recipe": "chargen"}'
        ) from None
    if not isinstance(value, dict):
        raise CallError(f"expected an object, received {short(value)}", 'for instance {"verb": "eval", "recipe": "chargen"}')
    return {key: value for key, value in value.items() if value is not None}


class _Batch:
    """What jobs are to one another: runs and files that one makes and another one takes."""

    def __init__(self, jobs: list[Job], checks: Checks, planned: Mapping[str, str], new_name: str):
        self.jobs, self.checks, self.planned, self.new_name = jobs, checks, planned, new_name
        self.ids: dict[str, int] = {}
        self.made: dict[tuple[str, str], Job] = {}  # runs
        self.newest: dict[str, Job] = {}  # the last train job of each recipe
        self.written: dict[str, Job] = {}  # outputs
        self.read: dict[str, Job] = {}  # files that jobs read
        self.keys: set[str] = set()
        self.by_line = {job.line: job for job in jobs}

    def settle(self) -> None:
        for job in self.jobs:
            with self.checks.of(job.line):
                self._identify(job)
            facts = {"verb": job.verb, "recipe": job.recipe.argument}
            facts |= {"train": self._train, "eval": self._eval, "generate": self._generate}[job.verb](job)
            # Settled when it is known what the job does, for that is how an earlier start of the batch called it.
            job.key = self._key(job, facts)
            self._settle_run(job)

    def _identify(self, job: Job) -> None:
        first = self.ids.setdefault(str(job.id), job.line)
        if first != job.line:
            raise CallError(f"its id {job.id!r} is that of line {first}", "give each job an id of its own")

    def _train(self, job: Job) -> dict[str, Any]:
        config = None if job.config is None else asdict(job.config)
        own = {key: job.given.get(key, default) for key, default in (("seed", 0), ("tensorboard", False))}
        return {"config": config, "data": self._corpus(job), "run": job.run, **own}

    def _eval(self, job: Job) -> dict[str, Any]:
        own = {"split": job.given.get("split", "test"), "baselines": job.given.get("baselines", True)}
        return {**own, "run": self._taken(job), "data": self._corpus(job)}

    def _generate(self, job: Job) -> dict[str, Any]:
        facts = {"run": self._taken(job), "options": asdict(job.options), "seed": job.given.get("seed")}
        if "input" in job.given:
            with self.checks.of(job.line):
                facts["input"] = self._file(job, job.given["input"])
        else:
            facts["texts"] = job.texts()
        if job.output:
            with self.checks.of(job.line):
                facts["output"] = self._target(job, job.output)
                facts["json"] = job.given.get("json", False)
        return facts

    # Files

    def _corpus(self, job: Job) -> Any:
        """The corpus as a part of the key: its name; of files their content."""
        if job.data is None:
            return None
        with self.checks.of(job.line):
            corpora = job.recipe.card.CORPORA
            if job.data not in (*corpora, source.SAMPLE) and _real(job.data) in self.written:
                return self._file(job, job.data)
            chosen = source.resolve(job.data, corpora)
            if chosen.kind not in ("file", "files"):
                return chosen.argument
            return [self._file(job, path) for path in ([chosen.value] if chosen.kind == "file" else chosen.value.split(","))]

    def _file(self, job: Job, path: str) -> list[str]:
        """A file that a job reads, as a part of its key: path and content."""
        real = _real(path)
        if real in self.written:
            job.needs.add(self.written[real].line)
            return [real]
        if not os.path.isfile(real):
            why = "it is not a regular file" if os.path.exists(real) else os.strerror(2)
            raise CallError(f"{path} cannot be read: {why}", "name a file that is there, or the output of an earlier job")
        self.read.setdefault(real, job)
        try:
            with open(real, "rb") as file:
                return [real, hashlib.file_digest(file, "sha256").hexdigest()]
        except OSError as error:
            raise CallError(f"{path} cannot be read: {error.strerror}", "name a file that you may read") from None

    def _target(self, job: Job, path: str) -> str:
        """The file that a job writes; an earlier job's file would be gone when that one has to be done again."""
        real = _real(path)
        if real in self.written:
            raise CallError(f"{path} is the output of line {self.written[real].line} too", "name another file")
        if real in self.read:
            raise CallError(f"{path} is written over while line {self.read[real].line} reads it", "name another file")
        folder = os.path.dirname(real)
        if os.path.isdir(real) or not os.access(folder, os.W_OK):
            absent = "its folder is not there" if not os.path.isdir(folder) else "its folder is not yours to write to"
            why = "it is a folder" if os.path.isdir(real) else absent
            raise CallError(f"{path} cannot be written: {why}", "give a file in a folder you may write to")
        self.written[real] = job
        return real

    # Runs

    def _taken(self, job: Job) -> list[str] | None:
        """The runs that a job takes, as a part of its key; None for the newest one."""
        if job.run is None:
            if newest := self.newest.get(job.recipe.name):
                job.run = newest.run
                job.needs.add(newest.line)
                return []  # the key of the job that makes it stands for it
            return None
        settled = []
        for name in job.run.split(",") if job.verb == "eval" else [job.run]:
            with self.checks.of(job.line):
                settled.append(self._named(job, name))
        job.run = ",".join(settled)
        return settled

    def _named(self, job: Job, name: str) -> str:
        recipe = job.recipe
        if "/" in name and os.path.dirname(_real(name)) == _real(str(paths.checkpoints() / recipe.name)):
            name = paths.given(name).name
        if maker := self.made.get((recipe.name, name)):
            job.needs.add(maker.line)
            return name
        try:
            with recipe.hints_by_argument():
                run = runs.named(recipe.name, name)
        except RunError as error:
            for other in self.jobs:
                if other.verb == "train" and (other.recipe.name, other.given.get("run")) == (recipe.name, name):
                    where = f"line {other.line}"
                    raise CallError(f"run {name} is made by {where}, after this job", f"move it below {where}") from None
            makers = [run for of, run in self.made if of == recipe.name]
            raise RunError(error.message, did_you_mean(name, [*makers, *runs.names(recipe.name)], error.hint)) from None
        _check_trained(run)
        return name

    def _settle_run(self, job: Job) -> None:
        """The names that the job itself does not give: of the run that it makes, or of the newest one."""
        planned = self.planned.get(job.key)
        if job.verb != "train":
            if job.run is None and planned:
                with suppress(RunError):  # it is there no longer
                    job.run = runs.named(job.recipe.name, planned).name
            if job.run is None:
                with self.checks.of(job.line), job.recipe.hints_by_argument():
                    job.run = runs.resolve(job.recipe.name).name
            return
        with self.checks.of(job.line):
            self._settle_new_run(job, planned)
        if job.run:
            self.made.setdefault((job.recipe.name, job.run), job)
        self.newest[job.recipe.name] = job

    def _settle_new_run(self, job: Job, planned: str | None) -> None:
        name = job.run or planned or f"{self.new_name}-{job.line}"
        other = self.made.get((job.recipe.name, name))
        if other is not None:
            raise CallError(f"run {name} is that of line {other.line} too", "give each run a name of its own")
        if runs.exists(job.recipe.name, name) and planned != name:
            raise CallError(
                f"{job.recipe.name} already has a run {name!r}",
                "--resume goes on with the batch that began it; else choose another name",
            )
        job.run, job.begun = name, planned == name

    def _key(self, job: Job, facts: dict[str, Any]) -> str:
        facts["needs"] = [self.by_line[line].key for line in sorted(job.needs)]
        content = json.dumps(facts, sort_keys=True, default=str)
        for times in range(len(self.jobs)):
            # The same job twice is done twice.
            key = hashlib.sha256(f"{times} {content}".encode()).hexdigest()
            if key not in self.keys:
                break
        self.keys.add(key)
        return key


def _check_trained(run: runs.Run) -> None:
    if not run.best:
        raise RunError(f"run {run.name} has no best checkpoint yet", f"rnnzoo train {run.record['recipe']} --resume")


def _real(path: str) -> str:
    return os.path.realpath(os.path.expanduser(path))
