"""Every command of README is run, in the order of the page, in one folder and one cache, without a network.

Where a call trains, it is given a cap on its time; benchmarks and examples are given small sizes. What installs rnnzoo and runs
its tests is not run here: `.ci/run` runs these very lines, `test_packaging.py` tests what they install.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", README, re.M)
COMMAND = re.compile(r"(?:rnnzoo|python|echo|printf) ")
ELSEWHERE = {"python -m pip install .", "python -m pip install -e '.[test]' && python -m pytest"}
SMALL = {
    "tests/benchmarks/training.py": "--cells gru --units 8 --rounds 1",
    "tests/benchmarks/generation.py": "--units 8 --rounds 1",
    "tests/benchmarks/padding.py": "--recipes sentiment --batches 2",
    "examples/negation_gru.py": "--seeds 1 --until 0.6",
    "examples/mgu_delay.py": "--steps 20",
}
PLACEHOLDERS = {"RECIPE": "sentiment", "COMMAND": "train"}
FAILS_HERE = {
    "rnnzoo data fetch chargen": "could not be downloaded",
    "rnnzoo data fetch sentiment": "could not be downloaded",
    "rnnzoo train postag --data masc --run masc vocabulary=10000": "could not be downloaded",
    "rnnzoo train postag --data masc epochs=10 features=64 vocabulary=10000": "could not be downloaded",
    "rnnzoo train sentiment --resume": "has no unfinished run",  # none was killed
}


def block_commands() -> list[str]:
    lines = (line.strip() for block in BLOCKS for line in block.splitlines())
    return [re.split(r"\s{2,}#", line)[0] for line in lines if COMMAND.match(line)]


def inline_commands() -> list[str]:
    """Whole calls named in a sentence or a table; `rnnzoo train RECIPE` stands for any recipe."""
    found = re.findall(r"`((?:rnnzoo|python) [^`]+)`", re.sub(r"^    .*$", "", README, flags=re.M))
    calls = []
    for call in found:
        for word, meant in PLACEHOLDERS.items():
            call = call.replace(word, meant)
        calls.append(call)
    # The rest names a verb, or is about installing and shipping, which have tests of their own.
    return [c for c in dict.fromkeys(calls) if len(c.split()) > 2 and not any(w in c for w in ("shipping", "pip", "venv"))]


COMMANDS = [command for command in block_commands() + inline_commands() if command not in ELSEWHERE]


def test_the_page_has_its_commands():
    """So that a change of the page's form cannot empty the tests below."""
    assert len(block_commands()) > 50 and len(inline_commands()) > 3
    assert set(block_commands()) >= ELSEWHERE
    assert {"list", "train", "generate", "eval", "show", "verify", "copy", "data", "batch"} == {
        words[1] for words in map(str.split, block_commands()) if words[0] == "rnnzoo"
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory, offline) -> dict:
    """Where commands are run: a folder with the files that the page speaks of, and an environment."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "prefixes.txt").write_text("Alice\nThe Queen\n")
    (folder / "book.txt").write_text(" ".join(f"Alice said to the {k}th cat: sit on mat {k * k}!" for k in range(300)))
    reviews = [f"{word} {noun} {k}\t{label}\n" for k in range(10) for noun in ("food", "plot", "room") for word, label in WORDS]
    (folder / "reviews.tsv").write_text("".join(reviews))
    (folder / "tagged.txt").write_text("".join(f"the/DT cat/NN {verb}/VBD {k}/CD ./.\n" for k in range(60) for verb in VERBS))
    (folder / "pairs.tsv").write_text("".join(f"I {verb} {k}.\tJe {verb}e {k}.\n" for k in range(60) for verb in VERBS))
    for name in ("examples", "tests"):
        (folder / name).symlink_to(PROJECT / name)
    return {"cwd": folder, "env": offline | {"RNNZOO_HOME": str(folder / "home")}}


WORDS = (("good", "positive"), ("bad", "negative"), ("not good", "negative"))
VERBS = ("sat", "ran", "slept")


def capped(command: str) -> str:
    if re.search(r"\brnnzoo train\b", command):
        command = re.sub(r"minutes=\S+", "", command)
        return re.sub(r"\brnnzoo train\b(?! --help)(.*)", r"rnnzoo train\1 minutes=0.005", command)
    for file, sizes in SMALL.items():
        if file in command:
            return f"{command} {sizes}"
    return command


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page(place, command):
    if "plot" in command:
        pytest.importorskip("matplotlib", reason="pictures need the extra `plot`")
    python = shlex.quote(sys.executable)
    script = f'rnnzoo() {{ {python} -m rnnzoo "$@"; }}; python() {{ {python} "$@"; }}; set -o pipefail; {capped(command)}'
    ended = subprocess.run(["bash", "-c", script], **place, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert b"Traceback" not in ended.stderr
    if command in FAILS_HERE:
        assert ended.returncode == 1 and FAILS_HERE[command] in ended.stderr.decode()
    else:
        assert ended.returncode == 0, ended.stderr.decode()
        assert ended.stdout or ended.stderr or ">" in command


@pytest.mark.keras
def test_the_python_of_the_page(place):
    (program,) = (block for block in BLOCKS if "import rnnzoo" in block)
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(line[4:] for line in program.splitlines())],
        **place,
        capture_output=True,
        timeout=120,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Alice" in ended.stdout
