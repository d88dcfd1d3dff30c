"""What people see, on stderr and stdout: the only module that imports rich (and that inside functions: it takes 50 ms)."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from .training.reporter import Reporter


def error(message: str, hint: str) -> None:
    """The two lines that every failure a user can cause ends in."""
    _stderr_line("error:", _one_line(message), "31;1")
    _stderr_line("hint:", _one_line(hint), "36")


def warn(line: str) -> None:
    _stderr_line("warning:", _one_line(line), "33;1")


def note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def result(line: str = "", end: str = "\n") -> None:
    """A result, on stdout."""
    sys.stdout.write(line + end)


def document(value: Any) -> None:
    """A JSON document, or a line of JSON lines, on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on stdout; numbers to the right. On a terminal it fits the width, elsewhere nothing is cut."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        numeric = rows and all(isinstance(row[i], (int, float)) for row in rows)
        drawn.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(_cell(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(drawn)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _one_line(text: str) -> str:
    return " ".join(str(text).split())


def coloured(stream: Any = None) -> bool:
    """Whether a stream takes colour: a terminal, without NO_COLOR."""
    stream = stream or sys.stderr
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _stderr_line(label: str, text: str, code: str) -> None:
    label = f"\x1b[{code}m{label}\x1b[0m" if coloured() else label
    print(f"{label} {text}", file=sys.stderr, flush=True)


class QuietReporter(Reporter):
    """Only warnings. `label` goes before each line."""

    def __init__(self, label: str = "") -> None:
        self.label = label

    def warn(self, line):
        warn(self.label + line)


class TrainingReporter(Reporter):
    """A live progress bar on a terminal, one plain line per epoch elsewhere; all on stderr.

    Args:
        label: goes before each line, where several trainings are told of.
        alone: no other training is told of at the same time; else there is no bar.
    """

    def __init__(self, label: str = "", alone: bool = True) -> None:
        self.label, self.alone = label, alone
        self.facts: dict[str, Any] = {}
        self.live = None
        self._expected = False
        self._steps = 0
        self._last_drawn = 0.0

    def note(self, line):
        note(self.label + line)

    def warn(self, line):
        warn(self.label + line)

    def start(self, facts):
        self.facts = facts
        corpus = facts["corpus"]
        counts = ", ".join(f"{count:,} {name}" for name, count in corpus["counts"].items())
        self.note(f"{facts['recipe']}: corpus {corpus['name']} ({counts})")
        self.note(
            f"run {facts['run']}: {facts['parameters']:,} parameters, engine {facts['engine']}, "
            f"{facts['epochs']} epochs of {facts['steps_per_epoch']:,} steps"
        )
        if self.alone and sys.stderr.isatty():
            self._begin_bar()

    def _begin_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self.live.start()
        self.bar = self.live.add_task("", total=self.facts["steps_per_epoch"], state="")

    def step(self, epoch, step, loss, tokens, seconds):
        self._steps += 1  # of this session: a run that is resumed may be in the middle of an epoch
        if not self._expected and (self._steps >= 20 or seconds > 10) and tokens:
            self._expected = True
            per_step = seconds / self._steps
            total = per_step * self.facts["steps_per_epoch"] * self.facts["epochs"]
            self._say(f"expected: {_duration(total)} for {self.facts['epochs']} epochs, at {tokens / seconds:,.0f} tokens/s")
        now = time.monotonic()
        if self.live and now - self._last_drawn > 0.1:
            self._last_drawn = now
            state = f"loss {loss:.3f}  {tokens / max(seconds, 1e-9):,.0f} tok/s"
            self.live.update(self.bar, completed=step, description=f"epoch {epoch}/{self.facts['epochs']}", state=state)

    def epoch(self, entry, improved):
        metric = self.facts["metric"]
        kept = " (trained on)" if "validation_in_training" in entry else " *" if improved else "  "
        self._say(
            f"epoch {entry['epoch']}/{self.facts['epochs']}  train {entry['train_nats']:.4f} nats  "
            f"validation {metric} {entry['validation'][metric]:.4f}{kept}  {_duration(entry['seconds'])}"
        )

    def sample(self, epoch, text):
        self._say("  | " + text.replace("\n", "\n  | "))

    def _say(self, line: str) -> None:
        if self.live:
            self.live.console.print(self.label + line, markup=False)
        else:
            note(self.label + line)

    def close(self) -> None:
        """Take the bar away; safe to call twice."""
        if self.live:
            self.live.stop()
            self.live = None


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
