"""Geometry of surfaces given by functions: footpoints, distance, parallel surfaces, curvature, on any array library.

>>> import numpy as np
>>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos)
>>> project(wave, [[0.0, 2.0]]).converged
array([ True])
"""

from geometry.background import rolling_ball
from geometry.distance import distance, distance_gradient, signed_distance
from geometry.footpoint import Descent, Footpoints, GaussNewton, MultiStart, Newton, Solver, Status, project
from geometry.graph import FunctionGraph, shape_matrix, steepest_tangent, upward_normal
from geometry.morphology import closing, dilate, erode, opening
from geometry.offset import offset, offset_function

__all__ = [
    "Descent",
    "Footpoints",
    "FunctionGraph",
    "GaussNewton",
    "MultiStart",
    "Newton",
    "Solver",
    "Status",
    "closing",
    "dilate",
    "distance",
    "distance_gradient",
    "erode",
    "offset",
    "offset_function",
    "opening",
    "project",
    "rolling_ball",
    "shape_matrix",
    "signed_distance",
    "steepest_tangent",
    "upward_normal",
]
