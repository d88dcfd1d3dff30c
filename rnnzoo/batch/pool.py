"""Who does the jobs of a batch: this process, one after the other, or several worker processes.

A worker is a Python process of its own with the same module path. It reads jobs from its standard input and writes events to
its standard output, lines of JSON: what its reporter is told, then the outcome. It ends when its input does, at once and
without a word, so that a batch that is killed leaves nobody at work; SIGTERM lets a training save its checkpoint first.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from ..training import threads
from ..training.interrupts import Interrupted, terminable
from ..training.reporter import Reporter
from .jobs import Job, again
from .perform import Performer

Outcome = dict[str, Any]  # see Performer.outcome
Reporters = Callable[[Job], Reporter]
START = (
    "import json, sys; path, share = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from rnnzoo.batch.pool import serve; serve(share)"
)


class Here:
    """One job at a time, in this process."""

    def __init__(self, reporter_for: Reporters):
        self.performer, self.reporter_for = Performer(), reporter_for
        self.job: Job | None = None

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_) -> None:
        pass

    @property
    def free(self) -> bool:
        return self.job is None

    @property
    def busy(self) -> bool:
        return self.job is not None

    def start(self, job: Job) -> None:
        self.job = job

    def next(self) -> tuple[Job, Outcome]:
        """The next job that ends, and how it did."""
        job = self.job
        outcome = self.performer.outcome(job, self.reporter_for(job))
        self.job = None
        return job, outcome

    def stop(self) -> list[tuple[Job, Outcome]]:
        """End what is under way; returns what had ended before that."""
        return []


class Workers:
    """Several worker processes, which share the threads that BLAS takes."""

    def __init__(self, count: int, reporter_for: Reporters):
        self.count, self.reporter_for = count, reporter_for
        self.share = max(1, threads.available() // count)
        self.workers: list[_Worker] = []
        self.events: queue.Queue[tuple[_Worker, Any]] = queue.Queue()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_) -> None:
        for worker in self.workers:
            worker.close()

    @property
    def free(self) -> bool:
        return sum(worker.job is not None for worker in self.workers) < self.count

    @property
    def busy(self) -> bool:
        return any(worker.job is not None for worker in self.workers)

    def start(self, job: Job) -> None:
        idle = [worker for worker in self.workers if worker.job is None]
        # One that has the model already, if there is one.
        chosen = next((worker for worker in idle if (job.recipe.name, job.run) in worker.taken), idle[0] if idle else None)
        if chosen is None:
            chosen = _Worker(self.share, self.events)
            self.workers.append(chosen)
        self.reporter_for(job)  # it tells that the job begins
        chosen.give(job)

    def next(self) -> tuple[Job, Outcome]:
        while True:
            ended = self._handle(*self.events.get())
            if ended:
                return ended

    def stop(self) -> list[tuple[Job, Outcome]]:
        for worker in self.workers:
            worker.process.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.wait()
        ended = []
        while not self.events.empty():
            worker, event = self.events.get()
            if event is not None and (found := self._handle(worker, event)):
                ended.append(found)
        return ended

    def _handle(self, worker: _Worker, event: Any) -> tuple[Job, Outcome] | None:
        job = worker.job
        if event is None:  # it has ended by itself
            self.workers.remove(worker)
            status = worker.process.wait()
            worker.close()
            if job is None:
                return None
            how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            return job, {
                "status": "failed",
                "error": f"the process that did the job {how}",
                "hint": "if memory ran out, take fewer --jobs; --resume goes on",
            }
        if "outcome" in event:
            worker.job = None
            return job, event["outcome"]
        getattr(self.reporter_for(job), event["told"])(*event["with"], **event["named"])
        return None


class _Worker:
    """A worker process, as its batch sees it.

    Attributes:
        job: what it does, None if it is idle.
        taken: recipe and run of the models that it has had.
    """

    def __init__(self, share: int, events: queue.Queue):
        self.job: Job | None = None
        self.taken: set[tuple[str, str | None]] = set()
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, json.dumps([sys.path, share])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the batch, which tells its workers
        )
        self._reader = threading.Thread(target=self._read, args=(events,), daemon=True, name="events of a worker")
        self._reader.start()

    def _read(self, events: queue.Queue) -> None:
        for line in self.process.stdout:
            events.put((self, json.loads(line)))
        events.put((self, None))

    def give(self, job: Job) -> None:
        self.job = job
        self.taken.add((job.recipe.name, job.run))
        with contextlib.suppress(BrokenPipeError):  # it is dead: its reader will say so
            self.process.stdin.write(json.dumps(job.message()).encode() + b"\n")
            self.process.stdin.flush()

    def wait(self) -> None:
        self.process.wait()
        self._reader.join()

    def close(self) -> None:
        """End it: idle or not, it does not outlive its input."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.wait()
        self.process.stdout.close()


# -- in the worker -----------------------------------------------------------------------------------------------------


class _Telling(Reporter):
    """Tells the batch what it is told. Steps are too many to tell."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]):
        for name in ("note", "warn", "start", "epoch", "sample"):
            setattr(self, name, functools.partial(self._tell, tell, name))

    def _tell(self, tell: Callable[[dict[str, Any]], None], told: str, *values: Any, **named: Any) -> None:
        tell({"told": told, "with": values, "named": named})


def serve(share: int) -> None:
    """Do the jobs that come, until no more can come."""
    from threadpoolctl import threadpool_limits

    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no event
    inbox: queue.Queue[dict[str, Any]] = queue.Queue()

    def read() -> None:
        for line in sys.stdin.buffer:
            inbox.put(json.loads(line))
        os._exit(0)

    def tell(event: dict[str, Any]) -> None:
        events.write(json.dumps(event, default=str).encode() + b"\n")
        events.flush()

    performer = Performer(share)
    threading.Thread(target=read, daemon=True, name="jobs").start()
    try:
        with terminable(), threadpool_limits(share, user_api="blas"):
            while True:
                tell({"outcome": performer.outcome(again(inbox.get()), _Telling(tell))})
    except (KeyboardInterrupt, Interrupted, BrokenPipeError):
        os._exit(0)
