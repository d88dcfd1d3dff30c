"""`rnnzoo list`: every recipe, and its runs."""

from __future__ import annotations

import json
import os

import pytest

from rnnzoo import runs, zoo


def test_every_recipe_with_its_runs(rnnzoo, tiny):
    ended = rnnzoo("list", "--json")
    assert ended.status == 0
    assert ended.stderr == ""
    assert [entry["recipe"] for entry in ended.json] == zoo.names()
    chargen = ended.json[0]
    assert chargen["summary"] == zoo.load("chargen").card.SUMMARY
    run, shipped = chargen["runs"]
    assert run == {
        "run": "tiny",
        "status": "finished",
        "corpus": "sample",
        "best": {"metric": "bits_per_char", "value": runs.open_run(tiny).best["value"], "epoch": 1},
        "path": str(tiny),
    }
    assert (shipped["run"], shipped["status"], shipped["corpus"]) == ("pretrained", "shipped", "carroll")


def test_for_people(rnnzoo, tiny):
    ended = rnnzoo("list")
    first, second = ended.lines[:2]
    assert first.split(maxsplit=1) == ["chargen", zoo.load("chargen").card.SUMMARY]
    assert second.split()[:5] == ["tiny", "finished", "sample", "validation", "bits_per_char"]


def test_without_runs_it_says_how_to_make_one(rnnzoo, tmp_path):
    """A recipe that has neither a run nor a shipped model."""
    (tmp_path / "more" / "new").mkdir(parents=True)
    (tmp_path / "more" / "new" / "__init__.py").write_text("SUMMARY = 'of my own'")
    more = f"import rnnzoo.recipes as r; r.__path__ = [*r.__path__, {str(tmp_path / 'more')!r}]"
    assert "no runs yet: rnnzoo train new" in rnnzoo("list", prelude=more).stdout
    assert "rnnzoo train" not in rnnzoo("list", "--quiet", prelude=more).stdout


def test_broken_recipes_and_damaged_runs_are_shown_beside_the_others(rnnzoo, tiny, tmp_path):
    for name, source in (("broken", "import no_such_module"), ("unfinished", "def")):
        (tmp_path / "more" / name).mkdir(parents=True)
        (tmp_path / "more" / name / "__init__.py").write_text(source)
    record = tiny / "run.json"
    record.write_text(record.read_text().replace("finished", "FINISHED"))
    more = f"import rnnzoo.recipes as r; r.__path__ = [*r.__path__, {str(tmp_path / 'more')!r}]"
    ended = rnnzoo("list", "--json", prelude=more)
    assert ended.status == 0
    summaries = {entry["recipe"]: entry["summary"] for entry in ended.json}
    assert "broken: recipe broken cannot be imported: ModuleNotFoundError" in summaries["broken"]
    assert "broken: recipe unfinished cannot be imported: SyntaxError" in summaries["unfinished"]
    assert summaries["chargen"] == zoo.load("chargen").card.SUMMARY
    assert [run["run"] for run in ended.json[0]["runs"]] == ["pretrained"]
    (damaged,) = ended.json[0]["damaged"]
    assert damaged["run"] == "tiny"
    assert "run.json is damaged" in damaged["error"]


@pytest.mark.parametrize("call", [(), ("data",)])
def test_no_verb_is_a_question_for_help(rnnzoo, call):
    ended = rnnzoo(*call)
    assert ended.status == 0
    assert ended.stdout.startswith(f"Usage: rnnzoo {'data ' if call else ''}[OPTIONS] COMMAND")
    assert ended.stderr == ""


def test_the_version(rnnzoo):
    import rnnzoo as package

    assert rnnzoo("--version").stdout == f"rnnzoo {package.__version__}\n"


def test_json_is_one_document_on_one_line(rnnzoo):
    stdout = rnnzoo("list", "--json").stdout
    assert stdout.count("\n") == 1
    json.loads(stdout)


@pytest.mark.parametrize("call", [("list",), ("show", "chargen"), ("--help",)])
def test_a_reader_that_has_gone_already_is_no_error(rnnzoo, call):
    """What is written last meets the closed pipe only when it is flushed."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = rnnzoo(*call, stdout=writer)
    os.close(writer)
    assert (ended.status, ended.stderr) == (0, "")
