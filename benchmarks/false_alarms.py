"""False alarms: right ports of an optimizer on losses, places and hyper-parameters that Hypothesis draws.

A port that is right must not fail, however it is written and wherever it is. An example is one port on one case at all
levels, in float32 or float64, in one of the dialects. A failure is shrunk and printed, and ends the run with status 1.
Long runs can be made in parts: runs of different seeds draw different examples.

    python benchmarks/false_alarms.py --library numpy --examples 10000
    python benchmarks/false_alarms.py --library jax --examples 2500 --seed 1
    python benchmarks/false_alarms.py --optimizer muon --examples 2000
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are no package that is installed

from geometry.arithmetic.formats import format_of
from rbo_ref.cli._ports import prepare
from rbo_ref.oracle import OPTIMIZERS, READINGS, Result, RightPort
from rbo_ref.oracle.catalogue import in_dialect, right_port
from rbo_ref.oracle.checking import library_of
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.judge import judge, levels_of
from rbo_ref.oracle.reference import reference, rolling_ball
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats
from tests.rbo_ref.oracle.drawing import cases as cases_of_ball
from tests.rbo_ref.oracle.optimizers.drawing import cases as cases_of
from tests.rbo_ref.oracle.optimizers.test_right_ports import OTHER_WAYS, is_refused
from tests.rbo_ref.oracle.test_tolerance import FORMULATIONS

Maker = Callable[[str], Any]
OWN = "own"


def reading(formulation: type[Any]) -> Maker:
    """Ports that read the paper as a dialect does."""
    return lambda dialect: in_dialect(formulation, dialect)()


def own_loop(dialect: str) -> Any:
    """The package's own loop, which speaks the authors' dialect."""
    return rolling_ball if dialect == "authors" else in_dialect(RightPort, dialect)()


def own(optimizer: str, dialect: str) -> Any:
    """The package's own optimizer; one in plain words where it does not speak a dialect."""
    try:
        return reference(optimizer, dialect)
    except ValueError:
        return in_dialect(right_port(optimizer), dialect)()


def makers(library: str, optimizer: str) -> dict[str, Maker]:
    """Right ports to a library: the package's own, one in plain words, and on NumPy all that the tests know."""
    if optimizer == ROLLING_BALL:
        formulations = FORMULATIONS if library == "numpy" else [RightPort]
        return {OWN: own_loop} | {f.__name__: reading(f) for f in formulations}
    known = {OWN: partial(own, optimizer), "plain": reading(right_port(optimizer))}
    if library == "numpy" and optimizer in OTHER_WAYS:
        known["other"] = lambda dialect: (
            OTHER_WAYS[optimizer] if dialect == READINGS[optimizer][0] else own(optimizer, dialect)
        )
    return known


def run(library: str, optimizer: str, examples: int, start: int) -> tuple[Counter[str], float]:
    """The number of examples and of results of each verdict, and the worst error of a pass in tolerances."""
    ports, count, worst = makers(library, optimizer), Counter[str](), 0.0
    prepare(library, "float64")

    @seed(start)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        cases_of_ball() if optimizer == ROLLING_BALL else cases_of(optimizer),
        st.sampled_from(READINGS[optimizer]),
        st.sampled_from(["float32", "float64"]),
        st.sampled_from(list(ports)),
    )
    def judged(case: Any, dialect: str, dtype: str, name: str) -> None:
        nonlocal worst
        port = ports["plain" if name == OWN and optimizer != ROLLING_BALL and is_refused(case) else name](dialect)
        setting = Setting(library_of(library, dtype), Formats(format_of(dtype)), dialect, math.inf)
        results: list[Result] = [result for result, _ in judge(port, case, setting, levels_of(optimizer))]
        count.update(["examples", *(result.verdict for result in results)])
        count["decided"] += any(result.verdict == "pass" for result in results)
        worst = max([worst, *(r.ratio for r in results if r.ratio is not None and r.verdict == "pass")])
        assert all(result.verdict != "fail" for result in results), results

    judged()
    return count, worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", default="numpy", choices=("numpy", "array_api_strict", "torch", "jax"))
    parser.add_argument("--optimizer", default=ROLLING_BALL, choices=OPTIMIZERS)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    count, worst = run(options.library, options.optimizer, options.examples, options.seed)
    told = ", ".join(f"{count[kind]} {kind}" for kind in ("pass", "fail", "undecidable", "skipped"))
    print(f"{options.optimizer}, {options.library}:")
    print(f"no false alarm in {count['examples']} examples, {count['decided']} decided ({told});")
    print(f"worst error of a pass {worst:.2f} of its tolerance; {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
