"""How much of what a port did a suspect does too: the rule by which a mistake is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy

__all__ = ["EXAMPLES", "NEEDED", "Reproduction", "spread"]

EXAMPLES = 12  # of wrong answers, and as many of right ones, that a suspect has to reproduce
NEEDED = 0.9  # share of the wrong ones, and of the right ones
SAME = 0.1  # of the slack: suspects that are nearer than this on average fit equally well
T = TypeVar("T")


@dataclass
class Reproduction:
    """What a suspect reproduces. Right answers alone prove nothing: a suspect may have no effect on them.

    Examples
    --------
    >>> found = Reproduction()
    >>> for is_wrong in (True, True, False):
    ...     found.add(is_wrong, 0.25, slack=1.0)
    >>> found.is_evidence, found.counts("step")
    (True, '2 of 2 failing steps and 1 of 1 right ones')
    >>> found.add(True, 3.0, slack=1.0)
    >>> found.is_evidence
    False
    """

    hits: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})  # of wrong answers, of right ones
    totals: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    worst: float = 0.0  # distance in tolerances, of those that are reproduced
    fits: list[float] = field(default_factory=list)  # distances as shares of the slack

    def add(self, is_wrong: bool, distance: float, slack: float) -> None:
        """An answer of the port, and how far from it that of the suspect is."""
        self.totals[is_wrong] += 1
        if distance <= slack:
            self.hits[is_wrong] += 1
            self.worst = max(self.worst, distance)
            self.fits.append(distance / slack)

    @property
    def is_evidence(self) -> bool:
        enough = all(self.hits[kind] >= NEEDED * self.totals[kind] for kind in (True, False))
        return self.totals[True] > 0 and enough

    def is_hopeless(self, wrong: int, right: int) -> bool:
        """Whether it has missed too many, of so many in all."""
        missed = {kind: self.totals[kind] - self.hits[kind] for kind in (True, False)}
        return missed[True] > (1 - NEEDED) * wrong or missed[False] > (1 - NEEDED) * right

    @property
    def fit(self) -> tuple[float, float]:
        """Sorts last what fits best."""
        share = sum(self.hits.values()) / max(sum(self.totals.values()), 1)
        return share, -max(float(numpy.mean(self.fits)) if self.fits else 0.0, SAME)

    def counts(self, noun: str) -> str:
        """The counts in words."""
        wrong = f"{self.hits[True]} of {self.totals[True]} failing {noun}s"
        return f"{wrong} and {self.hits[False]} of {self.totals[False]} right ones" if self.totals[False] else wrong


def spread(items: Iterable[T], family: Callable[[T], object], badness: Callable[[T], float]) -> list[T]:
    """Examples of all families: the worst of each before the second of any, from the worst to the mildest.

    Examples
    --------
    >>> spread(["bowl 3", "bowl 2", "cliff 9"], lambda s: s[:-2], lambda s: float(s[-1]))
    ['cliff 9', 'bowl 3', 'bowl 2']
    """
    rounds: list[list[T]] = []
    seen: dict[object, int] = {}
    for item in sorted(items, key=badness, reverse=True):
        turn = seen.get(family(item), 0)
        seen[family(item)] = turn + 1
        rounds += [[]] if turn == len(rounds) else []
        rounds[turn].append(item)
    chosen: list[T] = []
    for group in rounds:
        room = EXAMPLES - len(chosen)
        which = range(len(group)) if len(group) <= room else numpy.linspace(0, len(group) - 1, room).round().astype(int)
        chosen += [group[i] for i in which]
    return chosen
