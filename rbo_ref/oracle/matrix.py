"""The kill matrix: which case catches which wrong port of a catalogue, and what the diagnosis calls it."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

from rbo_ref._processes import ending_quietly, started_quietly
from rbo_ref.oracle.cases import select
from rbo_ref.oracle.catalogue import catalogue
from rbo_ref.oracle.checking import check
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.report.html_page import html, new_page
from rbo_ref.oracle.report.plots import kills_plot
from rbo_ref.oracle.suite import frozen

__all__ = ["CASES_NEEDED", "NAMED_NEEDED", "KillMatrix", "Row", "kill_matrix", "workers"]

CASES_NEEDED = 2  # that catch a mistake, so that it does not hang on one
NAMED_NEEDED = 0.9  # share of the mistakes that the diagnosis calls by their names


class Row(NamedTuple):
    """A wrong port: what the diagnosis calls it, and the ids of the cases that catch it."""

    mistake: str
    diagnosis: str
    kills: tuple[str, ...]


@dataclass(frozen=True)
class KillMatrix:
    """Cases × wrong ports.

    Attributes
    ----------
    optimizer, dtype : str
    cases : tuple of str
        All ids.
    rows : tuple of Row
        One for each mistake of the catalogue.
    seconds : float
        What it took.

    Examples
    --------
    >>> matrix = KillMatrix("sam", "float64", ("bowl", "saddle"), (Row("ascent", "ascent", ("bowl",)),), 1.0)
    >>> matrix.named, matrix.thin, matrix.passed
    (1, ['ascent'], False)
    >>> print(matrix.to_csv())
    mistake,diagnosis,bowl,saddle
    ascent,ascent,1,0
    """

    optimizer: str
    dtype: str
    cases: tuple[str, ...]
    rows: tuple[Row, ...]
    seconds: float

    @property
    def thin(self) -> list[str]:
        """The mistakes that fewer than two cases catch."""
        return [row.mistake for row in self.rows if len(row.kills) < CASES_NEEDED]

    @property
    def named(self) -> int:
        """How many mistakes the diagnosis calls by their names."""
        return sum(row.diagnosis == row.mistake for row in self.rows)

    @property
    def passed(self) -> bool:
        """Whether every mistake is caught by two cases or more, and nine in ten are named."""
        return not self.thin and self.named >= NAMED_NEEDED * len(self.rows)

    def __str__(self) -> str:
        lines = []
        for row in self.rows:
            note = "" if row.diagnosis == row.mistake else f"   diagnosed as {row.diagnosis or 'nothing known'}"
            lines.append(f"{row.mistake:<34} killed by {len(row.kills):>3} cases{note}")
        return "\n".join([*lines, "", self.summary()])

    def summary(self) -> str:
        """The figures, in two lines."""
        caught, least = sum(bool(row.kills) for row in self.rows), min((len(row.kills) for row in self.rows), default=0)
        return (
            f"{self.optimizer}, {self.dtype}, suite {frozen()['version']}: {caught} of {len(self.rows)} wrong ports "
            f"killed, each by {least} of {len(self.cases)} cases or more;\n"
            f"{self.named} diagnosed by name; {self.seconds:.0f} s"
        )

    def to_csv(self) -> str:
        """A row for each mistake, a column for each case: 1 where it is caught."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["mistake", "diagnosis", *self.cases])
        writer.writerows([row.mistake, row.diagnosis, *(int(c in row.kills) for c in self.cases)] for row in self.rows)
        return text.getvalue()

    def to_html(self) -> str:
        """The matrix as one self-contained page."""
        document, body = new_page(f"Kill matrix of {self.optimizer}, {self.dtype}", self.summary())
        kills_plot(body, self.cases, {row.mistake: row.kills for row in self.rows})
        return html(document)


def kill_matrix(
    optimizer: str = ROLLING_BALL,
    dtype: str = "float64",
    *,
    processes: int = 1,
    progress: Callable[[int, int], Any] | None = None,
) -> KillMatrix:
    """Judge every wrong port of a catalogue by every case.

    Parameters
    ----------
    optimizer : str
        One that `check` knows.
    dtype : str
    processes : int
        How many work side by side.
    progress : callable, optional
        Called with (mistakes done, mistakes in all).
    """
    known = select(optimizer)
    names, began, rows = list(catalogue(optimizer)), time.perf_counter(), []
    with workers(processes) as each:
        for row in each(partial(_row, optimizer, dtype), names):
            rows.append(row)
            if progress is not None:
                progress(len(rows), len(names))
    return KillMatrix(optimizer, dtype, tuple(c.id for c in known), tuple(rows), time.perf_counter() - began)


@contextmanager
def workers(processes: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """A ``map`` over so many processes.

    Examples
    --------
    >>> with workers(1) as each:
    ...     list(each(abs, [-1, 2]))
    [1, 2]
    """
    if processes == 1:
        yield map
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), ending_quietly)

    def each(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        with started_quietly():
            futures = [pool.submit(function, item) for item in items]
        return (future.result() for future in futures)

    try:
        yield each
    finally:
        pool.shutdown(cancel_futures=True)


def _row(optimizer: str, dtype: str, name: str) -> Row:
    port, xp = catalogue(optimizer)[name](), "torch" if dtype == "bfloat16" else "numpy"  # which lacks it
    report = check(port, optimizer=optimizer, xp=xp, dtype=dtype)
    kills = dict.fromkeys(result.id for result in report.failures)
    return Row(name, report.diagnosis.name if report.diagnosis else "", tuple(kills))
