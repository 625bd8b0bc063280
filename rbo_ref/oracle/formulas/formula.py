"""What the formulas of all optimizers have in common: how a step begins, and the tools of their lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple, Self

from geometry._namespace import Array, array_namespace

__all__ = ["Formula", "Loop"]

Served = Callable[[Array], tuple[Array, Array]]


class Loop(NamedTuple):
    """The inner loop of a formula, to be judged by itself."""

    goal: str  # the part of a step that it goes to
    steps: str  # the hyper-parameter that says how many iterations it has
    run: str  # the line that runs it, from θ^(0),
    iteration: str  # and that of one iteration


class Formula:
    """An optimizer, a method for each line of its paper, over any arithmetic.

    Over arrays of a library, with a loss that is served, it is a right port. Over numbers that know what rounding may
    do, it is the truth with its tolerance. With a line overridden it is another reading of the paper, or a mistake.

    Attributes
    ----------
    optimizer, dialect : str
        Of which it is a reading, and which.
    reading : str
        What another reading than the first reads otherwise.
    mistake : str
        The mistake of the catalogue that another reading is to those who claim the first.
    name, description : str
        Of a mistake.
    is_memoryless : bool
        Whether a step follows from θ and the hyper-parameters alone.
    is_steady : bool
        Whether every step has the same lines, whatever its number.
    parts : mapping
        The attributes that hold the quantities of a step that the paper names.
    loop : Loop, optional
    inner_line : str
        The line that ports in mixed precision compute in another format.
    machinery : frozenset of str
        Methods that are no lines of the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from rbo_ref.oracle.formulas import FORMULAS
    >>> port = FORMULAS["sam"]["paper"]()
    >>> bowl = lambda theta: (theta @ theta / 2, theta)
    >>> port(bowl, np.array([4.0]), iterations=2, learning_rate=0.5, radius=1.0, adaptive=False, epsilon=0.0)
    [array([1.5]), array([0.25])]
    """

    optimizer: ClassVar[str]
    dialect: ClassVar[str] = "paper"
    reading: ClassVar[str] = ""
    mistake: ClassVar[str] = ""
    name: ClassVar[str] = "right"
    description: ClassVar[str] = "a right port"
    is_memoryless: ClassVar[bool] = False
    is_steady: ClassVar[bool] = True
    parts: ClassVar[Mapping[str, str]] = {}
    loop: ClassVar[Loop | None] = None
    inner_line: ClassVar[str] = ""
    machinery: ClassVar[frozenset[str]] = frozenset(
        {
            "__call__",
            "__init__",
            "fresh",
            "advance",
            "remember",
            "told",
            "heed",
            "looped",
            "delivered",
            "walks",
            "served",
        }
        | {"inverse", "max", "min", "norm", "number", "again", "sum"}
    )

    xp: Any
    loss: Served
    draw: Any  # the random numbers of the step
    h: SimpleNamespace  # its hyper-parameters
    t: Any = 0  # steps taken

    def __call__(
        self, loss: Served, theta: Array, *, iterations: int, draws: Array | None = None, **hyper: Any
    ) -> list[Array]:
        self.t, iterates = 0, [theta]
        for k in range(iterations):
            draw = None if draws is None else draws[k, ...]
            iterates.append(self.advance(loss, iterates[-1], hyper, draw))
        return self.delivered(iterates)

    def fresh(self) -> Self:
        """The same port without memory."""
        return type(self)()

    @property
    def walks(self) -> bool:
        """Whether what it delivers is not where it goes."""
        return type(self).delivered is not Formula.delivered

    def advance(self, loss: Served, theta: Array, hyper: Mapping[str, Any], draw: Any = None) -> Array:
        """The next step."""
        self.told(loss, theta, hyper, draw)
        if self.t == 0:
            self.begin(theta)
        self.t += 1
        return self.step(theta)

    def remember(self, theta: Array) -> None:
        """What a step remembers for the next one: all of it, if it cannot be told before the move."""
        self.step(theta)

    def told(self, loss: Served, theta: Array, hyper: Mapping[str, Any], draw: Any = None) -> None:
        """What is given of a step."""
        self.xp, self.arithmetic = array_namespace(theta), getattr(theta, "arithmetic", None)
        self.theta, self.loss, self.draw = theta, self.served(loss), draw
        self.heed(hyper)

    def heed(self, hyper: Mapping[str, Any]) -> None:
        self.h = SimpleNamespace(**self.tuned(dict(hyper)))

    def looped(self, goal: Array, start: Array | None = None) -> Array:
        """The inner loop alone, to a goal that is known; where it starts is up to the formula, if that is not given."""
        raise NotImplementedError

    def delivered(self, iterates: list[Array]) -> list[Array]:
        return iterates[1:]

    # lines of all

    def tuned(self, hyper: dict[str, Any]) -> dict[str, Any]:
        return hyper

    def served(self, loss: Served) -> Served:
        return lambda theta: self.answered(*loss(theta))

    def answered(self, f: Array, g: Array) -> tuple[Array, Array]:
        return f, g

    def begin(self, theta: Array) -> None:
        """Before the first step: nothing to remember."""

    def step(self, theta: Array) -> Array:
        raise NotImplementedError

    def gradient(self, theta: Array) -> Array:
        return self.loss(theta)[1]

    # tools: over floats these are plain; other arithmetics know more of them than of array functions

    def sum(self, array: Array) -> Array:
        """The sum of all entries, in any order."""
        return self.xp.sum(array) if self.arithmetic is None else array.sum()

    def norm(self, array: Array) -> Array:
        return self.xp.sqrt(self.sum(array * array))

    def inverse(self, x: Any) -> Any:
        """1/x, which is one rounding."""
        return 1 / x if self.arithmetic is None else x.reciprocal()

    def max(self, a: Any, b: Any) -> Any:
        """The larger one of two numbers."""
        if self.arithmetic is not None:
            return a.maximum(b)
        return self.xp.maximum(a, 0 * a + b) if hasattr(a, "shape") else max(a, b)

    def min(self, a: Any, b: Any) -> Any:
        """The smaller one of two numbers."""
        return -self.max(-a, -b)

    def number(self, value: float) -> Any:
        """A number that is no hyper-parameter."""
        return value if self.arithmetic is None else self.arithmetic.given(value)

    def again(self, array: Array) -> Array:
        """As a port may hold it that casts it to the format it computes in."""
        return array if self.arithmetic is None else array.again()
