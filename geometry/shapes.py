"""Surfaces whose footpoints, distances, curvatures and reach are known in closed form: truths to test against.

Every shape is a `LevelSet`, so that all verbs of the package take it. Its methods ``true_…`` come from formulas of its
own and share no solver with the verbs. Shapes that are graphs as well have a method ``graph``.

>>> from geometry import distance, reach
>>> ring = Torus(2.0, 0.5)
>>> point = [0.3, 0.4, 1.2]
>>> abs(distance(ring, point) - ring.true_distance(point)) < 1e-12
np.True_
"""

from __future__ import annotations

import math
from typing import Any

from geometry._namespace import Array, array_namespace, floating, positive, quietly
from geometry._shape import Shape, bordered, constant, diagonal, direction, outer, root
from geometry._vectors import dot, length
from geometry.graph import FunctionGraph

__all__ = [
    "Cone",
    "Cylinder",
    "Ellipsoid",
    "Hyperbola",
    "Paraboloid",
    "ParallelPlanes",
    "Plane",
    "Sphere",
    "Torus",
]


class Plane(Shape):
    """{x : a·x = offset}; above is where a points to.

    Parameters
    ----------
    normal : sequence of float
        a, not zero, of any length.
    offset : float

    Examples
    --------
    >>> Plane([3.0, 4.0], 10.0).true_footpoint([0.0, 0.0])
    array([1.2, 1.6])
    """

    def __init__(self, normal: Any, offset: float = 0.0) -> None:
        self.normal_vector, self.offset = tuple(float(a) for a in normal), float(offset)
        positive("length of the normal", math.hypot(*self.normal_vector))
        super().__init__()

    def graph(self) -> FunctionGraph:
        """The same plane over its first coordinates; its last normal component must not be 0."""
        *rest, last = self.normal_vector
        slope = [-a / last for a in rest]
        return FunctionGraph(
            lambda t: dot(array_namespace(t), t, constant(slope, t)) + self.offset / last,
            lambda t: constant(slope, t) + 0 * t,
            lambda t: 0 * outer(t),
            name="plane",
        )

    def true_footpoint(self, points: Array) -> Array:
        _, q = floating("points", points)
        a = constant(self.normal_vector, q)
        return q - (self._value(q) / math.hypot(*self.normal_vector) ** 2)[..., None] * a

    def true_curvatures(self, x: Array) -> Array:
        _, x = floating("x", x)
        return 0 * x[..., 1:]

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, math.inf, math.inf)

    def _value(self, x: Array) -> Array:
        return dot(array_namespace(x), x, constant(self.normal_vector, x)) - self.offset

    def _gradient(self, x: Array) -> Array:
        return constant(self.normal_vector, x) + 0 * x

    def _hessian(self, x: Array) -> Array:
        return 0 * outer(x)


