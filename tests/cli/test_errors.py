"""Every failure that a user can cause is two lines, `error:` with the value received and `hint:`; never a traceback."""

from __future__ import annotations

import pytest

TOO_LONG = "x" * 300

# The call, its exit status, and words of what is said.
BAD_CALLS = {
    "misspelt verb": (["trian", "chargen"], 2, ["'trian'", "did you mean train?"]),
    "no such verb": (["xyzzy"], 2, ["'xyzzy'", "verbs: list, train"]),
    "misspelt verb of data": (["data", "fecth", "chargen"], 2, ["'fecth'", "did you mean fetch?"]),
    "misspelt option": (["train", "chargen", "--presett", "book"], 2, ["--presett", "did you mean --preset"]),
    "misspelt option of a recipe": (["generate", "--temprature", "1"], 2, ["--temprature", "did you mean --temperature?"]),
    "no such option": (["list", "--xyzzy"], 2, ["--xyzzy", "rnnzoo list --help"]),
    "option without its value": (["train", "chargen", "--run"], 2, ["--run"]),
    "option that is no number": (["train", "chargen", "--seed", "abc"], 2, ["--seed"]),
    "option out of bounds": (["train", "chargen", "--seed", "-1"], 2, ["--seed"]),
    "no recipe": (["train"], 2, ["RECIPE"]),
    "one argument too many": (["eval", "chargen", "extra"], 2, ["extra"]),
    "misspelt recipe": (["train", "chargne"], 2, ["'chargne'", "did you mean chargen?"]),
    "misspelt recipe to generate": (["generate", "chargne", "Alice"], 2, ["'chargne'", "did you mean chargen?"]),
    "text instead of a recipe": (["generate", "Alice was"], 2, ["'Alice was'", 'rnnzoo generate chargen "Alice was"']),
    "no such folder": (["train", "./nothing"], 2, ["nothing: it has no __init__.py"]),
    "misspelt key": (["train", "chargen", "epcohs=3"], 2, ["'epcohs'", "did you mean epochs?"]),
    "key without a value": (["train", "chargen", "epochs"], 2, ["KEY=VALUE", "'epochs'"]),
    "negative epochs": (["train", "chargen", "epochs=-1"], 2, ["epochs must be", "-1"]),
    "units=abc": (["train", "chargen", "units=abc"], 2, ["units must be a whole number", "'abc'"]),
    "units=10**9": (["train", "chargen", "units=1000000000"], 2, ["units must be", "1000000000"]),
    "misspelt value": (["train", "chargen", "cell=lsmt"], 2, ["'lsmt'", "did you mean lstm"]),
    "not a number": (["train", "chargen", "learning_rate=nan"], 2, ["learning_rate must be finite"]),
    "misspelt preset": (["train", "chargen", "--preset", "boko"], 2, ["'boko'", "did you mean book"]),
    "misspelt corpus": (["train", "chargen", "--data", "sampel"], 2, ["'sampel'", "did you mean sample?"]),
    "no such file": (["train", "chargen", "--data", "./nothing.txt"], 2, ["'./nothing.txt'", "corpora: carroll, sample"]),
    "a folder for a corpus": (["train", "chargen", "--data", "."], 2, ["not a regular file"]),
    "empty file": (["train", "chargen", "--data", "empty.txt"], 1, ["empty.txt is blank"]),
    "blank file": (["train", "chargen", "--data", "blank.txt"], 1, ["blank.txt is blank"]),
    "binary file": (["train", "chargen", "--data", "binary.txt"], 1, ["binary.txt is not text: NUL"]),
    "short file": (["train", "chargen", "--data", "short.txt"], 1, ["5 characters", "at least 200"]),
    "name too long for a file": (["train", "chargen", "--data", TOO_LONG], 2, ["no corpus or file"]),
    "unknown user's file": (["train", "chargen", "--data", "~no-such-user-here/x"], 2, ["no corpus or file"]),
    "a run's name that cannot be": (["train", "chargen", "--data", "sample", "--run", "a/b"], 2, ["'a/b'"]),
    "a run's name that is taken": (["train", "chargen", "--data", "sample", "--run", "tiny"], 2, ["already has a run 'tiny'"]),
    "misspelt run": (["generate", "--run", "tinny"], 1, ["no run 'tinny'", "did you mean tiny?"]),
    "misspelt run to evaluate": (["eval", "chargen", "--run", "tinny"], 1, ["no run 'tinny'", "did you mean tiny?"]),
    "name too long for a run": (["generate", "--run", TOO_LONG], 1, ["has no run"]),
    "misspelt split": (["eval", "chargen", "--split", "tset"], 2, ["'tset'", "did you mean test?"]),
    "option of generate that is no number": (["generate", "--length", "abc"], 2, ["length", "'abc'"]),
    "option of generate out of bounds": (["generate", "--temperature", "-1"], 2, ["temperature", "-1"]),
    "text and prefix": (["generate", "chargen", "a", "--prefix", "b"], 2, ["--prefix and TEXT"]),
    "text and input": (["generate", "chargen", "a", "--input", "short.txt"], 2, ["TEXT and --input"]),
    "no such input": (["generate", "--input", "nothing.txt"], 2, ["nothing.txt cannot be read"]),
    "an output that cannot be": (["generate", "--output", "nothing/out.txt"], 2, ["nothing/out.txt cannot be written"]),
    "a folder for an output": (["generate", "--length", "3", "--output", "home"], 2, ["home cannot be written"]),
    "text beginning with a dash": (["generate", "chargen", "-Alice"], 2, ["goes after --"]),
    "more samples than beams": (["generate", "--beam", "2", "--samples", "3"], 2, ["--samples 3", "--beam 2"]),
    "copy to where it cannot be": (["copy", "chargen", "short.txt/mine"], 2, ["cannot make"]),
    "fetch without a network": (["data", "fetch", "chargen"], 1, ["pg28885.txt could not be downloaded", "by hand"]),
}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "blank.txt").write_text(" \n" * 500)
    (tmp_path / "binary.txt").write_bytes(b"\x7fELF\0\0\0" * 100)
    (tmp_path / "short.txt").write_text("short")


