"""An attempt to break the package, from a seed: each kind of attack is a module of `benchmarks/fuzzing`.

An attempt ends in a word for what came of it, or in a fault, which is any exception; every attempt has its own random
numbers and can be made again alone.

    python benchmarks/fuzz.py                                # all kinds in full: hours
    python benchmarks/fuzz.py recordings answers --count 1000 --seed 7
    python benchmarks/fuzz.py recordings --seed 7 --first 412 --count 1
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))  # for what the tests have to attack with
import fuzzing

KINDS = sorted(module.name for module in iter_modules(fuzzing.__path__) if not module.name.startswith("_"))
SHOWN = 10  # faults of a kind


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", choices=[[], *KINDS], help=", ".join(KINDS))
    parser.add_argument("--count", type=int, metavar="N", help="attempts of each kind (default: those of the kind)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first attempt")
    options = parser.parse_args()
    return 1 if sum(attempted(kind, options) for kind in options.kinds or KINDS) else 0


def attempted(kind: str, options: argparse.Namespace) -> int:
    """Make the attempts of a kind and tell what came of them; the number of faults."""
    room = import_module(f"fuzzing.{kind}")
    came, slowest, began, faults = Counter[str](), 0.0, time.process_time(), 0
    count = room.COUNT if options.count is None else options.count
    with tempfile.TemporaryDirectory() as folder:
        attempt = room.prepared(Path(folder))
        for number in range(options.first, options.first + count):
            start = time.process_time()
            try:
                came[attempt(number, Random(f"{kind} {options.seed} {number}"))] += 1
            except Exception as error:
                faults += 1
                if faults <= SHOWN:
                    _show(kind, options.seed, number, error)
            slowest = max(slowest, time.process_time() - start)
    words = ", ".join(f"{times} {word}" for word, times in came.most_common())
    seconds = f"{time.process_time() - began:.0f} s of processor time, at most {slowest:.2f} s for one"
    print(f"{kind}, seed {options.seed}: {count} attempts: {faults} faults; {words}; {seconds}", flush=True)
    return faults


def _show(kind: str, seed: int, number: int, error: Exception) -> None:
    limit = 0 if isinstance(error, fuzzing.Fault) else -3
    told = "".join(traceback.format_exception(error, limit=limit))[-1500:].encode("ascii", "backslashreplace").decode()
    print(f"FAULT ({kind} --seed {seed} --first {number} --count 1): {told}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
