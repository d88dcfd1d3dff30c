"""Configurations: a frozen dataclass is the single source of names, types, defaults and bounds; `key=value` overrides it."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from .errors import CallError, did_you_mean

T = TypeVar("T")


def setting(default: Any, help: str, minimum: float | None = None, maximum: float | None = None, *, before: Any = None) -> Any:
    """A dataclass field with its meaning, the reason for its default, and inclusive bounds.

    Args:
        before: what holds for the runs that were recorded before there was the setting; the default if None.
    """
    metadata = {"help": help, "minimum": minimum, "maximum": maximum, "before": default if before is None else before}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """What every recipe's Config has. A recipe overrides the defaults that its task asks for."""

    epochs: int = setting(10, "passes over the training items", 1, 100_000)
    minutes: float = setting(0.0, "wall-clock cap in minutes; 0 for none. It stops a run, it never alters the schedule", 0)
    batch_size: int = setting(32, "items in a training step", 1, 65_536)
    learning_rate: float = setting(1e-3, "highest step size, reached after the warm-up; Adam's customary one", 0)
    schedule: Literal["cosine", "linear", "constant"] = setting("cosine", "decay after the warm-up; to 2 % at the end")
    warmup: float = setting(0.02, "share of all steps in which the step size rises from zero", 0, 1)
    optimizer: Literal["adam", "sgd"] = setting("adam", "adam, or sgd as the from-scratch programs have it")
    cell: Literal["simple_rnn", "lstm", "peephole_lstm", "gru", "gru_reset_before", "mgu"] = setting(
        "gru", "recurrent cell; gru is Keras' reset-after convention"
    )
    embedding_scale: float = setting(
        1.0, "embeddings start uniform in +- this; Keras' own 0.05 makes the first epochs several times slower", 0
    )
    units: int = setting(128, "width of a recurrent layer", 1, 16_384)
    layers: int = setting(1, "stacked recurrent layers", 1, 64)
    dropout: float = setting(0.0, "share of a layer's outputs dropped in training", 0, 0.95)
    patience: int = setting(0, "epochs without a better validation metric before training stops; 0 for never", 0)
    clipnorm: float = setting(1.0, "largest global norm of the gradients; 0 for no bound", 0)
    clipvalue: float = setting(0.0, "largest magnitude of each gradient entry; 0 for no bound", 0)
    average: float = setting(
        0.0, "moving average of the weights, the share kept per step; it is what is validated and saved. 0 for none", 0, 0.99999
    )
    engine: Literal["auto", "numpy", "keras"] = setting("auto", "who trains; auto takes the faster one and says which")
    threads: int = setting(0, "processor threads; 0 shares the cores with the trainings that run already", 0, 1024)


def fields(cls: type) -> dict[str, dataclasses.Field]:
    return {field.name: field for field in dataclasses.fields(cls)}


def flag(name: str) -> str:
    """The option that sets the field `name`: `top_k` as `--top-k`."""
    return "--" + name.replace("_", "-")


def apply(config: T, overrides: Iterable[str], known_as: str = "a setting") -> T:
    """`config` with `key=value` overrides, typed and checked by its dataclass. Later ones win.

    Raises:
        CallError: for a key the dataclass lacks, or a value of the wrong type or out of bounds.
    """
    values = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise CallError(f"expected KEY=VALUE, received {override!r}", "write settings like epochs=3")
        values[key] = parse(type(config), key, text, known_as)
    return dataclasses.replace(config, **values)


def parse(cls: type, key: str, text: str, known_as: str = "a setting") -> Any:
    """The value of field `key` of dataclass `cls`, read from `text`."""
    known = fields(cls)
    if key not in known:
        raise CallError(
            f"{key!r} is not {known_as} of this recipe", did_you_mean(key, known, "one of: " + ", ".join(sorted(known)))
        )
    kind = get_type_hints(cls)[key]
    return checked(cls, key, text if kind is str else _typed(kind, key, text.strip()))


def given(cls: type, key: str, value: Any, known_as: str = "a setting") -> Any:
    """The value of field `key` of dataclass `cls`, from JSON or Python: a text is read as on a command line."""
    if key in fields(cls) and not isinstance(value, (str, int, float)):
        raise CallError(f"{key} must be one value, received {value!r}", f"the default is {fields(cls)[key].default!r}")
    return parse(cls, key, str(value), known_as)


def checked(cls: type, key: str, value: Any) -> Any:
    """`value` if it is within the bounds of field `key`, else a CallError."""
    bounds = fields(cls)[key].metadata
    low, high = bounds.get("minimum"), bounds.get("maximum")
    if isinstance(value, float) and not math.isfinite(value):
        raise CallError(f"{key} must be finite, received {value}", f"the default is {fields(cls)[key].default}")
    if (low is not None and value < low) or (high is not None and value > high):
        span = (
            f"from {low} to {high}" if None not in (low, high) else f"at least {low}" if low is not None else f"at most {high}"
        )
        raise CallError(f"{key} must be {span}, received {value}", f"the default is {fields(cls)[key].default}")
    return value


def _typed(kind: Any, key: str, text: str) -> Any:
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise CallError(
                f"{key} must be one of {', '.join(get_args(kind))}, received {text!r}",
                did_you_mean(text, get_args(kind), f"for instance {get_args(kind)[0]}"),
            )
        return text
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
        if text.casefold() not in words:
            raise CallError(f"{key} must be true or false, received {text!r}", "for instance false")
        return words[text.casefold()]
    noun = "a whole number" if kind is int else "a number"
    try:
        return kind(text)
    except ValueError:
        raise CallError(f"{key} must be {noun}, received {text!r}", f"for instance {3 if kind is int else 0.5}") from None


def with_preset(config_class: type[T], presets: Mapping[str, Mapping[str, Any]], preset: str | None) -> T:
    """The defaults, with a named preset on top of them.

    Raises:
        CallError: if there is no such preset.
    """
    if preset is None:
        return config_class()
    if preset not in presets:
        known = ", ".join(presets) or "(none)"
        raise CallError(f"no preset {preset!r}", did_you_mean(preset, presets, f"presets of this recipe: {known}"))
    return config_class(**presets[preset])


def restore(cls: type[T], values: Mapping[str, Any]) -> T:
    """The configuration a run recorded. A setting that is newer than the run has the value that held before it.

    Raises:
        ValueError: if a recorded key is unknown here or a value is out of bounds: the run is of another version.
    """
    unknown = sorted(set(values) - set(fields(cls)))
    if unknown:
        near = difflib.get_close_matches(unknown[0], list(fields(cls)), n=1)
        raise ValueError(f"unknown setting {unknown[0]!r}" + (f" (here: {near[0]})" if near else ""))
    for key, value in values.items():
        checked(cls, key, value)
    return cls(**{name: field.metadata["before"] for name, field in fields(cls).items()} | dict(values))


def differences(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    """Settings in which two configurations differ: name -> (old value, new value)."""
    return {
        name: (getattr(old, name), getattr(new, name)) for name in fields(type(old)) if getattr(old, name) != getattr(new, name)
    }
