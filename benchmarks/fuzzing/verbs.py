"""Calls of the geometry verbs with hostile numbers: a sentence or an answer, and nothing bad beside a good item.

A call asks one verb about a batch, of which some rows are hostile. What it says of the others must be what it says of
them when they are asked about alone.
"""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import geometry
from fuzzing import Fault, in_a_sentence
from geometry import FunctionGraph, LevelSet, Parametric, SampledGraph, certified, shapes
from geometry._namespace import array_namespace, to_numpy

COUNT = 1_000_000
LONGEST = 60.0  # seconds of processor time; a call that takes more hangs
HOSTILE = (math.nan, math.inf, -math.inf, 1e300, -1e300, 1e-300, -5e-324, 1.3e154, 3.4e38, -0.0, 1e16)
SIZES = (0, 1, 1, 1, 2, 5, 16, 64)
SAMPLES = 256
SLOW = 0.03  # share of the verbs that search all of the surface
REFUSALS = (ValueError, TypeError)
LIBRARIES = [name for name in ("array_api_strict", "torch") if find_spec(name)]
CLOSE = {"float64": 1e-6, "float32": 1e-2}  # relative to the sizes; other formats have too few digits, or no LAPACK


def sine(t: Any) -> Any:
    return array_namespace(t).sin(t[..., 0])


def saddle(t: Any) -> Any:
    return t[..., 0] ** 2 / 2 - t[..., 1] * t[..., 0]


def kinked(t: Any) -> Any:
    return abs(t[..., 0]) + abs(t[..., 1] - 0.25)


def well(t: Any) -> Any:
    xp = array_namespace(t)
    return -xp.exp(-xp.sum(t**2, axis=-1))


def logarithm(t: Any) -> Any:
    return array_namespace(t).log(t[..., 0])


def circle(x: Any) -> Any:
    return x[..., 0] ** 2 + x[..., 1] ** 2 - 4.0


def arc(t: Any) -> Any:
    xp = array_namespace(t)
    return xp.concat([xp.cos(t), 2 * xp.sin(t)], axis=-1)


@dataclass(frozen=True)
class Kind:
    """A surface, how many parameters a point of it has, and in which dimension it lies."""

    surface: Any
    parameters: int
    ambient: int
    graph: bool = False


def _graphs() -> Iterator[tuple[str, Kind]]:
    for f, d in ((sine, 1), (saddle, 2), (kinked, 2), (well, 2), (logarithm, 1)):
        for compiled in (False, True):
            yield f"{f.__name__} {compiled}", Kind(FunctionGraph(f, compile=compiled), d, d + 1, True)


def _kinds() -> dict[str, Kind]:
    heights = np.sin(np.linspace(0, 6, 30)) + np.cos(np.linspace(0, 3, 20))[:, None]
    level = {"circle": LevelSet(circle)} | {
        "torus": shapes.Torus(2.0, 0.5),
        "ellipsoid": shapes.Ellipsoid([2.0, 1.0, 0.5]),
        "sphere": shapes.Sphere(1.0),
        "planes": shapes.ParallelPlanes(1.0),
    }
    sizes = {"circle": 2, "torus": 3, "ellipsoid": 3, "sphere": 3, "planes": 2}
    return dict(_graphs()) | {name: Kind(surface, sizes[name], sizes[name]) for name, surface in level.items()} | {
        "arc": Kind(Parametric(arc, box=[(0.0, 3.0)]), 1, 2),
        "sampled": Kind(SampledGraph(heights, 0.25), 2, 3, True),
        "profile": Kind(SampledGraph(heights[0], 0.25, order=1), 1, 2, True),
    }  # fmt: skip