@pytest.mark.parametrize(("call", "status", "words"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_calls(rnnzoo, tiny, files, home, call, status, words):
    before = sorted(str(path) for path in (home / "checkpoints").rglob("*"))
    ended = rnnzoo(*call)
    said = ended.refused(status)
    for word in words:
        assert word in said
    assert ended.stdout == ""
    assert sorted(str(path) for path in (home / "checkpoints").rglob("*") if path.name != ".lock") == [
        path for path in before if not path.endswith(".lock")
    ]


@pytest.mark.parametrize("call", [("train", "chargen", "--data", "sample"), ("data", "fetch", "chargen")])
def test_a_cache_root_beneath_a_regular_file(rnnzoo, tmp_path, call):
    (tmp_path / "file").write_text("in the way")
    said = rnnzoo(*call, env={"RNNZOO_HOME": str(tmp_path / "file" / "home")}).refused(1)
    assert str(tmp_path / "file" / "home") in said
    assert rnnzoo("list", env={"RNNZOO_HOME": str(tmp_path / "file" / "home")}).status == 0
    assert (tmp_path / "file").read_text() == "in the way"


def test_json_and_quiet_change_nothing_about_errors(rnnzoo):
    plain = rnnzoo("train", "chargen", "epochs=x").stderr
    assert rnnzoo("train", "chargen", "epochs=x", "--json").stderr == plain
    assert rnnzoo("train", "chargen", "epochs=x", "--quiet").stderr == plain


def test_debug_shows_the_traceback(rnnzoo):
    ended = rnnzoo("--debug", "train", "chargen", "epochs=x")
    assert ended.status == 1
    assert "Traceback" in ended.stderr
    assert "CallError: epochs must be a whole number" in ended.stderr


def test_a_defect_is_called_one_and_is_still_two_lines(rnnzoo):
    broken = "import rnnzoo.zoo as zoo; zoo.names = lambda: 1 / 0"
    ended = rnnzoo("list", prelude=broken)
    assert ended.status == 1
    error, hint = ended.stderr.splitlines()
    assert error.startswith("error: ZeroDivisionError: division by zero (a defect of rnnzoo")
    assert "--debug" in hint


def test_a_terminal_that_knows_ascii_alone(rnnzoo):
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    said = rnnzoo("train", "chargén", env=ascii_only).refused(2)
    assert "charg\\xe9n" in said
