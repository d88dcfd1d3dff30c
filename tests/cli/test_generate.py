"""`rnnzoo generate` in real processes: what goes in, what comes out, and where."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from rnnzoo import inference, runs

SEED = ("--seed", "1", "--length", "20")


@pytest.fixture(autouse=True)
def _a_run(tiny):
    pass


def test_the_output_begins_exactly_with_the_prefix(rnnzoo):
    ended = rnnzoo("generate", "--prefix", "Alice", "--temperature", "0.8", *SEED)
    assert ended.status == 0
    assert re.fullmatch("Alice.{20}\n", ended.stdout)
    assert ended.stderr == "chargen, run tiny on sample, seed 1\n"


def test_the_prefix_keeps_its_spaces(rnnzoo):
    assert rnnzoo("generate", "chargen", "  Alice  ", *SEED).stdout.startswith("  Alice  ")
    assert rnnzoo("generate", "--prefix", " Alice ", "--length", "0").stdout == " Alice \n"


def test_the_same_seed_writes_the_same_text(rnnzoo):
    """With and without naming the recipe and the run; a fresh seed is shown, and gives the same again."""
    first = rnnzoo("generate", "--prefix", "Alice", *SEED).stdout
    assert rnnzoo("generate", "chargen", "Alice", "--run", "tiny", *SEED).stdout == first
    fresh = rnnzoo("generate", "--prefix", "Alice", "--length", "20")
    seed = fresh.stderr.split("seed ")[1].strip()
    assert fresh.stdout != first
    assert rnnzoo("generate", "--prefix", "Alice", "--length", "20", "--seed", seed).stdout == fresh.stdout


def test_it_is_what_python_gives(rnnzoo):
    model = inference.load("chargen")
    assert rnnzoo("generate", "--prefix", "Alice", *SEED).stdout == model("Alice", seed=1, length=20) + "\n"


def test_quiet_is_silent_but_for_the_text(rnnzoo):
    ended = rnnzoo("generate", "--prefix", "Alice", "--quiet", *SEED)
    assert ended.stderr == ""
    assert ended.stdout.startswith("Alice")


def test_n_lines_in_n_lines_out_blank_ones_too(rnnzoo):
    lines = ["Alice", "", "  ", "the Heron", ""]
    ended = rnnzoo("generate", "chargen", "-", *SEED, stdin="".join(f"{line}\n" for line in lines))
    assert ended.status == 0
    assert len(ended.lines) == 5
    for line, answer in zip(lines, ended.lines, strict=True):
        assert answer.startswith(line)
        assert len(answer) == len(line) + 20


@pytest.mark.parametrize(
    ("stdin", "prefixes"),
    [("a\r\nb\r\n", ["a", "b"]), ("a\nb", ["a", "b"]), ("\ufeffa\n", ["a"]), ("\n", [""]), ("", [])],
    ids=["CRLF", "no end", "BOM", "blank", "empty"],
)
def test_lines_of_any_kind(rnnzoo, stdin, prefixes):
    ended = rnnzoo("generate", "--length", "0", "--quiet", stdin=stdin)  # a pipe is read without being asked for
    assert (ended.status, ended.lines) == (0, prefixes)


def test_without_any_text_it_writes_one(rnnzoo):
    assert re.fullmatch(".{20}\n", rnnzoo("generate", *SEED).stdout)


def test_files_in_and_out(rnnzoo, tmp_path):
    (tmp_path / "in.txt").write_text("Alice\n\nthe Snail\n")
    ended = rnnzoo("generate", "chargen", "--input", "in.txt", "--output", "out.txt", *SEED)
    assert ended.stdout == ""
    written = (tmp_path / "out.txt").read_text()
    assert written == rnnzoo("generate", "chargen", "-", *SEED, stdin="Alice\n\nthe Snail\n").stdout
    assert not list(tmp_path.glob("*.partial"))


def test_an_output_file_is_whole_or_as_it_was(rnnzoo, tmp_path):
    (tmp_path / "out.txt").write_text("before")
    (tmp_path / "in.txt").write_text("Alice\nÆ\n")
    ended = rnnzoo("generate", "chargen", "--input", "in.txt", "--output", "out.txt", *SEED)
    assert "'Æ' (U+00C6)" in ended.refused(2)
    assert (tmp_path / "out.txt").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in.txt", "out.txt"]


def test_several_texts_several_lines(rnnzoo):
    ended = rnnzoo("generate", "chargen", "Alice", "the Heron", *SEED)
    assert [line[:5] for line in ended.lines] == ["Alice", "the H"]


def test_samples_one_line_each(rnnzoo):
    ended = rnnzoo("generate", "--prefix", "Alice", "--samples", "3", *SEED)
    assert len(set(ended.lines)) == 3
    assert all(re.fullmatch("Alice.{20}", line) for line in ended.lines)


def test_json_lines(rnnzoo):
    ended = rnnzoo("generate", "chargen", "Alice", "", "--samples", "2", "--json", *SEED)
    answers = [json.loads(line) for line in ended.lines]
    assert [answer["prefix"] for answer in answers] == ["Alice", "Alice", "", ""]
    for answer in answers:
        assert answer.keys() == {"recipe", "run", "prefix", "seed", "text"}
        assert (answer["recipe"], answer["run"], answer["seed"]) == ("chargen", "tiny", 1)
        assert answer["text"].startswith(answer["prefix"])
    one = rnnzoo("generate", "chargen", "Alice", "--json", *SEED)
    assert one.json["text"] + "\n" == rnnzoo("generate", "chargen", "Alice", *SEED).stdout


@pytest.mark.parametrize(
    "options", [("--temperature", "0"), ("--top-k", "1"), ("--top-p", "0"), ("--beam", "1"), ("--temperature", "1e-5")]
)
def test_greedy_in_five_ways(rnnzoo, options):
    greedy = inference.load("chargen")("Alice", temperature=0.0, length=20)
    assert rnnzoo("generate", "--prefix", "Alice", *options, *SEED).stdout == greedy + "\n"


def test_a_text_that_begins_with_a_dash(rnnzoo):
    assert "a text that begins with - goes after --" in rnnzoo("generate", "chargen", "-x", *SEED).refused(2)
    for call in (("chargen", *SEED, "--", "-x"), ("--prefix=-x", *SEED)):
        assert rnnzoo("generate", *call).stdout.startswith("-x")


def test_unknown_characters(rnnzoo):
    said = rnnzoo("generate", "--prefix", "Alicé", *SEED).refused(2)
    assert "'é' (U+00E9)" in said
    assert "--skip-unknown" in said
    assert rnnzoo("generate", "--prefix", "Alicé", "--skip-unknown", *SEED).stdout.startswith("Alic")


def test_a_line_that_is_not_utf8_is_named(rnnzoo):
    ended = rnnzoo("generate", "chargen", "-", *SEED, stdin=b"Alice\ncaf\xe9\n")
    assert "line 2 of stdin is not UTF-8 (byte 0xe9 at 3)" in ended.refused(2)
    assert ended.lines[0].startswith("Alice")


def test_a_reader_that_goes_away_is_no_error(rnnzoo):
    """`rnnzoo generate --length 100000 | head -c 5`"""
    with rnnzoo.start("generate", "--prefix", "Alice", "--length", "200000", "--seed", "1") as process:
        with subprocess.Popen(["head", "-c", "5"], stdin=process.stdout, stdout=subprocess.PIPE) as head:
            process.stdout.close()
            assert head.communicate(timeout=60)[0] == b"Alice"
        stderr = process.stderr.read().decode()
        assert process.wait(60) == 0
    assert stderr == "chargen, run tiny on sample, seed 1\n"


def test_text_is_streamed_as_it_is_made(rnnzoo):
    with rnnzoo.start("generate", "--prefix", "Alice", "--length", "100000000", "--seed", "1") as process:
        assert process.stdout.read(200).startswith(b"Alice")
        process.kill()
        process.communicate()


def test_each_line_is_answered_before_the_next_is_sent(rnnzoo):
    with rnnzoo.start("generate", "chargen", "-", *SEED, stdin=subprocess.PIPE) as process:
        for line in (b"Alice\n", b"the Snail\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline().startswith(line.strip())
        process.stdin.close()
        assert process.wait(30) == 0


def test_ctrl_c_leaves_without_a_traceback(rnnzoo):
    import signal

    with rnnzoo.start("generate", "--length", "100000000", "--seed", "1") as process:
        process.stdout.read(10)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in stderr


def test_a_terminal_is_asked_line_by_line(rnnzoo):
    pty = pytest.importorskip("pty")
    import os

    mine, theirs = pty.openpty()
    with rnnzoo.start("generate", "chargen", *SEED, stdin=theirs) as process:
        os.write(mine, b"Alice\n")
        first = process.stdout.readline()
        os.write(mine, b"the Snail\n\x04")
        second, stderr = process.communicate(timeout=30)
        os.close(theirs)
    os.close(mine)
    assert first.startswith(b"Alice")
    assert second.startswith(b"the Snail")
    assert stderr.count(b"> ") == 3
    assert process.returncode == 0


def test_options_of_another_recipe_are_refused(rnnzoo):
    others = {"--nbest": "translate", "--tokenized": "postag"}
    known = rnnzoo("generate", "--help").stdout
    for option, recipe in others.items():
        if option not in known:
            pytest.skip(f"{recipe} has no {option} yet")
        said = rnnzoo("generate", "chargen", "Alice", option, *([] if option == "--tokenized" else ["2"])).refused(2)
        assert f"{option} is not an option of chargen" in said


def test_closed_streams_are_no_defect(rnnzoo):
    """`rnnzoo generate >&-` and `2>&-`"""
    for closed in (1, 2):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        ended = subprocess.run(
            ["sh", "-c", f'"$0" -m rnnzoo generate --prefix Alice --seed 1 --length 20 {closed}>&-', sys.executable],
            env=rnnzoo.environment, cwd=rnnzoo.folder, timeout=60, **pipes,
        )  # fmt: skip
        assert ended.returncode == 0
        assert b"defect" not in ended.stderr
        assert ended.stdout == (b"" if closed == 1 else rnnzoo("generate", "--prefix", "Alice", *SEED).stdout.encode())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_said(rnnzoo):
    with open("/dev/full", "w") as full:
        ended = rnnzoo("generate", "--prefix", "Alice", *SEED, stdout=full)
    assert "No space left on device" in ended.refused(1)


def test_a_damaged_run_is_refused(rnnzoo, tiny):
    path = tiny / runs.open_run(tiny).best["file"]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "is damaged" in rnnzoo("generate", *SEED).refused(1)


def test_the_help_of_a_recipe_shows_its_own_options(rnnzoo):
    """--beam means something else to each recipe that has it; what a recipe lacks is not shown, yet known."""
    own, of_all = rnnzoo("generate", "translate", "--help").stdout, rnnzoo("generate", "--help").stdout
    assert "--nbest" in own and "--temperature" not in own and "chargen:" not in own
    assert "[default: 1]" in own.partition("--beam")[2].partition("--alpha")[0]
    assert "--nbest" in of_all and "--temperature" in of_all and "chargen: search" in of_all
    assert "--temperature is not an option of translate" in rnnzoo("generate", "translate", "--temperature", "1").refused(2)


def test_a_text_without_a_recipe_is_told_of_prefix(rnnzoo):
    assert "rnnzoo generate --prefix Alice" in rnnzoo("generate", "Alice").refused(2)