@dataclass
class Draw:
    """What one call is made of."""

    random: Random
    kind: Kind
    library: str
    dtype: str
    good: np.ndarray  # (n,) of bool: which items of the batch are

    def rows(self, width: int) -> Any:
        """A batch (n, width); hostile numbers are in the rows that are not good."""
        numbers = np.random.default_rng(self.random.getrandbits(64)).normal(size=(len(self.good), width)) * 1.5
        for row in np.flatnonzero(~self.good):
            for column in self.random.sample(range(width), self.random.randint(1, width)):
                numbers[row, column] = self.random.choice(HOSTILE)
        return self.array(numbers)

    def positive(self) -> Any:
        """A radius for all items, or one for each."""
        if self.random.random() < 0.5:
            return self.random.choice([0.3, 1.0, 5.0])
        radii = np.abs(np.random.default_rng(self.random.getrandbits(64)).normal(size=len(self.good))) + 0.1
        large = [number for number in HOSTILE if 0 < number < math.inf]
        radii[~self.good] = [self.random.choice(large) for _ in range(int((~self.good).sum()))]
        return self.array(radii)

    def array(self, numbers: np.ndarray) -> Any:
        with np.errstate(all="ignore"):
            cast = numbers.astype(self.dtype)
        return cast if self.library == "numpy" else import_module(self.library).asarray(cast.copy())


Answer = dict[str, Any]  # arrays, their first axis the batch
Asked = Callable[..., Answer]


def _feet(surface: Any, points: Any, solver: Any) -> Answer:
    feet = geometry.project(surface, points, solver)
    _finite_where(feet.converged, theta=feet.theta, point=feet.point, distance=feet.distance, residual=feet.residual)
    return {"distance": feet.distance, "converged": feet.converged}


def _finite_where(where: Any, **numbers: Any) -> None:
    for name, array in numbers.items():
        if not np.all(np.isfinite(to_numpy(array)[to_numpy(where)])):
            raise Fault(f"{name} is not finite where the status says converged")


def _enclosed(found: Any) -> Answer:
    lower, upper = to_numpy(found.lower), to_numpy(found.upper)
    if not np.all(lower <= upper):
        raise Fault(f"no enclosure: {lower[~(lower <= upper)][:3]} to {upper[~(lower <= upper)][:3]}")
    return {"enclosure lower": found.lower, "enclosure upper": found.upper}


def _decided(found: Any) -> Answer:
    if np.any(to_numpy(found.yes) & to_numpy(found.no)):
        raise Fault("yes and no")
    return {}


def at_points(draw: Draw) -> tuple[str, Asked, list[Any]]:
    surface = draw.kind.surface
    solver = draw.random.choice([None, None, geometry.GaussNewton(), geometry.Newton(), geometry.MultiStart(starts=3)])
    budget: dict[str, Any] = {"tolerance": 1e-2, "max_boxes": 200}
    verbs: dict[str, Asked] = {
        "project": lambda p: _feet(surface, p, solver),
        "distance": lambda p: {"distance": geometry.distance(surface, p, solver)},
        "signed_distance": lambda p: {"distance": geometry.signed_distance(surface, p, solver)},
        "distance_gradient": lambda p: {"": geometry.distance_gradient(surface, p, solver)[..., 0] * 0},
    }
    if draw.random.random() < SLOW:
        verbs = {
            "certified.distance": lambda p: _enclosed(certified.distance(surface, p, **budget)),
            "certified.footpoint": lambda p: _enclosed(certified.footpoint(surface, p, **budget).distance),
            "certified.signed_distance": lambda p: _enclosed(certified.signed_distance(surface, p, **budget)),
        }
    name = draw.random.choice(list(verbs))
    return name, verbs[name], [draw.rows(draw.kind.ambient)]


