"""Who hunts what: for each known mistake a few cases, or vectors, that are there to catch it.

The tables are files that `freezing` writes: a hunter is found by judging the mistake, never claimed by hand.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from rbo_ref.oracle.report import Result

__all__ = ["CLEAR", "HUNTERS", "Table", "clearness", "flags", "read", "shared", "written"]

CLEAR = 10.0  # tolerances: how wrong an answer is to be relied on
HUNTERS = 2  # of a mistake, at least
Table = Mapping[str, Sequence[str]]  # the hunters of each flag: an optimizer, a point, a mistake
Caught = Mapping[str, Mapping[str, float]]  # of each flag, who catches it, by how many tolerances


def read(file: Path) -> dict[str, tuple[str, ...]]:
    """The hunters of each flag."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {flag: tuple(names.split()) for flag, _, names in (line.partition(": ") for line in lines)}


def written(table: Table) -> str:
    """A table as the text of its file.

    Examples
    --------
    >>> written({"sam.ascent": ["usual-waves3", "wide-bowl"]})
    'sam.ascent: usual-waves3 wide-bowl\\n'
    """
    return "".join(f"{flag}: {' '.join(sorted(table[flag]))}\n" for flag in sorted(table))


@cache
def flags(file: Path) -> dict[str, tuple[str, ...]]:
    """The flags of each hunter that has any.

    Examples
    --------
    >>> from rbo_ref.oracle.cases.case import CATCHES
    >>> "rolling-ball.ascent" in flags(CATCHES)["plane"]
    True
    """
    found: dict[str, list[str]] = {}
    for flag, names in read(file).items():
        for name in names:
            found.setdefault(name, []).append(flag)
    return {name: tuple(sorted(own)) for name, own in found.items()}


def clearness(results: Iterable[Result]) -> float:
    """By how many tolerances the worst of some results fails; infinite where nothing could be compared; 0 for none.

    Examples
    --------
    >>> clearness([Result("plane", "step", "fail", 3e-16, 1e-16, ""), Result("plane", "walk", "pass", 0.0, 1e-16, "")])
    3.0
    """
    ratios = (result.ratio for result in results if result.verdict == "fail")
    return max((math.inf if r is None or math.isnan(r) else r for r in ratios), default=0.0)


def shared(
    caught: Caught,
    before: Table,
    idle: Iterable[str] = (),
    kind: Callable[[str], object] = lambda name: "",
    place: Callable[[str], object] = lambda name: name,
) -> dict[str, list[str]]:
    """Few hunters for each flag, of those that catch it clearly, so that all hunt about equally many.

    Parameters
    ----------
    caught : mapping
    before : mapping
        A table: who hunted a flag and still catches it stays, and who is there suffices.
    idle : iterable of str
        Those that are asked first, and shall hunt something, if they catch anything.
    kind, place : callable
        Of a hunter: one of each kind is taken, each from another place.

    Examples
    --------
    >>> found = {"sam.ascent": {"a": 50.0, "b": 50.0, "c": 50.0}, "sam.late": {"a": 50.0, "b": 2.0, "c": 50.0}}
    >>> shared(found, {"sam.ascent": ["c"]})
    {'sam.ascent': ['c', 'a'], 'sam.late': ['a', 'c']}
    """
    chosen = {flag: [name for name in before.get(flag, ()) if name in found] for flag, found in caught.items()}
    wanted = set(idle)
    load = Counter(name for names in chosen.values() for name in names)
    for flag in sorted(caught, key=lambda flag: len(caught[flag])):
        if len(chosen[flag]) < HUNTERS:
            clear = (name for name, ratio in caught[flag].items() if ratio >= CLEAR)
            ordered = sorted(clear, key=lambda name: (name not in wanted, load[name], name))
            more = list(_more(ordered, chosen[flag], kind, place))
            chosen[flag] += more
            load.update(more)
    for name in sorted(wanted):
        mine = [flag for flag, found in caught.items() if found.get(name, 0.0) >= CLEAR]
        if mine and not load[name]:
            chosen[min(mine, key=lambda flag: (len(chosen[flag]), flag))].append(name)
            load[name] += 1
    return chosen


def _more(
    ordered: Sequence[str], kept: Sequence[str], kind: Callable[[str], object], place: Callable[[str], object]
) -> Iterator[str]:
    """One of each further kind, from different places; of few kinds or places, so many that there are enough."""
    kinds, places, spare, count = set(map(kind, kept)), set(map(place, kept)), [], len(kept)
    for name in ordered:
        if name in kept:
            continue
        if kind(name) in kinds or place(name) in places:
            spare.append(name)
            continue
        kinds.add(kind(name))
        places.add(place(name))
        count += 1
        yield name
    yield from spare[: max(HUNTERS - count, 0)]
