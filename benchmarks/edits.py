"""How many wrong ports are named truly by edits alone, without the catalogue, and whether any name misleads.

A name is true if the formula that it stands for does what the port does in all cases moved to other places, where
nobody asked.

    python benchmarks/edits.py catalogue --optimizer rolling-ball
    python benchmarks/edits.py pairs --count 50
    python benchmarks/edits.py strays
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are no package that is installed

from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import catalogue, right_port
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.suspects import search
from rbo_ref.oracle.suspects.played import Played
from rbo_ref.oracle.suspects.words import sentence
from tests.rbo_ref.oracle import stray
from tests.rbo_ref.oracle.suspects.explaining import asked, explained, is_true


class Wrong(NamedTuple):
    """A wrong port."""

    name: str
    optimizer: str
    make: Callable[[], Any]
    precisions: tuple[str, ...] = ()  # names of precisions that are true of it


def known(optimizer: str) -> Iterator[Wrong]:
    """The catalogue of an optimizer; what errs by its precision is named as such."""
    precisions = ("float32_inside", "float16_inside", "bfloat16_inside", "tf32_inside", "low_precision")
    noisy = {*precisions, "float32_norm", "finite_differences", "result_rounded"}
    for name, cls in catalogue(optimizer).items():
        own = (name,) if name in precisions else precisions if name in noisy else ()
        yield Wrong(name, optimizer, cls, own)


PAIRED = (ROLLING_BALL, "adam", "muon", "sam")


def pairs(count: int, seed: int) -> Iterator[Wrong]:
    """Random pairs of edits, of which both matter: together they do what neither does alone, and no edit at all."""
    random = Random(seed)
    several = {optimizer: _lines(optimizer) for optimizer in PAIRED}
    while count:
        optimizer = PAIRED[count % len(PAIRED)]
        lines, plain, runs = several[optimizer]
        pair = tuple(random.sample(plain, 2))
        if search.compatible(*pair):
            changes = [search.Changed(edits) for edits in (pair, pair[:1], pair[1:])]
            together, *alone = search.effects(lines, changes, runs)
            if together is not None and None not in alone and together not in alone:
                count -= 1
                yield Wrong(f"{optimizer}: {sentence(pair)}", optimizer, lines.maker(changes[0]))


def _lines(optimizer: str) -> tuple[search.Lines, list[Any], list[Played]]:
    """The lines of an optimizer, their plain edits that do anything, and runs that show what they do."""
    runs = [asked(case, tolerance=1e-15) for case in all_cases(optimizer) if 1 < case.theta.size < 9][:4]
    lines = search.lines_of(right_port(optimizer), runs)
    return lines, search.different(lines, runs), runs


def strays() -> Iterator[Wrong]:
    """Wrong ports in no catalogue."""
    for name, make in stray.SMALL.items():
        yield Wrong(name, ROLLING_BALL, make)
    for name, (make, true) in stray.STRAY.items():
        yield Wrong(name, ROLLING_BALL, make, true)
    for name, (optimizer, make) in (stray.SMALL_OTHERS | stray.WILD).items():
        yield Wrong(name, optimizer, make)
    for name, (optimizer, make, true) in stray.STRAY_OTHERS.items():
        yield Wrong(name, optimizer, make, true)


def main() -> int:
    """Runs what is asked for; status 1 if a name misleads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["catalogue", "pairs", "strays"])
    parser.add_argument("--optimizer", default=ROLLING_BALL)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong = {
        "catalogue": lambda: known(options.optimizer),
        "pairs": lambda: pairs(options.count, options.seed),
        "strays": strays,
    }[options.which]()
    true = false = 0
    for port in wrong:
        began = time.process_time()
        report, found = explained(port.make(), port.optimizer, catalogue=options.which == "strays")
        told = report.diagnosis
        if found is not None:
            right = is_true(found, port.make, port.optimizer)
        else:
            right = told is not None and (told.name in port.precisions or options.which != "catalogue")
        verdict = "true " if right else "FALSE" if told is not None else "none "
        true, false = true + (verdict == "true "), false + (verdict == "FALSE")
        words = told.description if told else ""
        print(f"{verdict} {time.process_time() - began:5.1f} s  {port.name}: {words}", flush=True)
    print(f"{true} named truly, {false} falsely")
    return int(false > 0)


if __name__ == "__main__":
    raise SystemExit(main())
