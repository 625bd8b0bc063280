"""``rbo-ref check``: judge ports; ``cases`` and ``mistakes``: what they are judged by."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module, util
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from rbo_ref.cli._common import RIGHT, WRONG, CouldNotRun, write_text
from rbo_ref.oracle import DIALECTS, Report, check, optimizers
from rbo_ref.oracle.adapters import as_step
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.levels import LEVELS
from rbo_ref.oracle.mistakes import MISTAKES
from rbo_ref.oracle.optimizers.cases import select
from rbo_ref.oracle.reference import jitted_rolling_ball, rolling_ball

__all__ = ["add"]

LIBRARIES = ("numpy", "array_api_strict", "torch", "jax", "cupy")
EXAMPLES = Path(__file__).resolve().parents[2] / "tests" / "ports"


class _Task(NamedTuple):
    """One port to judge."""

    name: str
    port: Any
    xp: str
    dtype: str


def add(commands: Any) -> None:
    """Add the commands to the parser's."""
    judge = commands.add_parser("check", help="judge a port, or the package's own loop", description=_check.__doc__)
    judge.add_argument(
        "port", nargs="?", metavar="MODULE:ATTRIBUTE", help="the port; MODULE may be a path to a .py file"
    )
    judge.add_argument(
        "--xp", help="array library of the port: numpy, torch, jax, ... (default: the port's own, or numpy)"
    )
    judge.add_argument("--dtype", default="float64", choices=("float32", "float64"))
    judge.add_argument("--optimizer", choices=optimizers.OPTIMIZERS, help="what the port is, if no rolling ball")
    readings = sorted({*DIALECTS, *chain(*optimizers.DIALECTS.values())})
    judge.add_argument("--dialect", choices=readings, help="the reading of the paper it claims")
    judge.add_argument("--level", action="append", choices=LEVELS, help="only this level (may be repeated)")
    judge.add_argument("--case", action="append", metavar="PATTERN", help="only cases like this (may be repeated)")
    judge.add_argument("--seed", type=int, default=0, help="draws three further cases")
    judge.add_argument("--time-limit", type=float, default=20.0, metavar="SECONDS", help="for one step of the port")
    judge.add_argument(
        "--json", metavar="FILE", help="write the reports as JSON ('-': to standard output, and no table)"
    )
    judge.set_defaults(run=_check)
    show = commands.add_parser("cases", help="list the cases", description=_cases.__doc__)
    show.add_argument("--optimizer", choices=optimizers.OPTIMIZERS, help="those of another optimizer")
    show.set_defaults(run=_cases)
    known = commands.add_parser("mistakes", help="list the known mistakes", description=_mistakes.__doc__)
    known.add_argument("--optimizer", choices=optimizers.OPTIMIZERS, help="those of another optimizer")
    known.set_defaults(run=_mistakes)


def _cases(options: argparse.Namespace) -> int:
    """List the cases: id, dimension, what it is about, and the mistakes it is there to catch."""
    if options.optimizer:
        for other in select(options.optimizer):
            print(f"{other.id:<20} d={other.theta.size:<3} {other.length} steps; {_listed(other.hyper)}")
        return RIGHT
    for case in all_cases(0):
        print(f"{case.id:<20} d={case.dimension:<3} {case.note}")
        if case.catches:
            print(f"{'':<26}catches {', '.join(case.catches)}")
    return RIGHT


def _listed(hyper: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in hyper.items())


def _mistakes(options: argparse.Namespace) -> int:
    """List the known mistakes that a failing port is compared with."""
    catalogue: Mapping[str, Any] = optimizers.MISTAKES[options.optimizer] if options.optimizer else MISTAKES
    for name, cls in catalogue.items():
        print(f"{name:<34}{cls.description}")
    return RIGHT


def _check(options: argparse.Namespace) -> int:
    """Judge a port of the Rolling Ball Optimizer, or of another. Exit status: 0 right, 1 wrong, 2 it cannot be run.

    Without a port: the package's own loop on every array library installed, and the example ports of the source tree.
    """
    tasks = [_named(options)] if options.port else _all(options)
    reports = []
    for task in tasks:
        reports.append(_judge(task, options))
        if options.json != "-":
            print(reports[0] if options.port else _row(reports[-1]), flush=True)
    if options.json:
        _write_json(reports, options.json)
    if not options.port and options.json != "-":
        _conclude(reports)
    return RIGHT if reports and all(report.passed for report in reports) else WRONG


