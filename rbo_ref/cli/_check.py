"""``rbo-ref check``: judge ports."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib import util
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from geometry.arithmetic.formats import FORMATS
from rbo_ref.cli._common import CouldNotRun, status_of
from rbo_ref.cli._guard import going_on
from rbo_ref.cli._optimizer import add_optimizer
from rbo_ref.cli._ports import as_port, load, named_port, prepare
from rbo_ref.cli._program import add as add_program
from rbo_ref.cli._program import carrier, program_port
from rbo_ref.cli._reports import add_files, refuse_files, to_standard_output, write_files
from rbo_ref.cli._streams import say, warn
from rbo_ref.oracle import READINGS, Report, check
from rbo_ref.oracle.calls import attribute_of
from rbo_ref.oracle.cases import select
from rbo_ref.oracle.checking import DTYPES, INNER_DTYPES
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.judge import LEVELS
from rbo_ref.oracle.reference import jitted_rolling_ball, rolling_ball

__all__ = ["add"]

LIBRARIES = ("numpy", "array_api_strict", "torch", "jax", "cupy")
LACKING = {"float16": ("array_api_strict",), "bfloat16": ("numpy", "array_api_strict", "cupy")}
EXAMPLES = Path(__file__).resolve().parents[2] / "tests" / "ports"


class _Task(NamedTuple):
    """One port to judge."""

    name: str
    port: Any
    xp: str
    dtype: str


def add(judge: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    judge.description = _check.__doc__
    judge.add_argument(
        "port", nargs="?", metavar="MODULE:ATTRIBUTE", help="the port; MODULE may be a path to a .py file"
    )
    judge.add_argument(
        "--xp", help="array library of the port: numpy, torch, jax, ... (default: the port's own, or numpy)"
    )
    judge.add_argument("--dtype", default="float64", choices=DTYPES)
    judge.add_argument("--compute-dtype", choices=FORMATS, help="in which the port computes, if it is another one")
    judge.add_argument("--inner-dtype", choices=INNER_DTYPES, help="in which a port of Muon orthogonalizes")
    add_optimizer(judge, "what the port is, if no rolling ball")
    readings = sorted(set(chain(*READINGS.values())))
    judge.add_argument("--dialect", choices=readings, help="the reading of the paper it claims")
    judge.add_argument("--level", action="append", choices=LEVELS, help="only this level (may be repeated)")
    judge.add_argument("--case", action="append", metavar="PATTERN", help="only cases like this (may be repeated)")
    judge.add_argument("--seed", type=int, default=0, help="draws three further cases")
    judge.add_argument("--time-limit", type=float, default=20.0, metavar="SECONDS", help="for one step of the port")
    add_files(judge)
    add_program(judge)
    judge.set_defaults(run=_check, runs_foreign_code=True)


def _check(options: argparse.Namespace) -> int:
    """Judge a port of the Rolling Ball Optimizer, or of another.

    Without a port: the package's own loop on every array library installed, and the example ports of the source tree.
    """
    refuse_files(options)
    if options.program is not None:
        with program_port(options) as port:
            options.port = port.name
            return _report([_Task(port.name, port, carrier(options.dtype), options.dtype)], options)
    if options.inner_dtype and not options.optimizer:
        raise CouldNotRun("--inner-dtype goes with --optimizer muon")
    if options.transcript:
        raise CouldNotRun("--transcript goes with a program: -- COMMAND")
    return _report([_named(options)] if options.port else _all(options), options)


def _report(tasks: Iterable[_Task], options: argparse.Namespace) -> int:
    """Judge, and say what came of it."""
    reports = []
    for task in tasks:
        reports.append(_judge(task, options))
        if not to_standard_output(options):
            say(reports[0] if options.port else _row(reports[-1]), flush=True)
    write_files(reports, options)
    if not options.port and not to_standard_output(options):
        _conclude(reports)
    return status_of(report.verdict for report in reports)


def _judge(task: _Task, options: argparse.Namespace) -> Report:
    from tqdm import tqdm

    with tqdm(desc=task.name, leave=False, unit="case", disable=None if sys.stderr.isatty() else True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)
            going_on(f"{task.name} was judged" + (f" in case {asked[done].id}" if done < total else ""), True)

        optimizer = options.optimizer or ROLLING_BALL
        given = {name: getattr(options, name) for name in ("dialect", "compute_dtype", "inner_dtype")}
        chosen = {name: value for name, value in given.items() if value}
        try:
            asked = select(optimizer, options.case, options.seed)
            report = check(
                task.port,
                optimizer=optimizer,
                xp=task.xp,
                dtype=task.dtype,
                levels=options.level,
                cases=options.case,
                seed=options.seed,
                time_limit=options.time_limit if options.program is None else inf,  # a program keeps to its own
                progress=progress,
                **chosen,
            )
        except (TypeError, ValueError, ImportError) as error:
            raise CouldNotRun(str(error)) from error
    report.port = task.name
    report.library = attribute_of(task.port, "language", report.library)
    return report


def _named(options: argparse.Namespace) -> _Task:
    """The port that the user names."""
    port, xp = named_port(options.port, options.xp, options.dtype, options.optimizer)
    prepare(xp, options.compute_dtype or options.dtype)
    return _Task(options.port, port, xp, options.dtype)


def _all(options: argparse.Namespace) -> Iterator[_Task]:
    """The package's own loop and the example ports, on the library asked for or on every one."""
    if options.optimizer:
        raise CouldNotRun("--optimizer goes with a port")
    if options.compute_dtype:
        raise CouldNotRun("--compute-dtype goes with a port: the package's own loop computes in the dtype of theta")
    if options.dialect not in (None, "authors"):
        raise CouldNotRun("--dialect goes with a port: the package's own loop speaks the authors' dialect")
    if options.xp is not None and options.xp not in LIBRARIES:
        raise CouldNotRun(f"--xp without a port must be one of {', '.join(LIBRARIES)}, got {options.xp!r}")
    wanted = [xp for xp in LIBRARIES if options.xp in (None, xp) and xp not in LACKING.get(options.dtype, ())]
    if not wanted:
        raise CouldNotRun(f"{options.xp} has no {options.dtype}")
    return chain(_own(wanted, options.dtype), _examples(wanted, options.dtype))


