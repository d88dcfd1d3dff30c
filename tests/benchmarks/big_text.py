"""Peak memory and speed of encoding a large text file, by `rnnzoo data show chargen --data FILE` in a process of its own.

    python tests/benchmarks/big_text.py [--megabytes 200] [--kind lines] [--limit 400]

`lines` is prose in lines, `one-line` the same without a line end, `unicode` has characters of two to four bytes, `blank` is
one word, then white space, then one word. The peak is that of resident memory, mapped files included. Exit status 1 where it
is above `--limit` megabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rnnzoo

BLOCK = 1 << 20  # characters written at a time


def block(kind: str, rng: random.Random) -> str:
    """About a megabyte of text."""
    if kind == "blank":
        return " \n\t" * (BLOCK // 3)
    letters = "abcdefghijklmnopqrstuvwxyz" if kind != "unicode" else "abcdefghäöüßéабвгд日本語中文字🦉🐇"
    words = ["".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(2000)]
    end = " " if kind == "one-line" else "\n"
    return "".join(" ".join(rng.choices(words, k=12)) + end for _ in range(BLOCK // 70))


def write(path: Path, megabytes: int, kind: str) -> int:
    """Make the file; returns its size in bytes."""
    rng = random.Random(0)
    blocks = [block(kind, rng).encode() for _ in range(4)]  # a few in turn: to make them must not take longer than to read
    with open(path, "wb") as file:
        file.write(b"Alice. " * 50)
        while file.tell() < megabytes * 1_000_000:
            file.write(rng.choice(blocks))
        file.write(b"The end. " * 50)
        return file.tell()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--kind", choices=("lines", "one-line", "unicode", "blank"), default="lines")
    parser.add_argument("--limit", type=float, default=400, help="megabytes of memory")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.txt"
        size = write(path, chosen.megabytes, chosen.kind)
        environment = os.environ | {"RNNZOO_HOME": folder, "PYTHONPATH": str(Path(rnnzoo.__file__).parents[1])}
        command = [sys.executable, "-m", "rnnzoo", "data", "show", "chargen", "--data", str(path), "--json"]
        start = time.monotonic()
        shown = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        seconds = time.monotonic() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000  # Linux counts in KiB, nearly
        counts = json.loads(shown.stdout)["counts"]
        disk = sum(file.stat().st_size for file in (Path(folder) / "corpora").rglob("*")) / 1e6
    print(f"{chosen.kind}: {size / 1e6:,.0f} MB in {seconds:.0f} s, {size / 1e6 / seconds:.1f} MB/s, peak memory {peak:.0f} MB")
    print(f"{sum(counts[part] for part in ('train', 'validation', 'test')):,} characters, {disk:,.0f} MB of arrays")
    if peak > chosen.limit:
        raise SystemExit(f"the peak is above the limit of {chosen.limit:g} MB")


if __name__ == "__main__":
    main()
