"""Right ports in the plainest words, one method for each line of the algorithm: a mistake overrides one or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

from geometry._namespace import Array, array_namespace

__all__ = ["MISTAKES", "RIGHT_PORTS", "OptimizerPort", "mistake", "right"]


class OptimizerPort:
    """A port that takes many steps; what it remembers lies in its attributes.

    Examples
    --------
    >>> import numpy as np
    >>> port = RIGHT_PORTS["sam"]()
    >>> bowl = lambda theta: (theta @ theta / 2, theta)
    >>> port(bowl, np.array([4.0]), iterations=2, learning_rate=0.5, radius=1.0, adaptive=False, epsilon=0.0)
    [array([1.5]), array([0.25])]
    """

    optimizer: ClassVar[str]
    name: ClassVar[str] = "right"
    description: ClassVar[str] = "a right port"

    def __init__(self, dialect: str = "") -> None:
        self.dialect = dialect

    xp: Any
    loss: Callable[[Array], tuple[Array, Array]]
    draw: Any  # the random numbers of the step
    t = 0  # steps taken

    def __call__(
        self,
        loss: Callable[[Array], tuple[Array, Array]],
        theta: Array,
        *,
        iterations: int,
        draws: Array | None = None,
        **hyper: Any,
    ) -> list[Array]:
        self.t, iterates = 0, [theta]
        for k in range(iterations):
            draw = None if draws is None else draws[k, ...]
            iterates.append(self.advance(loss, iterates[-1], hyper, draw))
        return self.delivered(iterates)

    def advance(self, loss: Any, theta: Array, hyper: Mapping[str, Any], draw: Any = None) -> Array:
        """The next step, in any arithmetic."""
        self.xp, self.loss, self.draw = array_namespace(theta), self.served(loss), draw
        self.h = SimpleNamespace(**self.tuned(dict(hyper)))
        if self.t == 0:
            self.begin(theta)
        self.t += 1
        return self.stepped(theta)

    def tuned(self, hyper: dict[str, Any]) -> dict[str, Any]:
        return hyper

    def served(self, loss: Any) -> Any:
        return lambda theta: self.answered(*loss(theta))

    def answered(self, f: Array, g: Array) -> tuple[Array, Array]:
        return f, g

    def begin(self, theta: Array) -> None:
        """Before the first step: nothing to remember."""

    def stepped(self, theta: Array) -> Array:
        raise NotImplementedError

    def delivered(self, iterates: list[Array]) -> list[Array]:
        return iterates[1:]

    @property
    def walks(self) -> bool:
        """Whether what it delivers is not where it goes."""
        return type(self).delivered is not OptimizerPort.delivered

    # tools

    def gradient(self, theta: Array) -> Array:
        return self.loss(theta)[1]

    def norm(self, array: Array) -> Array:
        return self.xp.sqrt(self.xp.sum(array * array))


RIGHT_PORTS: dict[str, type[OptimizerPort]] = {}
MISTAKES: dict[str, dict[str, type[OptimizerPort]]] = {}


def right(cls: type[OptimizerPort]) -> type[OptimizerPort]:
    """Enter the right port of an optimizer, and begin its catalogue of mistakes.

    Examples
    --------
    >>> RIGHT_PORTS["adam"].optimizer
    'adam'
    """
    RIGHT_PORTS[cls.optimizer], MISTAKES[cls.optimizer] = cls, {}
    return cls


def mistake(cls: type[OptimizerPort]) -> type[OptimizerPort]:
    """Enter a wrong port into the catalogue of its optimizer; its docstring is the description.

    Examples
    --------
    >>> MISTAKES["sam"]["descends_first"].description
    'The perturbation goes downhill: e = −ρg/|g|'
    """
    cls.name, cls.description = cls.__name__, (cls.__doc__ or "").strip().rstrip(".")
    MISTAKES[cls.optimizer][cls.name] = cls
    return cls
