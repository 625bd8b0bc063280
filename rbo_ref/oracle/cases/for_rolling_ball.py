"""The cases of the rolling ball.

Together they cover d = 1, 2, 3, 10 and 50; valleys, crests, saddles, slopes steep and flat; small and large radii;
inner loops that converge, crawl, overshoot and diverge; candidates far from the graph and close to it. `catches`
names the mistakes of the catalogue that a case is there for; a test proves that it does catch them.
"""

from __future__ import annotations

from functools import cache

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import LONG, places
from rbo_ref.oracle.dialects import Hyper
from rbo_ref.oracle.losses import Bumps, Loss, Quadratic, Ridges

__all__ = ["drawn", "fixed"]

# --- losses ---------------------------------------------------------------------------------------------------------


def _vector(*numbers: float) -> NDArray[numpy.float64]:
    return numpy.array(numbers, dtype=float)


def _waves(d: int, count: int, seed: int, *, steepness: float = 1.0) -> Loss:
    """A tilted bowl with sine ridges across it."""
    random = numpy.random.RandomState(seed)
    square = random.uniform(-1, 1, (d, d))
    bowl = Quadratic((square @ square.T / d + numpy.eye(d)) / 4, random.uniform(-1, 1, d) / 2, -1.0)
    weights = random.uniform(-1, 1, (count, d)) * (2 / numpy.sqrt(d))
    return _scaled(
        (bowl, Ridges("sin", weights, random.uniform(-3, 3, count), random.uniform(0.5, 1, count))), steepness
    )


def _scaled(terms: tuple[Quadratic, Ridges], factor: float) -> Loss:
    bowl, ridges = terms
    return Loss(
        (
            Quadratic(bowl.matrix * factor, bowl.slope * factor, bowl.height * factor),
            Ridges(ridges.profile, ridges.weights, ridges.shifts, ridges.amplitudes * factor),
        )
    )


def _regression(d: int, samples: int, seed: int) -> Loss:
    """Mean logistic loss with a little weight decay, the shape of a small classifier."""
    random = numpy.random.RandomState(seed)
    features = random.uniform(-2, 2, (samples, d))
    decay = Quadratic(numpy.eye(d) / 64, numpy.zeros(d))
    return Loss((Ridges("softplus", features, numpy.zeros(samples), numpy.full(samples, 1 / samples)), decay))


@cache
def _losses() -> dict[str, Loss]:
    k = numpy.arange(1.0, 101.0)
    random = numpy.random.RandomState(0)
    return {
        "sine": Loss((Ridges("sin", numpy.ones((1, 1)), numpy.zeros(1), numpy.ones(1)),)),
        "eq13": Loss((Ridges("sin", (k**2)[:, None], numpy.zeros(100), 1 / k**2),)),
        "eq14": Loss((Quadratic(2 * numpy.eye(2), numpy.zeros(2)), Bumps(random.uniform(-3, 3, (60, 2)), -1.0, 0.25))),
        "bowl": Loss((Quadratic(numpy.array([[2.0, 0.5], [0.5, 1.0]]), numpy.zeros(2)),)),
        "saddle": Loss((Quadratic(numpy.diag([1.0, -0.5, 0.25]), _vector(0.25, 0, -0.5), -2.0),)),
        "crest": Loss((Bumps(_vector(0.25, -0.5)[None, :], 2.0, 4.0), Quadratic(numpy.eye(2) / 8, numpy.zeros(2)))),
        "cliff": Loss((Ridges("exp", _vector(1.5, -0.75)[None, :], numpy.zeros(1), numpy.ones(1)),)),
        "ripples": Loss((Ridges("sin", numpy.array([[1.0, 0.5], [-0.5, 1.0]]), numpy.zeros(2), _vector(1.0, 2.0)),)),
        "waves3": _waves(3, 4, 3),
        "waves10": _waves(10, 12, 10),
        "waves50": _waves(50, 40, 50),
        "steep3": _waves(3, 4, 5, steepness=8.0),
        "sheer3": _waves(3, 4, 5, steepness=6144.0),
        "still3": places()["still"][0],
        "logistic10": _regression(10, 24, 7),
        "plane": Loss((Quadratic(numpy.zeros((2, 2)), _vector(0.75, -1.0), 0.5),)),
    }


def _point(d: int, seed: int, size: float = 1.0) -> tuple[float, ...]:
    """A random point, in numbers that float32 holds."""
    return tuple(float(x) for x in numpy.random.RandomState(seed).uniform(-size, size, d).astype(numpy.float32))


# --- cases ----------------------------------------------------------------------------------------------------------


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""
    return (*_steps(), *_walks(), *_halves())


