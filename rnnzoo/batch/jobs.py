"""The jobs of a batch: a JSON object per line, with keys named like the options of the command line. One line, checked.

Every job has `verb` and `recipe`, and may have an `id` (a text or a whole number; else the number of its line).

    train      config {KEY: VALUE}, preset, data, run (the new run's name), seed, tensorboard (true or false)
    eval       run (several, separated by commas, are an ensemble), data, split, baselines (true or false)
    generate   run; text, texts [...] or input (a file of lines); output (a file), json (lines of JSON in the output),
               seed, options {KEY: VALUE}

What a job takes from an earlier one makes it wait for that one: the run that an earlier train job makes, or the file that is an
earlier job's output. Without `run`, eval and generate take the run of the last train job of their recipe before them; if there
is none, the one that the command line takes, settled when the batch is first started.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from .. import config as configs
from .. import lines, runs, zoo
from ..errors import CallError, RnnzooError, did_you_mean
from ..evaluation import check_split
from ..training import train as training

COMMON = {"id": (str, int), "verb": (str,), "recipe": (str,)}
KEYS = {
    "train": {"config": (dict,), "preset": (str,), "data": (str,), "run": (str,), "seed": (int,), "tensorboard": (bool,)},
    "eval": {"run": (str,), "data": (str,), "split": (str,), "baselines": (bool,)},
    "generate": {
        **{"run": (str,), "text": (str,), "texts": (list,), "input": (str,), "output": (str,)},
        **{"json": (bool,), "seed": (int,), "options": (dict,)},
    },
}
NOUNS = {str: "a text", int: "a whole number", bool: "true or false", dict: "an object of settings", list: "a list of texts"}
SHOWN = 20  # problems that are told at once


class Problem(NamedTuple):
    """What is wrong with a line."""

    line: int
    message: str
    hint: str


class JobsError(CallError):
    """Jobs are wrong, and none was started.

    Attributes:
        problems: what is wrong, in the order of the lines; the message tells the only one, or how many there are.
    """

    def __init__(self, problems: list[Problem]):
        self.problems = sorted(problems, key=lambda problem: problem.line)
        count = len({problem.line for problem in problems})
        if len(problems) == 1:
            line, message, hint = problems[0]
            super().__init__(f"line {line}: {message}", hint)
        else:
            told = "" if len(problems) <= SHOWN else f", the first {SHOWN} are told"
            found = f"{len(problems)} problems in {count} lines{told}; no job was started"
            super().__init__(found, "mend them and start the batch again")

    @property
    def shown(self) -> list[str]:
        """Lines that tell several problems."""
        if len(self.problems) == 1:
            return []
        return [f"line {line}: {message} ({hint})" for line, message, hint in self.problems[:SHOWN]]


@dataclass
class Job:
    """A job.

    Attributes:
        line: its number in the file, from 1.
        given: the object as it was read, without the keys that are null.
        config, options: of train and generate, typed.
        run: of train the name of the new run; else the run or runs to take, settled.
        begun: of train, whether an earlier start of the batch may have begun the run: it goes on where it is.
        needs: lines of the jobs that it waits for.
        key: hash of what is to be done: of the job without its id, of its files, and of the jobs that it waits for.
    """

    line: int
    given: dict[str, Any]
    recipe: zoo.Recipe
    config: Any = None
    options: Any = None
    run: str | None = None
    begun: bool = False
    needs: set[int] = field(default_factory=set)
    key: str = ""

    @property
    def id(self) -> str | int:
        return self.given.get("id", self.line)

    @property
    def verb(self) -> str:
        return self.given["verb"]

    @property
    def data(self) -> str | None:
        """The corpus. A train job names its recipe's own one, and so never falls back to the sample."""
        own = self.recipe.card.CORPORA[0] if self.verb == "train" else None
        return self.given.get("data", own)

    @property
    def output(self) -> str | None:
        return self.given.get("output")

    def texts(self) -> Iterable[str]:
        """The texts of a generate job. A list is made of a file's lines, so that all of it is known to be UTF-8."""
        if "input" in self.given:
            return list(lines.of_file(self.given["input"]))
        prefix = self.given.get("options", {}).get("prefix", "")
        return self.given.get("texts", [self.given.get("text", str(prefix))])

    def message(self) -> dict[str, Any]:
        """What another process needs to do the job; see `again`."""
        return {"line": self.line, "given": self.given, "run": self.run, "begun": self.begun}


