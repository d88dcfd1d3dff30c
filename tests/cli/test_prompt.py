"""At a terminal, `rnnzoo generate RECIPE` asks line by line: each line is answered before the next is asked for."""

import io
import sys

from rnnzoo.cli.generate import Prompt
from rnnzoo.inference import arriving


def test_a_line_is_handed_on_before_the_next_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\n\nlast\n"))
    asked = []
    for lines in arriving(Prompt(), 100):
        asked.append((lines, capsys.readouterr().err.count("> ")))
    assert asked == [(["first"], 1), ([""], 1), (["last"], 1)]
