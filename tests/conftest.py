"""What all tests share: a cache of their own, no network, the real command line in real processes, one small trained run."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the models here are too small to share out among cores

import rnnzoo  # noqa: E402

MIRROR = os.environ.get("RNNZOO_MIRROR", "")
PROXIES = [name for name in os.environ if name.lower().endswith("_proxy")]
TINY = (
    "cell=gru",
    "units=16",
    "embedding=64",
    "layers=1",
    "epochs=1",
    "window=50",
    "engine=numpy",
)  # the settings of the shared run


@pytest.fixture(scope="session")
def nowhere():
    """The address of a port that refuses connections for as long as the tests run: it is held, and nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture(scope="session")
def offline(nowhere) -> dict[str, str]:
    """An environment in which nothing outside this machine can be reached, and that is known at once."""
    kept = {name: value for name, value in os.environ.items() if name not in (*PROXIES, "RNNZOO_MIRROR", "RNNZOO_HOME")}
    package = str(Path(rnnzoo.__file__).parents[1])  # tests run in folders of their own: the package must be found from there
    return kept | {"http_proxy": nowhere, "https_proxy": nowhere, "no_proxy": "127.0.0.1", "PYTHONPATH": package}


@pytest.fixture(autouse=True)
def home(request, tmp_path, monkeypatch, offline) -> Path:
    """The test's own cache root. There is no network and no mirror, but for tests marked `real`, which take the real one."""
    for name in (*PROXIES, "RNNZOO_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.setenv(name, offline[name])
    if request.node.get_closest_marker("real"):
        if not MIRROR:
            pytest.skip("RNNZOO_MIRROR does not name a folder with the real corpora")
        monkeypatch.setenv("RNNZOO_MIRROR", MIRROR)
    folder = tmp_path / "home"
    monkeypatch.setenv("RNNZOO_HOME", str(folder))
    return folder


@dataclass(frozen=True)
class Ended:
    """What a process left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self):
        """Its standard output as one JSON document."""
        return json.loads(self.stdout)

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()

    def refused(self, status: int) -> str:
        """The message and the hint of a call that failed as DESIGN has it: two lines, at the end of stderr."""
        assert self.status == status, (self.status, self.stdout, self.stderr)
        *before, error, hint = self.stderr.splitlines()
        assert error.startswith("error: ") and hint.startswith("hint: "), self.stderr
        assert not any(line.startswith(("error:", "hint:")) for line in before)
        assert "defect" not in error, error
        return f"{error}\n{hint}"


class CommandLine:
    """Calls `rnnzoo` in a real process, in the test's own folder and cache."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder, self.environment = folder, environment

    def start(self, *arguments: object, prelude: str = "", env: dict[str, str] | None = None, **options) -> subprocess.Popen:
        """A running process, for tests that send it signals or read what it writes. `prelude` is run before the command."""
        program = ["-c", f"{prelude}\nfrom rnnzoo.cli import main\nmain()"] if prelude else ["-m", "rnnzoo"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | (env or {}),
            **pipes | options,
        )

    def __call__(self, *arguments: object, stdin: str | bytes | None = None, timeout: float = 60, **options) -> Ended:
        """Run a command to its end. Its input is empty unless `stdin` is given."""
        if stdin is not None:
            options["stdin"] = subprocess.PIPE
        with self.start(*arguments, **options) as process:
            try:
                out, err = process.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
            except BaseException:
                process.kill()
                raise
        ended = Ended(process.returncode, (out or b"").decode(), (err or b"").decode())
        assert "Traceback" not in ended.stderr or "--debug" in arguments, ended.stderr
        return ended


@pytest.fixture(name="rnnzoo")
def command_line(tmp_path, home, offline) -> CommandLine:
    environment = offline | {"RNNZOO_HOME": str(home)}
    if "RNNZOO_MIRROR" in os.environ:
        environment["RNNZOO_MIRROR"] = os.environ["RNNZOO_MIRROR"]
    return CommandLine(tmp_path, environment)


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory, offline) -> Path:
    """A cache with one small run of chargen on the embedded sample, called `tiny`."""
    folder = tmp_path_factory.mktemp("trained")
    home = folder / "home"
    ended = CommandLine(folder, offline | {"RNNZOO_HOME": str(home)})(
        "train", "chargen", *TINY, "--data", "sample", "--run", "tiny"
    )
    assert ended.status == 0, ended.stderr
    return home


@pytest.fixture
def tiny(trained_once, home) -> Path:
    """The run directory of `tiny`, in the test's own cache."""
    shutil.copytree(trained_once, home, symlinks=True)
    return home / "checkpoints" / "chargen" / "tiny"