def _own(wanted: Sequence[str], dtype: str) -> Iterator[_Task]:
    """The package's own loop on the wanted array libraries, if installed."""
    for xp in wanted:
        if util.find_spec(xp) is None:
            warn(f"skipped: rbo_ref.RollingBall on {xp}: {xp} is not installed")
            continue
        if xp == "cupy" and not _has_gpu():
            warn("skipped: rbo_ref.RollingBall on cupy: no CUDA device")
            continue
        prepare(xp, dtype)
        yield _Task("rbo_ref.RollingBall", rolling_ball, xp, dtype)
        if xp == "jax":
            yield _Task("rbo_ref.RollingBall, jitted", jitted_rolling_ball, xp, dtype)


def _has_gpu() -> bool:
    import cupy

    try:
        return cupy.cuda.runtime.getDeviceCount() > 0
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


def _examples(wanted: Sequence[str], dtype: str) -> Iterator[_Task]:
    """The example ports of the source tree: each file's ``PORT``, on its ``LIBRARY``."""
    if not EXAMPLES.is_dir():
        warn("skipped: the example ports are in the source tree only")
        return
    for path in sorted(EXAMPLES.glob("*_port.py")):
        package = path.stem.removesuffix("_port")
        xp = {"optax": "jax"}.get(package, package)
        if xp not in wanted:
            continue
        missing = [name for name in dict.fromkeys((xp, package)) if util.find_spec(name) is None]
        if missing:
            warn(f"skipped: {path.name}: {' and '.join(missing)} not installed")
            continue
        prepare(xp, dtype)
        yield _Task(path.name, as_port(load(f"{path}:PORT"), path.name), xp, dtype)


def _row(report: Report) -> str:
    if not report.passed:
        return str(report)
    count = report.counts
    ratios = [r.ratio for r in report.results if r.ratio is not None and r.verdict == "pass"]
    return (
        f"{'RIGHT':<6} {report.port:<28} {report.library:<17} {report.dtype:<8} {count['pass']:>4} passed "
        f"{count['undecidable']:>3} undecidable {count['skipped']:>3} skipped   worst error {max(ratios):.2f} of its "
        f"tolerance   {report.seconds:5.1f} s"
    )


def _conclude(reports: list[Report]) -> None:
    count = Counter(report.verdict for report in reports)
    told = ", ".join(f"{count[verdict]} {verdict}" for verdict in count if verdict != "RIGHT")
    say(f"\n{len(reports)} port{'s' * (len(reports) != 1)} judged: {told or 'all RIGHT'}")
