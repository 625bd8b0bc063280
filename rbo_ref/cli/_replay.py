"""``rbo-ref replay``: judge a recorded run, or compare two."""

from __future__ import annotations

import argparse
import ast
import sys
from itertools import chain
from typing import Any

from rbo_ref.cli._common import CouldNotRun, status_of
from rbo_ref.cli._guard import going_on
from rbo_ref.cli._optimizer import add_optimizer
from rbo_ref.cli._ports import load
from rbo_ref.cli._reports import add_files, refuse_files, to_standard_output, write_files
from rbo_ref.cli._streams import say
from rbo_ref.oracle import READINGS, Report, check_trajectory, compare_trajectories
from rbo_ref.oracle.replay import Recording, open_recording

__all__ = ["add"]

HYPERS = {"learning_rate": float, "radius": float, "projection_rate": float, "projection_steps": int}
DTYPES = ("float16", "bfloat16", "float32", "float64")


def add(replay: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    replay.description = _replay.__doc__
    replay.add_argument("file", metavar="FILE", help="the recording: NPZ, CSV or JSON Lines")
    replay.add_argument("--loss", metavar="NAME", help="a landscape, the id of a case, or MODULE:ATTRIBUTE")
    for name, kind in HYPERS.items():
        replay.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=kind.__name__.upper())
    add_optimizer(replay, "what took the steps (default: what the recording says)")
    replay.add_argument(
        "--hyper", action="append", default=[], metavar="NAME=VALUE", help="any other hyper-parameter (may be repeated)"
    )
    readings = sorted(set(chain(*READINGS.values())))
    replay.add_argument("--dialect", choices=readings, help="the reading of the paper that the port claims")
    replay.add_argument("--dtype", choices=DTYPES, help="the format that the port computed in")
    replay.add_argument("--compare", metavar="OTHER", help="another recording of the same map, from any port")
    add_files(replay)
    replay.set_defaults(run=_replay, runs_foreign_code=True)


def _replay(options: argparse.Namespace) -> int:
    """Judge every step of a recorded run.

    What the options say goes before what the recording says of itself.
    """
    refuse_files(options)
    loss = load(options.loss) if options.loss and ":" in options.loss else options.loss
    given = {name: getattr(options, name) for name in HYPERS} | dict(map(_named, options.hyper))
    going_on(f"{options.file} was judged")
    try:
        recording = open_recording(options.file)
        reports: list[Report] = [_judge(recording, loss, given, options)]
        if options.compare:
            other = open_recording(options.compare)
            reports.append(compare_trajectories(recording, other, loss, dialect=options.dialect, **given))
    except (TypeError, ValueError) as error:
        raise CouldNotRun(str(error)) from error
    if not to_standard_output(options):
        say("\n\n".join(str(report) for report in reports))
    write_files(reports, options)
    return status_of(report.verdict for report in reports)


def _judge(recording: Recording, loss: Any, given: dict[str, Any], options: argparse.Namespace) -> Report:
    from tqdm import tqdm

    with tqdm(desc="steps", leave=False, unit="", disable=None if sys.stderr.isatty() else True) as bar:

        def progress(done: int) -> None:
            bar.update(done - bar.n)

        return check_trajectory(
            recording,
            loss,
            optimizer=options.optimizer,
            dtype=options.dtype,
            dialect=options.dialect,
            progress=progress,
            **given,
        )


def _named(text: str) -> tuple[str, Any]:
    """A hyper-parameter, as in "betas=(0.9, 0.999)" or "variant=log"."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise CouldNotRun(f"--hyper must be NAME=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
