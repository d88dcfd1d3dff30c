"""Many jobs in one call: train, eval and generate, checked together, done in order or side by side, resumed after a kill.

    from rnnzoo import batch
    batch.run(open("jobs.jsonl", "rb").read(), print)

`jobs` says what a job is, `reading` what jobs are to one another, `journal` how nothing is lost, `pool` who does them,
`perform` how.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..training.interrupts import Interrupted, signal_of, terminable
from ..training.reporter import Reporter
from .jobs import Job, JobsError
from .journal import Journal, path_of
from .perform import is_there
from .pool import Here, Workers
from .reading import read

__all__ = ["Job", "JobsError", "Summary", "run"]


@dataclass
class Summary:
    """How a batch ended: how many jobs are done, failed, skipped (done before) and not run, and the signal that cut it."""

    done: int = 0
    failed: int = 0
    skipped: int = 0
    not_run: int = 0
    seconds: float = 0.0
    signal: int | None = None

    @property
    def exit_code(self) -> int:
        return 128 + self.signal if self.signal is not None else int(self.failed > 0)


def run(
    content: bytes,
    emit: Callable[[dict[str, Any]], None],
    *,
    file: str | None = None,
    workers: int = 1,
    keep_going: bool = False,
    resume: bool = False,
    reporter_for: Callable[[Job], Reporter] = lambda job: Reporter(),
) -> Summary:
    """Do the jobs in `content` (see `jobs`), none before all are checked.

    Args:
        emit: is given each job's record as it ends: {"id", "verb", "recipe", "status", "seconds"} and "result", or "error" and
            "hint". The status is "done", "failed", or "skipped" for what an earlier start of the batch has done.
        file: where the jobs are from; None for a pipe. It tells the batch from others.
        workers: processes that work side by side; 1 for this one alone. They divide the threads among them.
        keep_going: a job that fails does not keep the others from being started, save those that need it.
        resume: go on with this batch where it was cut: skip what is done, go on with runs that were begun.

    Raises:
        JobsError: if a job is wrong; none was started.
        RnnzooError: if another process runs this batch.
    """
    started = time.monotonic()
    journal = Journal(path_of(file, content))
    before = journal.planned if resume else {}
    jobs = read(content, before, time.strftime("%Y%m%d-%H%M%S"))
    summary = Summary(not_run=len(jobs))
    with journal.open(keep=resume):
        journal.plan(file, {job.key: job.run for job in jobs})
        batch = _Running(jobs, journal, emit, keep_going, summary)
        with Workers(workers, reporter_for) if workers > 1 else Here(reporter_for) as pool, terminable():
            try:
                batch.skip_done()
                batch.go(pool)
            except (KeyboardInterrupt, Interrupted) as stopped:
                summary.signal = signal_of(stopped)
                for job, outcome in pool.stop():
                    batch.end(job, outcome)
            except BaseException:
                pool.stop()
                raise
            finally:
                summary.seconds = time.monotonic() - started
    return summary


class _Running:
    """The jobs of a batch while it runs."""

    def __init__(self, jobs: list[Job], journal: Journal, emit: Callable, keep_going: bool, summary: Summary):
        self.jobs, self.journal, self.emit, self.keep_going, self.summary = jobs, journal, emit, keep_going, summary
        self.ended: dict[int, bool] = {}  # line -> whether it is done
        self.begun: dict[int, float] = {}
        self.ids = {job.line: job.id for job in jobs}

    def skip_done(self) -> None:
        for job in self.jobs:
            record = self.journal.done.get(job.key)
            if record and is_there(job) and all(self.ended.get(line) for line in job.needs):
                self.ended[job.line] = True
                self._count("skipped")
                self.emit(_record(job, "skipped", record["seconds"], {"result": record["result"]}))

    def go(self, pool: Here | Workers) -> None:
        waiting = [job for job in self.jobs if job.line not in self.ended]
        while True:
            for job in list(waiting):
                if self.summary.failed and not self.keep_going:
                    break
                if not all(line in self.ended for line in job.needs):
                    continue
                if failed := [line for line in sorted(job.needs) if not self.ended[line]]:
                    waiting.remove(job)
                    needed = self.ids[failed[0]]
                    self.end(
                        job, {"status": "failed", "error": f"it needs job {needed}, which failed", "hint": "mend that one"}
                    )
                elif pool.free:
                    waiting.remove(job)
                    self.begun[job.line] = time.monotonic()
                    pool.start(job)
            if not pool.busy:
                return
            self.end(*pool.next())

    def end(self, job: Job, outcome: dict[str, Any]) -> None:
        seconds = round(time.monotonic() - self.begun.get(job.line, time.monotonic()), 3)
        status = outcome["status"]
        record = _record(job, status, seconds, {key: value for key, value in outcome.items() if key != "status"})
        self.journal.ended(job.key, record)
        self.ended[job.line] = status == "done"
        self._count(status)
        self.emit(record)

    def _count(self, status: str) -> None:
        setattr(self.summary, status, getattr(self.summary, status) + 1)
        self.summary.not_run -= 1


def _record(job: Job, status: str, seconds: float, outcome: dict[str, Any]) -> dict[str, Any]:
    own = {"id": job.id, "verb": job.verb, "recipe": job.recipe.argument}
    return {**own, "status": status, "seconds": seconds, **outcome}
