"""The comparison as a picture: training loss and test accuracy against gradient evaluations. It needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy

from benchmarks.training.comparison import Finished, Trial
from benchmarks.training.contenders import CONTENDERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

COLORS = dict(
    zip(
        CONTENDERS,
        ("#333333", "#8a8a8a", "#3f7fbf", "#4d8f4d", "#7a6a3a", "#b8433f", "#c8711b", "#a04ba0", "#2aa0a0"),
        strict=True,
    )
)
SIZE = (11.0, 4.6)  # inches
TINY = 1e-12  # where the logarithm of a loss ends


def draw(finished: Finished) -> Figure:
    """Curves of all optimizers, a line for the mean over the seeds and a band from the worst to the best.

    Parameters
    ----------
    finished : Finished

    Returns
    -------
    matplotlib.figure.Figure
        Left the training loss, tuned for it (its mean is that of the logarithm); right the test accuracy, tuned for the
        accuracy on the validation part.

    Raises
    ------
    ImportError
        Without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ImportError('the picture needs matplotlib: pip install "rbo-ref[figures]"') from error
    figure = Figure(SIZE, layout="constrained")
    left, right = figure.subplots(1, 2)
    grid = numpy.linspace(0, finished.plan.evaluations, 201)
    for name in finished.plan.optimizers:
        _curve(left, name, grid, 10 ** _on(grid, finished.runs["loss"][name], lambda mark: mark.loss))
        _curve(right, name, grid, 10 ** _on(grid, finished.runs["accuracy"][name], lambda mark: 1 - mark.accuracy))
    for ax, label in ((left, "training loss"), (right, "test error")):
        ax.set(xlabel="gradient evaluations on a mini-batch", ylabel=label, yscale="log", xlim=(0, grid[-1]))
        ax.grid(alpha=0.3)
    left.axhline(finished.plan.target, color="#333333", linewidth=0.8, linestyle=":")
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=9)
    figure.suptitle(
        f"{finished.plan.data}, {finished.plan.model}, {finished.dimension} parameters, {finished.plan.seeds} seeds",
        fontsize=10,
    )
    return figure


def _on(grid: numpy.ndarray, trials: Sequence[Trial], quantity: Any) -> numpy.ndarray:
    """Logarithms of a quantity of the marks, run by run, at the same numbers of evaluations."""
    rows = []
    for trial in trials:
        marks = trial.outcome.marks
        values = numpy.array([quantity(mark) for mark in marks])
        logs = numpy.log10(numpy.clip(values, TINY, 1 / TINY))
        rows.append(numpy.interp(grid, [mark.evaluations for mark in marks], logs, right=numpy.nan))
    return numpy.array(rows)


def _curve(ax: Any, name: str, grid: numpy.ndarray, values: numpy.ndarray) -> None:
    mean, color, is_ball = 10 ** numpy.log10(values).mean(axis=0), COLORS[name], name.startswith("rbo")
    width = 2.2 if is_ball else 1.2
    ax.plot(grid, mean, color=color, label=CONTENDERS[name].title, linewidth=width, zorder=2 + is_ball)
    ax.fill_between(grid, values.min(axis=0), values.max(axis=0), color=color, alpha=0.1, linewidth=0)
