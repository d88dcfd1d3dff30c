"""Ctrl-C and SIGTERM during training: the step under way ends, the checkpoint is saved, then the process ends."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager


class Interrupted(Exception):
    """Training was told to stop and has saved its checkpoint; `signal` is the number of the signal."""

    def __init__(self, signal_number: int):
        super().__init__(signal.Signals(signal_number).name)
        self.signal = signal_number


class Requests:
    """Which signal, if any, has asked for a stop."""

    signal: int | None = None


@contextmanager
def deferred():
    """Collect SIGINT and SIGTERM instead of being broken off by them; a second SIGINT breaks off at once.

    Outside the main thread, where Python takes no handlers, signals keep their usual effect.
    """
    requests = Requests()
    if threading.current_thread() is not threading.main_thread():
        yield requests
        return

    def note(number, frame):
        if requests.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        requests.signal = number

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requests
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def terminable():
    """Let SIGTERM break off what is under way as Ctrl-C does, by a KeyboardInterrupt; `signal_of` tells which it was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def break_off(number, frame):
        raise KeyboardInterrupt(number)

    previous = {number: signal.signal(number, break_off) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def signal_of(stopped: KeyboardInterrupt | Interrupted) -> int:
    """The number of the signal that stopped something."""
    if isinstance(stopped, Interrupted):
        return stopped.signal
    return stopped.args[0] if stopped.args else signal.SIGINT