def at_parameters(draw: Draw) -> tuple[str, Asked, list[Any]]:
    surface, side = draw.kind.surface, draw.random.choice(["above", "below"])
    box = draw.random.choice([None, [(-2.0, 2.0)] * draw.kind.parameters])
    verbs: dict[str, Asked] = {
        "point": lambda t: {"point": surface.point(t)},
        "normal": lambda t: {"normal": surface.normal(t)},
        "curvatures": lambda t: {"curvatures": surface.curvatures(t)},
        "upward_normal": lambda t: {"normal": geometry.upward_normal(t)},
        "steepest_tangent": lambda t: {"tangent": geometry.steepest_tangent(t)},
    }
    if draw.random.random() < SLOW:
        verbs = {
            "medial_radius": lambda t: {"": geometry.medial_radius(surface, t, side=side, box=box, samples=SAMPLES)},
            "certified.medial_radius": lambda t: _enclosed(
                certified.medial_radius(surface, t, side=side, box=box, tolerance=1e-2, max_boxes=100)
            ),
        }
    name = draw.random.choice(list(verbs))
    return name, verbs[name], [draw.rows(draw.kind.parameters)]


def of_balls(draw: Draw) -> tuple[str, Asked, list[Any]]:
    surface, side = draw.kind.surface, draw.random.choice(["above", "below"])
    verbs: dict[str, Asked] = {"offset": lambda t, r: {"offset": geometry.offset(surface, t, r)}}
    if draw.random.random() < SLOW:
        verbs = {
            "offset_function": lambda t, r: {"height": geometry.offset_function(surface, t, r, samples=SAMPLES)},
            "reachable": lambda t, r: {"": geometry.reachable(surface, t, r, side=side, samples=SAMPLES) & False},
            "certified.offset_function": lambda t, r: _enclosed(
                certified.offset_function(surface, t, r, tolerance=1e-2, max_boxes=100)
            ),
            "certified.reachable": lambda t, r: _decided(
                certified.reachable(surface, t, r, side=side, tolerance=1e-2, max_boxes=100)
            ),
        }
    name = draw.random.choice(list(verbs))
    return name, verbs[name], [draw.rows(draw.kind.parameters), draw.positive()]


def of_profiles(draw: Draw) -> tuple[str, Asked, list[Any]]:
    name = draw.random.choice(["dilate", "erode", "opening", "closing", "reachable_samples", "free_of_ends"])
    radius = draw.random.choice([0.4, 2.0, 7.5, 1e300, 1e-300, (2.0, 3.0), (1e-300, 1e300), (1e300, 1e-300)])
    nan = draw.random.choice(["raise", "omit", "propagate"])
    options: dict[str, Any] = {"axes": 1, "nan": nan, "spacing": draw.random.choice([1.0, 0.25, 1e-300, 1e300])}
    if name != "free_of_ends":
        options["boundary"] = draw.random.choice(["none", "reflect", "periodic"])

    def asked(heights: Any) -> Answer:
        found = getattr(geometry, name)(heights, radius, **options)
        if nan == "raise" and name != "free_of_ends" and np.any(np.isnan(to_numpy(heights))):
            raise Fault("NaN was not refused")
        lies = {"dilate": np.less, "closing": np.less, "erode": np.greater, "opening": np.greater}.get(name)
        if lies is not None and np.any(lies(to_numpy(found), to_numpy(heights))):
            raise Fault("on the wrong side of the heights")
        return {"exactly": found}

    return name, asked, [draw.rows(draw.random.choice([1, 2, 9, 40]))]


def of_wholes(draw: Draw) -> tuple[str, Asked, list[Any]]:
    surface, count = draw.kind.surface, draw.kind.parameters
    bounds = draw.random.choice(HOSTILE), draw.random.choice(HOSTILE)
    box = draw.random.choice([[(-2.0, 2.0)] * count, [bounds] * count, [(0.0, bounds[0])] * count])
    side = draw.random.choice(["above", "below", "both"])
    rows = draw.rows(draw.random.choice([1, 2, 3]))
    neighbors = draw.random.choice([None, 1, 4])
    verbs: dict[str, Callable[[Any], Any]] = {
        "reach_from_points": lambda p: geometry.reach_from_points(p, neighbors=neighbors, per_point=side == "both"),
        "rolling_ball": lambda p: geometry.rolling_ball(p, draw.random.choice([1.0, 5.0, 1e300, 1e-300])),
    }
    if draw.random.random() < SLOW:
        verbs = {
            "reach": lambda p: geometry.reach(surface, box, side=side, samples=SAMPLES),
            "critical_radius": lambda p: geometry.critical_radius(surface, box, samples=SAMPLES),
            "bottleneck": lambda p: geometry.bottleneck(surface, box, side=side, samples=SAMPLES),
            "medial_axis": lambda p: geometry.medial_axis(surface, box, samples=8),
            "certified.reach": lambda p: _enclosed(certified.reach(surface, box, side=side, max_boxes=50)),
            "certified.critical_radius": lambda p: _enclosed(certified.critical_radius(surface, box, max_boxes=50)),
        }
    name = draw.random.choice(list(verbs))

    def asked(points: Any) -> Answer:
        verbs[name](points)
        return {}

    return name, asked, [rows]


