"""Shell completion, asked for as Typer's scripts for the shells ask: verbs, options, recipes, runs; quickly, nothing opened."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def offered(rnnzoo):
    """What is offered after a line, of which the last word is incomplete (`bash`)."""

    def offered(line: str) -> list[str]:
        words = line.split(" ")
        asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1), "_RNNZOO_COMPLETE": "complete_bash"}
        ended = rnnzoo(env=asked)
        assert (ended.status, ended.stderr) == (0, "")
        return ended.stdout.split()

    return offered


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rnnzoo tr", ["train"]),
        ("rnnzoo data f", ["fetch"]),
        ("rnnzoo train --res", ["--resume"]),
        ("rnnzoo generate --temp", ["--temperature"]),  # an option of a recipe
        ("rnnzoo train cha", ["chargen"]),
        ("rnnzoo eval chargen --run t", ["tiny"]),
        ("rnnzoo generate --run t", ["tiny"]),  # of the recipe that it is without one
        ("rnnzoo generate cha", ["chargen"]),
        ("rnnzoo generate chargen cha", []),  # a text
        ("rnnzoo show chargen/", ["chargen/tiny", "chargen/pretrained"]),
        ("rnnzoo show t", ["translate", "tiny"]),
        ("rnnzoo show p", ["postag"]),  # each recipe has a run "pretrained": that name alone says nothing
        ("rnnzoo train ./m", ["./mine"]),
        ("rnnzoo eval ./mine --run ", []),  # its runs are its own
        ("rnnzoo eval xyzzy --run ", []),
        ("rnnzoo train xyzzy/", []),
    ],
)
def test_what_is_offered(offered, tiny, tmp_path, line, expected):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("raise SystemExit('a recipe is not run to complete a line')")
    (tmp_path / "more").mkdir()
    assert offered(line) == expected


def test_runs_come_newest_first_and_a_damaged_one_is_offered_too(offered, tiny):
    shutil.copytree(tiny, tiny.parent / "newer")
    (tiny.parent / "newer" / "run.json").write_text("{")
    assert offered("rnnzoo show chargen/") == ["chargen/newer", "chargen/tiny", "chargen/pretrained"]


def test_nothing_heavy_is_imported_for_it(rnnzoo, tiny):
    watch = "import atexit, sys; atexit.register(lambda: print('numpy' in sys.modules, 'rich' in sys.modules, file=sys.stderr))"
    asked = {"COMP_WORDS": "rnnzoo eval chargen --run ", "COMP_CWORD": "4", "_RNNZOO_COMPLETE": "complete_bash"}
    ended = rnnzoo(prelude=watch, env=asked)
    assert (ended.stdout, ended.stderr) == ("tiny\npretrained\n", "False False\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(rnnzoo, shell):
    ended = rnnzoo(env={"_RNNZOO_COMPLETE": f"source_{shell}"})
    assert ended.status == 0
    assert "_RNNZOO_COMPLETE" in ended.stdout


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_in_a_real_bash(rnnzoo, tiny, tmp_path):
    """The script is read and its function called, as the Tab key does."""
    command = tmp_path / "bin" / "rnnzoo"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nfrom rnnzoo.cli import main\nmain()\n")
    command.chmod(0o755)
    script = tmp_path / "script"
    script.write_text(rnnzoo(env={"_RNNZOO_COMPLETE": "source_bash"}).stdout)
    typed = (
        f". {script}; COMP_WORDS=(rnnzoo show chargen/t); COMP_CWORD=2; _rnnzoo_completion {command}; echo ${{COMPREPLY[@]}}"
    )
    done = subprocess.run(["bash", "--norc", "-c", typed], env=rnnzoo.environment, capture_output=True, text=True)
    assert done.stdout == "chargen/tiny\n", done.stderr
