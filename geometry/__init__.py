"""Geometry of surfaces given by functions: footpoints, distance, parallel surfaces, curvature, on any array library.

>>> import numpy as np
>>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos)
>>> project(wave, [[0.0, 2.0]]).converged
array([ True])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from geometry import shapes
from geometry._contact import Status
from geometry._feet import Footpoints
from geometry._version import __version__
from geometry.background import rolling_ball
from geometry.derivatives import check_gradient
from geometry.distances import distance, distance_gradient, signed_distance
from geometry.footpoint import Descent, GaussNewton, MultiStart, Newton, Solver, project
from geometry.frames import shape_matrix, steepest_tangent, upward_normal
from geometry.graph import FunctionGraph
from geometry.jacobian import project_and_jacobian
from geometry.level_set import LevelSet
from geometry.morphology import closing, dilate, erode, opening
from geometry.offsets import offset, offset_function
from geometry.parametric import Parametric
from geometry.point_cloud import reach_from_points
from geometry.reachability import MedialAxis, medial_axis, medial_radius, reachable
from geometry.reaches import Bottleneck, Reach, bottleneck, critical_radius, reach
from geometry.sampled import SampledGraph
from geometry.sampling import Sampling
from geometry.touched import free_of_ends, reachable_samples

if TYPE_CHECKING:
    from geometry import certified as certified

__all__ = [
    "Bottleneck",
    "Descent",
    "Footpoints",
    "FunctionGraph",
    "GaussNewton",
    "LevelSet",
    "MedialAxis",
    "MultiStart",
    "Newton",
    "Parametric",
    "Reach",
    "SampledGraph",
    "Sampling",
    "Solver",
    "Status",
    "__version__",
    "bottleneck",
    "check_gradient",
    "closing",
    "critical_radius",
    "dilate",
    "distance",
    "distance_gradient",
    "erode",
    "free_of_ends",
    "medial_axis",
    "medial_radius",
    "offset",
    "offset_function",
    "opening",
    "project",
    "project_and_jacobian",
    "reach",
    "reach_from_points",
    "reachable",
    "reachable_samples",
    "rolling_ball",
    "shape_matrix",
    "shapes",
    "signed_distance",
    "steepest_tangent",
    "upward_normal",
]


def __getattr__(name: str) -> Any:
    """`geometry.certified`, imported when it is first asked for."""
    if name == "certified":
        return import_module("geometry.certified")
    raise AttributeError(f"module 'geometry' has no attribute {name!r}")
