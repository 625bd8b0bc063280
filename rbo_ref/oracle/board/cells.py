"""A cell of the board: one row of the table, judged in one format."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module, metadata, util
from operator import attrgetter
from typing import Any

from rbo_ref._words import printable
from rbo_ref.oracle.board.listing import Row
from rbo_ref.oracle.checking import check
from rbo_ref.oracle.dialects import dialect_of
from rbo_ref.oracle.report import Report

__all__ = [
    "COULD_NOT_RUN",
    "MISSING",
    "NO_DIALECT",
    "VARIANT",
    "Cell",
    "failed",
    "judged",
    "key",
    "reproduction",
    "verdict_in",
]

MISSING = "NOT INSTALLED"
COULD_NOT_RUN = "COULD NOT RUN"
VARIANT = "VARIANT"
NO_DIALECT = "NO DIALECT"
NO_NUMBERS = re.compile(r"\braised [A-Z]\w*|no answer within")  # in the message of a judgement


@dataclass(frozen=True)
class Cell:
    """What came of a row in a format.

    Attributes
    ----------
    library, name, optimizer, dialect, dtype : str
    verdict : str
        That of the report; "VARIANT" where it is wrong by nothing but the difference that its documentation states;
        "NO DIALECT" where its documentation states another definition, which the oracle does not have;
        "NOT INSTALLED", "COULD NOT RUN".
    counts : mapping
        How many judgements there were, and of each verdict; none where it was not judged.
    cases : tuple of str
        The patterns of the cases asked; none: all.
    difference : mapping or None
        name, description and evidence of the mistake found.
    message : str
        The first wrong judgement, or why it was not judged.
    note : str
        What is known of the difference from the source of the library.
    reproduction : str
        A program that shows the worst of it; empty where nothing is wrong.
    versions : mapping
        Of the distributions that the verdict depends on.

    Examples
    --------
    >>> Cell("torch", "SGD", "gradient-descent", "paper", "float64", "WRONG", {"results": 28, "fail": 3}).share
    '3 of 28'
    """

    library: str
    name: str
    optimizer: str
    dialect: str
    dtype: str
    verdict: str
    counts: Mapping[str, int] = field(default_factory=dict)
    cases: tuple[str, ...] = ()
    difference: Mapping[str, str] | None = None
    message: str = ""
    note: str = ""
    reproduction: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> str:
        """How many judgements say what the verdict says, of those that were not skipped."""
        said = "fail" if self.verdict in ("WRONG", VARIANT, NO_DIALECT) else "pass"
        asked = self.counts.get("results", 0) - self.counts.get("skipped", 0)
        return f"{self.counts.get(said, 0)} of {asked}" if self.counts else ""


def key(cell: Cell) -> tuple[str, str, str, str]:
    """What makes a cell the same one in another run."""
    return cell.library, cell.name, cell.optimizer, cell.dtype


def judged(row: Row, dtype: str, time_limit: float = 20.0) -> Cell:
    """A row, judged; the library is not imported before. Whatever it raises is a cell.

    Examples
    --------
    >>> judged(Row("no-such-library", "SGD", "gradient-descent", "no_such_library:SGD"), "float64").message
    'no_such_library is not installed'
    """
    os.environ.update(row.environment)
    absent = next((module for module in _modules(row) if not _is_there(module)), None)
    if absent is not None:
        return failed(row, dtype, f"{absent} is not installed", MISSING)
    try:
        port = _port(row)
        xp = getattr(port, "library", "numpy")
        report = check(port, xp=xp, dtype=dtype, time_limit=time_limit, **_options(row))
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # whatever a library raises when it is imported, SystemExit too
        return failed(row, dtype, f"{type(error).__name__}: {printable(error, 300)}")
    return _cell(row, dtype, xp, report)


def failed(row: Row, dtype: str, why: str, verdict: str = COULD_NOT_RUN) -> Cell:
    """The cell of what was not judged."""
    about = (row.library, row.name, row.optimizer, dialect_of(row.dialect, row.optimizer), dtype)
    return Cell(*about, verdict, cases=row.cases, message=printable(why), versions=_versions(row))


def _cell(row: Row, dtype: str, xp: str, report: Report) -> Cell:
    found, wrong = report.diagnosis, report.failures
    worst = max(wrong, key=lambda result: result.ratio or 0.0, default=None)
    about = (row.library, row.name, row.optimizer, report.dialect, dtype)
    return Cell(
        *about,
        verdict_in(row, report),
        {name: report.counts[name] for name in ("results", "pass", "fail", "undecidable", "skipped")},
        row.cases,
        {"name": found.name, "description": found.description, "evidence": found.evidence} if found else None,
        f"{worst.id} [{worst.level}]: {worst.message}" if worst else _gap(report),
        (row.definition or row.note) if wrong else "",
        reproduction(row, dtype, xp, worst.id) if worst else "",
        _versions(row),
    )


def verdict_in(row: Row, report: Report) -> str:
    """That of the report, unless what is wrong is what the documentation states, or all that failed gave no numbers."""
    if report.verdict != "WRONG":
        return report.verdict
    if all(NO_NUMBERS.search(result.message) for result in report.failures):
        return COULD_NOT_RUN
    if report.diagnosis is None:
        return NO_DIALECT if row.definition else "WRONG"
    reproduced = re.findall(r"(\d+) of (\d+)", report.diagnosis.evidence)
    is_all = bool(reproduced) and all(some == every for some, every in reproduced)
    return VARIANT if report.diagnosis.name == row.variant and is_all else "WRONG"


def _gap(report: Report) -> str:
    """Why nothing was decided, or something not answered."""
    silent = next((r.message for r in report.results if r.verdict in ("undecidable", "skipped") and r.message), "")
    return report.gap or ("" if report.passed else silent)


def _options(row: Row) -> dict[str, Any]:
    """The arguments of `check` that the row sets."""
    given = {name: getattr(row, name) for name in ("optimizer", "dialect", "inner_dtype", "compute_dtype")}
    return {name: value for name, value in given.items() if value} | ({"cases": list(row.cases)} if row.cases else {})


def _port(row: Row) -> Any:
    factory = _named(row.factory)
    return _named(row.adapter)(partial(factory, **row.settings) if row.settings else factory)


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return attrgetter(attribute)(import_module(module))


def _modules(row: Row) -> list[str]:
    """The modules that a row imports: that of the factory, or if that is one of ours, of the library; what it needs."""
    top = row.factory.partition(":")[0].partition(".")[0]
    own = row.library if top == __name__.partition(".")[0] else top
    return [name.replace("-", "_") for name in (own, *row.needs)]


def _is_there(module: str) -> bool:
    try:
        return util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _versions(row: Row) -> dict[str, str]:
    found = {}
    for name in dict.fromkeys((row.library, *row.needs)):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def reproduction(row: Row, dtype: str, xp: str, case: str) -> str:
    """A program of ten lines at most that judges a row by one case.

    Examples
    --------
    >>> row = Row("torch", "SGD", "gradient-descent", "torch.optim:SGD", settings={"dampening": 0.5})
    >>> print(reproduction(row, "float64", "torch", "momentum-far"))
    from functools import partial
    import torch.optim
    import rbo_ref.oracle
    port = rbo_ref.oracle.TorchPort(partial(torch.optim.SGD, dampening=0.5))
    options = {'optimizer': 'gradient-descent', 'xp': 'torch', 'dtype': 'float64', 'cases': ['momentum-far']}
    print(rbo_ref.oracle.check(port, **options))
    """
    (module, factory), (home, adapter) = (name.split(":") for name in (row.factory, row.adapter))
    made = f"{module}.{factory}"
    if row.settings:
        made = f"partial({made}, {', '.join(f'{name}={value!r}' for name, value in row.settings.items())})"
    options = {name: value for name, value in _options(row).items() if name != "cases"}
    options |= {"xp": xp, "dtype": dtype, "cases": [case]}
    lines = ["import os", f"os.environ.update({dict(row.environment)})"] if row.environment else []
    lines += ["from functools import partial"] if row.settings else []
    lines += [f"import {name}" for name in dict.fromkeys((module, home, "rbo_ref.oracle"))]
    lines += [f"port = {home}.{adapter}({made})", f"options = {options}"]
    return "\n".join([*lines, "print(rbo_ref.oracle.check(port, **options))"])
