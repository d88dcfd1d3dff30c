"""The journal of a batch: what has been done, so that a batch that was killed at any moment goes on where it was.

    <cache root>/batches/<name>-<hash>.jsonl     a line for the start, with the run of each job, and one for each job that ended

A line is appended whole and synced before the job's result is told to anyone; a line that a crash cut short is dropped. The
hash is of the path of the jobs' file, so that a file that was changed keeps what is still the same in it; of jobs that came
through a pipe it is of their text. Jobs are known by their `Job.key`, not by line or id.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .. import paths, runs
from ..errors import RnnzooError


def path_of(file: str | None, content: bytes) -> Path:
    """The journal of the jobs in a file, or of those that came through a pipe (None)."""
    if file is not None and os.path.isfile(file):
        own = os.path.realpath(file)
        name, identity = re.sub(r"[^A-Za-z0-9._-]", "_", Path(own).stem)[:60], own.encode(errors="surrogateescape")
    else:
        name, identity = "stdin", content
    return paths.home() / "batches" / f"{name}-{hashlib.sha256(identity).hexdigest()[:16]}.jsonl"


class Journal:
    """What a batch has done.

    Attributes:
        planned: the run of each job's key, see `reading.read`.
        done: the result record of each key whose job is done.
    """

    def __init__(self, path: Path):
        self.path = path
        self.planned: dict[str, str] = {}
        self.done: dict[str, dict[str, Any]] = {}
        for entry in _entries(path):
            self.planned |= entry.get("planned", {})
            if "key" in entry and entry.get("record", {}).get("status") == "done":
                self.done[entry["key"]] = entry["record"]

    @contextmanager
    def open(self, keep: bool) -> Iterator[None]:
        """Hold the journal for writing; what it holds is dropped unless it is to be kept.

        Raises:
            RnnzooError: if another process runs this batch.
        """
        from filelock import FileLock, Timeout

        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.with_suffix(".lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise RnnzooError("this batch is being run by another process", "wait for it, or stop it first") from None
        try:
            with open(self.path, "ab") as self._file:
                # A torn last line would swallow the next one.
                self._file.truncate(_whole(self.path.read_bytes()) if keep else 0)
                if not keep:
                    self.planned, self.done = {}, {}
                os.fsync(self._file.fileno())
                runs.sync_folder(self.path.parent)
                yield
        finally:
            lock.release()

    def plan(self, file: str | None, planned: Mapping[str, str]) -> None:
        """Note the runs of jobs before any is started."""
        if new := {key: run for key, run in planned.items() if self.planned.get(key) != run}:
            self._append({"jobs": file or "-", "planned": new})
            self.planned |= new

    def ended(self, key: str, record: Mapping[str, Any]) -> None:
        """Note how a job ended."""
        self._append({"key": key, "record": record})

    def _append(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _whole(content: bytes) -> int:
    """The length of the lines that are whole."""
    return content.rfind(b"\n") + 1


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content[: _whole(content)].splitlines():
        with suppress(ValueError):  # damaged: what it told is done again
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry
