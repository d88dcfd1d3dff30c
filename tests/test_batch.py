"""Batches of jobs: checked together, done in order or side by side, and lost to no kill."""

from __future__ import annotations

import json
import os
import signal

import pytest

from rnnzoo import batch, inference, runs
from rnnzoo.batch import jobs, journal, perform, pool, reading
from rnnzoo.errors import RnnzooError
from rnnzoo.training import train as training
from rnnzoo.training.reporter import Reporter

SMALL = {"units": 8, "layers": 1, "embedding": 4, "window": 20, "sample_every": 0, "engine": "numpy", "threads": 1}
TRAIN = {"verb": "train", "recipe": "chargen", "data": "sample", "config": SMALL | {"epochs": 1}}
LONG = TRAIN | {"config": SMALL | {"epochs": 5, "window": 10, "heldout": 500}, "run": "long"}
WRITE = {"verb": "generate", "recipe": "chargen", "text": "Alice", "seed": 1, "options": {"length": 5}}
EVAL = {"verb": "eval", "recipe": "chargen", "baselines": False, "split": "validation"}
TINY = WRITE | {"run": "tiny"}


def lines(*given: dict | str) -> bytes:
    return "".join(f"{job if isinstance(job, str) else json.dumps(job)}\n" for job in given).encode()


def problems(*given: dict | str) -> list[str]:
    with pytest.raises(jobs.JobsError) as caught:
        reading.read(lines(*given))
    assert caught.value.exit_code == 2
    return [f"{line}: {message} | {hint}" for line, message, hint in caught.value.problems]


def run(*given: dict, **options) -> tuple[list[dict], batch.Summary]:
    """The records and the summary of a batch in this process, by default in a file of its own."""
    records = []
    return records, batch.run(lines(*given), records.append, **options)


# -- what a job is -----------------------------------------------------------------------------------------------------

# The lines, and words of the problem that the last of them has.
WRONG = {
    "no JSON": (["verb: train"], ["it is not JSON", "one object on one line"]),
    "no object": (["[1]"], ["expected an object, received [1]"]),
    "a key twice": (['{"verb": "eval", "recipe": "chargen", "verb": "train"}'], ["'verb' is given twice"]),
    "half a character": (['{"verb": "generate", "recipe": "chargen", "text": "\\ud800"}'], ["lone surrogate"]),
    "a number of no end": (['{"verb": "eval", "recipe": "chargen", "seed": ' + "9" * 5000 + "}"], ["it is not JSON"]),
    "no verb": ([{"recipe": "chargen"}], ["no verb", "train, eval, generate"]),
    "misspelt verb": ([EVAL | {"verb": "evla"}], ['"evla" is not a verb', "did you mean eval?"]),
    "a verb that is a list": ([EVAL | {"verb": ["eval"]}], ['["eval"] is not a verb']),
    "no recipe": ([{"verb": "eval"}], ["no recipe", "recipes: chargen"]),
    "misspelt recipe": ([EVAL | {"recipe": "chargne"}], ["'chargne'", "did you mean chargen?"]),
    "misspelt key": ([EVAL | {"splti": "test"}], ["'splti' is not a key of eval jobs", "did you mean split?"]),
    "a key of another verb": ([TRAIN | {"split": "test"}], ["'split' is not a key of train jobs"]),
    "a value of another type": ([EVAL | {"baselines": "no"}], ["baselines must be true or false", '"no"']),
    "texts that are none": ([{"verb": "generate", "recipe": "chargen", "texts": ["a", 1]}], ["texts must be a list of texts"]),
    "negative seed": ([TRAIN | {"seed": -1}], ["seed must be at least 0", "-1"]),
    "a seed that is true": ([TRAIN | {"seed": True}], ["seed must be a whole number"]),
    "misspelt setting": ([TRAIN | {"config": {"epcohs": 3}}], ["'epcohs' is not a setting", "did you mean epochs?"]),
    "setting out of bounds": ([TRAIN | {"config": {"epochs": 0}}], ["epochs must be from 1 to 100000, received 0"]),
    "setting that is a list": ([TRAIN | {"config": {"epochs": [3]}}], ["epochs must be one value", "[3]"]),
    "settings at odds": (
        [{"verb": "train", "recipe": "translate", "config": {"units": 7}}],
        ["a bidirectional encoder needs an even number of units"],
    ),
    "event files of NumPy": ([TRAIN | {"tensorboard": True}], ["received engine=numpy"]),
    "misspelt preset": ([TRAIN | {"preset": "boko"}], ["no preset 'boko'", "did you mean book"]),
    "misspelt corpus": ([TRAIN | {"data": "sampel"}], ["'sampel'", "did you mean sample?"]),
    "a run's name that cannot be": ([TRAIN | {"run": "a/b"}], ["a run's name is letters", "'a/b'"]),
    "a run's name that is taken": ([TRAIN | {"run": "tiny"}], ["already has a run 'tiny'", "--resume"]),
    "a run's name twice": ([TRAIN | {"run": "a"}, TRAIN | {"run": "a"}], ["run a is that of line 1 too"]),
    "misspelt run": ([EVAL | {"run": "tinny"}], ["chargen has no run 'tinny'", "did you mean tiny?"]),
    "misspelt run of the batch": ([TRAIN | {"run": "first"}, EVAL | {"run": "fisrt"}], ["did you mean first?"]),
    "the name of the run that comes with a recipe": ([TRAIN | {"run": "pretrained"}], ["'pretrained'"]),
    "misspelt split": ([EVAL | {"split": "tset"}], ["no split 'tset'", "did you mean test?"]),
    "misspelt option": ([WRITE | {"options": {"temprature": 1}}], ["'temprature' is not an option", "temperature"]),
    "option out of bounds": ([WRITE | {"options": {"temperature": -1}}], ["temperature must be at least 0, received -1"]),
    "no text": (
        [{"verb": "train", "recipe": "sentiment", "data": "sample"}, {"verb": "generate", "recipe": "sentiment"}],
        ["it has no text", "give text, texts or input"],
    ),
    "two texts": ([WRITE | {"texts": ["a"]}], ["text and texts cannot both be given"]),
    "text and prefix": ([WRITE | {"options": {"prefix": "a"}}], ["text and options.prefix cannot both be given"]),
    "no such input": ([{"verb": "generate", "recipe": "chargen", "input": "no.txt"}], ["no.txt cannot be read"]),
    "stdin as input": ([{"verb": "generate", "recipe": "chargen", "input": "-"}], ["- cannot be read"]),
    "output in no folder": ([TINY | {"output": "no/x.txt"}], ["no/x.txt cannot be written: its folder is not there"]),
    "an output twice": ([TINY | {"output": "x"}, TINY | {"output": "./x"}], ["./x is the output of line 1 too"]),
    "an output that is read": (
        [{"verb": "generate", "recipe": "chargen", "input": "in.txt"}, TINY | {"output": "in.txt"}],
        ["in.txt is written over while line 1 reads it"],
    ),
    "JSON of no output": ([TINY | {"json": True}], ["json is the form of an output file"]),
    "an empty name": ([TINY | {"output": ""}], ["output must not be empty"]),
    "a NUL": ([TINY | {"output": "a\0b"}], ["output must not be empty or hold a NUL"]),
    "an id twice": ([TINY | {"id": "2"}, TINY], ["its id 2 is that of line 1"]),
    "an id that is none": ([TINY | {"id": 0.5}], ["id must be a text or a whole number, received 0.5"]),
}


@pytest.mark.parametrize(("given", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_line(tiny, tmp_path, monkeypatch, given, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("Alice\n")
    (told,) = problems(*given)
    assert told.startswith(f"{len(given)}: ")
    for word in words:
        assert word in told


def test_all_that_is_wrong_is_told_at_once(tiny):
    """Of one line too; blank lines count, and what is right is no problem."""
    told = problems(TINY, "", TRAIN | {"config": {"epochs": 0, "unist": 1}, "seed": "x"}, "{", TINY | {"run": "no"})
    assert [line.split(":")[0] for line in told] == ["3", "3", "3", "4", "5"]


def test_no_jobs_are_a_problem():
    assert problems() == ['1: there are no jobs | a job is a line like {"verb": "eval", "recipe": "chargen"}']


def test_null_is_not_given(tiny):
    (job,) = reading.read(lines(TINY | {"output": None, "seed": None, "id": None}))
    assert (job.id, job.output, job.given.get("seed")) == (1, None, None)


def test_a_run_made_later_cannot_be_taken(tiny):
    (told,) = problems(EVAL | {"run": "a"}, TRAIN | {"run": "a"})
    assert told == "1: run a is made by line 2, after this job | move it below line 2"


def test_a_recipe_without_any_run(home, monkeypatch):
    monkeypatch.setattr(runs, "shipped", lambda recipe: None)
    (told,) = problems(EVAL, TRAIN)
    assert told.startswith("1: chargen has no trained run in ") and told.endswith(" | rnnzoo train chargen")


def test_which_run_a_job_takes(tiny):
    """The one it names; else that of the last train job before it; else the newest there is, whatever is made later."""
    content = lines(
        WRITE, TRAIN | {"run": "a"}, WRITE, TRAIN, WRITE | {"run": "a"}, WRITE, EVAL | {"run": f"a,tiny,{tiny}"}, TINY
    )
    found = reading.read(content, None, "new")
    assert [job.run for job in found] == ["tiny", "a", "a", "new-4", "a", "new-4", "a,tiny,tiny", "tiny"]
    assert [job.needs for job in found] == [set(), set(), {2}, set(), {2}, {4}, {2}, set()]


def test_a_job_waits_for_the_file_that_it_reads(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reads = {"verb": "generate", "recipe": "chargen", "run": "tiny", "input": str(tmp_path / "x.txt")}
    found = reading.read(lines(TINY | {"output": "x.txt"}, reads, TRAIN | {"data": "x.txt"}))
    assert [job.needs for job in found] == [set(), {1}, {1}]


def test_a_train_job_names_the_real_corpus():
    """So the sample never stands in."""
    own = {key: value for key, value in TRAIN.items() if key != "data"}
    assert [job.data for job in reading.read(lines(own, TRAIN))] == ["carroll", "sample"]


def test_the_key_is_what_is_to_be_done(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("Alice\n")

    def keys(*given):
        return [job.key for job in reading.read(lines(*given), None, "new")]

    train, take = keys(TRAIN, EVAL)
    shuffled = dict(reversed(TRAIN.items())) | {"id": "t"}
    assert keys("", {"id": "x"} | EVAL | {"run": "tiny"}, shuffled, EVAL)[1:] == [train, take]
    assert keys(TRAIN | {"config": SMALL | {"epochs": "1", "dropout": 0.35}})[0] == train  # as the defaults have it
    changed = keys(TRAIN | {"seed": 1}, EVAL)
    assert changed[0] != train and changed[1] != take  # what is taken has changed
    assert len(set(keys(TINY, TINY, TINY | {"seed": 2}, TINY | {"output": "x"}))) == 4
    (before,) = keys({"verb": "generate", "recipe": "chargen", "run": "tiny", "input": "in.txt"})
    (tmp_path / "in.txt").write_text("the Heron\n")
    assert keys({"verb": "generate", "recipe": "chargen", "run": "tiny", "input": "in.txt"}) != [before]


def test_another_process_gets_the_same_job(tiny):
    job = reading.read(lines(TRAIN | {"config": {"units": 4}}, EVAL))[0]
    other = jobs.again(json.loads(json.dumps(job.message())))
    assert (other.config, other.run, other.id, other.data) == (job.config, job.run, job.id, job.data)


# -- the journal -------------------------------------------------------------------------------------------------------


def test_a_line_that_was_cut_short_is_dropped(tmp_path):
    path = tmp_path / "x.jsonl"
    with journal.Journal(path).open(keep=True):
        pass
    book = journal.Journal(path)
    with book.open(keep=True):
        book.plan(None, {"k": "a"})
        book.ended("k", {"status": "done", "seconds": 1.0})
        book.ended("l", {"status": "failed"})
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        journal.Journal(path)
    path.write_bytes(whole + b'{"key": "m", "rec')
    book = journal.Journal(path)
    assert (book.planned, set(book.done)) == ({"k": "a"}, {"k"})
    with book.open(keep=True):
        book.ended("n", {"status": "done"})
    assert set(journal.Journal(path).done) == {"k", "n"}
    with journal.Journal(path).open(keep=False):
        pass
    assert path.read_bytes() == b""


def test_one_batch_is_run_once_at_a_time(tmp_path):
    path = tmp_path / "x.jsonl"
    once = journal.Journal(path).open(keep=True)
    with once, pytest.raises(RnnzooError, match="run by another process"), journal.Journal(path).open(keep=False):
        pass


# -- order and failure, without any work -------------------------------------------------------------------------------


@pytest.fixture
def work(monkeypatch):
    """Jobs that do nothing but fail where their seed is 13, and note that they were done."""
    did = []

    def outcome(self, job, reporter):
        did.append(job.line)
        if job.given.get("seed") == 13:
            return {"status": "failed", "error": "bad luck", "hint": "another seed"}
        return {"status": "done", "result": job.line}

    monkeypatch.setattr(perform.Performer, "outcome", outcome)
    monkeypatch.setattr(batch, "is_there", lambda job: True)
    return did


BAD = TRAIN | {"seed": 13, "run": "bad"}


def test_the_first_failure_ends_it(tiny, work):
    records, summary = run(TINY, BAD, TINY, EVAL)
    assert work == [1, 2]
    assert [record["status"] for record in records] == ["done", "failed"]
    assert records[1] | {"seconds": 0} == {
        **{"id": 2, "verb": "train", "recipe": "chargen", "status": "failed", "seconds": 0},
        **{"error": "bad luck", "hint": "another seed"},
    }
    assert (summary.done, summary.failed, summary.not_run, summary.exit_code) == (1, 1, 2, 1)


def test_keep_going_leaves_out_what_needs_the_failed_one(tiny, work):
    records, summary = run({"id": "t"} | BAD, EVAL, TINY, EVAL | {"run": "bad"}, keep_going=True)
    assert work == [1, 3]
    assert {record["id"]: record["status"] for record in records} == {"t": "failed", 2: "failed", 3: "done", 4: "failed"}
    assert records[1]["error"] == "it needs job t, which failed"
    assert (summary.done, summary.failed, summary.not_run, summary.exit_code) == (1, 3, 0, 1)


def test_resume_skips_what_is_done_and_does_the_rest(tiny, work):
    first, _ = run(TINY, BAD, TINY | {"seed": 5})
    work.clear()
    records, summary = run(TINY, BAD, TINY | {"seed": 5}, resume=True, keep_going=True)
    assert work == [2, 3]
    assert records[0] == first[0] | {"status": "skipped"}
    assert (summary.done, summary.failed, summary.skipped) == (1, 1, 1)
    work.clear()
    assert run(TINY, BAD, TINY | {"seed": 5})[1].skipped == 0  # not asked to resume
    assert work == [1, 2]


def test_a_changed_job_and_what_needs_it_are_done_again(tiny, work, tmp_path):
    file = tmp_path / "jobs.jsonl"

    def go(*given):
        file.write_bytes(lines(*given))
        work.clear()
        return [record["status"] for record in run(*given, file=str(file), resume=True)[0]]

    assert go(TRAIN, EVAL, TINY) == ["done"] * 3
    assert go(TRAIN, EVAL, TINY) == ["skipped"] * 3
    assert go(TINY, TRAIN, TINY | {"seed": 7}, EVAL) == ["skipped", "skipped", "skipped", "done"]
    assert work == [3]
    assert go(TINY, TRAIN | {"seed": 2}, EVAL) == ["skipped", "done", "done"]


def test_what_is_no_longer_there_is_made_again(tiny, tmp_path):
    output = tmp_path / "out.txt"
    given = (TINY | {"output": str(output)}, TRAIN | {"run": "gone"}, EVAL, TINY)
    assert run(*given)[1].done == 4
    text = output.read_text()
    output.unlink()
    runs.named("chargen", "gone").discard()
    records, summary = run(*given, resume=True)
    assert [(record["id"], record["status"]) for record in records] == [(4, "skipped"), (1, "done"), (2, "done"), (3, "done")]
    assert output.read_text() == text
    assert sorted(os.listdir(tmp_path)) == ["home", "out.txt"]


# -- work, in this process ---------------------------------------------------------------------------------------------


def test_results_are_those_of_the_verbs_and_a_model_is_loaded_once(tiny, tmp_path, monkeypatch):
    asked, load = [], inference.load
    monkeypatch.setattr(inference, "load", lambda *wanted: asked.append(wanted[1]) or load(*wanted))
    (tmp_path / "in.txt").write_text("Alice\n\nthe Snail\n")
    listed = WRITE | {"run": "tiny", "text": None, "input": str(tmp_path / "in.txt")}
    records, summary = run(
        TINY,
        TINY | {"text": None, "options": {"length": 0, "prefix": " Alice "}},
        listed | {"output": str(tmp_path / "out.txt")},
        listed | {"output": str(tmp_path / "out.jsonl"), "json": True},
        EVAL | {"run": "tiny"},
        TRAIN,
        WRITE,
    )
    assert summary.exit_code == 0, records
    one, prefix, out, _, evaluated, trained, new = (record["result"] for record in records)
    model = load("chargen", "tiny")
    assert one == {
        **{"run": "tiny", "corpus": "sample", "seed": 1},
        "answers": [
            {"recipe": "chargen", "run": "tiny", "prefix": "Alice", "seed": 1, "text": model("Alice", seed=1, length=5)}
        ],
    }
    assert prefix["answers"][0]["text"] == " Alice "
    assert out == {"run": "tiny", "corpus": "sample", "seed": 1, "output": str(tmp_path / "out.txt"), "answered": 3}
    written = (tmp_path / "out.txt").read_text().splitlines()
    assert [len(line) for line in written] == [10, 5, 14] and written[2].startswith("the Snail")
    assert [json.loads(line)["text"] for line in (tmp_path / "out.jsonl").open()] == written
    assert evaluated["split"] == "validation" and evaluated["metrics"]["bits_per_char"] > 1 and evaluated["baselines"] == {}
    assert trained == training.summary(runs.named("chargen", trained["run"]))
    assert new["run"] == trained["run"]  # and not `tiny`
    assert asked == ["tiny", trained["run"]]


def test_a_failure_has_the_words_that_the_verb_has(tiny):
    records, _ = run(TINY | {"text": "Ж"}, TINY | {"options": {"beam": 2, "samples": 3}}, keep_going=True)
    assert "'Ж'" in records[0]["error"] and records[0]["hint"]
    assert "--samples 3 asks for more" in records[1]["error"]


@pytest.mark.parametrize("newest", ["tiny", "pretrained"])
def test_the_newest_run_stays_the_same_over_a_resume(request, work, newest):
    """It is the one of the first start; the run that a later job makes does not become it."""
    if newest == "tiny":
        request.getfixturevalue("tiny")
    given = (WRITE | {"seed": 13}, TRAIN | {"run": "newer"})
    run(*given)
    training.train("chargen", reading.read(lines(TRAIN))[0].config, data="sample", name="newer")
    assert runs.resolve("chargen").name == "newer"
    taken = []
    run(*given, resume=True, reporter_for=lambda job: taken.append(job.run) or Reporter())
    assert taken == [newest]


def test_a_run_that_another_began_is_not_gone_on_with(home, work, monkeypatch):
    run(BAD)
    monkeypatch.undo()
    monkeypatch.setenv("RNNZOO_HOME", str(home))
    training.train("chargen", reading.read(lines(TRAIN))[0].config, data="sample", name="bad", seed=4)
    (record,), _ = run(BAD, resume=True)
    assert "run bad was not begun by this job" in record["error"]


def test_a_worker_that_dies_fails_its_job_and_no_other(tiny):
    long, write = reading.read(lines(LONG | {"config": SMALL | {"epochs": 9999}}, TINY))
    with pool.Workers(2, lambda job: Reporter()) as workers:
        workers.start(long)
        (worker,) = workers.workers
        worker.process.kill()
        job, outcome = workers.next()
        assert job is long and outcome["error"] == "the process that did the job was ended by SIGKILL"
        workers.start(write)
        job, outcome = workers.next()
        assert job is write and outcome["status"] == "done"


# -- in real processes -------------------------------------------------------------------------------------------------

LOADED = """
import atexit, sys
atexit.register(lambda: print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr))
"""


def test_jobs_through_a_pipe(rnnzoo, tiny):
    content = lines({"id": "t"} | TRAIN | {"run": "new"}, {"id": "g"} | WRITE, TINY)
    ended = rnnzoo("batch", "-", stdin=content, prelude=LOADED)
    assert ended.status == 0, ended.stderr
    records = [json.loads(line) for line in ended.lines]
    assert [(record["id"], record["status"]) for record in records] == [("t", "done"), ("g", "done"), (3, "done")]
    assert [records[k]["result"]["run"] for k in range(3)] == ["new", "new", "tiny"]
    *_, told, modules = ended.stderr.splitlines()
    assert told.startswith("batch: 3 done, ")
    assert "t: epoch 1/1  train" in ended.stderr
    assert "numpy" in modules.split() and not {"tensorflow", "keras"} & set(modules.split())
    again = rnnzoo("batch", "-", "--resume", "--quiet", stdin=content)
    assert (again.status, again.stderr) == (0, "")
    assert [json.loads(line) for line in again.lines] == [record | {"status": "skipped"} for record in records]


def test_wrong_jobs_start_nothing(rnnzoo, tiny, home):
    (rnnzoo.folder / "jobs.jsonl").write_bytes(lines(TRAIN, *[TINY | {"run": "tinny"}] * 21, EVAL | {"split": "tset"}))
    ended = rnnzoo("batch", "jobs.jsonl", "--quiet")
    said = ended.refused(2)
    assert "22 problems in 22 lines, the first 20 are told; no job was started" in said
    told = ended.stderr.splitlines()[:-2]
    assert len(told) == 20 and told[0] == "line 2: chargen has no run 'tinny' (did you mean tiny?)"
    assert (ended.stdout, [run.name for run in runs.runs_of("chargen")]) == ("", ["tiny"])
    assert "line 1: split" not in rnnzoo("batch", "-", stdin=lines(EVAL | {"split": "tset"})).refused(2)
    assert "no.jsonl cannot be read" in rnnzoo("batch", "no.jsonl").refused(2)
    assert not (home / "batches").exists()


def test_the_sample_does_not_stand_in(rnnzoo, home):
    own = {key: value for key, value in TRAIN.items() if key != "data"}
    ended = rnnzoo("batch", "-", "--quiet", stdin=lines(own), env={"RNNZOO_MIRROR": "/no/such/folder"})
    record = ended.json
    assert (ended.status, record["status"]) == (1, "failed")
    assert "pg28885.txt could not be downloaded" in record["error"] and "by hand" in record["hint"]
    assert runs.runs_of("chargen") == []


def until(process, words: bytes) -> None:
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"{words} was not said")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The final weights of LONG, trained alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNZOO_HOME", str(tmp_path_factory.mktemp("uninterrupted")))
        return weights(training.train("chargen", reading.read(lines(LONG))[0].config, data="sample"))


def weights(trained: runs.Run) -> dict[str, bytes]:
    entry = trained.record["last"][0]
    assert entry["progress"]["epoch"] == 5
    return {name: array.tobytes() for name, array in trained.read_arrays(entry["file"], entry["sha256"]).items()}


@pytest.mark.parametrize(
    ("stopped_by", "workers", "status"),
    [
        (signal.SIGKILL, 1, -signal.SIGKILL),
        (signal.SIGKILL, 2, -signal.SIGKILL),
        (signal.SIGTERM, 1, 143),
        (signal.SIGINT, 2, 130),
    ],
)
def test_a_batch_that_is_stopped_in_a_training_loses_nothing(rnnzoo, tiny, uninterrupted, stopped_by, workers, status):
    (rnnzoo.folder / "jobs.jsonl").write_bytes(lines({"id": "w"} | TINY, LONG, EVAL))
    call = ("batch", "jobs.jsonl", "--jobs", workers)
    with rnnzoo.start(*call) as process:
        until(process, b"2: epoch 2/5")
        process.send_signal(stopped_by)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    (written,) = (json.loads(line) for line in out.splitlines())
    assert (written["id"], written["status"]) == ("w", "done")
    cut = runs.named("chargen", "long").record
    assert cut["status"] == "unfinished" and 1 <= cut["last"][0]["progress"]["epoch"] < 5
    if status > 0:
        assert b"batch: interrupted; what is done is kept: 1 done, 2 not run" in err
        assert b"go on: rnnzoo batch jobs.jsonl --resume" in err
    ended = rnnzoo(*call, "--resume")
    assert ended.status == 0, ended.stderr
    records = [json.loads(line) for line in ended.lines]
    assert [(record["id"], record["status"]) for record in records] == [("w", "skipped"), (2, "done"), (3, "done")]
    assert records[0] == written | {"status": "skipped"}
    assert records[2]["result"]["run"] == "long"
    assert "2: epoch 5/5" in ended.stderr and "2: epoch 1/5" not in ended.stderr
    assert weights(runs.named("chargen", "long")) == uninterrupted


def test_two_at_a_time_with_one_that_waits(rnnzoo, tiny, tmp_path):
    content = lines(
        {"id": "a"} | TRAIN | {"run": "a"},
        {"id": "b"} | TRAIN | {"run": "b", "seed": 1},
        {"id": "wrong"} | TINY | {"text": "Ж"},
        {"id": "of a"} | WRITE | {"run": "a", "output": "x.txt"},
        {"id": "of x"} | WRITE | {"text": None, "input": "x.txt"},
    )
    ended = rnnzoo("batch", "-", "--jobs", "2", "--keep-going", stdin=content)
    assert ended.status == 1
    records = {record["id"]: record for record in map(json.loads, ended.lines)}
    assert {name: record["status"] for name, record in records.items()} == {
        **dict.fromkeys(("a", "b", "of a", "of x"), "done"),
        "wrong": "failed",
    }
    assert [records[name]["result"]["run"] for name in ("of a", "of x")] == ["a", "b"]
    assert (tmp_path / "x.txt").read_text() == inference.load("chargen", "a")("Alice", seed=1, length=5) + "\n"
    assert "batch: 4 done, 1 failed, " in ended.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_a_closed_pipe_ends_it_quietly(rnnzoo, tiny, workers):
    """The second record is more than a pipe holds, so it is written to the reader's end."""
    much = TINY | {"text": None, "texts": ["Alice"] * 2000, "options": {"length": 0}}
    endless = LONG | {"config": SMALL | {"epochs": 9999}}
    (rnnzoo.folder / "jobs.jsonl").write_bytes(lines(TINY, endless, much) if workers == 2 else lines(TINY, much, endless))
    with rnnzoo.start("batch", "jobs.jsonl", "--quiet", "--jobs", workers) as process:
        assert json.loads(process.stdout.readline())["id"] == 1
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == b""
    if workers == 2:
        with runs.exclusive(runs.named("chargen", "long")):  # nobody is at work any more
            pass
    else:
        assert not runs.exists("chargen", "long")


def test_threads_are_divided(home, monkeypatch):
    monkeypatch.setattr(pool.threads, "available", lambda: 8)
    shares = [pool.Workers(count, lambda job: Reporter()).share for count in (2, 3, 16)]
    assert shares == [4, 2, 1]
    open_to_it = TRAIN | {"config": {key: value for key, value in SMALL.items() if key != "threads"} | {"epochs": 1}}
    for given, taken in ((open_to_it, 2), (TRAIN, 1)):  # a job that says how many has them
        (job,) = reading.read(lines(given), None, f"new{taken}")
        perform.Performer(share=2).outcome(job, Reporter())
        assert runs.named("chargen", job.run).record["threads"] == taken


@pytest.mark.keras
def test_a_keras_job_in_a_worker_says_nothing_of_tensorflow(rnnzoo):
    content = lines(TRAIN | {"config": SMALL | {"epochs": 1, "engine": "keras", "heldout": 200}})
    ended = rnnzoo("batch", "-", "--jobs", "2", stdin=content, timeout=120)
    assert ended.json["result"]["engine"] == "keras"
    assert "tensorflow" not in ended.stderr.lower()