def _steps() -> tuple[Case, ...]:
    """Single steps."""
    f = _losses()
    return (
        Case("valley-1d", f["sine"], (-1.25,), (Hyper(0.125, 0.5, 0.25, 4),), "a valley that the ball fits into"),
        Case("crest-1d", f["sine"], (1.25,), (Hyper(0.125, 3.0, 0.125, 5),), "a crest under a large ball"),
        Case("slope-1d", f["sine"], (0.125,), (Hyper(0.25, 1.0, 0.25, 3),), "the steepest place of the sine"),
        Case("eq13-paper", f["eq13"], (2.0,), (Hyper(1e-3, 1.0, 0.05, 20),), "the paper's Eq. 13 as printed: chaotic"),
        Case("eq13-gentle", f["eq13"], (2.0,), (Hyper(1e-3, 0.1, 1e-4, 8),), "Eq. 13 with a rate that converges"),
        Case("eq14-valley", f["eq14"], (1.5, 0.5), (Hyper(0.02, 1.5, 0.01, 30),), "many small Gaussian wells"),
        Case("plane", f["plane"], (3.0, -2.0), (Hyper(0.5, 4.0, 0.125, 6),), "a plane: f and its slope never change"),
        Case(
            "bowl-converged", f["bowl"], (1.0, -0.75), (Hyper(0.125, 0.25, 0.25, 60),), "an inner loop that converges"
        ),
        Case("bowl-crawl", f["bowl"], (1.5, 0.5), (Hyper(0.25, 0.5, 1e-3, 10),), "an inner loop that hardly moves"),
        Case("bowl-overshoot", f["bowl"], (1.0, 0.5), (Hyper(0.125, 1.0, 0.4, 9),), "an inner loop that oscillates"),
        Case("bowl-jumps", f["bowl"], (1.25, 1.0), (Hyper(0.125, 0.5, 0.25, 4),), "an inner loop that jumps about"),
        Case("saddle-converged", f["saddle"], (0.75, 0.5, -1.0), (Hyper(0.1, 0.25, 0.5, 40),), "converges on a saddle"),
        Case(
            "saddle-diverge", f["saddle"], (0.25, 0.5, 0.5), (Hyper(0.1, 0.5, 1.75, 7),), "an inner loop that diverges"
        ),
        Case("waves-10d-far", f["waves10"], _point(10, 12, 8.0), (Hyper(0.1, 0.5, 0.05, 8),), "parameters beyond 5"),
        Case("bowl-one", f["bowl"], (0.5, -1.0), (Hyper(0.25, 2.0, 0.25, 1),), "a single inner iteration"),
        Case(
            "saddle-small", f["saddle"], (0.5, 1.0, -0.25), (Hyper(0.5, 0.125, 0.25, 8),), "a saddle, negative heights"
        ),
        Case(
            "saddle-large", f["saddle"], (0.5, 0.25, 1.0), (Hyper(0.125, 10.0, 0.0625, 6),), "a large ball on a saddle"
        ),
        Case("crest-2d", f["crest"], (0.5, 0.0), (Hyper(0.25, 2.0, 0.0625, 12),), "near the top of a hill"),
        Case("flat-2d", f["bowl"], (-0.00390625, 0.001953125), (Hyper(4.0, 0.5, 0.25, 7),), "a slope of 0.006"),
        Case("cliff", f["cliff"], (2.0, -0.5), (Hyper(1e-3, 0.5, 5e-4, 12),), "a slope of 40: huge tangents"),
        Case("cliff-foot", f["cliff"], (-4.0, 2.0), (Hyper(8.0, 0.25, 0.5, 6),), "a slope of 1e-3 under a long step"),
        Case("waves-3d", f["waves3"], _point(3, 1), (Hyper(0.2, 0.5, 0.1, 9),), "a generic place"),
        Case("waves-3d-far", f["waves3"], (7.5, -6.25, 0.5), (Hyper(0.05, 1.0, 0.02, 10),), "parameters beyond 5"),
        Case("waves-3d-huge-ball", f["waves3"], _point(3, 2), (Hyper(0.1, 100.0, 0.001, 10),), "a ball of radius 100"),
        Case("waves-3d-tiny-ball", f["waves3"], _point(3, 3), (Hyper(0.25, 1e-3, 0.1, 10),), "a ball of radius 0.001"),
        Case("steep-3d", f["steep3"], _point(3, 4), (Hyper(0.02, 0.5, 0.01, 11),), "inner gradients far above 1"),
        Case("waves-10d", f["waves10"], _point(10, 5), (Hyper(0.2, 0.5, 0.1, 8),), "ten dimensions"),
        Case("logistic-10d", f["logistic10"], _point(10, 6), (Hyper(1.0, 1.5, 0.1, 12),), "a small classifier"),
        Case("sheer-3d", f["sheer3"], _point(3, 4), (Hyper(3e-5, 2.0, 2e-9, 5),), "a slope of 1e4"),
        Case(
            "still-3d", f["still3"], (0.5, 0.75, -1.25), (Hyper(0.25, 0.5, 0.125, 8),), "a coordinate that stands still"
        ),
        Case("waves-50d", f["waves50"], _point(50, 7), (Hyper(0.2, 1.5, 0.05, 12),), "fifty dimensions"),
    )