ROOMS = (at_points, at_parameters, of_balls, of_profiles, of_wholes)


def prepared(folder: Path) -> Callable[[int, Random], str]:
    kinds = _kinds()

    def attempt(number: int, random: Random) -> str:
        draw = _drawn(kinds[random.choice(list(kinds))], random)
        name, asked, arguments = random.choice(ROOMS)(draw)
        began = time.process_time()
        try:
            word = _judged(draw, asked, arguments)
        except Exception as error:
            error.add_note(f"{name} of {draw.kind.surface!r}, {draw.library} {draw.dtype}: {arguments!r}"[:900])
            raise
        if time.process_time() - began > LONGEST:
            raise Fault(f"{name} took {time.process_time() - began:.0f} s")
        return word

    return attempt


def _drawn(kind: Kind, random: Random) -> Draw:
    library = random.choice(LIBRARIES) if LIBRARIES and random.random() < 0.2 else "numpy"
    dtype = random.choice(["float64", "float64", "float32"])
    share = random.choice([0.0, 0.0, 0.3, 1.0])
    if library == "numpy" and random.random() < 0.1:
        dtype, share = (random.choice(["float16", "longdouble"]), share) if random.random() < 0.5 else ("int64", 0.0)
    good = np.array([random.random() >= share for _ in range(random.choice(SIZES))], dtype=bool)
    return Draw(random, kind, library, dtype, good)


def _judged(draw: Draw, asked: Asked, arguments: list[Any]) -> str:
    before = [copy.deepcopy(to_numpy(a)) if hasattr(a, "shape") else a for a in arguments]
    answer = _answered(asked, arguments)
    for argument, kept in zip(arguments, before, strict=True):
        if hasattr(argument, "shape") and to_numpy(argument).tobytes() != kept.tobytes():
            raise Fault("its input was changed")
    if isinstance(answer, str):
        return answer
    count = int(draw.good.sum())
    if answer and 0 < count < len(draw.good) and draw.dtype in CLOSE:
        alone = _answered(asked, [draw.array(kept[draw.good]) if hasattr(kept, "shape") else kept for kept in before])
        if isinstance(alone, str):
            raise Fault(f"the good items alone are refused: {alone}")
        for part in answer:
            _alike(part, to_numpy(answer[part])[draw.good], to_numpy(alone[part]), CLOSE[draw.dtype])
        return "answers, the good the same alone"
    return "answers"


def _answered(asked: Asked, arguments: list[Any]) -> Answer | str:
    """What the verb says; of a refusal that it is a sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return asked(*arguments)
        except REFUSALS as error:
            in_a_sentence(str(error))
            return f"refused: {type(error).__name__}"


def _alike(part: str, beside: np.ndarray, alone: np.ndarray, close: float) -> None:
    if part.startswith("enclosure"):  # budgets are shared
        return
    if part == "exactly":
        close = 0.0
    if beside.shape != alone.shape or not np.allclose(beside, alone, rtol=close, atol=close, equal_nan=True):
        raise Fault(f"{part} of good items: {beside.ravel()[:4]} beside bad ones, {alone.ravel()[:4]} alone")
