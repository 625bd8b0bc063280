"""What a port did, as a suspect has to explain it: runs of judged steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle.losses import Loss

__all__ = ["EXAMPLES", "Played", "Step", "elsewhere", "examples", "spread"]

LONG = 4  # times the steps that a formula may need to show what it is
EXAMPLES = 12  # of wrong runs, and as many of right ones, that a suspect has to explain
Floats = NDArray[numpy.float64]
T = TypeVar("T")


class Step(NamedTuple):
    """One step of a port, as it was judged by the right formula."""

    theta: NDArray[Any]  # where it stood
    hyper: Mapping[str, Any]
    draw: NDArray[Any] | None
    answer: NDArray[Any]  # where it went
    truth: Floats
    tolerance: Floats  # without bound where nothing can be said
    wrong: bool
    kept: bool = False  # the port went on with the θ that it holds, which it may know more precisely

    @property
    def errors(self) -> Floats:
        with numpy.errstate(all="ignore"):
            return numpy.abs(self.answer.astype(float) - self.truth)

    @property
    def is_known(self) -> bool:
        return bool(numpy.isfinite(self.tolerance).all())


@dataclass(eq=False)
class Played:
    """A run of a port, of which the first steps were judged."""

    case: str
    loss: Loss
    steps: list[Step]
    alone: bool  # each step was taken by a port without memory
    badness: float = 0.0  # its worst error, in tolerances
    walks: bool = False  # it was judged as a whole, from its first place
    arithmetic: Callable[[Format], Arithmetic] = Arithmetic  # how the loss is answered,
    answers: Callable[[], Any] | None = None  # and in floats, if not correctly rounded

    @cached_property
    def is_wrong(self) -> bool:
        return any(step.wrong for step in self.steps)

    @cached_property
    def judged(self) -> list[Step]:
        """The steps up to the last one of which anything is known."""
        return self.steps[: 1 + max((t for t, step in enumerate(self.steps) if step.is_known), default=-1)]

    @property
    def family(self) -> tuple[str, bool]:
        return self.case.partition("-")[0], self.alone


def elsewhere(run: Played, seed: int) -> Played:
    """The same questions at other places, with other hyper-parameters: nobody answered them."""
    random = numpy.random.RandomState(seed)

    def moved(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(moved, value))
        return value * random.uniform(0.8, 1.0) if isinstance(value, float) else value

    def shifted(step: Step) -> Step:
        theta = step.theta.astype(float)
        bound = numpy.zeros(theta.shape)
        place = theta + random.uniform(-0.25, 0.25, theta.shape) * (1 + numpy.abs(theta))
        hyper = {name: moved(value) for name, value in step.hyper.items()}
        return step._replace(theta=place, hyper=hyper, tolerance=bound)

    several = run.judged * (1 if run.walks else LONG)
    return replace(run, steps=[shifted(step) for step in several], alone=False)


def examples(runs: Iterable[Played]) -> list[Played]:
    """The runs to explain: wrong ones, and right ones that a wrong explanation would fail."""
    runs = list(runs)
    chosen = ([run for run in runs if run.is_wrong == kind] for kind in (True, False))
    return [run for some in chosen for run in spread(some, lambda run: run.family, lambda run: run.badness)]


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
