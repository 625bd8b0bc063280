"""`benchmarks.training` killed at a random time and given again to its end: its records equal those of a quiet run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from fuzzing import Fault
from tests.benchmarks.training.files import write_mnist

COUNT = 200
SHORTEST, LONGEST = 0.6, 2.5  # seconds until a kill: the imports take most of the first one
PLAN = ["--data", "mnist", "--hidden", "4", "--batch", "6", "--trials", "1", "--seeds", "1", "--evaluations", "400"]
ROOT = Path(__file__).parents[2]  # where benchmarks are found
OPTIMIZERS = ("rbo", "adam", "sam", "momentum", "alice", "entropy-sgd")


def prepared(folder: Path) -> Callable[[int, Random], str]:
    (folder / "data").mkdir()
    write_mnist(folder / "data")
    quiet: dict[str, Any] = {}

    def attempt(number: int, random: Random) -> str:
        optimizer = OPTIMIZERS[number % len(OPTIMIZERS)]
        command = [sys.executable, "-m", "benchmarks.training", *PLAN, "--folder", str(folder / "data")]
        command += ["--optimizer", optimizer, "--jobs", "1", "--output"]
        if optimizer not in quiet:
            _ran([*command, str(folder / optimizer)])
            quiet[optimizer] = _records(folder / optimizer)
        out = folder / f"{number}"
        process = subprocess.Popen([*command, str(out)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(SHORTEST, LONGEST))
        process.kill()
        ended = process.wait() == 0
        begun = any(out.glob("runs/*.npz"))
        _ran([*command, str(out)])
        if _records(out) != quiet[optimizer]:
            raise Fault(f"{optimizer}: the records of a run that was killed differ")
        if strange := [path.name for path in out.rglob("*.npz")]:
            raise Fault(f"{optimizer}: {strange[0]} is left")
        return "ended before" if ended else "killed in a run" if begun else "killed between runs"

    return attempt


def _ran(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode or done.stderr:
        raise Fault(f"status {done.returncode}: {done.stderr[-300:]}")


def _records(folder: Path) -> dict[str, Any]:
    """All that was recorded, without times and what follows from them."""
    found = {}
    for path in sorted(folder.glob("runs/*.json")):
        record = json.loads(path.read_text())
        del record["checksum"]
        record["marks"] = [[mark[0], *mark[2:]] for mark in record["marks"]]
        found[path.name] = record
    return found
