"""Whatever the arguments: a result, or one error and one hint; never a traceback. RNNZOO_TEST_CASES sets how many are tried.

The command runs in this process, with training, comparing and downloading taken out: it is the way to them that is tried.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnzoo import verification, zoo
from rnnzoo.cli import main
from rnnzoo.corpora import download
from rnnzoo.errors import DownloadError, RunError
from rnnzoo.training import train as training

CASES = int(os.environ.get("RNNZOO_TEST_CASES", "150"))

# Anything that a shell can hand over: no NUL; bytes that are no UTF-8 come as surrogates.
anything = st.text(st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("\udc80\udcff"), max_size=12)
awkward = st.sampled_from(
    ["", " ", "-", "--", "---", "=", "..", ".", "/", "//", "~", "~x/y", "./", "\\", "*", "%s", "{}", "\n", "é", "\udced", "[/]",
     "[red]", "x" * 300, "./" + "x" * 300, "chargen/", "/tiny", "chargen/tiny", "tfds:", "None", "home", "empty", "binary"]
)  # fmt: skip
numbers = st.sampled_from(
    ["0", "1", "2", "-1", "3.5", "1e400", "nan", "-inf", "0x10", "1_0", "１", "9" * 30, "9" * 5000, "true"]
)
names = st.sampled_from([*zoo.names(), "tiny", "sample", "carroll", "book", "test", "train", "validation", "chargne"])
value = numbers | names | awkward | anything
keys = st.sampled_from(["epochs", "units", "cell", "dropout", "stateful", "learning_rate", "engine", "heldout", "epcohs", ""])
assignments = st.builds("{}={}".format, keys, value)
# The options of each verb that take a value, and those that do not. `--length` is left out: it may be long.
VERBS = {
    ("list",): ([], []),
    ("train",): (["--preset", "--data", "--run", "--seed", "--folds"], ["--resume"]),
    ("generate",): (
        ["--prefix", "--temperature", "--top-k", "--top-p", "--seed", "--run", "--input", "--output", "--alpha"],
        ["--skip-unknown", "--samples=2", "--beam=3"],
    ),
    ("eval",): (["--run", "--data", "--split"], ["--no-baselines"]),
    ("show",): (["--preset", "--activations"], ["--weights", "--gradients"]),
    ("verify",): (["--run"], []),
    ("copy",): ([], []),
    ("data", "fetch"): ([], []),
    ("data", "show"): (["--data"], []),
    ("data", "clean"): ([], []),
}


@st.composite
def nearly_right(draw) -> list[str]:
    """A verb, most often with its recipe, with options of its own and arguments that may be right."""
    verb = draw(st.sampled_from(sorted(VERBS)))
    valued, flags = VERBS[verb]
    parts = [draw(st.sampled_from(["chargen"] * 6 + ["./mine", "chargen/tiny", ""]))]
    if valued:
        parts += sum(
            draw(st.lists(st.builds("{}={}".format, st.sampled_from(valued), value).map(lambda o: [o]), max_size=3)), []
        )
    parts += draw(st.lists(st.sampled_from([*flags, "--json", "--quiet"]), max_size=2))
    parts += draw(st.lists(assignments if verb == ("train",) else value, max_size=1))
    if verb == ("generate",):
        parts.append("--length=3")
    return [*verb, *parts]


words = st.sampled_from([word for verb in VERBS for word in verb]) | names | numbers | assignments | awkward | anything
options = st.sampled_from([option for groups in VERBS.values() for group in groups for option in group])
calls = nearly_right() | nearly_right() | nearly_right() | st.lists(words | options | st.just("--help"), max_size=5)


@pytest.fixture
def harmless(tiny, tmp_path, monkeypatch):
    """A folder with a few things to stumble over, and no way to anything that takes long."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(b"\0\1\2" * 100)
    monkeypatch.chdir(tmp_path)

    def stop(*args, **kwargs):
        raise RunError("that would take long", "it is not done here")

    def unreachable(file, path, report):
        raise DownloadError(f"{file.name} could not be downloaded", "it is not done here")

    monkeypatch.setattr(training, "_train", stop)
    monkeypatch.setattr(training, "_refuse_giants", lambda *args: None)
    monkeypatch.setattr(verification, "verify", stop)
    monkeypatch.setattr(download, "download", unreachable)
    monkeypatch.setattr("rnnzoo.corpora.fetch.download", unreachable)
    monkeypatch.setattr(zoo, "copy", stop)


def call(arguments: list[str]) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a call in this process."""
    out, err = io.StringIO(), io.StringIO()
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b"Alice\n"))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(arguments)
    finally:
        sys.stdin = stdin
    return ended.value.code, out.getvalue(), err.getvalue()


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(calls)
def test_any_arguments(harmless, arguments):
    status, _, stderr = call(arguments)
    assert status in (0, 1, 2), (arguments, status, stderr)
    assert "Traceback" not in stderr
    assert "defect" not in stderr, stderr
    lines = stderr.splitlines()
    if status:
        assert lines[-2].startswith("error: ")
        assert lines[-1].startswith("hint: ")
        assert len(lines[-2]) > len("error: ")
        assert len(lines[-1]) > len("hint: ")
    else:
        assert not any(line.startswith(("error:", "hint:")) for line in lines)


prefixes = st.text(st.characters(codec="utf-8"), max_size=30)
ways = st.lists(st.sampled_from(["--temperature=0", "--top-k=2", "--top-p=.5", "--beam=2", "--samples=2", "--json"]))


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(prefixes, ways)
def test_any_text(harmless, prefix, chosen):
    """What the model knows of a text is continued, a line for each sample."""
    status, stdout, stderr = call(
        ["generate", *chosen, "--length", "3", "--skip-unknown", "--seed", "1", "--", "chargen", prefix]
    )
    assert status == 0, stderr
    assert len(stdout.splitlines()) == (2 if "--samples=2" in chosen else 1)
    assert stderr == "chargen, run tiny on sample, seed 1\n"
