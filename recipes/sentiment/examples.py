"""A labelled text, as every source gives it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Labelled:
    """A text with the name of its label; `part` is the split it belongs to, None if its hash is to decide."""

    text: str
    label: str
    part: str | None = None
