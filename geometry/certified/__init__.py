"""Answers with a proof: bounds that contain the truth, computed in interval arithmetic.

The verbs are those of `geometry`, on function graphs; distances and footpoints on level sets as well. The function is
recorded (`geometry.expressions.record`), and the recording is evaluated on intervals over boxes of θ, with its
derivatives by the slope rules of the table of operations. Proofs rest on the values alone, never on derivatives that
were written by hand; what cannot be recorded is refused with the reason. Each answer is an `Enclosure`; for footpoints,
`Regions`. Where the budget of boxes ends first, the bounds reached so far are returned, and say that they are not
closed.

>>> import numpy as np
>>> from geometry import FunctionGraph
>>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
>>> found = distance(wave, [0.0, 3.0], tolerance=1e-9)
>>> found.lower.round(8)
np.float64(2.37704519)
"""

from geometry.certified.curvature import critical_radius, medial_radius, reach, reachable
from geometry.certified.enclosure import Decision, Enclosure, Regions
from geometry.certified.offset_range import ironing
from geometry.certified.saved import load_model, save_model
from geometry.certified.solver import Certified
from geometry.certified.verbs import distance, footpoint, offset_function, project, signed_distance

__all__ = [
    "Certified",
    "Decision",
    "Enclosure",
    "Regions",
    "critical_radius",
    "distance",
    "footpoint",
    "ironing",
    "load_model",
    "medial_radius",
    "offset_function",
    "project",
    "reach",
    "reachable",
    "save_model",
    "signed_distance",
]
