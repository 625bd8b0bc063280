"""Programs that misbehave at the start, when a run is asked, and in the middle of one: each gets a verdict in time."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzzing import Fault
from fuzzing.messages import clear
from rbo_ref.oracle import ProgramPort, check
from tests.rbo_ref.oracle.protocol import wicked

COUNT = 1000
TIME_LIMIT = 0.5  # seconds
SLOWEST = 20.0  # seconds until the verdict, on a busy machine
EVERY = list(itertools.product(("run", "evaluation", "start"), wicked.BEHAVIOURS))


def prepared(folder: Path) -> Callable[[int, Random], str]:
    return attempt


def attempt(number: int, random: Random) -> str:
    moment, behaviour = EVERY[number % len(EVERY)]
    began = time.perf_counter()
    command = [sys.executable, "-S", wicked.__file__, behaviour, moment]
    with ProgramPort(command, time_limit=TIME_LIMIT) as port:
        verdicts = {clear(result) for result in check(port, cases="plane", levels="step", diagnosis=False).results}
    if time.perf_counter() - began > SLOWEST:
        raise Fault(f"{behaviour} at {moment}: a verdict after {time.perf_counter() - began:.0f} s")
    return " and ".join(sorted(verdicts))
