"""Kill training at random moments, go on with --resume after each, and compare the end with that of an uninterrupted run.

    python tests/benchmarks/crash.py [--kills 50] [--engine numpy] [--seed 0]

A tiny chargen on the embedded sample, dropout on, state carried from window to window. Checkpoints come a few milliseconds
after one another, so that kills fall into steps and into writes alike; some come while Python is still starting, while the
corpus is being encoded or the run is being made. Runs follow one another until all the kills are done; each is trained to its
end and must equal the uninterrupted one bit for bit: weights, optimiser, hidden state, history, best. Exit status 1 if not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rnnzoo
from rnnzoo import runs

SETTINGS = {
    "numpy": ("units=20", "embedding=8", "layers=2", "batch_size=8", "window=40", "epochs=3"),
    "keras": ("units=12", "embedding=8", "layers=1", "batch_size=32", "window=60", "epochs=2"),
}
ALWAYS = ("dropout=0.3", "stateful=true", "sample_every=0", "heldout=1000")
SECONDS = {"numpy": 0.6, "keras": 2.0}  # after its first step within which a training is killed
CHILD = "import rnnzoo.training.loop as loop; loop.CHECKPOINT_SECONDS = {}; from rnnzoo.cli import main; main()"


class Trainer:
    """Trains in processes that share one cache root."""

    def __init__(self, home: Path, engine: str, seed: int):
        self.engine, self.seed = engine, seed
        self.environment = os.environ | {"RNNZOO_HOME": str(home), "PYTHONPATH": str(Path(rnnzoo.__file__).parents[1])}
        self.folder = home / "checkpoints" / "chargen"

    def start(self, name: str, checkpoint_seconds: float) -> subprocess.Popen:
        """A process that begins the run, or goes on with it where it exists."""
        if (self.folder / name).exists():
            arguments = ["--resume"]
        else:
            arguments = [*SETTINGS[self.engine], *ALWAYS, f"engine={self.engine}", "--data", "sample", "--seed", str(self.seed)]
        program = [sys.executable, "-c", CHILD.format(checkpoint_seconds), "train", "chargen", *arguments, "--run", name]
        return subprocess.Popen(program, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def finish(self, name: str) -> dict:
        """Train the run to its end, in peace; returns what it ended in."""
        with self.start(name, 30) as process:
            errors = process.communicate()[1].decode()
        if process.returncode:
            raise SystemExit(f"run {name} cannot be finished:\n{errors}")
        return outcome(runs.open_run(self.folder / name))

    def kill(self, name: str, rng: random.Random) -> bool:
        """Train, kill at a random moment; returns whether that came before the end."""
        with self.start(name, rng.choice((-1, 0.005, 0.05))) as process:
            if rng.random() < 0.8:  # a moment of training, else any moment from the start of Python on
                for line in process.stderr:
                    if line.startswith(b"run "):
                        break
                time.sleep(rng.uniform(0, SECONDS[self.engine]))
            else:
                time.sleep(rng.uniform(0, 2 * SECONDS[self.engine]))
            process.kill()
            errors = process.communicate()[1].decode()
        if process.returncode not in (0, -signal.SIGKILL):
            raise SystemExit(f"run {name} failed before it was killed:\n{errors}")
        return process.returncode != 0


def outcome(run: runs.Run) -> dict:
    """All that a run ends in, but for the time it took and the names of its files."""
    last = run.record["last"][0]
    return {
        "last": arrays(run, last),
        "progress": {key: value for key, value in last["progress"].items() if key != "seconds"},
        "best": {key: value for key, value in run.best.items() if key != "file"},
        "best weights": arrays(run, run.best),
        "history": [{key: value for key, value in entry.items() if key != "seconds"} for entry in run.record["history"]],
        "status": run.record["status"],
    }


def arrays(run: runs.Run, entry: dict) -> dict[str, tuple]:
    loaded = run.read_arrays(entry["file"], entry["sha256"])
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in loaded.items()}


def half_done(folder: Path) -> bool:
    """Whether the kill fell into a change of files: some are there that no run names."""
    for run in folder.glob("[!.]*"):
        named = {entry["file"] for entry in runs.open_run(run).record["last"]}
        if any(run.glob("*.partial")) or {path.name for path in run.glob("last-*.safetensors")} - named:
            return True
    return (folder / ".new").exists()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--engine", choices=sorted(SETTINGS), default="numpy")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills, and of the runs")
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(Path(folder), chosen.engine, chosen.seed)
        whole = trainer.finish("whole")
        print(f"uninterrupted: {whole['progress']['step']} steps, {whole['status']}", flush=True)
        shutil.rmtree(Path(folder) / "corpora")  # so that the first kills may fall into its making
        kills = torn = 0
        for number in range(1, 1 + chosen.kills):
            name, before = f"killed-{number}", kills
            while kills < chosen.kills and trainer.kill(name, rng):
                kills += 1
                torn += half_done(trainer.folder)
            ended = trainer.finish(name)
            different = [part for part in whole if ended[part] != whole[part]]
            verdict = f"DIFFERENT in {', '.join(different)}" if different else "the same, bit for bit"
            print(f"{name}: {kills - before} kills, {verdict}", flush=True)
            if different:
                raise SystemExit(1)
            if kills == chosen.kills:
                break
        print(f"{kills} kills, {torn} of them within a change of files; engine {chosen.engine}: nothing was lost")


if __name__ == "__main__":
    main()