class Ellipsoid(Shape):
    """{Σ (xᵢ/aᵢ)² = 1} in any dimension; above is outside.

    The reach is a_min²/a_max: the curvature at the ends of the longest axis. The bottleneck, the shortest
    axis, is wider.

    Parameters
    ----------
    axes : sequence of float
        The half axes aᵢ > 0.

    References
    ----------
    D. Eberly, "Distance from a point to an ellipse, an ellipsoid, or a hyperellipsoid" (2013): the bisection.

    Examples
    --------
    >>> ellipse = Ellipsoid([2.0, 1.0])
    >>> ellipse.true_footpoint([[0.0, 3.0], [1.0, 0.0]])
    array([[0.        , 1.        ],
           [1.33333333, 0.74535599]])
    >>> ellipse.true_reach()
    0.5
    """

    def __init__(self, axes: Any) -> None:
        self.axes = tuple(float(a) for a in axes)
        positive("axes", self.axes)
        super().__init__()

    @quietly
    def true_footpoint(self, points: Array) -> Array:
        """x = a²q/(a² + t) for the root t > −a_min² of Σ (a q/(a² + t))² = 1.

        If the components of q along the shortest axes vanish and there is no root, t = −a_min², and those axes take up
        what is left of the sum.
        """
        xp, q = floating("points", points)
        a, shortest = constant(self.axes, q), min(self.axes)
        gaps = a**2 - shortest**2  # s = t + a_min² is bisected, which may be as small as q along the shortest axis
        top = length(xp, a * q) + 0 * q[..., 0]

        def excess(s: Array) -> Array:
            part = a * q / (gaps + s[..., None])
            return xp.sum(xp.where(q == 0, 0.0, part) ** 2, axis=-1) - 1

        s = root(excess, xp.zeros_like(top), top)
        x = xp.where(q == 0, 0.0, a**2 * q / (gaps + s[..., None]))
        left = xp.sqrt(xp.clip(1 - xp.sum((x / a) ** 2, axis=-1), 0.0, 1.0))
        first = constant([float(i == self.axes.index(shortest)) for i in range(len(self.axes))], q)
        inside = xp.all(xp.where(gaps == 0, q == 0, q == q), axis=-1) & (excess(xp.zeros_like(top)) < 0)
        return xp.where(inside[..., None], x + first * shortest * left[..., None], x)

    def true_curvatures(self, x: Array) -> Array:
        """n ≤ 3: from Gaussian curvature K = ∏ aᵢ⁻² h⁴ and mean curvature, h = |(xᵢ/aᵢ²)|⁻¹ the height of the tangent
        plane over the centre; an ellipse has K = h³/(ab)²."""
        xp, x = floating("x", x)
        a = constant(self.axes, x)
        h = 1 / length(xp, x / a**2)
        product = math.prod(self.axes) ** 2
        if len(self.axes) == 2:
            return -(h**3 / product)[..., None]
        if len(self.axes) != 3:
            raise ValueError(f"the curvatures are known for 2 or 3 axes, not for {len(self.axes)}")
        gauss = h**4 / product
        mean = h**3 * (sum(b**2 for b in self.axes) - dot(xp, x, x)) / (2 * product)
        spread = xp.sqrt(xp.clip(mean**2 - gauss, 0.0))
        return xp.stack([-mean - spread, -mean + spread], axis=-1)

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, math.inf, min(self.axes) ** 2 / max(self.axes))

    def _value(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.sum((x / constant(self.axes, x)) ** 2, axis=-1) - 1

    def _gradient(self, x: Array) -> Array:
        return 2 * x / constant(self.axes, x) ** 2

    def _hessian(self, x: Array) -> Array:
        return diagonal([2 / a**2 for a in self.axes], x)


class Sphere(Shape):
    """{|x| = r} in any dimension; above is outside.

    Examples
    --------
    >>> Sphere(2.0).true_distance([[3.0, 4.0], [0.0, 1.0]])
    array([3., 1.])
    """

    def __init__(self, radius: float) -> None:
        positive("radius", radius)
        self.radius = float(radius)
        super().__init__()

    def true_footpoint(self, points: Array) -> Array:
        xp, q = floating("points", points)
        size = length(xp, q)[..., None]
        last = constant([0.0] * (q.shape[-1] - 1) + [1.0], q)
        return self.radius * xp.where(size > 0, q / xp.where(size > 0, size, 1.0), last)

    def true_curvatures(self, x: Array) -> Array:
        xp, x = floating("x", x)
        return xp.full_like(x[..., 1:], -1 / self.radius)

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, math.inf, self.radius)

    def _value(self, x: Array) -> Array:
        return dot(array_namespace(x), x, x) - self.radius**2

    def _gradient(self, x: Array) -> Array:
        return 2 * x

    def _hessian(self, x: Array) -> Array:
        return diagonal([2.0] * x.shape[-1], x)


class Cylinder(Shape):
    """{x₁² + … + xₙ₋₁² = r²}, around the last axis; above is outside.

    Examples
    --------
    >>> Cylinder(2.0).true_footpoint([3.0, 4.0, 7.0])
    array([1.2, 1.6, 7. ])
    """

    def __init__(self, radius: float) -> None:
        self._round = Sphere(radius)
        self.radius = self._round.radius
        super().__init__()

    def true_footpoint(self, points: Array) -> Array:
        xp, q = floating("points", points)
        return xp.concat([self._round.true_footpoint(q[..., :-1]), q[..., -1:]], axis=-1)

    def true_curvatures(self, x: Array) -> Array:
        xp, x = floating("x", x)
        return xp.concat([xp.full_like(x[..., 2:], -1 / self.radius), 0 * x[..., :1]], axis=-1)

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, math.inf, self.radius)

    def _value(self, x: Array) -> Array:
        return self._round._value(x[..., :-1])

    def _gradient(self, x: Array) -> Array:
        return array_namespace(x).concat([2 * x[..., :-1], 0 * x[..., -1:]], axis=-1)

    def _hessian(self, x: Array) -> Array:
        return diagonal([2.0] * (x.shape[-1] - 1) + [0.0], x)


