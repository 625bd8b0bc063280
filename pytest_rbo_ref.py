"""The oracle as a plugin of pytest: ``pytest --rbo-port mymodule:step`` makes a test of every judgement of a port.

Without ``--rbo-port`` it only adds its options. It is a module outside the package, because pytest loads its plugins
before anything else: importing it imports nothing of rbo_ref, which would be slow, and too early for coverage.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rbo-ref", "Rolling Ball Optimizer")
    group.addoption("--rbo-port", metavar="MODULE:ATTRIBUTE", help="judge this port; the tests have the mark rbo")
    group.addoption("--rbo-xp", metavar="LIBRARY", help="its array library: numpy, torch, jax, ...")
    group.addoption("--rbo-dtype", default="float64", metavar="DTYPE", help="float64, float32, ...")
    group.addoption("--rbo-dialect", metavar="NAME", help="the reading of the paper it claims")
    group.addoption("--rbo-optimizer", metavar="NAME", help="what it is, if no rolling ball")
    group.addoption(
        "--rbo-expected-failures", metavar="FILE", help="lines 'PATTERN REASON': ids of tests, and why they fail"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--rbo-port"):
        config.addinivalue_line("markers", "rbo: a judgement of the oracle of rbo_ref")
        config.pluginmanager.register(_Oracle(config), "rbo-ref-oracle")
    elif config.getoption("--rbo-expected-failures"):
        raise pytest.UsageError("--rbo-expected-failures goes with --rbo-port")


class _Oracle:
    """The judgements of one port."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.name = config, config.getoption("--rbo-port")
        self.expected = _expected(config.getoption("--rbo-expected-failures"))

    @cached_property
    def judgements(self) -> list[Any]:
        """None of them made yet."""
        from rbo_ref._words import printable
        from rbo_ref.cli._common import CouldNotRun
        from rbo_ref.cli._ports import named_port
        from rbo_ref.oracle.parametrization import judgements_of

        option = self.config.getoption
        dtype, optimizer = option("--rbo-dtype"), option("--rbo-optimizer")
        dialect = {"dialect": option("--rbo-dialect")} if option("--rbo-dialect") else {}
        try:
            port, xp = named_port(self.name, option("--rbo-xp"), dtype, optimizer)
            return judgements_of(port, optimizer=optimizer, xp=xp, dtype=dtype, **dialect)
        except (CouldNotRun, TypeError, ValueError) as error:
            raise pytest.UsageError(f"--rbo-port: {printable(error)}") from error

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        found = {"judgements": self.judgements, "expected": self.expected}  # a port that is none ends the session here
        port = _Port.from_parent(session, name=self.name, nodeid=self.name, **found)
        items.extend(session.genitems(port))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from rbo_ref.oracle.parametrization import unmatched

        try:
            judgements = self.judgements
        except pytest.UsageError:  # told already
            return
        for pattern in unmatched(self.expected, judgements):
            terminalreporter.write_line(
                f"rbo-ref: the expected failure {pattern!r} matches no judgement", yellow=True, bold=True
            )
        terminalreporter.write_line(f"rbo-ref: {self._counted(terminalreporter.stats)}")

    def _counted(self, stats: dict[str, list[Any]]) -> str:
        """How much of the suite was judged, and with which outcome."""
        from rbo_ref.oracle.dialects import ROLLING_BALL, optimizer_of
        from rbo_ref.oracle.suite import frozen, judgements

        outcomes = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
        mine = {
            outcome: [r.nodeid.startswith(f"{self.name}::") for r in stats.get(outcome, ())] for outcome in outcomes
        }
        told = ", ".join(f"{sum(own)} {outcome}" for outcome, own in mine.items() if any(own)) or "none ran"
        declined = sum("skipped by the port" in str(report.longrepr) for report in stats.get("skipped", ()))
        told += f"; INCOMPLETE: {declined} skipped by the port" if declined else ""
        known = judgements(optimizer_of(self.config.getoption("--rbo-optimizer") or ROLLING_BALL))
        drawn = sum((j.case.id, j.level) not in known for j in self.judgements)
        return f"suite {frozen()['version']}: {len(known)} judgements, and {drawn} of drawn cases; {told}"


class _Port(pytest.Collector):
    """Collects the judgements of a port."""

    def __init__(self, *, judgements: list[Any], expected: dict[str, str], **rest: Any) -> None:
        super().__init__(**rest)
        self.judgements, self.expected = judgements, expected

    def collect(self) -> Iterator[pytest.Item]:
        from rbo_ref.oracle.parametrization import reason_for

        for judgement in self.judgements:
            item = _Judged.from_parent(self, name=judgement.id, judgement=judgement)
            item.add_marker("rbo")
            reason = reason_for(judgement, self.expected)
            if reason:
                item.add_marker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
            yield item


class _Judged(pytest.Item):
    """One judgement."""

    def __init__(self, *, judgement: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.judgement = judgement

    def runtest(self) -> None:
        self.judgement.check()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        wrong = isinstance(excinfo.value, AssertionError)
        return str(excinfo.value) if wrong else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.config.rootpath / str(self.parent and self.parent.nodeid), None, self.name


def _expected(file: str | None) -> dict[str, str]:
    """Patterns of ids, each with its reason: a line each, '#' begins a comment."""
    if file is None:
        return {}
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"cannot read {file}: {error}") from error
    found = {}
    for number, line in enumerate(lines, 1):
        pattern, _, reason = line.partition("#")[0].strip().partition(" ")
        if pattern and not reason.strip():
            raise pytest.UsageError(f"{file}, line {number}: expected PATTERN REASON, got {pattern!r} without a reason")
        if pattern:
            found[pattern] = reason.strip()
    return found
