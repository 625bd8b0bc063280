"""Every optimizer as its formulas, once: over numbers that know rounding they are the truth, over arrays right ports.

They share no line with the code that is judged.
"""

from rbo_ref.oracle.formulas.formula import Formula, Loop, given, mixed
from rbo_ref.oracle.formulas.known import FORMULAS, formula_of
from rbo_ref.oracle.formulas.of_the_ball import RollingBallFormula

__all__ = ["FORMULAS", "Formula", "Loop", "RollingBallFormula", "formula_of", "given", "mixed"]
