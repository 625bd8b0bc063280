"""Ports of which lines read otherwise: one, in any arithmetic, or many at once, each in a lane of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.suspects.judgement import FAILURES
from rbo_ref.oracle.suspects.lanes import Lanes, Where, merged, of_lanes
from rbo_ref.oracle.suspects.text import Edit, Text, constant_name
from rbo_ref.oracle.suspects.tools import HEARING

__all__ = ["Changed", "Flags", "varied"]

Flags = NDArray[numpy.bool_]


class Changed(NamedTuple):
    """A right port with edits, and the constants that they have: values, and how uncertain they are."""

    edits: tuple[Edit, ...]
    constants: tuple[float, ...] = ()
    doubts: tuple[float, ...] = ()

    @property
    def rank(self) -> int:
        """The simpler, the smaller; a constant of many digits is not simple."""
        digits = sum(len(f"{constant:.12g}") for constant in self.constants)
        return sum(edit.rank for edit in self.edits) + 100 * (len(self.edits) - 1) + digits

    def of(self, method: str) -> tuple[Edit, ...]:
        """The edits of a line."""
        return tuple(edit for edit in self.edits if edit.method == method)

    def attributes(self, values: Sequence[float]) -> dict[str, float]:
        """Numbers, one for each constant, under the names that the lines have for them."""
        free = [edit for edit in self.edits if edit.start is not None]
        names = [constant_name(edit.method, self.of(edit.method).index(edit)) for edit in free]
        return dict(zip(names, values, strict=False))


class _Varied:
    """What a port with edits has besides its lines."""

    lanes: Where
    asked: Any
    hears = False
    places: tuple[Any, ...]

    @property
    def loss(self) -> Any:
        return self.served(self.asked)

    @loss.setter
    def loss(self, loss: Any) -> None:
        """It is made of what is asked whenever it is needed: some lanes are served by themselves."""

    def advance(self, loss: Any, theta: Any, *question: Any) -> Any:
        """A step, before which is forgotten what does not outlast one."""
        for name in [name for name in vars(self) if name.endswith("each step")]:
            del vars(self)[name]
        self.asked, self.question, self.places, self.repeated = loss, question, (), False
        return super().advance(loss, theta, *question)  # type: ignore[misc]

    def served(self, loss: Any) -> Any:
        answer = super().served(loss)  # type: ignore[misc]
        return partial(self._heard, answer) if self.hears else answer

    def _heard(self, answer: Any, theta: Any) -> Any:
        """The loss, of which the places of the step and the last two answers are remembered."""
        now = answer(theta)
        self.before, self.now = vars(self).get("now", now), now
        self.places = (*self.places, theta)
        return now

    def one_more(self, theta: Any) -> Any:
        """One more step."""
        if self.repeated:
            return theta
        self.repeated = True
        return super().advance(self.asked, theta, *self.question)  # type: ignore[misc]

    def of(self, at: Where) -> Any:
        """The port in some of its lanes."""
        port = object.__new__(type(self))
        vars(port).update(of_lanes(vars(self), at))
        port.lanes = self.lanes[at]
        return port


def varied(text: Text, changes: Sequence[Changed], failed: Flags | None = None) -> Callable[[], Any]:
    """A maker of right ports with edits, other ones in each lane; lanes that cannot be computed so are marked."""
    cls = _class(text, tuple(changed.edits for changed in changes), failed)
    constants, doubts = _constants(changes), changes[0].attributes(changes[0].doubts) if len(changes) == 1 else {}
    lanes = numpy.arange(len(changes))

    def made() -> Any:
        port = cls()
        vars(port).update(constants, lanes=lanes, doubts=doubts, fresh=made)
        return port

    return made


_CLASSES: dict[Any, type[Any]] = {}


def _class(text: Text, edits: tuple[tuple[Edit, ...], ...], failed: Flags | None) -> type[Any]:
    """The class of ports with edits; where there is one lane of one edit, made once."""
    if failed is None and (known := _CLASSES.get((text, edits))):
        return known
    lines: dict[str, Any] = dict(text.inherited)
    for method in {edit.method for own in edits for edit in own}:
        lines[method] = _line(text, method, [tuple(e for e in own if e.method == method) for own in edits], failed)
    lines["hears"] = any(edit.calls & HEARING for own in edits for edit in own)
    cls = type("Varied", (_Varied, text.cls), lines)
    if failed is None and len(edits[0]) == 1:
        _CLASSES[text, edits] = cls
    return cls


def _constants(changes: Sequence[Changed]) -> dict[str, Any]:
    """The constants by name: numbers, or what they are in each lane."""
    each = [changed.attributes(changed.constants) for changed in changes]
    if len(each) == 1:
        return each[0]
    names = {name for one in each for name in one}
    return {name: Lanes(numpy.array([one.get(name, numpy.nan) for one in each])) for name in names}


def _line(text: Text, method: str, edits: Sequence[tuple[Edit, ...]], failed: Flags | None) -> Any:
    """A line that reads otherwise in each lane."""
    known: dict[tuple[Edit, ...], int] = {}
    which = numpy.array([known.setdefault(own, len(known)) for own in edits])
    functions = [text.function(method, own) for own in known]
    if failed is None:
        return functions[0]
    flags = failed

    def line(port: Any, *arguments: Any) -> Any:
        mine = which[port.lanes]
        if (mine == mine[0]).all():
            return functions[mine[0]](port, *arguments)
        answered = []
        for number in numpy.unique(mine):
            at = numpy.flatnonzero(mine == number)
            own = port.of(at)
            before = dict(vars(own))
            try:
                value = functions[number](own, *of_lanes(arguments, at))
                answered.append((at, before, vars(own), value))
            except FAILURES:
                flags[own.lanes] = True
        return _joined(port, answered, flags)

    return line


def _joined(port: Any, answered: list[tuple[Where, Any, Any, Any]], failed: Flags) -> Any:
    """The value of a line in all lanes of a port, which takes over what was remembered in some."""
    strange: list[Where] = []
    size = len(port.lanes)
    told = {name for _, old, new, _ in answered for name in new if new[name] is not old.get(name, answered)}
    for name in told:
        vars(port)[name] = merged([(at, new[name]) for at, _, new, _ in answered if name in new], size, strange)
    value = merged([(at, value) for at, _, _, value in answered], size, strange)
    for at in strange:
        failed[port.lanes[at]] = True
    return value
