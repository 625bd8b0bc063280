"""The paper's Fig. 4 as a map: balls of four radii from a grid of starts on Eq. (14), and how low each of them ends.

python benchmarks/sweep_map.py --side 500 --out map       # 4 · 500² = 10⁶ balls; give it again to go on
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from geometry import FunctionGraph, Newton
from rbo_ref import RollingBall, Sweep, landscapes

RADII = (1.0, 3.0, 4.0, 5.0)
SIGMA, RATE = 0.2, 0.01
BALLS = {f"rho {radius:g}": RollingBall(RATE, radius, Newton()) for radius in RADII}


def starts(side: int) -> np.ndarray:
    """The midpoints of a grid over [−3, 3]², (side², 2)."""
    line = (np.arange(side) + 0.5) * 6 / side - 3
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=500)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--workers", type=int, default=0, help="processes (default: this one, with all its threads)")
    parser.add_argument("--out", default="map")
    options = parser.parse_args()
    eq14 = FunctionGraph(landscapes.gaussians(SIGMA).value, compile=True)
    plan = Sweep(BALLS, {"Eq. 14": eq14}, starts(options.side), options.steps, out=options.out)
    print(plan.explain(), flush=True)
    begin, processor = time.perf_counter(), time.process_time()
    if options.workers:
        with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
            table = plan.run(pool)
    else:
        table = plan.run()
    print(f"{time.perf_counter() - begin:.1f} s, {time.process_time() - processor:.1f} s of this process")
    for name in BALLS:
        height, status = table.at("height", optimizer=name)[0], table.at("status", optimizer=name)[0]
        print(
            f"{name}: heights {np.nanquantile(height, [0, 0.1, 0.5, 0.9, 1]).round(3)}, {int((status > 0).sum())} lost"
        )


if __name__ == "__main__":
    main()
