"""``rbo-ref vectors``: write conformance vectors for ports in any language, check them, judge the answers to them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rbo_ref.cli._common import RIGHT, WRONG, CouldNotRun, status_of
from rbo_ref.cli._output import ALONE, add_file, write_text
from rbo_ref.cli._streams import say
from rbo_ref.oracle import vectors

__all__ = ["add"]


def add(command: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    command.description = _vectors.__doc__
    command.add_argument("folder", metavar="DIR", help="written, unless one of the options says otherwise")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--lint", action="store_true", help="check the vectors that are in DIR")
    what.add_argument("--judge", metavar="ANSWERS", help="judge the answers in a file of JSON Lines")
    add_file(command, "--json", "write the verdicts on answers as JSON", ALONE)
    command.set_defaults(run=_vectors)


def _vectors(options: argparse.Namespace) -> int:
    """Write the conformance vectors into a folder; check those of a folder; or judge answers to them."""
    if options.json and not options.judge:
        raise CouldNotRun("--json goes with --judge")
    try:
        if options.judge:
            return _judge(options)
        return _lint(options.folder) if options.lint else _write(options.folder)
    except vectors.VectorError as error:
        raise CouldNotRun(str(error)) from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise CouldNotRun(f"{place}{error.strerror or error}") from error


def _write(folder: str) -> int:
    from tqdm import tqdm

    with tqdm(desc="vectors", unit="vector", leave=False, disable=None if sys.stderr.isatty() else True) as bar:
        counts = vectors.generate(folder, lambda done: bar.update(done - bar.n))
    for name, count in counts.items():
        say(f"{count:>5}  {Path(folder) / name}")
    say(f"{sum(counts.values()):>5}  vectors of suite {vectors.SUITE}")
    return RIGHT


def _lint(folder: str) -> int:
    found = vectors.lint(folder)
    for problem in found.problems:
        say(problem)
    flaws = f"{len(found.problems)} problems" if found.problems else "no problem"
    say(f"{found.vectors} vectors checked: {flaws}")
    return WRONG if found.problems else RIGHT


def _judge(options: argparse.Namespace) -> int:
    judgement = vectors.judge_answers(options.folder, options.judge)
    if options.json != "-":
        say(judgement)
    if options.json:
        write_text(judgement.to_json() + "\n", options.json)
    return status_of([judgement.verdict])