class Torus(Shape):
    """The points of ℝ³ at distance r from the circle of radius R in the plane z = 0, r < R; above is outside.

    The reach is r from below and R − r from above, where the hole is: a bottleneck and a curvature at once.

    Examples
    --------
    >>> Torus(2.0, 0.5).true_distance([3.0, 0.0, 0.0]), Torus(2.0, 1.25).true_reach()
    (np.float64(0.5), 0.75)
    """

    def __init__(self, major: float, minor: float) -> None:
        positive("minor", minor)
        if not minor < major:
            raise ValueError(f"major must be larger than minor, got {major} and {minor}")
        self.major, self.minor = float(major), float(minor)
        self._circle, self._tube = Sphere(major), Sphere(minor)
        super().__init__()

    def true_footpoint(self, points: Array) -> Array:
        xp, q = floating("points", points)
        core = xp.concat([self._circle.true_footpoint(q[..., :2]), 0 * q[..., 2:]], axis=-1)
        return core + self._tube.true_footpoint(q - core)

    def true_curvatures(self, x: Array) -> Array:
        """−1/r along the tube, and −cos φ/(R + r cos φ) around the axis, φ = 0 at the outer equator."""
        xp, x = floating("x", x)
        around = length(xp, x[..., :2])
        cosine = (around - self.major) / self.minor
        pair = xp.stack([xp.full_like(around, -1 / self.minor), -cosine / around], axis=-1)
        return xp.sort(pair, axis=-1)

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, self.major - self.minor, self.minor)

    def _value(self, x: Array) -> Array:
        around = length(array_namespace(x), x[..., :2])
        return (around - self.major) ** 2 + x[..., 2] ** 2 - self.minor**2

    def _gradient(self, x: Array) -> Array:
        xp = array_namespace(x)
        around = length(xp, x[..., :2])[..., None]
        ratio = 1 - self.major / xp.where(around > 0, around, self.major)
        return 2 * xp.concat([ratio * x[..., :2], x[..., 2:]], axis=-1)

    def _hessian(self, x: Array) -> Array:
        xp = array_namespace(x)
        around = length(xp, x[..., :2])[..., None, None]
        around = xp.where(around > 0, around, self.major)
        flat = xp.concat([x[..., :2], 0 * x[..., 2:]], axis=-1)
        bend = self.major / around**3 * outer(flat)
        ratio = 1 - self.major / around
        return 2 * (bend + ratio * diagonal([1.0, 1.0, 0.0], x) + diagonal([0.0, 0.0, 1.0], x))


