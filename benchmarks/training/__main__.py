"""``python -m benchmarks.training``: compare optimizers on real data."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import Any

from benchmarks.training.comparison import Comparison, Finished, Plan
from benchmarks.training.contenders import CONTENDERS
from benchmarks.training.data import names
from benchmarks.training.errors import TrainingError
from benchmarks.training.records import write
from benchmarks.training.workers import MODELS
from rbo_ref._words import printable

__all__ = ["main"]

DEFAULT = Plan()
COULD_NOT_RUN = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare optimizers on real data, at equal numbers of gradient evaluations, tuned by equal budgets.

    The table, CSV and JSON files and a picture are written into the output folder, with a record of every run. A
    command that is killed goes on where it was, at most one epoch earlier, when it is given again.
    """
    options = _parser().parse_args(arguments)
    folder = Path(options.output or f"training-{options.data}-{options.model}")
    try:
        _write(_compare(_plan(options), folder), folder)
    except TrainingError as error:
        print(f"training: {printable(error)}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        print("training: interrupted", file=sys.stderr)
        return COULD_NOT_RUN
    return 0


def _parser() -> argparse.ArgumentParser:
    train = argparse.ArgumentParser(prog="python -m benchmarks.training", description=main.__doc__)
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
        ("trials", "of each optimizer, for each hyper-parameter searched"),
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
    train.add_argument("--output", metavar="DIR", help="default: training-DATA-MODEL")
    return train


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
    from benchmarks.training import summary

    write(folder / "report.txt", summary.report(finished).encode())
    write(folder / "summary.csv", summary.summary_csv(finished).encode())
    write(folder / "summary.json", summary.as_json(finished).encode())
    write(folder / "runs.csv", summary.runs_csv(finished).encode())
    if util.find_spec("matplotlib") is None:
        print("training: no picture: matplotlib is not installed", file=sys.stderr)
    else:
        write(folder / "comparison.png", _picture(finished))
    print(summary.report(finished))


def _picture(finished: Finished) -> bytes:
    from benchmarks.training.picture import draw

    content = io.BytesIO()
    draw(finished).savefig(content, format="png", dpi=100)
    return content.getvalue()


if __name__ == "__main__":
    sys.exit(main())