def _judge(task: _Task, options: argparse.Namespace) -> Report:
    from tqdm import tqdm

    with tqdm(desc=task.name, leave=False, unit="case", disable=None if sys.stderr.isatty() else True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        judge = partial(optimizers.check_optimizer, optimizer=options.optimizer) if options.optimizer else check
        chosen = {"dialect": options.dialect} if options.dialect else {}
        try:
            report = judge(
                task.port,
                xp=task.xp,
                dtype=task.dtype,
                levels=options.level,
                cases=options.case,
                seed=options.seed,
                time_limit=options.time_limit,
                progress=progress,
                **chosen,
            )
        except (TypeError, ValueError, ImportError) as error:
            raise CouldNotRun(str(error)) from error
    report.port = task.name
    return report


def _named(options: argparse.Namespace) -> _Task:
    """The port that the user names."""
    port = _as_port(_load(options.port), options.port, optimizers.as_run if options.optimizer else as_step)
    xp = options.xp or getattr(port, "library", "numpy")
    _prepare(xp, options.dtype)
    return _Task(options.port, port, xp, options.dtype)


def _as_port(port: Any, name: str, adapt: Callable[[Any], Any] = as_step) -> Any:
    """The port behind what the user names, with a sentence for what cannot be one."""
    try:
        return adapt(port)
    except Exception as error:
        raise CouldNotRun(f"{name} is no port: {error}") from error


def _load(name: str) -> Any:
    """The object behind MODULE:ATTRIBUTE, where MODULE is a dotted name or a path."""
    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise CouldNotRun(f"expected MODULE:ATTRIBUTE, got {name!r}")
    sys.path.insert(0, os.getcwd())
    try:
        found = _load_file(Path(place)) if place.endswith(".py") else import_module(place)
    except (Exception, SystemExit) as error:
        raise CouldNotRun(f"cannot import {place}: {type(error).__name__}: {error}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise CouldNotRun(f"{place} has no attribute {attribute!r}")
        found = getattr(found, part)
    return found


def _load_file(path: Path) -> Any:
    spec = util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise FileNotFoundError(f"no file {path}")
    module = util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _prepare(xp: str, dtype: str) -> None:
    """Make sure that the library is there, and that JAX does not quietly drop to float32."""
    if util.find_spec(xp.partition(".")[0]) is None:
        raise CouldNotRun(f"{xp} is not installed")
    if xp.partition(".")[0] == "jax" and dtype == "float64":
        import jax

        jax.config.update("jax_enable_x64", True)


def _all(options: argparse.Namespace) -> Iterator[_Task]:
    """The package's own loop and the example ports, on the library asked for or on every one."""
    if options.optimizer:
        raise CouldNotRun("--optimizer goes with a port")
    if options.dialect not in (None, "authors"):
        raise CouldNotRun("--dialect goes with a port: the package's own loop speaks the authors' dialect")
    if options.xp is not None and options.xp not in LIBRARIES:
        raise CouldNotRun(f"--xp without a port must be one of {', '.join(LIBRARIES)}, got {options.xp!r}")
    wanted = (options.xp,) if options.xp else LIBRARIES
    return chain(_own(wanted, options.dtype), _examples(wanted, options.dtype))


def _own(wanted: Sequence[str], dtype: str) -> Iterator[_Task]:
    """The package's own loop on the wanted array libraries, if installed."""
    for xp in wanted:
        if util.find_spec(xp) is None:
            print(f"skipped: rbo_ref.RollingBall on {xp}: {xp} is not installed", file=sys.stderr)
            continue
        if xp == "cupy" and not _has_gpu():
            print("skipped: rbo_ref.RollingBall on cupy: no CUDA device", file=sys.stderr)
            continue
        _prepare(xp, dtype)
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
        print("skipped: the example ports are in the source tree only", file=sys.stderr)
        return
    for path in sorted(EXAMPLES.glob("*_port.py")):
        package = path.stem.removesuffix("_port")
        xp = {"optax": "jax"}.get(package, package)
        if xp not in wanted:
            continue
        missing = [name for name in dict.fromkeys((xp, package)) if util.find_spec(name) is None]
        if missing:
            print(f"skipped: {path.name}: {' and '.join(missing)} not installed", file=sys.stderr)
            continue
        _prepare(xp, dtype)
        yield _Task(path.name, _as_port(_load(f"{path}:PORT"), path.name), xp, dtype)


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
    wrong = sum(not report.passed for report in reports)
    print(f"\n{len(reports)} ports judged: " + (f"{wrong} WRONG" if wrong else "all RIGHT"))


def _write_json(reports: list[Report], file: str) -> None:
    record = {"passed": all(r.passed for r in reports), "reports": [json.loads(r.to_json()) for r in reports]}
    write_text(json.dumps(record, indent=1) + "\n", file)