class Cone(Shape):
    """{y = m|θ|}, the graph of a cone; above is inside of it.

    At the tip there is no curvature: a ball above never reaches it, so that the reach from above is 0; a ball below is
    never stopped.

    Examples
    --------
    >>> Cone(0.75).true_distance([[0.0, 1.0], [0.0, -1.0]])
    array([0.8, 1. ])
    """

    def __init__(self, slope: float) -> None:
        positive("slope", slope)
        self.slope = float(slope)
        super().__init__()

    def graph(self) -> FunctionGraph:
        """The same cone as a graph."""
        return FunctionGraph(
            lambda t: self.slope * length(array_namespace(t), t),
            lambda t: self.slope * direction(t),
            self._bend,
            name="cone",
        )

    def true_footpoint(self, points: Array) -> Array:
        """Along the ray over the query's own direction, or the tip."""
        xp, q = floating("points", points)
        theta, y = q[..., :-1], q[..., -1]
        along = (length(xp, theta) + self.slope * y) / (1 + self.slope**2)
        along = xp.clip(along, 0.0)[..., None]
        first = constant([1.0] + [0.0] * (theta.shape[-1] - 1), q)
        ray = xp.where(length(xp, theta)[..., None] > 0, direction(theta), first)
        return xp.concat([along * ray, self.slope * along], axis=-1)

    @quietly
    def true_curvatures(self, x: Array) -> Array:
        """0 along the rays, m/(r√(1 + m²)) around the axis; n = 2: only 0."""
        xp, x = floating("x", x)
        around = self.slope / (length(xp, x[..., :-1]) * math.hypot(1, self.slope))
        return xp.concat([0 * x[..., :1], around[..., None] + 0 * x[..., 2:]], axis=-1)

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, 0.0, math.inf)

    def _bend(self, theta: Array) -> Array:
        xp = array_namespace(theta)
        size = length(xp, theta)[..., None, None]
        n = direction(theta)
        return self.slope * (diagonal([1.0] * theta.shape[-1], theta) - outer(n)) / xp.where(size > 0, size, xp.nan)

    def _value(self, x: Array) -> Array:
        return x[..., -1] - self.slope * length(array_namespace(x), x[..., :-1])

    def _gradient(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.concat([-self.slope * direction(x[..., :-1]), xp.ones_like(x[..., -1:])], axis=-1)

    def _hessian(self, x: Array) -> Array:
        return -bordered(self._bend(x[..., :-1]))


class Paraboloid(Shape):
    """{y = k|θ|²/2}, k > 0; above is inside.

    Its reach is 1/k, at the bottom; from there on, {0} × [1/k, ∞) is its medial axis.

    Examples
    --------
    >>> Paraboloid(1.0).true_footpoint([0.5, 1.0]), Paraboloid(4.0).true_reach("above")
    (array([1. , 0.5]), 0.25)
    """

    def __init__(self, curvature: float) -> None:
        positive("curvature", curvature)
        self.curvature = float(curvature)
        super().__init__()

    def graph(self) -> FunctionGraph:
        """The same paraboloid as a graph."""
        k = self.curvature
        return FunctionGraph(
            lambda t: k / 2 * dot(array_namespace(t), t, t),
            lambda t: k * t,
            lambda t: diagonal([k] * t.shape[-1], t),
            name="paraboloid",
        )

    def true_footpoint(self, points: Array) -> Array:
        """At radius s, the largest root of (k²/2)s³ + (1 − ky)s = r for a query (r, y)."""
        xp, q = floating("points", points)
        theta, y, k = q[..., :-1], q[..., -1], self.curvature
        r = length(xp, theta)
        turn = xp.sqrt(xp.clip(2 * (k * y - 1) / (3 * k**2), 0.0))  # the cubic rises from its turning point on
        top = 2 * turn + xp.clip(2 * r / k**2, 0.0) ** (1 / 3) + r + 1 / k
        s = root(lambda s: r - s * (k**2 / 2 * s**2 + 1 - k * y), turn, top)
        first = constant([1.0] + [0.0] * (theta.shape[-1] - 1), q)
        ray = xp.where(r[..., None] > 0, direction(theta), first)
        return xp.concat([s[..., None] * ray, (k / 2 * s**2)[..., None]], axis=-1)

    def true_distance_from_the_axis(self, heights: Array) -> Array:
        """Distance of (0, y): |y| up to 1/k, from there on √(2y/k − 1/k²)."""
        xp, y = floating("heights", heights)
        k = self.curvature
        return xp.where(k * y <= 1, xp.abs(y), xp.sqrt(xp.clip(2 * y / k - 1 / k**2, 0.0)))

    def true_curvatures(self, x: Array) -> Array:
        """k/W around the axis, k/W³ along the slope, W = √(1 + k²|θ|²)."""
        xp, x = floating("x", x)
        w = xp.sqrt(1 + self.curvature**2 * dot(xp, x[..., :-1], x[..., :-1]))[..., None]
        return xp.concat([self.curvature / w**3, self.curvature / w + 0 * x[..., 2:]], axis=-1)

    def true_medial_radius(self, x: Array) -> Array:
        """From above, √(1 + k²|θ|²)/k: the ball touches all around its axis."""
        xp, x = floating("x", x)
        return xp.sqrt(1 + self.curvature**2 * dot(xp, x[..., :-1], x[..., :-1])) / self.curvature

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, 1 / self.curvature, math.inf)

    def _value(self, x: Array) -> Array:
        return x[..., -1] - self.curvature / 2 * dot(array_namespace(x), x[..., :-1], x[..., :-1])

    def _gradient(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.concat([-self.curvature * x[..., :-1], xp.ones_like(x[..., -1:])], axis=-1)

    def _hessian(self, x: Array) -> Array:
        return diagonal([-self.curvature] * (x.shape[-1] - 1) + [0.0], x)


class ParallelPlanes(Shape):
    """{|xₙ| = width/2}; above is outside. It has no curvature: its reach, width/2, is all bottleneck.

    Examples
    --------
    >>> ParallelPlanes(3.0).true_distance([7.0, 0.5]), ParallelPlanes(3.0).true_reach()
    (np.float64(1.0), 1.5)
    """

    def __init__(self, width: float) -> None:
        positive("width", width)
        self.width = float(width)
        super().__init__()

    def true_footpoint(self, points: Array) -> Array:
        xp, q = floating("points", points)
        last = xp.where(q[..., -1:] < 0, -self.width / 2, self.width / 2 + 0 * q[..., -1:])
        return xp.concat([q[..., :-1], last], axis=-1)

    def true_curvatures(self, x: Array) -> Array:
        _, x = floating("x", x)
        return 0 * x[..., 1:]

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, math.inf, self.width / 2)

    def _value(self, x: Array) -> Array:
        return x[..., -1] ** 2 - self.width**2 / 4

    def _gradient(self, x: Array) -> Array:
        return array_namespace(x).concat([0 * x[..., :-1], 2 * x[..., -1:]], axis=-1)

    def _hessian(self, x: Array) -> Array:
        return diagonal([0.0] * (x.shape[-1] - 1) + [2.0], x)


