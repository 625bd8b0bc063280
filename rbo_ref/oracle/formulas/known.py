"""The formulas of all optimizers, in all their readings. A new one is a class, and its name here."""

from __future__ import annotations

from rbo_ref.oracle.formulas.formula import Formula
from rbo_ref.oracle.formulas.of_adam import (
    AdamFormula,
    AdamWFormula,
    AMSGrad,
    AMSGradW,
    CorrectedAMSGrad,
    CorrectedAMSGradW,
    FreelyDecayed,
    HatAdam,
    HatAdamW,
)
from rbo_ref.oracle.formulas.of_alice import AliceFormula
from rbo_ref.oracle.formulas.of_entropy_sgd import CodedEntropySGD, EntropySGDFormula, FixedScope
from rbo_ref.oracle.formulas.of_gradient_descent import DampenedDescent, GradientDescentFormula
from rbo_ref.oracle.formulas.of_induced_metric import InducedMetricFormula
from rbo_ref.oracle.formulas.of_lion import LionFormula
from rbo_ref.oracle.formulas.of_muon import JordanMuon, KerasMuon, MatchedMuon, MuonFormula, OptaxMuon
from rbo_ref.oracle.formulas.of_nadam import ConstantNAdam, HastyNAdam, NAdamFormula
from rbo_ref.oracle.formulas.of_rmsprop import InsideRMSprop, RMSpropFormula
from rbo_ref.oracle.formulas.of_sam import PlainSAM, SAMFormula
from rbo_ref.oracle.formulas.of_the_ball import FullCandidate, FullContact, HalfCandidate, RollingBallFormula

__all__ = ["FORMULAS", "LOOPS", "formula_of"]

READ: tuple[tuple[type[Formula], ...], ...] = (
    (RollingBallFormula, HalfCandidate, FullContact, FullCandidate),
    (GradientDescentFormula, DampenedDescent),
    (AdamFormula, HatAdam, AMSGrad, CorrectedAMSGrad),
    (AdamWFormula, HatAdamW, FreelyDecayed, AMSGradW, CorrectedAMSGradW),
    (MuonFormula, MatchedMuon, JordanMuon, OptaxMuon, KerasMuon),
    (SAMFormula, PlainSAM),
    (EntropySGDFormula, CodedEntropySGD, FixedScope),
    (InducedMetricFormula,),
    (AliceFormula,),
    (RMSpropFormula, InsideRMSprop),
    (NAdamFormula, ConstantNAdam, HastyNAdam),
    (LionFormula,),
)
"""Of each optimizer the reading that is the default, then the others, which are subclasses of it."""

FORMULAS = {formulas[0].optimizer: {formula.dialect: formula for formula in formulas} for formulas in READ}
"""By the names of the optimizer and the reading."""
LOOPS = {formulas[0].optimizer: formulas[0].loop for formulas in READ if formulas[0].loop is not None}
"""The inner loops of those that have one."""


def formula_of(optimizer: str, dialect: str | None = None) -> type[Formula]:
    """The formula of an optimizer in a reading; in its first one for None.

    Examples
    --------
    >>> formula_of("muon").dialect, formula_of("sam").is_memoryless
    ('original', True)
    """
    formulas = FORMULAS[optimizer]
    return next(iter(formulas.values())) if dialect is None else formulas[dialect]
