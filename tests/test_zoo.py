"""Recipes are folders: found without a list, loaded by name or path, copied to be one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rnnzoo import zoo
from rnnzoo.errors import CallError, RnnzooError

PROJECT = Path(__file__).parents[1]
CARD = """
from __future__ import annotations
from dataclasses import dataclass
from . import corpus
@dataclass(frozen=True)
class Config:
    epochs: int = 1
WHO = "{who}"
"""


@pytest.fixture
def folder(tmp_path):
    """Makes a recipe's folder whose card and corpus say who they are."""

    def make(path: str, who: str) -> Path:
        made = tmp_path / path
        made.mkdir(parents=True)
        (made / "__init__.py").write_text(CARD.format(who=who))
        (made / "corpus.py").write_text(f"WHO = {who!r}\n")
        return made

    return make


@pytest.fixture
def built_in(tmp_path, monkeypatch):
    """A folder whose subfolders are built-in recipes, beside the real ones."""
    from rnnzoo import recipes

    more = tmp_path / "more"
    more.mkdir()
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(more)])
    before = set(sys.modules)
    yield more
    for name in set(sys.modules) - before:
        if name.startswith("rnnzoo.recipes."):
            del sys.modules[name]
            delattr(recipes, name.split(".")[2]) if name.count(".") == 2 and hasattr(recipes, name.split(".")[2]) else None


def test_recipes_are_found_as_folders_the_default_first():
    found = zoo.names()
    assert found[0] == zoo.DEFAULT == "chargen"
    assert sorted(found) == sorted(path.parent.name for path in (PROJECT / "recipes").glob("*/__init__.py"))


def test_one_more_folder_is_one_more_recipe(built_in):
    for name in ("zebra", "aardvark"):
        (built_in / name).mkdir()
        (built_in / name / "__init__.py").write_text("SUMMARY = 'new'\n")
    (built_in / "notes").mkdir()  # no card, no recipe
    names = zoo.names()
    assert {"zebra", "aardvark"} < set(names)
    assert "notes" not in names
    assert names[0] == zoo.DEFAULT
    assert names[1:] == sorted(names[1:])
    assert zoo.load("zebra").card.SUMMARY == "new"


@pytest.mark.parametrize("name", [path.parent.name for path in (PROJECT / "recipes").glob("*/__init__.py")])
def test_every_card_has_what_the_zoo_asks_for(name):
    recipe = zoo.load(name)
    assert (recipe.name, recipe.built_in, recipe.card.NAME) == (name, True, name)
    assert recipe.card.DIRECTION in ("min", "max")
    assert len(recipe.card.CORPORA) > 0
    assert recipe.card.Config() == recipe.card.Config()
    for preset in recipe.card.PRESETS.values():
        recipe.card.Config(**preset)
    assert "book" in recipe.card.PRESETS
    assert {path.stem for path in recipe.folder.glob("*.py")} >= {
        "__init__", "corpus", "sample", "model", "numpy_model", "evaluation"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["chargne", "chargen2", "Chargen"])
def test_a_misspelt_name_gets_a_did_you_mean(name):
    with pytest.raises(CallError, match=f"no recipe '{name}'") as caught:
        zoo.load(name)
    assert caught.value.hint == "did you mean chargen?"


@pytest.mark.parametrize("name", ["", "xyzzy", "__pycache__", "rnnzoo.recipes.chargen", "os"])
def test_what_is_no_recipe_is_refused(name):
    with pytest.raises(CallError) as caught:
        zoo.load(name)
    assert "chargen" in caught.value.hint


def test_a_recipe_by_its_path(folder):
    made = folder("mine", "me")
    recipe = zoo.load(str(made))
    assert recipe.card.WHO == recipe.part("corpus").WHO == recipe.card.corpus.WHO == "me"
    assert recipe.folder == made
    assert not recipe.built_in
    assert recipe.card.Config().epochs == 1
    assert recipe.card.__name__ in sys.modules
    assert zoo.load(str(made)).card is recipe.card


def test_relative_paths_and_the_current_folder(folder, monkeypatch):
    made = folder("mine", "me")
    monkeypatch.chdir(made.parent)
    assert zoo.load("./mine").folder == zoo.load("mine/").folder == made
    monkeypatch.chdir(made)
    assert zoo.load(".").folder == made
    with pytest.raises(CallError, match="no recipe 'mine'"):  # a bare name is never a folder
        zoo.load("mine")


