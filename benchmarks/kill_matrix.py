"""The kill matrix: which case catches which wrong port of the catalogue, and what the diagnosis says.

python benchmarks/kill_matrix.py [--dtype float64] [--csv FILE]
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

from rbo_ref.oracle import MISTAKES, check
from rbo_ref.oracle.cases import all_cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", default="float64", choices=("float32", "float64"))
    parser.add_argument("--csv", type=Path, help="write the matrix: a row a mistake, a column a case")
    options = parser.parse_args()

    began = time.perf_counter()
    reports = {name: check(wrong(), dtype=options.dtype) for name, wrong in MISTAKES.items()}
    kills = {name: {result.id for result in report.failures} for name, report in reports.items()}
    named = {name: report.diagnosis.name if report.diagnosis else "-" for name, report in reports.items()}
    for name in MISTAKES:
        note = "" if named[name] == name else f"   diagnosed as {named[name]}"
        print(f"{name:<34} killed by {len(kills[name]):>3} cases{note}")
    caught, right = sum(map(bool, kills.values())), sum(named[name] == name for name in MISTAKES)
    least = min(map(len, kills.values()))
    print(
        f"\n{options.dtype}: {caught} of {len(MISTAKES)} caught, each in {least} of {len(all_cases(0))} cases or more;"
    )
    print(f"{right} diagnosed by name; {time.perf_counter() - began:.0f} s")
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            ids = [case.id for case in all_cases(0)]
            writer.writerow(["mistake", "diagnosis", *ids])
            writer.writerows([name, named[name], *(int(i in kills[name]) for i in ids)] for name in MISTAKES)


if __name__ == "__main__":
    main()
