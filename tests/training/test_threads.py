"""Threads of a training: a fair share at the start, the same number for as long as the run lives."""

from __future__ import annotations

import contextlib

import pytest
import threadpoolctl

from rnnzoo import runs, zoo
from rnnzoo.errors import CallError
from rnnzoo.training import threads
from rnnzoo.training.train import resume, train


@pytest.fixture
def eight(monkeypatch):
    """A machine with eight cores."""
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [{"user_api": "blas", "num_threads": 8}])


@pytest.mark.usefixtures("eight")
def test_cores_are_shared_with_the_trainings_that_run_already():
    with contextlib.ExitStack() as running:
        assert [running.enter_context(threads.limited()) for _ in range(4)] == [8, 4, 2, 2]
        assert running.enter_context(threads.limited(5)) == 5  # what is asked for is taken
    with threads.limited() as count:
        assert count == 8


@pytest.mark.usefixtures("eight")
def test_one_that_ended_before_another_is_no_longer_counted():
    with contextlib.ExitStack() as first, contextlib.ExitStack() as second:
        first.enter_context(threads.limited())
        second.enter_context(threads.limited())
        first.close()
        with threads.limited() as count:
            assert count == 4


def test_blas_is_limited_meanwhile_and_only_meanwhile():
    def now() -> set[int]:
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}

    before = now()
    with threads.limited(1):
        assert now() == {1}
    assert now() == before


def test_a_cache_that_cannot_be_written_keeps_nobody_from_counting(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RNNZOO_HOME", str(tmp_path / "file"))
    with threads.limited() as count:
        assert count >= 1


def test_a_run_keeps_its_number_of_threads(monkeypatch):
    used = []

    @contextlib.contextmanager
    def limited(wanted):
        used.append(wanted)
        yield wanted or 7

    monkeypatch.setattr(threads, "limited", limited)
    config = zoo.load("chargen").card.Config(units=4, embedding=4, epochs=1, engine="numpy", heldout=100, sample_every=0)
    run = train("chargen", config, data="sample", name="auto")
    assert runs.open_run(run.path).record["threads"] == 7
    resume("chargen", ["epochs=2"], name="auto")
    assert used == [0, 7]
    with pytest.raises(CallError, match="was started with threads=0, it cannot go on with threads=3"):
        resume("chargen", ["threads=3"], name="auto")
