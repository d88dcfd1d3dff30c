"""Several processes in one cache at once: each gets what it would get alone, and nothing is fetched or encoded twice."""

from __future__ import annotations

import json
import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rnnzoo import runs
from rnnzoo.recipes.chargen.sample import generate

SETTINGS = ("units=8", "embedding=4", "epochs=2", "window=40", "dropout=0.2", "sample_every=0", "engine=numpy", "threads=1")


@pytest.fixture
def mirror(tmp_path):
    """The address of two small books under the names of the novels, and how often each was asked for."""
    folder, asked = tmp_path / "mirror", Counter()
    folder.mkdir()
    for name, story in zip(("pg28885.txt", "12-0.txt"), generate(), strict=True):
        marks = (f"*** {which} OF THE PROJECT GUTENBERG EBOOK ALICE ***" for which in ("START", "END"))
        (folder / name).write_text(f"\n\n{story}\n\n".join(marks))

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *args):
            asked[self.path] += 1

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_three_that_fetch_encode_and_train_at_once(rnnzoo, home, mirror):
    address, asked = mirror
    call = ("train", "chargen", *SETTINGS, "--json")
    started = [rnnzoo.start(*call, env={"RNNZOO_MIRROR": address}) for _ in range(3)]
    ended = [(process.communicate(timeout=120), process.returncode) for process in started]
    assert [status for _, status in ended] == [0, 0, 0], ended
    paths = [json.loads(out)["path"] for (out, _), _ in ended]
    assert len(set(paths)) == 3
    assert asked == {"/pg28885.txt": 1, "/12-0.txt": 1}
    (encoded,) = (path for path in (home / "corpora" / "chargen").iterdir() if path.is_dir())
    assert encoded.suffix == ""
    trained = runs.runs_of("chargen")
    assert len(trained) == 3
    first, *others = ({name: array.tobytes() for name, array in run.best_weights().items()} for run in trained)
    assert all(other == first for other in others)
    assert all(len(run.record["history"]) == 2 for run in trained)


def test_a_run_that_is_being_trained_is_not_trained_by_another(rnnzoo, home):
    with rnnzoo.start("train", "chargen", *SETTINGS[:2], "epochs=9999", "--data", "sample", "--run", "busy") as process:
        try:
            for line in process.stderr:
                if line.startswith(b"epoch 1/"):
                    break
            before = (home / "checkpoints" / "chargen" / "busy" / "vocabulary.json").stat().st_mtime_ns
            said = rnnzoo("train", "chargen", "--resume", "--run", "busy").refused(1)
            assert "run busy is being trained by another process" in said
            assert "already has a run 'busy'" in rnnzoo("train", "chargen", "--data", "sample", "--run", "busy").refused(2)
            assert rnnzoo("generate", "--run", "busy", "--length", "3").status == 0  # it can be used meanwhile
            assert (home / "checkpoints" / "chargen" / "busy" / "vocabulary.json").stat().st_mtime_ns == before
        finally:
            process.kill()
    resumed = rnnzoo.start("train", "chargen", "--resume")  # the one that held it is dead: so is its hold
    try:
        assert b"run busy" in b"".join(line for line, _ in zip(resumed.stderr, range(2), strict=False))
    finally:
        resumed.kill()
        resumed.communicate()
