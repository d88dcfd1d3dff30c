"""Property-based fuzz, at length: the verbs' arguments, the texts, the archives, the files of a run and of every recipe.

    python tests/benchmarks/fuzz.py [--cases 10000]

These are the tests of the suite (tests/test_fuzz.py and tests/cli/test_fuzz.py), which runs some hundreds of cases each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="of each test")
    cases = parser.parse_args().cases
    command = [sys.executable, "-m", "pytest", "--durations=0", TESTS / "cli" / "test_fuzz.py", TESTS / "test_fuzz.py"]
    done = subprocess.run(command, cwd=TESTS.parent, env=os.environ | {"RNNZOO_TEST_CASES": str(cases)})
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
