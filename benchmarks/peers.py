"""Boxes per second and time to a proof, for twelve functions, beside the peers that are installed.

Boxes: a function's value is enclosed over boxes of radius 10⁻³, by natural interval arithmetic where that is all there
is. Proof: the distance of a point to the graph is enclosed to 10⁻⁶: by `certified.distance` for one point, by the same
for each of 10⁴ points together, by MAiNGO's branch and bound, and by the branch and bound that is written in ten lines
over codac's intervals. All of it is processor time; what takes more than LIMIT seconds is given up.

    pip install codac maingopy crival mpmath intvalpy
    python benchmarks/peers.py
"""

from __future__ import annotations

import heapq
import importlib
import itertools
import math
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from geometry import FunctionGraph, certified
from geometry.arithmetic._forms import Record, box_form, differentiated
from rbo_ref import landscapes

LIMIT = 20.0  # seconds
TOLERANCE = 1e-6
BOXES, RADIUS, WIDTH = 4096, 1e-3, 2.0
QUERIES = 10_000
DENTS = np.random.RandomState(0).uniform(-3, 3, (1000, 2))


def wrinkled(m: Any, x: Any) -> Any:
    return sum(m.sin(float(k * k) * x) * (1.0 / (k * k)) for k in range(1, 101))


def dents(m: Any, x: Any, y: Any) -> Any:
    holes = sum(m.exp(-25.0 * ((x - float(a)) ** 2 + (y - float(b)) ** 2)) for a, b in DENTS)
    return x**2 + y**2 - holes


class Function(NamedTuple):
    d: int
    formula: Callable[..., Any]  # of a module of functions, and the coordinates
    own: FunctionGraph | None = None  # where sums are long: the same in arrays

    @property
    def surface(self) -> FunctionGraph:
        module = SimpleNamespace(sin=np.sin, cos=np.cos, exp=np.exp, tanh=np.tanh, sqrt=np.sqrt)
        return self.own or FunctionGraph(lambda t: self.formula(module, *(t[..., i] for i in range(self.d))))


FUNCTIONS = {
    "sin x": Function(1, lambda m, x: m.sin(x)),
    "Eq. 13, 100 terms": Function(1, wrinkled, landscapes.wrinkled()),
    "(x² − 1)²": Function(1, lambda m, x: (x**2 - 1.0) ** 2),
    "exp(−x²)": Function(1, lambda m, x: m.exp(-(x**2))),
    "tanh x": Function(1, lambda m, x: m.tanh(x)),
    "1/(1 + 25x²)": Function(1, lambda m, x: 1.0 / (25.0 * x**2 + 1.0)),
    "sin x + sin 10x/3": Function(1, lambda m, x: m.sin(x) + m.sin(x * (10.0 / 3.0))),
    "Rosenbrock": Function(2, lambda m, x, y: (x - 1.0) ** 2 + 100.0 * (y - x**2) ** 2),
    "Himmelblau": Function(2, lambda m, x, y: (x**2 + y - 11.0) ** 2 + (x + y**2 - 7.0) ** 2),
    "Beale": Function(2, lambda m, x, y: sum((x * y**k - x + c) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625)))),
    "Rastrigin": Function(2, lambda m, x, y: sum((z**2 - 10.0 * m.cos(2.0 * math.pi * z) for z in (x, y)), 20.0)),
    "Eq. 14, 1000 dents": Function(2, dents, landscapes.gaussians(0.2)),
}


def seconds(call: Callable[[], Any], least: float = 0.2) -> float:
    """Processor time of one call, after a first one."""
    call()
    count, began = 0, time.process_time()
    while (spent := time.process_time() - began) < least:
        call()
        count += 1
    return spent / count


# Boxes.


