"""`rnnzoo batch`: many jobs in one call."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer

from .. import console
from ..errors import CallError
from .options import JSON, QUIET

EXAMPLES = ("rnnzoo batch jobs.jsonl --jobs 2", "rnnzoo batch jobs.jsonl --resume --keep-going")


def batch(
    jobs: Annotated[str, typer.Argument(metavar="JOBS", help="A file with a job on each line; - for stdin.")],
    workers: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=256, help="Processes that do jobs side by side.")
    ] = 1,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Go on after a job that failed.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a batch that was cut: skip what is done.")] = False,
    json: JSON = False,
    quiet: QUIET = False,
) -> int:
    """Do many jobs: train, eval and generate.

    Each line of JOBS is a job, a JSON object. All are checked before one starts.

    \b
    {"verb": "train", "recipe": "sentiment", "config": {"epochs": 3}, "run": "a"}
    {"verb": "eval", "recipe": "sentiment", "run": "a", "baselines": false}
    {"verb": "generate", "recipe": "sentiment", "texts": ["not bad", "so so"]}

    \b
    every job  id (of the result; else its line's number), verb, recipe
    train      config {KEY: VALUE}, preset, data, run (its new name), seed,
               tensorboard (true or false)
    eval       run, data, split, baselines (true or false)
    generate   run; text, texts [...] or input (a file of lines); output (a
               file), json (JSON lines in it); seed, options {KEY: VALUE}

    A job that takes what an earlier one makes (a run, a file) waits for it. Without run, eval and generate take the run of the
    last train job of their recipe before them, or else the newest. A train job without data is an error where its recipe's
    corpus cannot be reached: the built-in sample does not stand in, but for "data": "sample".

    Each job that ends is a line of JSON on stdout: id, verb, recipe, status (done, failed; skipped with --resume), seconds,
    and result, or error and hint.
    """
    from .. import batch as batches

    content = _read(jobs)
    shown: dict[int, console.TrainingReporter] = {}

    def reporter_for(job: batches.Job):
        if quiet:
            return console.QuietReporter(f"{job.id}: ")
        if job.line not in shown:
            console.note(f"{job.id}: {job.verb} {job.recipe.argument}{f', run {job.run}' if job.run else ''}")
            shown[job.line] = console.TrainingReporter(f"{job.id}: ", alone=workers == 1)
        return shown[job.line]

    def close() -> None:
        for reporter in shown.values():
            reporter.close()

    def emit(record: dict) -> None:
        close()
        console.document(record)
        sys.stdout.flush()
        if record["status"] == "failed" and not quiet:
            console.note(f"{record['id']}: failed: {record['error']} ({record['hint']})")

    file = None if jobs == "-" else jobs
    options = {"workers": workers, "keep_going": keep_going, "resume": resume, "reporter_for": reporter_for}
    try:
        summary = batches.run(content, emit, file=file, **options)
    except batches.JobsError as error:
        for line in error.shown:
            console.note(line)
        raise
    finally:
        close()
    if not quiet:
        console.note(_told(summary, jobs))
    return summary.exit_code


def _read(jobs: str) -> bytes:
    from .. import paths

    if jobs == "-":
        return sys.stdin.buffer.read()
    try:
        return paths.given(jobs).read_bytes()
    except OSError as error:
        raise CallError(f"{jobs} cannot be read: {error.strerror}", "give a file with a job on each line, or -") from None


def _told(summary, jobs: str) -> str:
    counts = {"done": summary.done, "failed": summary.failed, "skipped": summary.skipped, "not run": summary.not_run}
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count or what == "done")
    how = "interrupted; what is done is kept: " if summary.signal is not None else ""
    line = f"batch: {how}{told}, {summary.seconds:.1f} s"
    if summary.failed or summary.not_run:
        line += f"\ngo on: rnnzoo batch {'-' if jobs == '-' else shlex.quote(jobs)} --resume"
    return line
