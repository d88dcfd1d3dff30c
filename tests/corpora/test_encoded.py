"""Encoded corpora on disk: encoded once, whole or not there, encoded again when damaged; a large text in little memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnzoo.corpora import encoded
from rnnzoo.errors import RnnzooError

BIG_TEXT = Path(__file__).parents[1] / "benchmarks" / "big_text.py"


class Encoder:
    """Writes a file and counts how often it was asked to."""

    def __init__(self):
        self.calls = 0

        def encode(folder: Path) -> None:
            self.calls += 1
            (folder / "a.npy").write_bytes(b"0123456789")

        self.encode = encode

    def __call__(self, **shaped_by) -> Path:
        return encoded.encode_once("chargen", shaped_by, self.encode)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


def test_it_is_encoded_once_for_all_that_shaped_it(encoder):
    first = encoder(window=3)
    assert (first / "a.npy").read_bytes() == b"0123456789"
    assert encoder(window=3) == first
    assert encoder(window=4) != first
    assert encoder.calls == 2


@pytest.mark.parametrize("damage", ["a.npy missing", "a.npy short", "sizes missing", "sizes short"])
def test_a_damaged_one_is_encoded_again(encoder, damage):
    folder = encoder()
    name, way = damage.split()
    path = folder / (encoded.SIZES if name == "sizes" else name)
    if way == "missing":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 1)
    assert encoder() == folder
    assert (folder / "a.npy").read_bytes() == b"0123456789"
    assert encoder.calls == 2


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("a defect"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_nothing(home, error):
    def encode(folder: Path) -> None:
        (folder / "a.npy").write_bytes(b"01234")
        raise error

    with pytest.raises(RnnzooError if isinstance(error, OSError) else type(error)) as caught:
        encoded.encode_once("chargen", {}, encode)
    if isinstance(error, OSError):
        assert "cannot write the encoded corpus in" in caught.value.message
        assert "No space left on device" in caught.value.message
    assert not [path for path in (home / "corpora" / "chargen").iterdir() if path.is_dir()]


def test_a_remark_that_nobody_reads_is_no_trouble_of_the_disk():
    def encode(folder: Path) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        encoded.encode_once("chargen", {}, encode)


def test_a_write_that_fails_half_way_is_one_error_and_the_next_try_works(rnnzoo, home):
    """RLIMIT_FSIZE: the arrays of the sample (54 kB) cannot be written."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))"
    said = rnnzoo("train", "chargen", "--data", "sample", prelude=limit).refused(1)
    assert "cannot write the encoded corpus in" in said
    assert "RNNZOO_HOME" in said
    assert not [path for path in (home / "corpora" / "chargen").iterdir() if path.is_dir()]
    assert not (home / "checkpoints").exists()
    assert rnnzoo("data", "show", "chargen", "--data", "sample").status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")
def test_a_large_text_takes_little_memory(offline):
    """40 MB, in one line. It would be 160 MB of code points, and several times that as Python's characters."""
    command = [sys.executable, BIG_TEXT, "--megabytes", "40", "--kind", "one-line", "--limit", "150"]
    done = subprocess.run(list(map(str, command)), env=offline, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
