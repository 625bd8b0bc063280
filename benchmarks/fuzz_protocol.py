"""Spoilt messages and wicked programs: does each get a verdict, in time?

Messages of a port are changed at random, in their bytes and in their content, and judged as a step of it. Programs
misbehave in every way of the tests' list, at the start, when a run is asked, and in the middle of one. A verdict is
clear if it is a printable sentence of less than 500 characters and no exception of Python's.

    python benchmarks/fuzz_protocol.py --messages 100000 --programs 300
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from rbo_ref.oracle import ProgramPort, check
from rbo_ref.oracle.report import Result

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the wicked ports of the tests
from tests.rbo_ref.oracle.protocol import wicked
from tests.rbo_ref.oracle.protocol.fuzzing import mutated_play, verdict

TIME_LIMIT = 0.5  # seconds, for a wicked program


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--programs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    unclear = messages(options.messages, Random(options.seed)) + programs(options.programs)
    return 1 if unclear else 0


def messages(number: int, random: Random) -> int:
    """Judge so many spoilt messages; the number of verdicts that are not clear."""
    began, results = time.process_time(), []
    for _ in range(number):
        results.append(verdict(*mutated_play(random)))
    return _told("spoilt messages", results, f"{time.process_time() - began:.0f} s of processor time")


def programs(number: int) -> int:
    """Judge so many wicked programs; the number of verdicts that are not clear."""
    slowest, results = 0.0, []
    every = itertools.product(("run", "evaluation", "start"), wicked.BEHAVIOURS)
    for moment, behaviour in itertools.islice(itertools.cycle(every), number):
        began = time.perf_counter()
        command = [sys.executable, "-S", wicked.__file__, behaviour, moment]
        with ProgramPort(command, time_limit=TIME_LIMIT) as port:
            results += check(port, cases="plane", levels="step", diagnosis=False).results
        slowest = max(slowest, time.perf_counter() - began)
    return _told(
        "wicked programs", results, f"the slowest verdict after {slowest:.1f} s, the limit being {TIME_LIMIT} s"
    )


def _told(what: str, results: list[Result], note: str) -> int:
    verdicts = ", ".join(f"{count} {name}" for name, count in Counter(r.verdict for r in results).most_common())
    unclear = [result for result in results if not _is_clear(result)]
    print(f"{len(results)} {what}: {verdicts}; {len(unclear)} without a clear verdict; {note}")
    for result in unclear[:10]:
        print(f"  {result}")
    return len(unclear)


def _is_clear(result: Result) -> bool:
    told = result.message.isprintable() and len(result.message) < 500 and not result.message.startswith("raised ")
    return told and (bool(result.message) or result.verdict == "pass")


if __name__ == "__main__":
    sys.exit(main())
