"""Time and memory of the replay of recorded runs, and what it answers to damaged recordings.

A right port rolls on; its run is written in all formats and judged from there. Times are processor time, memory is the
peak of what Python and NumPy allocate. `--fuzz` damages recordings, inside archives too: every answer must be a verdict
or a sentence.

    python benchmarks/replay.py --steps 100000
    python benchmarks/replay.py --fuzz 100000
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from geometry import FunctionGraph
from rbo_ref import landscapes
from rbo_ref.oracle import Recording, RightPort, check_trajectory
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.replay import save_recording
from rbo_ref.oracle.replay.recording import HYPERS

DENTS = landscapes.gaussians(0.3, 60)


class Run(NamedTuple):
    name: str
    surface: FunctionGraph
    start: tuple[float, float]
    hyper: dict[str, Any]
    dtype: str = "float64"

    def record(self, steps: int) -> Recording:
        """The run of a right port."""
        theta = np.array(self.start, dtype=self.dtype)
        path, port = np.empty((steps + 1, 2), self.dtype), RightPort()
        path[0] = theta
        for t in range(steps):
            path[t + 1] = theta = port(self.surface.value_and_gradient, theta, **self.hyper)
        return Recording(path, **self.hyper)


def hyper(learning_rate: float, radius: float, projection_rate: float, projection_steps: int) -> dict[str, Any]:
    return dict(zip(HYPERS, (learning_rate, radius, projection_rate, projection_steps), strict=True))


RUNS = (
    Run("Rosenbrock, P = 20", landscapes.rosenbrock(), (-1.2, 1.0), hyper(1e-4, 0.1, 1e-5, 20)),
    Run("Eq. 14, 60 dents, P = 10", DENTS, (1.5, 0.5), hyper(0.02, 3.0, 0.02, 10)),
    Run("Eq. 14, 60 dents, P = 10, float32", DENTS, (1.5, 0.5), hyper(0.02, 3.0, 0.02, 10), "float32"),
)


ADAM = {"learning_rate": 1e-3, "betas": (0.9, 0.999), "epsilon": 1e-8}
OTHERS: dict[str, dict[str, Any]] = {
    "gradient-descent": {"learning_rate": 1e-3, "momentum": 0.9, "nesterov": True},
    "adam": ADAM,
    "adamw": ADAM | {"weight_decay": 0.01},
}


def measure_others(steps: int) -> None:
    """Runs of optimizers that remember, on Himmelblau's function."""
    surface = landscapes.himmelblau()
    for optimizer, known in OTHERS.items():
        port, start = RIGHT_PORTS[optimizer](), np.array([1.0, -0.5])
        path = np.stack([start, *port(surface.value_and_gradient, start, iterations=steps, **known)])
        began = time.process_time()
        report = check_trajectory(path, surface, optimizer=optimizer, **known)
        print(f"{optimizer:<36}{steps:>8}{'':>8}{time.process_time() - began:8.1f}{'':>7}  {report.counts}", flush=True)


def measure(steps: int, folder: Path) -> None:
    print(f"{'run':<36}{'steps':>8}{'format':>8}{'s':>8}{'MiB':>7}  verdicts; horizon")
    for run in RUNS:
        recording = run.record(steps)
        for suffix in ("npz", "csv", "jsonl"):
            save_recording(recording, folder / f"run.{suffix}")
            began = time.process_time()
            report = check_trajectory(folder / f"run.{suffix}", run.surface)
            seconds = time.process_time() - began
            peak = max(memory(folder / f"run.{suffix}", run.surface), 0) if run is RUNS[0] else float("nan")
            print(
                f"{run.name:<36}{steps:>8}{suffix:>8}{seconds:8.1f}{peak:7.1f}  {report.counts}; {report.horizon}",
                flush=True,
            )
            if run is not RUNS[0]:
                break  # the formats differ by the reading alone


def memory(path: Path, surface: FunctionGraph) -> float:
    """Peak of a replay in MiB."""
    tracemalloc.start()
    check_trajectory(path, surface)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


# Damaged recordings.

