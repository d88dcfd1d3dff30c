"""Configurations: one dataclass gives names, types, defaults and bounds; `key=value` overrides; whatever else is refused."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pytest

from rnnzoo.config import TrainingConfig, apply, differences, flag, restore, setting, with_preset
from rnnzoo.errors import CallError


@dataclasses.dataclass(frozen=True)
class Config:
    epochs: int = setting(10, "passes", 1, 100)
    rate: float = setting(0.5, "step size", 0)
    share: float = setting(0.1, "share", maximum=1)
    cell: Literal["gru", "lstm"] = setting("gru", "cell")
    stateful: bool = setting(True, "carry state")
    name: str = setting("", "a text")


def refused(*overrides: str) -> str:
    """The message and hint with which overrides are refused."""
    with pytest.raises(CallError) as caught:
        apply(Config(), overrides)
    assert caught.value.exit_code == 2
    return f"{caught.value.message} | {caught.value.hint}"


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("epochs=3", 3),
        ("epochs= 3 ", 3),
        ("rate=1e-3", 0.001),
        ("rate=2", 2.0),
        ("cell=lstm", "lstm"),
        ("stateful=no", False),
        ("stateful=TRUE", True),
        ("stateful=0", False),
        ("name=a=b", "a=b"),
        ("name=", ""),
    ],
)
def test_values_are_typed_by_the_dataclass(override, value):
    name = override.partition("=")[0]
    received = getattr(apply(Config(), [override]), name)
    assert received == value
    assert type(received) is type(value)


def test_overrides_leave_the_rest_and_the_last_one_wins():
    assert apply(Config(rate=2.0), ["epochs=3", "cell=lstm", "epochs=4"]) == Config(epochs=4, rate=2.0, cell="lstm")


def test_no_overrides_change_nothing():
    assert apply(Config(epochs=7), []) == Config(epochs=7)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("epcohs=3", "'epcohs' is not a setting of this recipe | did you mean epochs?"),
        ("colour=red", "'colour' is not a setting of this recipe | one of: cell, epochs, name, rate, share, stateful"),
        ("epochs", "expected KEY=VALUE, received 'epochs' | write settings like epochs=3"),
        ("epochs=3.5", "epochs must be a whole number, received '3.5' | for instance 3"),
        ("epochs=", "epochs must be a whole number, received '' | for instance 3"),
        ("epochs=0", "epochs must be from 1 to 100, received 0 | the default is 10"),
        ("epochs=101", "epochs must be from 1 to 100, received 101 | the default is 10"),
        ("rate=-0.1", "rate must be at least 0, received -0.1 | the default is 0.5"),
        ("rate=fast", "rate must be a number, received 'fast' | for instance 0.5"),
        ("rate=nan", "rate must be finite, received nan | the default is 0.5"),
        ("rate=inf", "rate must be finite, received inf | the default is 0.5"),
        ("share=1.5", "share must be at most 1, received 1.5 | the default is 0.1"),
        ("cell=lstmm", "cell must be one of gru, lstm, received 'lstmm' | did you mean lstm?"),
        ("cell=x", "cell must be one of gru, lstm, received 'x' | for instance gru"),
        ("stateful=maybe", "stateful must be true or false, received 'maybe' | for instance false"),
    ],
)
def test_what_is_wrong_is_refused_with_the_value_received(override, says):
    assert refused(override) == says


def test_bounds_are_inclusive():
    assert apply(Config(), ["epochs=1"]).epochs == 1
    assert apply(Config(), ["epochs=100"]).epochs == 100
    assert apply(Config(), ["rate=0"]).rate == 0
    assert apply(Config(), ["share=1"]).share == 1


def test_one_wrong_override_among_good_ones_is_refused():
    assert "units" in refused("epochs=3", "units=8", "rate=1")


def test_presets_lie_on_top_of_the_defaults():
    presets = {"book": {"epochs": 50, "cell": "lstm"}}
    assert with_preset(Config, presets, None) == Config()
    assert with_preset(Config, presets, "book") == Config(epochs=50, cell="lstm")
    with pytest.raises(CallError, match="no preset 'boko'") as caught:
        with_preset(Config, presets, "boko")
    assert caught.value.hint == "did you mean book?"
    with pytest.raises(CallError) as caught:
        with_preset(Config, {}, "fast")
    assert caught.value.hint == "presets of this recipe: (none)"


def test_a_recorded_configuration_comes_back():
    config = Config(epochs=3, rate=0.25, name="x")
    assert restore(Config, dataclasses.asdict(config)) == config
    assert restore(Config, {"epochs": 3}) == Config(epochs=3)  # a setting that is newer than the run has its default


def test_a_setting_newer_than_the_run_has_the_value_that_held_before_it():
    @dataclasses.dataclass(frozen=True)
    class Newer(Config):
        output: Literal["crf", "softmax"] = setting("crf", "output layer", before="softmax")
        shortcut: bool = setting(True, "a shortcut", before=False)

    assert restore(Newer, {"epochs": 3}) == Newer(epochs=3, output="softmax", shortcut=False)
    assert restore(Newer, dataclasses.asdict(Newer())) == Newer()


def test_a_configuration_of_another_version_does_not_come_back():
    with pytest.raises(ValueError, match="unknown setting 'epoch' .here: epochs."):
        restore(Config, {"epoch": 3})
    with pytest.raises(CallError, match="epochs must be from 1 to 100, received 0"):
        restore(Config, {"epochs": 0})


def test_differences_name_the_old_and_the_new_value():
    assert differences(Config(), Config()) == {}
    assert differences(Config(), Config(epochs=3, cell="lstm")) == {"epochs": (10, 3), "cell": ("gru", "lstm")}


def test_the_option_of_a_field():
    assert flag("top_k") == "--top-k"


def test_every_setting_that_design_names_has_a_meaning():
    names = [
        "epochs",
        "minutes",
        "batch_size",
        "learning_rate",
        "cell",
        "units",
        "layers",
        "dropout",
        "patience",
        "clipnorm",
        "clipvalue",
        "engine",
    ]
    fields = {field.name: field for field in dataclasses.fields(TrainingConfig)}
    assert set(names) <= set(fields)
    assert all(field.metadata["help"] for field in fields.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().epochs = 3
