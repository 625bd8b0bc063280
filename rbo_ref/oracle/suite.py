"""The suite: which judgements a version of it holds, frozen, so that reports have a denominator that nothing moves.

A judgement is one case at one level. The file ``suite.json`` lists them; `freezing` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.report import Result

__all__ = ["FILE", "Coverage", "coverage", "frozen", "judgements"]

FILE = Path(__file__).with_name("suite.json")


class Coverage(NamedTuple):
    """How much of the suite a check is.

    Examples
    --------
    >>> print(Coverage("1.0", judgements=126, collected=24, ran=12, drawn=3))
    suite 1.0: 24 of its 126 judgements collected, 12 ran; 3 more of drawn cases
    """

    version: str
    judgements: int  # that this version of the suite holds
    collected: int  # of these, asked for
    ran: int  # of these, not skipped
    drawn: int  # further judgements, on cases drawn from the seed

    def __str__(self) -> str:
        drawn = f"; {self.drawn} more of drawn cases" if self.drawn else ""
        some = f"{self.collected} of its {self.judgements} judgements collected, {self.ran} ran"
        return f"suite {self.version}: {some}{drawn}"


def coverage(results: Iterable[Result], optimizer: str = ROLLING_BALL) -> Coverage:
    """How much of the suite of an optimizer some results are.

    Examples
    --------
    >>> coverage([Result("plane", "step", "pass", 0.0, 1e-16, "")]).collected
    1
    """
    results, known = list(results), judgements(optimizer)
    collected = [result for result in results if (result.id, result.level) in known]
    ran = sum(result.verdict != "skipped" for result in collected)
    return Coverage(frozen()["version"], len(known), len(collected), ran, len(results) - len(collected))


@cache
def judgements(optimizer: str = ROLLING_BALL) -> frozenset[tuple[str, str]]:
    """The (case, level) pairs of the suite of an optimizer.

    Examples
    --------
    >>> ("plane", "step") in judgements()
    True
    """
    cases = frozen()["optimizers"].get(optimizer, {})
    return frozenset((case, level) for case, entry in cases.items() for level in entry["levels"])


@cache
def frozen() -> dict[str, Any]:
    """What ``suite.json`` holds.

    The versions of suite and vectors, in which formats how many mistakes of the rolling ball are caught, by how many
    cases each at least, and for each optimizer the cases with their levels and fingerprints.
    """
    return json.loads(FILE.read_text(encoding="utf-8"))
