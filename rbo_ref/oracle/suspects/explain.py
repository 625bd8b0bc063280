"""Which formula does a wrong port follow?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.judgement import Fit, Suspect, alike, fit, likely
from rbo_ref.oracle.suspects.played import Played, examples

__all__ = ["EDITED", "Explanation", "by_known", "certain", "rest_of"]

EDITED = "-edited"  # ends the name of a formula that no catalogue has
Judge = Callable[[Suspect, Sequence[Played]], Fit | None]


class Explanation(NamedTuple):
    """A formula that explains a port, how well, and others that cannot be told apart from it."""

    suspect: Suspect
    fit: Fit
    twins: tuple[Suspect, ...] = ()

    @property
    def evidence(self) -> str:
        found = self.fit
        text = f"it reproduces {found.counts}, to within {found.worst:.2g} tolerances of rounding"
        twins = ", ".join(twin.description if twin.name.endswith(EDITED) else twin.name for twin in self.twins)
        return text + (f"; cannot be told apart from {twins}" if twins else "")


def by_known(suspects: Sequence[Suspect], runs: Sequence[Played], formats: Formats) -> Explanation | None:
    """The known formula that explains all that a port did.

    One of which rounding decides too much is known by its numbers alone: in floats, given the same loss.
    """
    chosen = examples(runs)
    possible = [suspect for suspect in suspects if likely(suspect.make, chosen)]
    proven, numerically = partial(certain, formats=formats), partial(_alike, formats=formats)
    tried = len(suspects)
    return _explained(proven, possible, tried, runs) or _explained(numerically, suspects, tried, runs)


def _explained(how: Judge, suspects: Iterable[Suspect], tried: int, runs: Sequence[Played]) -> Explanation | None:
    """The first of some suspects that explains all that a port did, so many having been asked."""
    chosen = examples(runs)
    rest = rest_of(runs, chosen)
    pairs = []
    for suspect in suspects:
        found = how(suspect, chosen)
        if found is not None and found.is_evidence(tried) and (more := how(suspect, rest)) is not None:
            pairs.append((suspect, found + more))
    if not pairs:
        return None
    (suspect, found), *others = pairs
    return Explanation(suspect, found, tuple(other for other, _ in others))


def rest_of(runs: Sequence[Played], chosen: Sequence[Played]) -> list[Played]:
    """The runs that are no examples."""
    return [run for run in runs if not any(run is one for one in chosen)]


def certain(suspect: Suspect, runs: Sequence[Played], formats: Formats) -> Fit | None:
    """How a suspect explains runs; None if it does not, or if only floats can do what it does."""
    try:
        return fit(suspect.make, runs, formats)
    except AttributeError:
        return None


def _alike(suspect: Suspect, runs: Sequence[Played], formats: Formats) -> Fit | None:
    return alike(suspect.make, runs, formats)
