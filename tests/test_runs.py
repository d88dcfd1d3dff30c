"""Run directories: a crash at any moment loses nothing, damage is noticed, and the right run is found."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from rnnzoo import inference, paths, runs
from rnnzoo.errors import CallError, RnnzooError, RunError
from rnnzoo.vocabulary import Vocabulary

RECORD = {"config": {}, "status": "unfinished", "files": {}, "last": [], "history": [], "best": None}


def create(recipe="chargen", name=None, corpus="carroll", **record) -> runs.Run:
    return runs.create(recipe, name, RECORD | {"corpus": {"name": corpus}} | record, Vocabulary("ab"))


def checkpoint(run: runs.Run, serial: int) -> None:
    """Make checkpoint `serial` (its arrays hold that number) the best and the last one, as the training loop does."""
    arrays = {"w": np.full((3, 2), serial, np.float32)}
    best, last = f"best-{serial:09d}.safetensors", f"last-{serial:06d}.safetensors"
    run.record["best"] = {"value": serial, "file": best, "sha256": run.write_arrays(best, arrays)}
    entry = {"file": last, "sha256": run.write_arrays(last, arrays)}
    run.record["last"] = [entry, *run.record["last"][:1]]
    run.commit()


def kept(run: runs.Run) -> dict[str, float]:
    """What is read back, verified, through a fresh look at the folder: the number in each file that the record names."""
    again = runs.open_run(run.path)
    read = {entry["file"]: again.read_arrays(entry["file"], entry["sha256"]) for entry in again.record["last"]}
    if again.best:
        read["best"] = again.best_weights()
    assert again.vocabulary().symbols == ("a", "b")
    return {name: float(arrays["w"].mean()) for name, arrays in read.items()}


def data_files(run: runs.Run) -> set[str]:
    return {path.name for path in run.path.glob("*.safetensors")}


# Writing


def test_a_new_run_has_a_record_and_its_vocabulary():
    run = create(name="first")
    assert run.path == paths.checkpoints() / "chargen" / "first"
    assert {path.name for path in run.path.iterdir()} == {"run.json", "vocabulary.json"}
    again = runs.open_run(run.path)
    assert again.record == run.record
    assert (again.record["format"], again.record["recipe"], again.record["name"]) == (runs.FORMAT, "chargen", "first")
    assert again.vocabulary().symbols == ("a", "b")
    assert not again.best
    assert not again.finished
    with pytest.raises(RunError, match="no best checkpoint yet") as caught:
        again.best_weights()
    assert caught.value.hint == "rnnzoo train chargen --resume"


def test_arrays_come_back_as_they_were():
    run = create()
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not contiguous
        "b": np.array(3.5),
        "c": np.array([], np.int64),
        "d": np.array([-0.0, np.nan, np.inf], np.float32),
    }
    received = run.read_arrays("x.safetensors", run.write_arrays("x.safetensors", arrays))
    assert received.keys() == arrays.keys()
    for name, array in arrays.items():
        assert received[name].dtype == array.dtype
        assert received[name].shape == array.shape
        assert received[name].tobytes() == np.ascontiguousarray(array).tobytes()


def test_superseded_files_go_at_the_next_switch():
    run = create()
    (run.path / "notes.txt").write_text("mine")
    (run.path / "run.json.partial").write_text("half")
    for serial in (1, 2, 3):
        checkpoint(run, serial)
    assert data_files(run) == {
        "best.safetensors", "best-000000003.safetensors", "last-000002.safetensors", "last-000003.safetensors"
    }  # fmt: skip
    assert kept(run) == {"last-000003.safetensors": 3, "last-000002.safetensors": 2, "best": 3}
    assert not list(run.path.glob("*.partial"))
    assert (run.path / "notes.txt").read_text() == "mine"


def test_best_safetensors_is_a_link_to_the_current_one():
    run = create()
    for serial in (1, 2):
        checkpoint(run, serial)
        link = run.path / "best.safetensors"
        assert os.readlink(link) == f"best-{serial:09d}.safetensors"
        assert link.read_bytes() == (run.path / run.best["file"]).read_bytes()


class Killed(BaseException):
    """The process ends here."""


def dies_at(monkeypatch, call: int) -> list[str]:
    """Every call that changes the disk is counted; the process "is killed" before number `call`. Returns the log of calls."""
    log: list[str] = []

    def counted(module, name):
        real = getattr(module, name)

        def wrapper(*args, **kwargs):
            if len(log) == call:
                raise Killed
            log.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, wrapper)

    for name in ("replace", "rename", "fsync"):
        counted(os, name)
    for name in ("unlink", "symlink_to"):
        counted(Path, name)
    real_open = open

    def half_written(path, mode="r", *args, **kwargs):
        file = real_open(path, mode, *args, **kwargs)
        if "w" in mode and len(log) == call:
            file.write(b"half of i")
            file.flush()
            raise Killed
        log.append("open")
        return file

    monkeypatch.setattr(runs, "open", half_written, raising=False)
    return log


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_checkpoint(monkeypatch):
    old = {"last-000002.safetensors": 2, "last-000001.safetensors": 1, "best": 2}
    new = {"last-000003.safetensors": 3, "last-000002.safetensors": 2, "best": 3}
    seen = []
    for call in range(100):
        run = create(name=f"killed-at-{call}")
        checkpoint(run, 1)
        checkpoint(run, 2)
        with monkeypatch.context() as patched:
            log = dies_at(patched, call)
            try:
                checkpoint(run, 3)
                break
            except Killed:
                pass
        seen.append(kept(run))
        assert seen[-1] in (old, new), (call, log)
        again = runs.open_run(run.path)  # and it can go on from there
        checkpoint(again, 4)
        assert kept(again)["best"] == 4
        assert len(data_files(again)) == 4
        assert not list(again.path.glob("*.partial"))
    assert len(seen) > 12
    switch = seen.index(new)
    assert seen == [old] * switch + [new] * (len(seen) - switch)
    assert log.count("fsync") == 6  # two files and the record, each with its folder
    assert log.count("replace") == 4  # these three and the link: nothing gets its name before it is whole


def test_a_kill_while_a_run_is_made_leaves_a_whole_one_or_its_name_free(monkeypatch):
    free, whole = 0, 0
    for call in range(100):
        name = f"killed-at-{call}"
        with monkeypatch.context() as patched:
            dies_at(patched, call)
            try:
                create(name=name)
                break
            except Killed:
                pass
        if name in {run.name for run in runs.runs_of("chargen")}:
            whole += 1
            assert kept(runs.named("chargen", name)) == {}
        else:
            free += 1
            assert kept(create(name=name)) == {}
    assert free > 5
    assert whole > 0
    assert runs.damaged_runs_of("chargen") == {}


def test_a_kill_while_a_run_is_discarded_leaves_no_half(monkeypatch):
    for call in range(2):
        run = create(name=f"run-{call}")
        checkpoint(run, 1)
        with monkeypatch.context() as patched:
            dies_at(patched, call)
            try:
                run.discard()
            except Killed:
                assert kept(run)["best"] == 1
                continue
        assert not run.path.exists()
    assert runs.damaged_runs_of("chargen") == {}
    create(name="run-1")


def test_a_full_disk_is_an_error_and_the_old_checkpoint_stays(monkeypatch):
    run = create()
    checkpoint(run, 1)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RunError, match="cannot write in .*: No space left on device") as caught:
            checkpoint(run, 2)
    assert "free some space" in caught.value.hint
    assert kept(run) == {"last-000001.safetensors": 1, "best": 1}
    assert not list(run.path.glob("*.partial"))


def test_a_write_that_fails_half_way_leaves_the_run_as_it_was(tiny, rnnzoo):
    """RLIMIT_FSIZE: weights alone (40 kB) can be written, weights with their optimiser (120 kB) cannot."""
    before = runs.open_run(tiny).record
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"
    failed = rnnzoo("train", "chargen", "--resume", "--run", "tiny", "epochs=2", prelude=limit)
    assert "cannot write in" in failed.refused(1)
    assert "File too large" in failed.stderr
    after = runs.open_run(tiny).record
    assert {key: after[key] for key in ("best", "last", "history")} == {key: before[key] for key in ("best", "last", "history")}
    assert (after["config"]["epochs"], after["status"]) == (2, "unfinished")  # --resume alone goes on from here
    assert len(inference.load("chargen", "tiny")("Alice", length=5, seed=1)) == 10
    resumed = rnnzoo("train", "chargen", "--resume", "--json")
    assert resumed.status == 0
    assert resumed.json["epochs"] == 2
    assert not list(tiny.glob("*.partial"))


# Reading


@pytest.fixture
def run():
    run = create(name="whole")
    checkpoint(run, 1)
    return run


@pytest.mark.parametrize("position", [0, 8, -1])
def test_a_flipped_bit_is_noticed(run, position):
    path = run.path / run.best["file"]
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="is damaged: its hash is not the one that run.json records") as caught:
        runs.open_run(run.path).best_weights()
    assert str(path) in caught.value.message
    assert "rnnzoo train chargen" in caught.value.hint


def test_a_shortened_file_is_noticed(run):
    path = run.path / run.best["file"]
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(RunError, match="is damaged"):
        runs.open_run(run.path).best_weights()


def test_a_damaged_vocabulary_is_noticed(run):
    Vocabulary("ba").save(run.path / "vocabulary.json")
    with pytest.raises(RunError, match="vocabulary.json is damaged"):
        runs.open_run(run.path).vocabulary()


@pytest.mark.parametrize("file", ["best-000000001.safetensors", "vocabulary.json"])
def test_a_missing_file_is_named(run, file):
    (run.path / file).unlink()
    again = runs.open_run(run.path)
    with pytest.raises(RunError, match=f"run whole lacks {file}: No such file"):
        again.best_weights()
        again.vocabulary()


def test_what_is_not_safetensors_is_refused_though_its_hash_is_right(run):
    run.record["best"] |= {"file": "x", "sha256": run.write("x", b"cos\nsystem\n(S'echo'\ntR.")}  # a pickle, by the way
    with pytest.raises(RunError, match="is not a safetensors file"):
        run.best_weights()


@pytest.mark.parametrize("version", [runs.FORMAT + 1, "2.0", None])
def test_a_newer_format_is_refused(run, version):
    path = run.path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": version}))
    with pytest.raises(RunError, match=f"run whole has format {version}, this rnnzoo reads format 1") as caught:
        runs.open_run(run.path)
    assert caught.value.hint == "install the rnnzoo that wrote it"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"{}", b"\xff\xff", b'{"format": 1}'])
def test_a_record_that_cannot_be_read_is_refused(run, content):
    (run.path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match="run.json") as caught:
        runs.open_run(run.path)
    assert "restore it" in caught.value.hint
    assert runs.runs_of("chargen") == []  # and the others are found as if it were not there


def test_a_record_with_a_flipped_bit_is_noticed(run):
    """Weights are verified by the hashes in the record, so the record itself is verified too."""
    path = run.path / "run.json"
    text = path.read_text()
    path.write_text(text.replace('"value": 1', '"value": 3'))
    with pytest.raises(RunError, match="run.json is damaged: its content does not have the hash that it records") as caught:
        runs.open_run(run.path)
    assert "take its line record_sha256 out" in caught.value.hint
    assert list(runs.damaged_runs_of("chargen")) == ["whole"]
    content = json.loads(path.read_text())
    del content["record_sha256"]
    path.write_text(json.dumps(content))
    assert runs.open_run(run.path).best["value"] == 3
    assert runs.damaged_runs_of("chargen") == {}


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(RunError, match="it has no run.json"):
        runs.open_run(tmp_path)


def test_weights_that_do_not_fit_the_vocabulary_are_refused(tiny):
    run = runs.open_run(tiny)
    symbols = run.vocabulary().symbols
    Vocabulary(symbols[:-1]).save(tiny / "other.json")
    run.record["files"]["vocabulary.json"] = run.write("vocabulary.json", (tiny / "other.json").read_bytes())
    run.commit()
    n = len(symbols)
    with pytest.raises(RunError, match=rf"run tiny: weight .* should have shape \({n}, 64\), has \({n + 1}, 64\)"):
        inference.load("chargen", "tiny")


def test_a_configuration_of_another_version_is_refused(tiny):
    record = runs.open_run(tiny).record
    for change, says in ({"colour": 3}, "unknown setting 'colour'"), ({"units": 0}, "units must be"):
        (tiny / "run.json").write_text(json.dumps(record | {"config": record["config"] | change}))
        with pytest.raises(RnnzooError, match=says):
            inference.load("chargen", "tiny")


# Names


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../x", "-x", "a b", "a\nb", "x" * 101, "é"])
def test_names_that_cannot_be_are_refused(name):
    with pytest.raises(CallError, match="a run's name is letters"):
        create(name=name)


def test_a_name_is_taken_once(run):
    before = (run.path / "run.json").read_bytes()
    with pytest.raises(CallError, match="chargen already has a run 'whole'") as caught:
        create(name="whole")
    assert "--resume --run whole" in caught.value.hint
    assert (run.path / "run.json").read_bytes() == before
    create("sentiment", name="whole")  # by another recipe, it is free


def test_runs_without_a_name_are_called_by_the_time_and_never_alike(monkeypatch):
    monkeypatch.setattr(runs.time, "strftime", lambda *args: "20260101-120000")
    assert [create().name for _ in range(3)] == ["20260101-120000", "20260101-120000-2", "20260101-120000-3"]


# Which run


def made(name, created, corpus="carroll", best=True, status="finished", recipe="chargen") -> runs.Run:
    run = create(recipe, name, corpus, created=f"2026-01-0{created}T00:00:00Z", status=status)
    if best:
        checkpoint(run, 1)
    return run


def test_the_newest_run_with_a_best_checkpoint_is_taken():
    made("old", 1)
    made("new", 3)
    made("middle", 2)
    made("newest", 4, best=False, status="unfinished")
    assert [run.name for run in runs.runs_of("chargen")] == ["newest", "new", "middle", "old"]
    assert runs.resolve("chargen").name == "new"


def test_runs_on_the_sample_only_where_there_is_no_other():
    made("sample-1", 2, corpus="sample")
    made("sample-2", 3, corpus="sample")
    assert runs.resolve("chargen").name == "sample-2"
    made("real", 1)
    assert runs.resolve("chargen").name == "real"
    made("real-unfinished", 4, best=False)
    assert runs.resolve("chargen").name == "real"


def test_a_run_by_name_or_by_path():
    run = made("old", 1, corpus="sample")
    made("new", 2)
    assert runs.resolve("chargen", "old").path == run.path
    assert runs.resolve("chargen", str(run.path)).path == run.path
    assert runs.resolve("chargen", f"{run.path}/").path == run.path


def test_a_run_that_was_moved_is_found_by_path(tmp_path, monkeypatch):
    shutil.move(made("old", 1).path, tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    assert runs.resolve("chargen", "./moved").best_weights()["w"].mean() == 1


def test_a_path_to_a_run_of_another_recipe_is_refused():
    run = made("tags", 1, recipe="postag")
    with pytest.raises(CallError, match="is a run of postag, not of chargen"):
        runs.resolve("chargen", str(run.path))


def test_an_unknown_run_gets_a_did_you_mean():
    made("monday", 1)
    made("evening", 2)
    with pytest.raises(RunError, match="chargen has no run 'mnoday'") as caught:
        runs.resolve("chargen", "mnoday")
    assert caught.value.hint == "did you mean monday?"
    with pytest.raises(RunError) as caught:
        runs.resolve("chargen", "xyz")
    assert caught.value.hint == "runs of chargen: evening, monday, pretrained"


@pytest.mark.parametrize(
    "name", ["nothing", "./nothing", "/dev/null", "x" * 300, "./" + "x" * 300, "~no-such-user-here/x", ".."]
)
def test_what_is_no_run_is_refused(name):
    with pytest.raises(RunError):
        runs.resolve("chargen", name)


def test_no_run_at_all(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "shipped", lambda recipe: tmp_path)
    with pytest.raises(RunError, match="chargen has no trained run in") as caught:
        runs.resolve("chargen")
    assert caught.value.hint == "rnnzoo train chargen"
    made("empty", 1, best=False)
    with pytest.raises(RunError, match="chargen has no trained run in"):
        runs.resolve("chargen")


def test_the_newest_unfinished_run_is_resumed():
    made("a", 1, status="unfinished")
    made("b", 2, status="unfinished", best=False)
    made("c", 3)
    made("d", 4, status="stopped")
    assert runs.resumable("chargen").name == "b"


def test_nothing_to_resume():
    with pytest.raises(RunError, match="chargen has no run to resume") as caught:
        runs.resumable("chargen")
    assert caught.value.hint == "rnnzoo train chargen"
    made("done", 1)
    with pytest.raises(RunError, match="chargen has no unfinished run") as caught:
        runs.resumable("chargen")
    assert "--resume --run done epochs=M" in caught.value.hint


def test_one_process_at_a_time_trains_a_run(run):
    with runs.exclusive(run):
        with pytest.raises(RunError, match="run whole is being trained by another process"), runs.exclusive(run):
            pass
        assert runs.open_run(run.path).best_weights()  # reading goes on
    with runs.exclusive(run):
        pass
