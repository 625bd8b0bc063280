"""``rbo-ref train``: compare optimizers on real data."""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import util
from pathlib import Path
from typing import Any

from rbo_ref.cli._common import RIGHT, CouldNotRun
from rbo_ref.cli._streams import say, warn
from rbo_ref.training.comparison import Comparison, Finished, Plan
from rbo_ref.training.contenders import CONTENDERS
from rbo_ref.training.data import names
from rbo_ref.training.errors import TrainingError
from rbo_ref.training.records import write
from rbo_ref.training.workers import MODELS

__all__ = ["add"]

DEFAULT = Plan()


def add(train: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    train.description = _train.__doc__
    train.add_argument("--data", default=DEFAULT.data, choices=names(), help="default: %(default)s")
    train.add_argument("--folder", metavar="DIR", help="where the files of mnist, cifar10 or cifar100 are")
    train.add_argument(
        "--model", default=DEFAULT.model, choices=MODELS, help="default: %(default)s, in NumPy; the others need PyTorch"
    )
    train.add_argument(
        "--hidden", type=int, nargs="+", metavar="N", default=DEFAULT.hidden, help="hidden units of the perceptrons"
    )
    train.add_argument("--activation", default=DEFAULT.activation, choices=("relu", "tanh"), help="of the model mlp")
    train.add_argument(
        "--optimizer",
        action="append",
        metavar="NAME",
        choices=tuple(CONTENDERS),
        help=f"only this one (may be repeated): {', '.join(CONTENDERS)}",
    )
    for name, what in (
        ("evaluations", "gradient evaluations on a mini-batch, in each run"),
        ("trials", "of hyper-parameters, for each optimizer"),
        ("seeds", "runs of the tuned optimizers"),
        ("batch", "examples in a mini-batch"),
    ):
        train.add_argument(
            f"--{name}", type=int, metavar="N", default=getattr(DEFAULT, name), help=f"{what} (default: %(default)s)"
        )
    train.add_argument("--target", type=float, default=DEFAULT.target, metavar="LOSS", help="default: %(default)s")
    train.add_argument("--dtype", choices=("float32", "float64"), help="default: float64, with PyTorch float32")
    train.add_argument("--device", default=DEFAULT.device, help="of PyTorch's models (default: %(default)s)")
    train.add_argument("--jobs", type=int, metavar="N", help="processes (default: one for each processor)")
    train.add_argument("--threads", type=int, metavar="N", default=1, help="of each process (default: %(default)s)")
    train.add_argument("--output", metavar="DIR", help="default: rbo-ref-train-DATA-MODEL")
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    """Compare optimizers on real data, at equal numbers of gradient evaluations, tuned by the same budget.

    The table, CSV and JSON files and a picture are written into the output folder, with a record of every run. A
    command that is killed goes on where it was, at most one epoch earlier, when it is given again.
    """
    folder = Path(options.output or f"rbo-ref-train-{options.data}-{options.model}")
    try:
        finished = _compare(_plan(options), folder)
        _write(finished, folder)
    except TrainingError as error:
        raise CouldNotRun(str(error)) from error
    return RIGHT


def _plan(options: argparse.Namespace) -> Plan:
    same = ("data", "folder", "model", "activation", "device", "batch")
    numbers = ("evaluations", "trials", "seeds", "target", "threads")
    return Plan(
        **{name: getattr(options, name) for name in (*same, *numbers)},
        hidden=tuple(options.hidden),
        optimizers=tuple(options.optimizer or DEFAULT.optimizers),
        dtype=options.dtype or ("float64" if options.model == "mlp" else "float32"),
        jobs=_processors() if options.jobs is None else options.jobs,
    )


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _compare(plan: Plan, folder: Path) -> Finished:
    from tqdm import tqdm

    comparison = Comparison(plan, folder)
    with tqdm(
        total=comparison.evaluations, unit="gradient", unit_scale=True, disable=None if sys.stderr.isatty() else True
    ) as bar:
        return comparison.make(lambda spent: _show(bar, spent))


def _show(bar: Any, spent: int) -> None:
    bar.update(spent - bar.n)


def _write(finished: Finished, folder: Path) -> None:
    from rbo_ref.training import summary

    write(folder / "report.txt", summary.report(finished).encode())
    write(folder / "summary.csv", summary.summary_csv(finished).encode())
    write(folder / "summary.json", summary.as_json(finished).encode())
    write(folder / "runs.csv", summary.runs_csv(finished).encode())
    if util.find_spec("matplotlib") is None:
        warn("skipped: the picture: matplotlib is not installed")
    else:
        write(folder / "comparison.png", _picture(finished))
    say(summary.report(finished))


def _picture(finished: Finished) -> bytes:
    from rbo_ref.training.picture import draw

    content = io.BytesIO()
    draw(finished).savefig(content, format="png", dpi=100)
    return content.getvalue()