def _walks() -> tuple[Case, ...]:
    """Trajectories."""
    f = _losses()
    return (
        Case(
            "schedule-1d",
            f["sine"],
            (0.75,),
            (Hyper(0.25, 0.5, 0.25, 4), Hyper(0.125, 0.25, 0.125, 6), Hyper(0.5, 1.0, 0.25, 3)),
            "hyper-parameters that change from step to step",
            walk=5,
            single=False,
        ),
        Case(
            "schedule-3d",
            f["waves3"],
            _point(3, 8),
            (Hyper(0.2, 0.5, 0.1, 6), Hyper(0.1, 1.5, 0.05, 9)),
            "hyper-parameters that change from step to step",
            walk=4,
            single=False,
        ),
        Case(
            "schedule-10d",
            f["waves10"],
            _point(10, 13),
            (Hyper(0.1, 0.25, 0.1, 5), Hyper(0.2, 0.5, 0.05, 3), Hyper(0.05, 1.0, 0.05, 8)),
            "hyper-parameters that change from step to step",
            walk=3,
            single=False,
        ),
        Case(
            "walk-2d", f["bowl"], (2.0, -1.0), (Hyper(0.0625, 1.5, 0.125, 8),), "a walk in a bowl", walk=5, single=False
        ),
        Case(
            "long-2d",
            f["bowl"],
            (2.0, -1.0),
            (Hyper(0.0625, 0.5, 0.125, 3),),
            "more steps than what looks ahead every few steps can hide in",
            walk=LONG,
            single=False,
        ),
        Case("walk-10d", f["logistic10"], _point(10, 9), (Hyper(1.0, 0.5, 0.1, 5),), "a walk", walk=4, single=False),
    )


def _halves() -> tuple[Case, ...]:
    """Few iterations that move far, so that mistakes stand out from the rounding of 16-bit formats."""
    f = _losses()
    return (
        Case(
            "half-bowl",
            f["bowl"],
            (1.25, 1.0),
            (Hyper(0.75, 24.0, 0.03125, 3), Hyper(3.0, 1.0, 0.03125, 4)),
            "a large ball and a small one in a bowl",
            walk=3,
        ),
        Case(
            "half-cliff",
            f["cliff"],
            (-0.375, -0.75),
            (Hyper(1.0, 6.0, 0.046875, 2), Hyper(6.0, 12.0, 0.1875, 5)),
            "large balls at the foot of a cliff",
            walk=3,
        ),
        Case(
            "half-crest",
            f["crest"],
            (-2.0, 1.75),
            (Hyper(12.0, 0.1875, 0.5, 3), Hyper(8.0, 0.1875, 0.1875, 2)),
            "long steps beside a hill",
            walk=3,
        ),
        Case(
            "half-ripples",
            f["ripples"],
            (0.0, 1.125),
            (Hyper(1.0, 0.75, 0.09375, 2), Hyper(0.125, 0.25, 0.09375, 4)),
            "two crossing waves",
            walk=3,
        ),
        Case(
            "half-ripples-far",
            f["ripples"],
            (1.375, -1.0),
            (Hyper(12.0, 0.125, 0.1875, 2), Hyper(0.375, 0.375, 0.25, 2)),
            "a long step and a short one over crossing waves",
            walk=3,
        ),
        Case(
            "half-sine",
            f["sine"],
            (0.25,),
            (Hyper(12.0, 1.0, 0.09375, 4), Hyper(2.0, 4.0, 0.375, 3), Hyper(4.0, 2.0, 0.046875, 5)),
            "radii that change on a sine",
            walk=4,
        ),
        Case("half-scarp", f["cliff"], (1.75, 0.5), (Hyper(0.125, 12.0, 0.75, 5),), "from a cliff to its foot"),
        Case("half-scarp-small", f["cliff"], (0.25, 0.5), (Hyper(0.5, 1.5, 1.0, 5),), "a small ball below a cliff"),
    )


def drawn(seed: int) -> tuple[Case, ...]:
    """Three that `seed` draws: a place, a radius from 0.01 to 10 and stable rates."""
    random = numpy.random.RandomState(seed)
    cases = []
    for name, d in (("waves3", 3), ("waves10", 10), ("logistic10", 10)):
        radius = float(10 ** random.uniform(-2, 1))
        hyper = Hyper(float(random.uniform(0.02, 0.2)), radius, float(0.05 / (1 + radius)), int(random.randint(3, 12)))
        theta = tuple(float(x) for x in random.uniform(-1.5, 1.5, d).astype(numpy.float32))
        cases.append(Case(f"drawn-{name}-{seed}", _losses()[name], theta, (hyper,), "drawn from the seed"))
    return tuple(cases)