def again(message: Mapping[str, Any]) -> Job:
    """The job of a `Job.message`."""
    checks = Checks()
    job = parse(message["line"], message["given"], checks)
    if job is None or checks.problems:
        raise JobsError(checks.problems)
    job.run, job.begun = message["run"], message["begun"]
    return job


class Checks:
    """Problems, as they are found."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @contextmanager
    def of(self, line: int) -> Iterator[None]:
        """An error in here is a problem of that line; what comes after it is still checked."""
        try:
            yield
        except RnnzooError as error:
            self.problems.append(Problem(line, error.message, error.hint))


def parse(line: int, given: dict[str, Any], checks: Checks) -> Job | None:
    """The job of an object, as far as it can be checked by itself; None if its verb or recipe is not known."""
    with checks.of(line):
        verb = _verb(given)
        known = COMMON | KEYS[verb]
        sound = {}
        for key, value in given.items():
            with checks.of(line):
                if key not in known:
                    raise CallError(
                        f"{key!r} is not a key of {verb} jobs", did_you_mean(key, known, f"keys: {', '.join(known)}")
                    )
                _check_value(key, value, known[key])
                sound[key] = value
        if "recipe" not in given:
            raise CallError("it has no recipe", f"recipes: {', '.join(zoo.names())}")
        if "recipe" not in sound:
            return None
        job = Job(line, sound, zoo.load(sound["recipe"]), run=sound.get("run"))
        {"train": _check_train, "eval": _check_eval, "generate": _check_generate}[verb](job, checks)
        return job
    return None


def _verb(given: Mapping[str, Any]) -> str:
    verbs = f"verbs: {', '.join(KEYS)}"
    if "verb" not in given:
        raise CallError("it has no verb", verbs)
    verb = given["verb"]
    if not isinstance(verb, str) or verb not in KEYS:
        raise CallError(f"{short(verb)} is not a verb of a batch", did_you_mean(str(verb), KEYS, verbs))
    return verb


def _check_value(key: str, value: Any, kinds: tuple[type, ...]) -> None:
    wanted = " or ".join(NOUNS[kind] for kind in kinds)
    if type(value) not in kinds or (kinds == (list,) and not all(isinstance(text, str) for text in value)):
        raise CallError(f"{key} must be {wanted}, received {short(value)}", "see rnnzoo batch --help")
    if key != "text" and (value == "" or isinstance(value, str) and "\0" in value):
        raise CallError(f"{key} must not be empty or hold a NUL, received {short(value)}", f"leave {key} out, or name one")
    if key == "seed" and value < 0:
        raise CallError(f"seed must be at least 0, received {value}", "the default is 0")


def _check_train(job: Job, checks: Checks) -> None:
    card = job.recipe.card
    with checks.of(job.line):
        config = configs.with_preset(card.Config, card.PRESETS, job.given.get("preset"))
        values = _fields(card.Config, job.given.get("config", {}), "a setting", job.line, checks)
        job.config = type(config)(**asdict(config) | values)
        training.check(job.recipe, job.config, job.given.get("tensorboard", False))
    if job.run:
        with checks.of(job.line):
            runs.check_name(job.run)


def _check_eval(job: Job, checks: Checks) -> None:
    with checks.of(job.line):
        check_split(job.given.get("split", "test"))


def _check_generate(job: Job, checks: Checks) -> None:
    options = job.recipe.card.Options
    given = job.given.get("options", {})
    job.options = options(**_fields(options, given, "an option", job.line, checks))
    with checks.of(job.line):
        texts = [key for key in ("text", "texts", "input") if key in job.given] + ["options.prefix"] * ("prefix" in given)
        if len(texts) > 1:
            raise CallError(f"{' and '.join(texts)} cannot both be given", "leave one of them out")
        if not texts and "prefix" not in configs.fields(options):
            raise CallError("it has no text", "give text, texts or input")
    if "json" in job.given and "output" not in job.given:
        with checks.of(job.line):
            raise CallError("json is the form of an output file, and there is none", "leave json out: results are JSON anyway")


def _fields(cls: type, given: Mapping[str, Any], known_as: str, line: int, checks: Checks) -> dict[str, Any]:
    """The values of a dataclass' fields that are as they should be; the others are problems."""
    values = {}
    for key, value in given.items():
        with checks.of(line):
            values[key] = configs.given(cls, key, value, known_as)
    return values


def short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
