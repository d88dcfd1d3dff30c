"""`train` before the first step: what cannot be trained is refused there, and leaves nothing behind."""

from __future__ import annotations

import pytest

from rnnzoo import zoo
from rnnzoo.errors import CallError
from rnnzoo.training.train import train


def test_a_model_larger_than_the_memory_is_refused_with_its_size(home):
    config = zoo.load("chargen").card.Config(units=16_384, layers=64, engine="numpy")
    with pytest.raises(
        CallError, match=r"the model would have 102,\d\d\d,\d\d\d,\d\d\d parameters and take [\d,]+ GiB in training"
    ) as caught:
        train("chargen", config, data="sample")
    assert caught.value.hint == "fewer units or layers"
    assert not (home / "checkpoints").exists()


def test_memory_that_runs_out_is_no_defect(rnnzoo):
    step = "import rnnzoo.training.engines as e\ndef step(*args): bytearray(1 << 60)\ne.NumpyEngine.step = step"
    said = rnnzoo("train", "chargen", "--data", "sample", "units=4", "engine=numpy", prelude=step).refused(1)
    assert "there is not enough memory" in said
    assert "batch_size" in said