def random_boxes(d: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    center = np.random.default_rng(0).uniform(-WIDTH, WIDTH, (count, d))
    return center, np.full((count, d), RADIUS)


def own_boxes(function: Function, count: int) -> Callable[[], Any]:
    """Enclosures to second order."""
    boxes, expression = random_boxes(function.d, count), function.surface.expression(function.d)
    return lambda: [
        differentiated(expression, box_form(*(part[i : i + 512] for part in boxes), Record()), 0)[0].range()
        for i in range(0, count, 512)
    ]


def one_by_one(module: Any, make: Callable[[float, float], Any]) -> Callable[[Function, int], Callable[[], Any]]:
    """For a library whose intervals are single ones."""

    def prepared(function: Function, count: int) -> Callable[[], Any]:
        center, radius = random_boxes(function.d, min(count, 32))
        ends = zip(center - radius, center + radius, strict=True)
        boxes = [[make(float(a), float(b)) for a, b in zip(*pair, strict=True)] for pair in ends]
        return lambda: [function.formula(module, *box) for box in boxes * (count // len(boxes))]

    return prepared


def arrays(module: Any, make: Callable[[Any, Any], Any]) -> Callable[[Function, int], Callable[[], Any]]:
    """For a library that has arrays of intervals."""

    def prepared(function: Function, count: int) -> Callable[[], Any]:
        center, radius = random_boxes(function.d, count)
        box = [make(a, b) for a, b in zip((center - radius).T.copy(), (center + radius).T.copy(), strict=True)]
        return lambda: function.formula(module, *box)

    return prepared


def libraries() -> dict[str, tuple[Callable[[Function, int], Callable[[], Any]], int]]:
    """What encloses values over boxes, and over how many at once it is timed."""
    found: dict[str, tuple[Any, int]] = {"geometry": (own_boxes, BOXES)}
    with_one: dict[str, Callable[[Any], tuple[Any, Any]]] = {
        "codac": lambda m: (m, m.Interval),
        "flint": lambda m: (balls(m.arb), lambda a, b: m.arb((a + b) / 2, (b - a) / 2)),
        "mpmath": lambda m: (mpmaths(m.iv), lambda a, b: m.iv.mpf([a, b])),
        "intvalpy": lambda m: (m, m.Interval),
    }
    for name, parts in with_one.items():
        if (module := imported(name)) is not None:
            found[name] = one_by_one(*parts(module)), 32
    if (module := imported("ival")) is not None:
        found["crival"] = arrays(module, module.Interval), BOXES
    return found


def imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def balls(arb: Any) -> Any:
    return SimpleNamespace(**{name: getattr(arb, name) for name in ("sin", "cos", "exp", "tanh", "sqrt")})


def mpmaths(iv: Any) -> Any:
    tanh = lambda x: 1 - 2 / (iv.exp(2 * x) + 1)  # noqa: E731
    return SimpleNamespace(sin=iv.sin, cos=iv.cos, exp=iv.exp, sqrt=iv.sqrt, tanh=tanh)


# Proofs.


def queries(function: Function, count: int) -> np.ndarray:
    """Points up to 1 above or below the graph."""
    random = np.random.default_rng(1)
    theta = random.uniform(-WIDTH, WIDTH, (count, function.d))
    height = function.surface.value(theta) + random.uniform(-1, 1, count)
    return np.concatenate([theta, height[:, None]], axis=1)


def proven_alone(function: Function, query: np.ndarray) -> float:
    surface = function.surface
    return seconds(lambda: certified.distance(surface, query, tolerance=TOLERANCE), 0.05)


def proven_together(function: Function) -> float:
    surface, points = function.surface, queries(function, QUERIES)
    return seconds(lambda: certified.distance(surface, points, tolerance=TOLERANCE), 0.05) / QUERIES


def reach(function: Function, query: np.ndarray) -> float:
    return abs(float(function.surface.value(query[:-1])) - query[-1])


def proven_by_codac(codac: Any, function: Function, query: np.ndarray) -> float:
    """Best first, boxes halved along their longest side; squared distances."""
    d, r, began = function.d, reach(function, query), time.process_time()
    x = [float(a) for a in query]

    def square(box: list[Any]) -> Any:
        rise = function.formula(codac, *box) - x[-1]
        return sum(((box[i] - x[i]) ** 2 for i in range(d)), rise**2)

    start = [codac.Interval(x[i] - r, x[i] + r) for i in range(d)]
    order, best = itertools.count(), square([codac.Interval(x[i]) for i in range(d)]).ub()
    heap = [(square(start).lb(), next(order), start)]
    while math.sqrt(best) - math.sqrt(max(heap[0][0], 0.0)) > TOLERANCE:
        if time.process_time() - began > LIMIT:
            return math.inf
        _, _, box = heapq.heappop(heap)
        side = max(range(d), key=lambda i: box[i].diam())
        for half in box[side].bisect():
            child = [half if i == side else box[i] for i in range(d)]
            low = square(child).lb()
            best = min(best, square([codac.Interval(c.mid()) for c in child]).ub())
            if low <= best:
                heapq.heappush(heap, (low, next(order), child))
    return time.process_time() - began


def proven_by_maingo(maingopy: Any, function: Function, query: np.ndarray) -> float:
    d, r = function.d, reach(function, query)
    x = [float(a) for a in query]

    class Model(maingopy.MAiNGOmodel):  # type: ignore[misc]
        def get_variables(self) -> Any:
            kind = maingopy.VT_CONTINUOUS
            return [maingopy.OptimizationVariable(maingopy.Bounds(x[i] - r, x[i] + r), kind, f"x{i}") for i in range(d)]

        def get_initial_point(self) -> Any:
            return x[:d]

        def evaluate(self, z: Any) -> Any:
            result = maingopy.EvaluationContainer()
            rise = function.formula(maingopy, *z) - x[-1]
            result.objective = sum(((z[i] - x[i]) ** 2 for i in range(d)), rise**2)
            return result

    model = Model()  # which the solver does not keep
    solver = maingopy.MAiNGO(model)
    about = float(certified.distance(function.surface, query).upper)
    for name, value in {"epsilonA": 2 * about * TOLERANCE, "epsilonR": 1e-12, "maxTime": LIMIT}.items():
        solver.set_option(name, value)
    for name in ("loggingDestination", "LBP_verbosity", "UBP_verbosity", "BAB_verbosity"):
        solver.set_option(name, 0)
    began = time.process_time()
    status = solver.solve()
    spent = time.process_time() - began
    return spent if status == maingopy.GLOBALLY_OPTIMAL else math.inf


# The tables.


def shown(value: float, unit: str) -> str:
    if not value < math.inf:
        return f"> {LIMIT:.0f} s"
    scale, name = next((s, n) for s, n in ((1.0, " s"), (1e-3, " ms"), (0.0, " µs")) if value >= s)
    if unit != "s":
        return f"{float(f'{value:.2g}'):,.0f}".replace(",", " ") if value else "—"
    return f"{float(f'{value / (scale or 1e-6):.2g}'):g}{name}"


def table(heads: list[str], rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (heads, *rows)]
    print("\n".join([rule, lines[0], rule, *lines[1:], rule, ""]), flush=True)


def tried(call: Callable[[], float]) -> float:
    """∞ for what a peer cannot do."""
    try:
        return call()
    except Exception:
        return math.inf


if __name__ == "__main__":
    found = libraries()
    rates = [
        [name, *(shown(count / tried(lambda: seconds(of(f, count))), "") for of, count in found.values())]  # noqa: B023
        for name, f in FUNCTIONS.items()
    ]
    table(["boxes per second", *found], rates)
    peers = {"codac": proven_by_codac, "maingopy": proven_by_maingo}
    modules = {name: imported(name) for name in peers}
    rows = []
    for name, f in FUNCTIONS.items():
        point = queries(f, 1)[0]
        times = [proven_alone(f, point), proven_together(f)]
        times += [tried(lambda: prove(modules[peer], f, point)) for peer, prove in peers.items() if modules[peer]]  # noqa: B023
        rows.append([name, *(shown(t, "s") for t in times)])
        print(rows[-1], flush=True)
    table(["time to a proof", "one", "of 10⁴", *(peer for peer in peers if modules[peer])], rows)
