"""Sweeps that tests make in processes of their own: ``python -m tests.rbo_ref.sweeps.plans KIND FOLDER``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np

from geometry import FunctionGraph
from rbo_ref import GradientDescent, RollingBall, Sweep, landscapes

STARTS = np.linspace(-2, 2, 12)[:, None]


def plain(out, **changes):
    """24 tasks of one start."""
    given = {
        "optimizers": {"ball": RollingBall(0.1, 0.5), "descent": GradientDescent(0.1)},
        "losses": {"sine": landscapes.sine()},
        "starts": STARTS,
        "steps": 20,
        "chunk": 1,
    }
    return Sweep(**(given | {"out": out} | changes))


def noted(log, theta):
    """A bowl, which notes in a file where it began."""
    with Path(log).open("a") as file:
        file.write(f"{theta.ravel()[0].hex()}\n")
    return (theta**2).sum(-1)


def noting(out):
    """Twelve tasks; the first evaluation of each is at its start."""
    bowl = FunctionGraph(partial(noted, Path(out, "log")), lambda theta: 2 * theta)
    descent = {"descent": GradientDescent(0.25)}
    return Sweep(descent, {"bowl": bowl}, STARTS, 2, out=out, chunk=1, labels={"bowl": "noted"})


if __name__ == "__main__":
    {"plain": plain, "noting": noting}[sys.argv[1]](Path(sys.argv[2])).run()