def test_two_folders_of_one_name_are_two_recipes(folder):
    recipes = [zoo.load(str(folder(f"{who}/chargen", who))) for who in ("one", "two")]
    assert [recipe.card.WHO for recipe in recipes] == ["one", "two"]
    assert [recipe.part("corpus").WHO for recipe in recipes] == ["one", "two"]
    names = {recipe.name for recipe in recipes}
    assert len(names) == 2  # so that their runs are kept apart
    assert "chargen" not in names
    assert all(name.startswith("chargen@") for name in names)
    assert zoo.load("chargen").built_in


@pytest.mark.parametrize("name", ["my recipe", "2nd-try.v1", "naïve", "class"])
def test_any_folder_name_will_do(folder, name):
    recipe = zoo.load(str(folder(name, "me")))
    assert recipe.part("corpus").WHO == "me"


@pytest.mark.parametrize("name", [path.parent.name for path in (PROJECT / "recipes").glob("*/__init__.py")])
def test_a_copy_stays_inside_itself(name, tmp_path, monkeypatch):
    """All parts of a copy, but for the one that needs Keras, are loaded without the built-in recipe."""
    for module in [m for m in sys.modules if m.startswith("rnnzoo.recipes.")]:
        monkeypatch.delitem(sys.modules, module)
    original = zoo.Recipe(name, sys, PROJECT / "recipes" / name, True)
    assert zoo.copy(original, str(tmp_path / "mine")) == str(tmp_path / "mine")
    recipe = zoo.load(str(tmp_path / "mine"))
    for part in ("corpus", "sample", "numpy_model", "evaluation"):
        assert Path(recipe.part(part).__file__).parent == tmp_path / "mine"
    assert not [m for m in sys.modules if m.startswith("rnnzoo.recipes.")]
    assert recipe.part("numpy_model").Config is recipe.card.Config


def test_a_copy_is_the_source_and_no_more(tmp_path):
    original = zoo.load("chargen")
    zoo.copy(original, str(tmp_path / "mine"))
    files = {path.name for path in (tmp_path / "mine").iterdir()}
    assert files == {path.name for path in original.folder.glob("*.py")}
    copied = zoo.load(str(tmp_path / "mine"))
    assert copied.source_sha256() == original.source_sha256()
    (tmp_path / "mine" / "corpus.py").write_text((tmp_path / "mine" / "corpus.py").read_text() + "# edited\n")
    assert copied.source_sha256() != original.source_sha256()


def test_a_copy_does_not_overwrite(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(CallError, match="exists already"):
        zoo.copy(zoo.load("chargen"), str(tmp_path / "mine"))
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    with pytest.raises(CallError, match="cannot make .*: Not a directory"):
        zoo.copy(zoo.load("chargen"), str(tmp_path / "mine" / "notes.txt" / "mine"))


def test_a_folder_without_a_card_is_refused(tmp_path):
    with pytest.raises(CallError, match="it has no __init__.py") as caught:
        zoo.load(f"{tmp_path}/nothing")
    assert caught.value.hint == f"rnnzoo copy chargen {tmp_path}/nothing makes one to edit"


@pytest.mark.parametrize(
    ("source", "says"),
    [("import no_such_module", "ModuleNotFoundError"), ("def", "SyntaxError"), ("raise SystemError('oh')", "SystemError: oh")],
)
def test_a_broken_card_is_an_error_of_the_recipe(source, says, folder, built_in):
    broken = folder("broken", "me")
    (broken / "__init__.py").write_text(source)
    (built_in / "broken").mkdir()
    (built_in / "broken" / "__init__.py").write_text(source)
    for name in (str(broken), "broken"):
        with pytest.raises(RnnzooError, match=f"recipe .*broken.* cannot be imported: .*{says}") as caught:
            zoo.load(name)
        assert caught.value.exit_code == 1
    # Mended, it loads: nothing half-imported stays behind.
    (broken / "__init__.py").write_text("SUMMARY = 'mended'")
    assert zoo.load(str(broken)).card.SUMMARY == "mended"


def test_a_broken_part_is_an_error_of_the_recipe(folder):
    made = folder("mine", "me")
    (made / "evaluation.py").write_text("1 / 0")
    with pytest.raises(RnnzooError, match="evaluation.* cannot be imported: ZeroDivisionError"):
        zoo.load(str(made)).part("evaluation")


@pytest.mark.parametrize("name", ["~no-such-user-here/recipe", "./" + "y" * 300, "a\\b"])
def test_paths_that_cannot_be(name):
    with pytest.raises(CallError):
        zoo.load(name)