class Hyperbola(Shape):
    """{x²/a² − y²/b² = 1}, both branches; above is inside of them.

    The reach is the smaller of the radius of curvature b²/a at the vertices, from above, and of the half gap a between
    the branches, from below.

    Examples
    --------
    >>> Hyperbola(1.0, 0.5).true_reach(), Hyperbola(1.0, 2.0).true_reach()
    (0.25, 1.0)
    """

    def __init__(self, a: float, b: float) -> None:
        positive("a and b", (a, b))
        self.a, self.b = float(a), float(b)
        super().__init__()

    @quietly
    def true_footpoint(self, points: Array) -> Array:
        """On the query's side x = a²u/(a² + b² − s), y = b²v/s, for the root s of x²/a² − y²/b² = 1 in (0, a² + b²)."""
        xp, q = floating("points", points)
        u, v, a, b = xp.abs(q[..., 0]), xp.abs(q[..., 1]), self.a, self.b
        whole = a**2 + b**2

        def below(s: Array) -> Array:
            return -((a * u / (whole - s)) ** 2 - (b * v / s) ** 2 - 1)

        s = root(below, xp.zeros_like(u), xp.full_like(u, whole))
        y = b**2 * v / s
        x = a * xp.sqrt(1 + (y / b) ** 2)
        far = (v == 0) & (u > whole / a)  # beyond the focal point the footpoints leave the axis
        x = xp.where(far, a**2 * u / whole, xp.where(v == 0, a, x))
        y = xp.where(far, b * xp.sqrt(xp.clip((x / a) ** 2 - 1, 0.0)), xp.where(v == 0, 0.0, y))
        signs = xp.where(q < 0, -1.0, xp.ones_like(q))
        return signs * xp.stack([x, y], axis=-1)

    def true_curvatures(self, x: Array) -> Array:
        """ab/(b²x²/a² + a²y²/b²)^(3/2), towards the inside."""
        _, x = floating("x", x)
        square = (self.b * x[..., 0] / self.a) ** 2 + (self.a * x[..., 1] / self.b) ** 2
        return (self.a * self.b / square**1.5)[..., None]

    def true_reach(self, side: str = "both") -> float:
        return self.of_sides(side, self.b**2 / self.a, self.a)

    def _value(self, x: Array) -> Array:
        return (x[..., 0] / self.a) ** 2 - (x[..., 1] / self.b) ** 2 - 1

    def _gradient(self, x: Array) -> Array:
        return x * constant([2 / self.a**2, -2 / self.b**2], x)

    def _hessian(self, x: Array) -> Array:
        return diagonal([2 / self.a**2, -2 / self.b**2], x)
