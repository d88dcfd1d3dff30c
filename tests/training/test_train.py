"""`train` before the first step: what cannot be trained is refused there, and leaves nothing behind."""

from __future__ import annotations

import pytest

from rnnzoo import zoo
from rnnzoo.errors import CallError
from rnnzoo.training.train import train


def test_a_model_larger_than_the_memory_is_refused_with_its_size(home):
    config = zoo.load("chargen").card.Config(units=16_384, layers=64, engine="numpy")
    with pytest.raises(CallError, match=r"the model would have [\d,]{14} parameters and take [\d,]+ GiB in training") as caught:
        train("chargen", config, data="sample")
    assert caught.value.hint == "fewer units or layers"
    assert not (home / "checkpoints").exists()


def test_memory_that_runs_out_is_no_defect(rnnzoo, home):
    """Windows of 65,536 characters, 65,536 of them at once, in an address space of 2 GB."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))"
    wide = ("units=4096", "window=65536", "batch_size=65536", "engine=numpy", "threads=1")
    said = rnnzoo("train", "chargen", "--data", "sample", *wide, prelude=limit).refused(1)
    assert "there is not enough memory" in said
    assert [path.name for path in (home / "checkpoints" / "chargen").iterdir()] == [".lock"]
