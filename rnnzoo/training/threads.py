"""How many threads compute a training step: several runs at once must not trample on one another.

The threads of OpenBLAS spin while they wait. Two runs of two threads each on two cores take twenty times as long per step as
two runs of one thread each (chargen, 512 units).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .. import paths

SLOTS = 16  # trainings that are counted
TENSORFLOW = "TF_NUM_INTRAOP_THREADS"


@contextmanager
def limited(wanted: int = 0) -> Iterator[int]:
    """Compute with `wanted` threads; with 0, with a fair share of those that BLAS would take, given what else is training.

    The share is settled at the start and then kept, for the number of threads can decide the last bit of a sum. Yields it.
    """
    from threadpoolctl import threadpool_limits

    with _slot() as others:
        count = wanted or max(1, available() // (others + 1))
        before = os.environ.get(TENSORFLOW)
        os.environ[TENSORFLOW] = str(count)  # it reads this when it sets its threads up, once in a process
        try:
            with threadpool_limits(count, user_api="blas"):
                yield count
        finally:
            os.environ.pop(TENSORFLOW, None)
            if before is not None:
                os.environ[TENSORFLOW] = before


def available() -> int:
    """Threads that BLAS would take in this process."""
    import numpy  # noqa: F401 - brings the BLAS that is asked
    from threadpoolctl import threadpool_info

    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


@contextmanager
def _slot() -> Iterator[int]:
    """Be counted as a training for as long as this lasts. Yields the number of others under way in this cache root."""
    from filelock import FileLock, Timeout

    folder = paths.home() / "training"
    own, others = None, 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(SLOTS):
            lock = FileLock(folder / f"{i}.lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                others += 1
                continue
            if own is None:
                own = lock
            else:
                lock.release()
    except OSError:
        pass  # a folder that cannot be written: whoever writes the run says so
    try:
        yield others
    finally:
        if own is not None:
            own.release()
