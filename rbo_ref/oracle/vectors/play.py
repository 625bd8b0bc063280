"""Putting a vector's question to a port in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.catalogue import in_dialect
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.losses import Loss, evaluate
from rbo_ref.oracle.vectors.notation import Record
from rbo_ref.oracle.vectors.reading import numbers_of, settings_of, target_of

__all__ = ["Answer", "answer_of", "asked"]

Answer = dict[str, NDArray[Any]]
Served = Callable[[NDArray[Any]], tuple[Any, NDArray[Any]]]


def asked(vector: Record, loss: Loss | None) -> Served:
    """f and ∇f as a port is answered: evaluated, given once, or from the script."""
    if loss is not None:
        return lambda theta: evaluate(loss, theta)
    if "script" in vector:
        rows = _rows(vector)
        return lambda theta: next(rows)
    value, gradient = numbers_of(vector, "value")[()], numbers_of(vector, "gradient")
    return lambda theta: (value, gradient)


def _rows(vector: Record) -> Iterator[tuple[Any, NDArray[Any]]]:
    values, gradients = (decode(vector["script"][name]["bits"], target_of(vector)) for name in ("value", "gradient"))
    yield from zip(values, gradients, strict=True)


def answer_of(vector: Record, loss: Loss | None, port: Any, trajectory: NDArray[Any] | None = None) -> Answer:
    """What a port answers: a class of the catalogues of `mistakes`, or the right one.

    Parameters
    ----------
    vector : dict
    loss : Loss or None
        The loss that the vector names.
    port : type
    trajectory : array, optional
        The rows of a vector of that kind.
    """
    with numpy.errstate(all="ignore"):
        if vector["optimizer"] != ROLLING_BALL:
            return _run_of_optimizer(vector, loss, port)
        stepper = in_dialect(port, vector["dialect"])
        return _ANSWERS[vector["kind"]](vector, asked(vector, loss), stepper, trajectory)


def _run_of_optimizer(vector: Record, loss: Loss | None, port: Any) -> Answer:
    draws = {"draws": numbers_of(vector, "draws")} if "draws" in vector else {}
    (hyper,), theta, steps = settings_of(vector), numbers_of(vector, "theta"), vector["iterations"]
    iterates = in_dialect(port, vector["dialect"])()(asked(vector, loss), theta, iterations=steps, **draws, **hyper)
    return {"iterates": numpy.stack(iterates)}


def _run(vector: Record, served: Served, port: Any, trajectory: Any) -> Answer:
    stepper, theta, iterates = port(), numbers_of(vector, "theta"), []
    for hyper in islice(cycle(settings_of(vector)), vector["iterations"]):
        theta = stepper(served, theta, **hyper)
        iterates.append(theta)
    return {"iterates": numpy.stack(iterates)}


def _trajectory(vector: Record, served: Served, port: Any, trajectory: NDArray[Any]) -> Answer:
    """One step from each row; the port goes on remembering."""
    stepper, hypers = port(), cycle(settings_of(vector))
    return {"iterates": numpy.stack([stepper(served, theta.copy(), **next(hypers)) for theta in trajectory[:-1]])}


def _primitives(vector: Record, served: Served, port: Any, trajectory: Any) -> Answer:
    stepper, (hyper,) = port(), settings_of(vector)
    stepper(served, numbers_of(vector, "theta"), **hyper, projection_rate=0.0, projection_steps=0)
    return {"normal": stepper.nu, "tangent": stepper.tau, "center": stepper.c, "candidate": stepper.candidate}


def _projection(vector: Record, served: Served, port: Any, trajectory: Any) -> Answer:
    """The inner loop alone, or one iteration of it."""
    candidate, (hyper,) = numbers_of(vector, "candidate"), settings_of(vector)

    class Given(port):
        def stepped(self) -> NDArray[Any]:
            return candidate

    hyper = {"learning_rate": 0.0, "radius": 0.0, "projection_steps": 1} | hyper
    return {"theta": Given()(served, numbers_of(vector, "theta"), **hyper)}


_ANSWERS: dict[str, Callable[..., Answer]] = {
    "primitives": _primitives,
    "inner": _projection,
    "projection": _projection,
    "run": _run,
    "scripted": _run,
    "trajectory": _trajectory,
}
