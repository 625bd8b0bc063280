"""The cases: places, losses and hyper-parameters at which mistakes show."""

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.selecting import all_cases, select

__all__ = ["Case", "all_cases", "select"]
