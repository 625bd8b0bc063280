"""Plots as SVG: errors against tolerances, a path on its landscape, and which case catches which mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import Element

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.report._markup import add

if TYPE_CHECKING:
    from rbo_ref.oracle.report.scene import Scene
    from rbo_ref.oracle.report.verdicts import Result

__all__ = ["contour", "errors_plot", "kills_plot", "legend", "path_plot"]

Floats = NDArray[numpy.float64]
Limits = tuple[float, float]

ROW, LEFT, RIGHT, TOP, BOTTOM, WIDTH = 16, 170, 30, 34, 22, 860
ROWS = 120  # at most, of cases
SHAPES = (  # of the marks of each level in turn, within a circle of radius 5: shapes, so that no colour need be seen
    "M0-5 4.5 4h-9z",
    "M-4-4h8v8h-8z",
    "M0-5.5 5 0 0 5.5-5 0z",
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    "M0 5 4.5-4h-9z",
    "M-5-1.7h3.3v-3.3h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3z",
)


def _figure(parent: Element, width: float, height: float, title: str, description: str) -> Element:
    figure = add(parent, "svg", viewBox=f"0 0 {width:g} {height:g}", role="img", width=f"{width:g}")
    add(figure, "title", title)
    add(figure, "desc", description)
    return figure


# --- errors against tolerances --------------------------------------------------------------------------------------


def errors_plot(parent: Element, results: Sequence[Result], levels: Sequence[str]) -> None:
    """A row for each case, a mark for each level at error/tolerance; everything right of the line is wrong."""
    judged = [result for result in results if result.verdict in ("pass", "fail")]
    worst: dict[str, float] = {}
    for result in judged:
        worst[result.id] = max(worst.get(result.id, 0.0), _ratio(result))
    shown = sorted(worst, key=worst.__getitem__, reverse=True)[:ROWS]
    rows = {case: number for number, case in enumerate(c for c in worst if c in set(shown))}
    low, high = _decades(judged)
    figure = _figure(
        parent,
        WIDTH,
        TOP + ROW * len(rows) + BOTTOM,
        "Error against tolerance, case by case",
        f"{len(judged)} judgements, {sum(r.verdict == 'fail' for r in judged)} of them wrong, in {len(worst)} cases; "
        f"the {len(rows)} worst are drawn.",
    )
    _grid(figure, rows, low, high)
    for result in judged:
        if result.id in rows:
            level = levels.index(result.level)
            x, y = _x(_ratio(result), low, high), TOP + ROW * (rows[result.id] + 0.5) + (-2, 2)[level % 2]
            _mark(figure, x, y, level, result)


def _ratio(result: Result) -> float:
    """Error in tolerances; infinite for a failure without numbers."""
    ratio = result.ratio
    if ratio is None:
        return 0.0 if result.verdict == "pass" else numpy.inf
    return ratio if isfinite(ratio) else numpy.inf


def _decades(results: Iterable[Result]) -> tuple[int, int]:
    """The powers of ten in view, 1 among them."""
    sizes = [log10(ratio) for ratio in map(_ratio, results) if 0 < ratio < numpy.inf]
    return min(max(floor(min(sizes, default=-3)), -6), -1), max(min(ceil(max(sizes, default=0)), 20), 1)


def _x(ratio: float, low: int, high: int) -> float:
    """Abscissa of a ratio; smaller and larger ones stand at the edges."""
    size = log10(ratio) if 0 < ratio < numpy.inf else (-numpy.inf if ratio == 0 else numpy.inf)
    inner = WIDTH - LEFT - RIGHT
    return LEFT + inner * (min(max(size, low - 0.5), high + 0.5) - low + 0.5) / (high - low + 1)


def _grid(figure: Element, rows: dict[str, int], low: int, high: int) -> None:
    bottom = TOP + ROW * len(rows)
    every = max(1, round((high - low) / 10))
    for power in range(low, high + 1):
        x = _x(10.0**power, low, high)
        if power == 0:
            beyond = {"x": f"{x:.1f}", "width": f"{WIDTH - RIGHT - x:.1f}"}
            add(figure, "rect", **beyond, y=TOP, height=bottom - TOP, class_="over")
            add(figure, "text", "the tolerance", x=f"{x:.1f}", y=12, class_="middle")
        if power % every == 0:
            add(figure, "path", d=f"M{x:.1f} {TOP}V{bottom}", class_="limit" if power == 0 else "grid")
            label = add(figure, "text", "10", x=f"{x:.1f}", y=TOP - 6, class_="middle")
            add(label, "tspan", power, class_="power", dy=-4)
    for case, row in rows.items():
        y = TOP + ROW * (row + 0.5)
        add(figure, "path", d=f"M{LEFT} {y:g}H{WIDTH - RIGHT}", class_="grid")
        add(figure, "text", case[:24], x=LEFT - 10, y=f"{y + 4:g}", class_="end")
    add(figure, "text", "0", x=LEFT, y=TOP - 6, class_="middle")
    note = "error / tolerance; left edge: no error; right edge: no number, or one out of view"
    add(figure, "text", note, x=LEFT, y=bottom + 16)


def _mark(figure: Element, x: float, y: float, level: int, result: Result) -> None:
    shape = SHAPES[level % len(SHAPES)]
    style = f"level{level % len(SHAPES)} {result.verdict}"
    mark = add(figure, "path", d=shape, transform=f"translate({x:.1f} {y:g})", class_=style)
    told = "no number" if result.ratio is None else f"{result.ratio:.3g} tolerances"
    add(mark, "title", f"{result.id} [{result.level}]: {result.verdict}, {told}")


def legend(parent: Element, levels: Sequence[str]) -> None:
    """The mark of each level."""
    figure = _figure(parent, WIDTH, 20, "Legend", "The mark of each level.")
    for number, level in enumerate(levels):
        x = 12 + 140 * number
        shape = SHAPES[number % len(SHAPES)]
        add(figure, "path", d=shape, transform=f"translate({x} 10)", class_=f"level{number % len(SHAPES)} fail")
        add(figure, "text", level, x=x + 12, y=14)


# --- a path on its landscape ----------------------------------------------------------------------------------------

SIDE = (640, 420)  # of a panel
GRID = 33  # points along the longer side
QUANTILES = numpy.linspace(0.04, 0.96, 9)
FAR = 8.0  # how many times as far as the truth a port may go and still be in full view


class _View(NamedTuple):
    """A window of the plane, with one scale for both axes."""

    center: Floats
    scale: float  # pixels to a unit

    def pixels(self, points: Floats) -> Floats:
        away = (points - self.center) * self.scale * [1, -1]
        return numpy.clip(away + numpy.array(SIDE) / 2, -9999, 9999)

    def axes(self) -> tuple[Floats, Floats]:
        """Coordinates along both sides."""
        half = numpy.array(SIDE) / 2 / self.scale
        sizes = (GRID, round(GRID * SIDE[1] / SIDE[0]))
        along = [numpy.linspace(c - h, c + h, n) for c, h, n in zip(self.center, half, sizes, strict=True)]
        return along[0], along[1]


def _view(true: Floats, port: Floats) -> _View:
    """A window on all that is true, and on the port unless it went too far."""
    points = numpy.concatenate([true, _near(port, true)])
    low, high = points.min(axis=0), points.max(axis=0)
    extent = numpy.maximum(high - low, max(float((high - low).max()), 1e-300) / 1000) * 1.4
    return _View((low + high) / 2, float((numpy.array(SIDE) / extent).min()))


def _near(port: Floats, true: Floats) -> Floats:
    """The places of a port that are not too far from the true ones."""
    low, high = true.min(axis=0), true.max(axis=0)
    return port[(numpy.abs(port - (low + high) / 2) <= FAR * (high - low).max()).all(axis=1)]


@numpy.errstate(all="ignore")  # a path may lead anywhere
def path_plot(parent: Element, scene: Scene) -> None:
    """Where the port went and where it should have gone: the graph for d = 1, contours of a plane for d > 1."""
    title = f"The path of the port in {scene.title}"
    told = f"{len(scene.port)} places of the port on the landscape, beside the true path."
    if scene.dimension == 1:
        if scene.ball:
            _step(_panel(parent, f"The ball in {scene.title}", "The true centre and candidate."), scene)
        _on_the_graph(_panel(parent, title, told), scene)
    else:
        _from_above(_panel(parent, title, told), scene)


def _panel(parent: Element, title: str, description: str) -> Element:
    figure = _figure(parent, *SIDE, title, description)
    add(figure, "rect", width=SIDE[0], height=SIDE[1], class_="ground")
    return figure


def _step(figure: Element, scene: Scene) -> None:
    """The ball on the graph, and the candidate."""
    contact, center, candidate = _lifted(scene, scene.port[:1])[0], scene.ball["center"], scene.ball["candidate"]
    radius = float(numpy.linalg.norm(center - contact))
    view = _view(numpy.array([center - radius, center + radius, candidate, contact]), contact[None])
    _graph(figure, scene, view)
    x, y = view.pixels(center)
    add(figure, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{radius * view.scale:.1f}", class_="ball")
    add(figure, "path", d=_line(view.pixels(numpy.array([contact, center, candidate]))), class_="ball")
    _label(figure, view.pixels(center), "centre", 8, -6)
    _label(figure, view.pixels(candidate), "candidate", -8, 14)
    _label(figure, view.pixels(contact), "contact", 8, 16)


def _on_the_graph(figure: Element, scene: Scene) -> None:
    truth, port = [_lifted(scene, places) for places in scene.truth], _lifted(scene, scene.port)
    view = _view(numpy.concatenate(truth), port)
    _graph(figure, scene, view)
    _paths(figure, [view.pixels(line) for line in truth], view.pixels(port), scene.wrong)


def _lifted(scene: Scene, places: Floats) -> Floats:
    """Points of the graph over places, shape (n, 2)."""
    return numpy.column_stack([places, scene.heights(places)])


def _graph(figure: Element, scene: Scene, view: _View) -> None:
    x, _ = view.axes()
    along = numpy.linspace(x[0], x[-1], 401)
    add(figure, "path", d=_line(view.pixels(_lifted(scene, along[:, None]))), class_="graph")


def _from_above(figure: Element, scene: Scene) -> None:
    origin, plane = _plane(scene)
    truth, port = [(line - origin) @ plane.T for line in scene.truth], (scene.port - origin) @ plane.T
    view = _view(numpy.concatenate(truth), port)
    x, y = view.axes()
    places = numpy.stack(numpy.meshgrid(x, y), axis=-1).reshape(-1, 2) @ plane + origin
    heights = scene.heights(places).reshape(len(y), len(x))
    finite = heights[numpy.isfinite(heights)]
    for number, level in enumerate(numpy.quantile(finite, QUANTILES) if finite.size else ()):
        segments = contour(x, y, heights, float(level))
        lines = "".join(_line(segment) for segment in view.pixels(segments)) if len(segments) else ""
        add(figure, "path", d=lines, class_="contour", stroke_opacity=f"{0.25 + 0.07 * number:.2f}")
    _paths(figure, [view.pixels(line) for line in truth], view.pixels(port), scene.wrong)


def _plane(scene: Scene) -> tuple[Floats, Floats]:
    """A point and two orthonormal directions: the axes for d = 2, else those in which the paths are longest."""
    if scene.dimension == 2:
        return numpy.zeros(2), numpy.eye(2)
    true = numpy.concatenate(scene.truth)
    points = numpy.concatenate([true, _near(scene.port, true)])
    origin = points.mean(axis=0)
    return origin, numpy.linalg.svd(points - origin)[2][:2]


def contour(x: Floats, y: Floats, heights: Floats, level: float) -> Floats:
    """The line of a height on a grid: segments (n, 2, 2), one for each triangle of half a cell that it crosses.

    Examples
    --------
    >>> contour(numpy.array([0.0, 1.0]), numpy.array([0.0, 1.0]), numpy.array([[0.0, 1.0], [0.0, 1.0]]), 0.25)
    array([[[0.25, 0.  ],
            [0.25, 0.25]],
    <BLANKLINE>
           [[0.25, 1.  ],
            [0.25, 0.25]]])
    """
    points = numpy.dstack([*numpy.meshgrid(x, y), heights])
    corner, right, up, across = points[:-1, :-1], points[:-1, 1:], points[1:, :-1], points[1:, 1:]
    halves = numpy.stack([numpy.stack([corner, right, across], 2), numpy.stack([corner, up, across], 2)], 2)
    starts = halves.reshape(-1, 3, 3)
    ends = numpy.roll(starts, -1, axis=1)
    with numpy.errstate(all="ignore"):
        crossed = (starts[..., 2] > level) != (ends[..., 2] > level)
        share = (level - starts[..., 2:]) / (ends[..., 2:] - starts[..., 2:])
        crossings = starts[..., :2] + share * (ends[..., :2] - starts[..., :2])
    whole = (crossed.sum(axis=1) == 2) & numpy.isfinite(starts).all(axis=(1, 2))
    return crossings[whole][crossed[whole]].reshape(-1, 2, 2)


def _paths(figure: Element, truth: Sequence[Floats], port: Floats, wrong: int | None) -> None:
    for line in truth:
        add(figure, "path", d=_line(line), class_="truth")
    for x, y in numpy.concatenate(truth):
        add(figure, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=6, class_="truth")
    add(figure, "path", d=_line(port), class_="port")
    for x, y in port:
        add(figure, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=2.5, class_="port dot")
    _label(figure, port[0], "start", 10, 18)
    if wrong is not None:
        place = _inside(port[wrong - 1], port[wrong])
        x, y = place
        add(figure, "path", d="M-8-8 8 8M-8 8 8-8", transform=f"translate({x:.1f} {y:.1f})", class_="wrong")
        seen = numpy.array_equal(place, port[wrong])
        _label(figure, place, "here it left the truth" if seen else "it left the truth, out of view", 10, -10)


def _inside(here: Floats, there: Floats, margin: float = 12.0) -> Floats:
    """Where the way to `there` ends or leaves the panel."""
    size = numpy.array(SIDE)
    if (abs(there - size / 2) <= size / 2).all():
        return there
    with numpy.errstate(all="ignore"):
        shares = (numpy.where(there > here, size - margin, margin) - here) / (there - here)
    return here + (there - here) * min([share for share in shares if 0 <= share <= 1], default=0.0)


def _line(pixels: Floats) -> str:
    return "M" + " ".join(f"{x:.1f} {y:.1f}" for x, y in pixels)


def _label(figure: Element, pixel: Floats, text: str, right: float, down: float) -> None:
    """Text beside a pixel, on the other side of it near the edge."""
    x, y = pixel
    if x + right > SIDE[0] - 8 * len(text):
        right = -abs(right)
    style = "start" if right > 0 else "end"
    add(figure, "text", text, x=f"{x + right:.1f}", y=f"{max(y + down, 12):.1f}", class_=style)


# --- which case catches which mistake -------------------------------------------------------------------------------

CELL, NAMES, HEAD = 15, 230, 150


def kills_plot(parent: Element, cases: Sequence[str], kills: Mapping[str, Sequence[str]]) -> None:
    """A row for each mistake, a column for each case, a square where it is caught."""
    figure = _figure(
        parent,
        NAMES + CELL * len(cases) + 60,
        HEAD + CELL * len(kills) + 10,
        "Kill matrix",
        f"{len(kills)} known mistakes by {len(cases)} cases.",
    )
    for column, case in enumerate(cases):
        place = f"translate({NAMES + CELL * (column + 0.8):g} {HEAD - 6}) rotate(-60)"
        add(figure, "text", case[:24], transform=place)
    for row, (mistake, caught) in enumerate(kills.items()):
        y = HEAD + CELL * row
        columns = [column for column, case in enumerate(cases) if case in caught]
        squares = "".join(
            f"M{NAMES + CELL * column + 1} {y + 1}h{CELL - 2}v{CELL - 2}h-{CELL - 2}z" for column in columns
        )
        add(figure, "path", d=f"M{NAMES} {y}H{NAMES + CELL * len(cases)}", class_="grid")
        add(figure, "text", mistake, x=NAMES - 8, y=y + 12, class_="end")
        add(add(figure, "path", d=squares, class_="kill"), "title", f"{mistake}: caught by {len(columns)} cases")
        add(figure, "text", len(columns), x=NAMES + CELL * len(cases) + 8, y=y + 12)
