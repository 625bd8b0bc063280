"""Time and memory of the replay of recorded runs.

A right port rolls on; its run is written in all formats and judged from there. Times are processor time, memory is the
peak of what Python and NumPy allocate.

    python benchmarks/replay.py --steps 100000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import tracemalloc
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    options = parser.parse_args()
    np.seterr(all="ignore")
    with tempfile.TemporaryDirectory() as folder:
        measure(options.steps, Path(folder))
        measure_others(options.steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
