"""Hypothesis strategies: landscapes that know their bounds, points, radii, queries, arrays.

All numbers drawn are short dyadic fractions, exact in every floating dtype, and shrink to small integers; landscapes
shrink to a plane of one parameter, radii and rates to 1.

>>> from hypothesis import given, strategies as st
>>> @given(st.data())
... def test_a_step_in_the_stable_regime_moves_nearer(data):
...     landscape = data.draw(landscapes(max_curvature=1.0))
...     theta = data.draw(points(landscape.dimension))
...     hyper = data.draw(hyper_parameters(landscape, theta, regime="stable"))

This package needs Hypothesis, and nothing imports it but you.
"""

from rbo_ref.strategies.arrays import Samples, batch_shapes, dtypes, heights, namespaces, samples
from rbo_ref.strategies.drawing import KINDS, landscapes, planes
from rbo_ref.strategies.implicit_surfaces import implicit_queries
from rbo_ref.strategies.landscape import PROFILES, Bump, Landscape, Ridge
from rbo_ref.strategies.numbers import coordinates, dimensions, dyadics, points, radii, vectors
from rbo_ref.strategies.parametric_surfaces import parametric_queries, sampled_queries
from rbo_ref.strategies.query import Query, SurfaceQuery, medial_queries, queries
from rbo_ref.strategies.stability import InnerBounds, hyper_parameters, inner_bounds

__all__ = [
    "KINDS",
    "PROFILES",
    "Bump",
    "InnerBounds",
    "Landscape",
    "Query",
    "Ridge",
    "Samples",
    "SurfaceQuery",
    "batch_shapes",
    "coordinates",
    "dimensions",
    "dtypes",
    "dyadics",
    "heights",
    "hyper_parameters",
    "implicit_queries",
    "inner_bounds",
    "landscapes",
    "medial_queries",
    "namespaces",
    "parametric_queries",
    "planes",
    "points",
    "queries",
    "radii",
    "sampled_queries",
    "samples",
    "vectors",
]