WORDS = [
    b"NaN", b"Infinity", b"-1e999", b"null", b"true", b"[", b"]", b"{", b"}", b'"', b",", b"\n", b"#", b"-", b"0",
    b"0x", b"0x7ff0000000000000", b"theta", b"theta_0", b"1e308", b"dtype", b"float16", b"bfloat16", b"9" * 400,
    b"\xff", b"\0", b"projection_steps", b"1000000000",
]  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A few bits flipped, bytes lost, repeated or replaced, or the end cut off."""
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        i = chance.randrange(len(result) + 1)
        j = min(len(result), i + chance.choice((1, 2, 8, 40)))
        kind = chance.randrange(6)
        if kind == 0 and result:
            result[i - 1] ^= 1 << chance.randrange(8)
        elif kind == 1:
            result[i:j] = b""
        elif kind == 2:
            result[i:i] = chance.choice(WORDS)
        elif kind == 3:
            result[i:j] = chance.choice(WORDS)
        elif kind == 4:
            result[i:i] = result[i:j]
        else:
            del result[i:]
    return bytes(result)


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """An intact archive with one damaged member."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        unlucky = chance.choice(old.namelist())
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, damaged(member, chance) if name == unlucky else member)
    return result.getvalue()


def samples(folder: Path) -> list[bytes]:
    """Small recordings of all kinds."""
    run = Run("", landscapes.rosenbrock(), (0.5, 0.25), hyper(1e-3, 0.1, 1e-3, 2))
    theta = np.concatenate([rows["theta"] for rows in run.record(5).rows(9)])
    value, gradient = run.surface.value_and_gradient(theta[:-1])
    inner = np.stack([theta[:-1], theta[1:]], axis=1)
    told = {"inner": inner, "inner_value": np.stack([value] * 2, 1), "inner_gradient": np.stack([gradient] * 2, 1)}
    schedule = {**run.hyper, "radius": np.full(5, 0.1), "projection_steps": np.full(5, 2)}
    recordings = {
        "a": Recording(theta, loss="rosenbrock", **run.hyper),
        "b": Recording(theta, loss="rosenbrock", **schedule),
        "c": Recording(theta, value=value, gradient=gradient, **run.hyper, **told),
    }
    found = []
    for name, recording in recordings.items():
        for suffix in ("npz", "jsonl") if name == "c" else ("npz", "csv", "jsonl"):
            for bits in (False, True):
                path = folder / f"{name}.{suffix}"
                save_recording(recording, path, bits=bits)
                found.append(path.read_bytes())
    return found


def fuzz(count: int, seed: int, folder: Path) -> int:
    warnings.simplefilter("error")
    chance, answers, slowest = random.Random(seed), Counter[str](), 0.0
    originals, path, began = samples(folder), folder / "damaged", time.process_time()
    for n in range(count):
        original = chance.choice(originals)
        inside = original.startswith(b"PK") and chance.random() < 0.8
        path.write_bytes(damaged_inside(original, chance) if inside else damaged(original, chance))
        start = time.process_time()
        try:
            report = check_trajectory(path, diagnosis=n % 50 == 0)
            answers[str(report).partition(":")[0]] += 1
        except (TypeError, ValueError) as error:
            clear = "\n" not in str(error) and 10 < len(str(error)) < 500
            answers["a sentence" if clear else "NO SENTENCE"] += 1
        except Exception as error:
            answers[f"CRASH {type(error).__name__}"] += 1
            Path(f"crash-{seed}-{n}").write_bytes(path.read_bytes())
        slowest = max(slowest, time.process_time() - start)
    seconds = time.process_time() - began
    print(f"{count} damaged recordings, seed {seed}: {dict(answers)}; {seconds:.0f} s, the slowest {slowest:.2f} s")
    return any(name.isupper() and name.startswith(("CRASH", "NO S")) for name in answers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--fuzz", type=int, metavar="N", help="only judge N damaged recordings")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    np.seterr(all="ignore")
    with tempfile.TemporaryDirectory() as folder:
        if options.fuzz:
            return fuzz(options.fuzz, options.seed, Path(folder))
        measure(options.steps, Path(folder))
        measure_others(options.steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
