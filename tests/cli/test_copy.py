"""`rnnzoo copy`: a recipe of one's own, kept apart from the built-in one."""

from __future__ import annotations

import pytest

from rnnzoo import runs, zoo

SMALL = (
    "units=4",
    "layers=1",
    "embedding=3",
    "epochs=1",
    "window=60",
    "sample_every=0",
    "engine=numpy",
    "--data",
    "sample",
    "--quiet",
)


def test_copied_edited_trained_and_asked(rnnzoo, tmp_path, home):
    copied = rnnzoo("copy", "chargen", "./mine")
    assert copied.stderr == "copied chargen to ./mine; edit it, then: rnnzoo train ./mine\n"
    card = tmp_path / "mine" / "__init__.py"
    card.write_text(
        card.read_text()
        .replace('SUMMARY = "', 'SUMMARY = "MY OWN, ')
        .replace("class Options:\n", "class Options:\n    shout: bool = setting(False, 'in capitals')\n", 1)
    )
    model = tmp_path / "mine" / "numpy_model.py"
    model.write_text(
        model.read_text().replace("yield Piece(written[-1])", "yield Piece(written[-1].upper() if options.shout else '')")
    )
    trained = rnnzoo("train", "./mine", *SMALL, "--json")
    assert trained.status == 0
    name = zoo.load(str(tmp_path / "mine")).name
    assert trained.json["recipe"] == name
    assert list((home / "checkpoints").iterdir()) == [home / "checkpoints" / name]
    source = runs.resolve(name).record["recipe_source"]
    assert source["folder"] == str(tmp_path / "mine")
    assert not source["built_in"]
    ended = rnnzoo("generate", "./mine", "Alice", "--shout", "--length", "30", "--seed", "1")
    assert ended.status == 0
    assert ended.stdout.startswith("Alice")
    assert ended.stdout[5:] == ended.stdout[5:].upper()
    assert "MY OWN, a character" in rnnzoo("show", "./mine", "--json").json["summary"]
    assert "--shout is not an option of chargen" in rnnzoo("generate", "chargen", "./mine", "--shout").refused(2)
    assert "shipped model" in rnnzoo("generate", "chargen", "Alice").stderr  # chargen has no runs: the copy's are its own


def test_json(rnnzoo):
    assert rnnzoo("copy", "chargen", "mine", "--json").json == {"recipe": "chargen", "folder": "./mine"}


def test_a_folder_that_is_there_is_left_alone(rnnzoo, tmp_path):
    (tmp_path / "mine").mkdir()
    assert "mine exists already" in rnnzoo("copy", "chargen", "mine").refused(2)
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize(
    ("file", "source", "says"),
    [
        ("__init__.py", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("corpus.py", "def", "SyntaxError"),
        ("numpy_model.py", "1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_broken_copy_is_an_error_of_its_own(rnnzoo, tmp_path, file, source, says):
    rnnzoo("copy", "chargen", "mine")
    (tmp_path / "mine" / file).write_text(source)
    said = rnnzoo("train", "./mine", *SMALL).refused(1)
    assert says in said
    assert str(tmp_path / "mine" / file) in said


def test_the_next_command_of_a_hint_can_be_called(rnnzoo, tmp_path):
    """Errors name the next command; for a recipe by path it has to name the path."""
    rnnzoo("copy", "chargen", "mine")
    hint = rnnzoo("generate", "./mine", "Alice").refused(1).splitlines()[-1]
    assert hint.startswith("hint: rnnzoo train ")
    recipe = hint.split("rnnzoo train ")[1].split()[0]
    assert rnnzoo("train", recipe, *SMALL).status == 0
