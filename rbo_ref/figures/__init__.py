"""Pictures of balls and of what they see: steps and trajectories, the figures of the paper, the geometry of landscapes.

They need matplotlib, the extra ``figures``, and no display. Each function draws on the axes that it is given, and
returns them. `rbo_ref.figures.gallery` puts them together as whole figures, which ``rbo-ref figures`` writes.
"""

from rbo_ref.figures._centers import RollingCenters, centers, roll_on_wrinkles
from rbo_ref.figures._comparison import OPTIMIZERS, Compared, best_paths, compared, make_optimizer
from rbo_ref.figures._exploration import Exploration, exploration, explore
from rbo_ref.figures._fields import curvature_map, distance_field, largest_ball, medial_axes, reachable_points
from rbo_ref.figures._film import film
from rbo_ref.figures._hero import hillside, two_balls
from rbo_ref.figures._ironing import ironed, ranges
from rbo_ref.figures._paths import rolling
from rbo_ref.figures._samples import balls_on_a_profile, contact_map, sampled_contacts
from rbo_ref.figures._step import one_step

__all__ = [
    "OPTIMIZERS",
    "Compared",
    "Exploration",
    "RollingCenters",
    "balls_on_a_profile",
    "best_paths",
    "centers",
    "compared",
    "contact_map",
    "curvature_map",
    "distance_field",
    "exploration",
    "explore",
    "film",
    "hillside",
    "ironed",
    "largest_ball",
    "make_optimizer",
    "medial_axes",
    "one_step",
    "ranges",
    "reachable_points",
    "roll_on_wrinkles",
    "rolling",
    "sampled_contacts",
    "two_balls",
]
